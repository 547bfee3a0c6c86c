// The places of functions in OrtApi and the numbers of element types are from onnxruntime_c_api.h: the library promises
// that new functions stand behind those of older versions.
#include "tools/onnx_runtime.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

namespace rnnc::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kApiVersion = 8;  // of ONNX Runtime 1.8, which has all that is called here
constexpr int kLogNothing = 4;            // ORT_LOGGING_LEVEL_FATAL: errors come with the status of a call

// Every function of the table but those that release something, and those of errors, returns a status.
struct Status;
struct ApiBase {
  const void* const* (*api)(std::uint32_t version);
  const char* (*version)();
};

enum Place : std::size_t {
  kErrorMessage = 2,
  kCreateEnvironment = 3,
  kCreateSession = 7,
  kRun = 9,
  kCreateOptions = 10,
  kSetThreadsInOperators = 24,
  kSetThreadsOfOperators = 25,
  kInputCount = 30,
  kOutputCount = 31,
  kInputType = 33,
  kOutputType = 34,
  kInputName = 36,
  kOutputName = 37,
  kCreateTensor = 49,
  kTensorInfo = 55,
  kElementType = 60,
  kRank = 61,
  kDimensions = 62,
  kCreateMemory = 69,
  kFree = 76,
  kAllocator = 78,
  kReleaseEnvironment = 92,
  kReleaseStatus = 93,
  kReleaseMemory = 94,
  kReleaseSession = 95,
  kReleaseValue = 96,
  kReleaseType = 98,
  kReleaseOptions = 100,
  kAddConfig = 130,
};

// [n]: the type that ONNX numbers n.
constexpr std::array<std::optional<ElementType>, 17> kTypes = {
    std::nullopt,     ElementType::F32, ElementType::U8, ElementType::I8,   ElementType::U16, ElementType::I16,
    ElementType::I32, ElementType::I64, std::nullopt,    ElementType::Bool, ElementType::F16, ElementType::F64,
    ElementType::U32, ElementType::U64, std::nullopt,    std::nullopt,      ElementType::BF16};

Error runtime_refused(const std::string& message, const std::string& remedy = "") {
  Error error{ErrorCode::Unsupported, {}, "--against onnxruntime: " + message};
  if (!remedy.empty()) error.notes.push_back({{}, remedy});
  return error;
}

const std::string kHowToGet =
    "install libonnxruntime-dev where the distribution has it, or run `npm install --ignore-scripts onnxruntime-node`, "
    "or name the library by --library libonnxruntime.so";

#if defined(__aarch64__)
constexpr const char* kNpmFolder = "linux/arm64";
#else
constexpr const char* kNpmFolder = "linux/x64";
#endif

// Looks for the library in a package of npm, whose folder napi-vN is of the interface to Node.js.
std::optional<fs::path> in_node_modules(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder / "node_modules/onnxruntime-node/bin", ignored)) {
    const fs::path library = entry.path() / kNpmFolder / "libonnxruntime.so.1";
    if (fs::exists(library, ignored)) return library;
  }
  return std::nullopt;
}

void* load_installed() {
  for (const char* name : {"libonnxruntime.so.1", "libonnxruntime.so"})
    if (void* const library = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return library;
  std::vector<fs::path> folders = {"/usr/lib", "/usr/local/lib"};
  std::error_code ignored;
  for (fs::path at = fs::current_path(ignored); !at.empty(); at = at.parent_path()) {
    folders.insert(folders.end() - 2, at);
    if (at == at.root_path()) break;
  }
  for (const fs::path& folder : folders)
    if (const auto path = in_node_modules(folder))
      if (void* const library = dlopen(path->c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
  return nullptr;
}

}  // namespace

struct OnnxSession::Library {
  const void* const* api = nullptr;
  std::string version;
  std::shared_ptr<void> environment, memory;
  void* allocator = nullptr;

  template <class... Arguments>
  std::string call(Place place, Arguments... arguments) const {
    const auto function = reinterpret_cast<Status* (*)(Arguments...)>(const_cast<void*>(api[place]));
    Status* const status = function(arguments...);
    if (status == nullptr) return "";
    const auto text = reinterpret_cast<const char* (*)(const Status*)>(const_cast<void*>(api[kErrorMessage]))(status);
    std::string message = text != nullptr && *text != 0 ? text : "it does not say why";
    release(kReleaseStatus, status);
    return message;
  }

  void release(Place place, void* object) const {
    reinterpret_cast<void (*)(void*)>(const_cast<void*>(api[place]))(object);
  }

  std::shared_ptr<void> owned(void* object, Place place) const {
    return {object, [table = api, place](void* own) {
              reinterpret_cast<void (*)(void*)>(const_cast<void*>(table[place]))(own);
            }};
  }

  Result<OnnxPort> port(void* session, std::size_t index, Place name_at, Place type_at) const {
    char* name = nullptr;
    void* type = nullptr;
    const void* info = nullptr;
    std::string failure = call(name_at, session, index, allocator, &name);
    if (!failure.empty()) return runtime_refused(failure);
    OnnxPort port{name, {}, {}};
    (void)call(kFree, allocator, static_cast<void*>(name));
    failure = call(type_at, session, index, &type);
    if (!failure.empty()) return runtime_refused(failure);
    const std::shared_ptr<void> own_type = owned(type, kReleaseType);
    failure = call(kTensorInfo, type, &info);
    int number = 0;
    std::size_t rank = 0;
    if (failure.empty() && info == nullptr) failure = port.name + " is no tensor";
    if (failure.empty()) failure = call(kElementType, info, &number);
    if (failure.empty()) failure = call(kRank, info, &rank);
    port.dims.resize(rank);
    if (failure.empty()) failure = call(kDimensions, info, port.dims.data(), rank);
    if (!failure.empty()) return runtime_refused(failure);
    const auto known =
        static_cast<std::size_t>(number) < kTypes.size() ? kTypes[static_cast<std::size_t>(number)] : std::nullopt;
    if (!known) return runtime_refused(port.name + " has elements of a type that is not supported here");
    port.type = *known;
    return port;
  }

  Result<std::vector<OnnxPort>> ports(void* session, Place count_at, Place name_at, Place type_at) const {
    std::size_t count = 0;
    if (const std::string failure = call(count_at, session, &count); !failure.empty()) return runtime_refused(failure);
    std::vector<OnnxPort> result;
    for (std::size_t i = 0; i < count; ++i) {
      Result<OnnxPort> own = port(session, i, name_at, type_at);
      if (!own) return own.error();
      result.push_back(std::move(*own));
    }
    return result;
  }
};

Result<OnnxSession::Value> OnnxSession::value(ElementType type, const Shape& shape, std::byte* data) const {
  const auto number = std::ranges::find(kTypes, std::optional(type)) - kTypes.begin();
  std::size_t bytes = size_bytes(type);
  for (const std::int64_t size : shape) bytes *= static_cast<std::size_t>(size);
  void* made = nullptr;
  const std::string failure =
      library_->call(kCreateTensor, static_cast<const void*>(library_->memory.get()), static_cast<void*>(data), bytes,
                     shape.data(), shape.size(), static_cast<int>(number), &made);
  if (!failure.empty()) return runtime_refused(failure);
  return library_->owned(made, kReleaseValue);
}

std::string OnnxSession::run(const std::vector<const char*>& input_names, const std::vector<void*>& inputs,
                             const std::vector<const char*>& output_names, std::vector<void*>& outputs) const {
  return library_->call(kRun, session_.get(), static_cast<const void*>(nullptr), input_names.data(), inputs.data(),
                        inputs.size(), output_names.data(), outputs.size(), outputs.data());
}

Result<OnnxRuntime> OnnxRuntime::load(const std::string& path) {
  void* const loaded = path.empty() ? load_installed() : dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (loaded == nullptr && path.empty()) return runtime_refused("no ONNX Runtime is found", kHowToGet);
  if (loaded == nullptr) {
    const char* const why = dlerror();
    return runtime_refused(std::string("--library cannot be loaded: ") + (why != nullptr ? why : path), kHowToGet);
  }
  const auto entry = reinterpret_cast<const ApiBase* (*)()>(dlsym(loaded, "OrtGetApiBase"));
  if (entry == nullptr) return runtime_refused(path + " is no ONNX Runtime: it has no OrtGetApiBase", kHowToGet);
  const ApiBase* const base = entry();
  auto library = std::make_shared<OnnxSession::Library>();
  library->version = base->version();
  library->api = base->api(kApiVersion);
  if (library->api == nullptr)
    return runtime_refused("ONNX Runtime " + library->version + " is too old; version 1.8 or newer is needed",
                           kHowToGet);
  void* environment = nullptr;
  void* memory = nullptr;
  std::string failure = library->call(kCreateEnvironment, kLogNothing, "rnnc", &environment);
  if (!failure.empty()) return runtime_refused(failure);
  library->environment = library->owned(environment, kReleaseEnvironment);
  constexpr int kArena = 1, kDefault = 0;
  failure = library->call(kCreateMemory, kArena, kDefault, &memory);
  if (!failure.empty()) return runtime_refused(failure);
  library->memory = library->owned(memory, kReleaseMemory);
  failure = library->call(kAllocator, &library->allocator);
  if (!failure.empty()) return runtime_refused(failure);
  OnnxRuntime result;
  result.library_ = std::move(library);
  return result;
}

std::string OnnxRuntime::version() const { return library_->version; }

Result<OnnxSession> OnnxRuntime::open(const std::string& model, std::int64_t threads) const {
  void* made = nullptr;
  std::string failure = library_->call(kCreateOptions, &made);
  if (!failure.empty()) return runtime_refused(failure);
  const std::shared_ptr<void> options = library_->owned(made, kReleaseOptions);
  failure = library_->call(kSetThreadsInOperators, made, static_cast<int>(threads));
  if (failure.empty()) failure = library_->call(kSetThreadsOfOperators, made, 1);
  // Denormals are zero as in every contestant.
  if (failure.empty()) failure = library_->call(kAddConfig, made, "session.set_denormal_as_zero", "1");
  void* session = nullptr;
  if (failure.empty())
    failure = library_->call(kCreateSession, library_->environment.get(), model.c_str(), static_cast<const void*>(made),
                             &session);
  if (!failure.empty()) return runtime_refused(model + ": " + failure);
  OnnxSession result;
  result.library_ = library_;
  // The environment lives as long as a session.
  result.session_ = {session, [library = library_](void* own) { library->release(kReleaseSession, own); }};
  Result<std::vector<OnnxPort>> inputs = library_->ports(session, kInputCount, kInputName, kInputType);
  if (!inputs) return inputs.error();
  Result<std::vector<OnnxPort>> outputs = library_->ports(session, kOutputCount, kOutputName, kOutputType);
  if (!outputs) return outputs.error();
  result.inputs_ = std::move(*inputs);
  result.outputs_ = std::move(*outputs);
  return result;
}

}  // namespace rnnc::tools
