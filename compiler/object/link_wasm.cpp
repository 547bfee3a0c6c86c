#include "compiler/object/link_wasm.hpp"

#include <llvm/ADT/SmallString.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/Support/FileSystem.h>
#include <llvm/Support/FileUtilities.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/Program.h>
#include <llvm/Support/raw_ostream.h>

#include <cstdlib>
#include <optional>

namespace rnnc::compiler {
namespace {

constexpr const char* kVersion = LLVM_VERSION_STRING;

std::string major_version() {
  const std::string version = kVersion;
  return version.substr(0, version.find('.'));
}

Error file_error(const std::string& what, const std::error_code& code) {
  return {ErrorCode::File,
          {what},
          "cannot use this temporary file: " + code.message() + "; TMPDIR names the folder for such files"};
}

// A file in the system's folder for them; it is gone with this object.
class TemporaryFile {
 public:
  static Result<TemporaryFile> make(const char* suffix) {
    llvm::SmallString<128> path;
    if (const std::error_code code = llvm::sys::fs::createTemporaryFile("rnnc", suffix, path))
      return file_error("rnnc-*." + std::string(suffix), code);
    return TemporaryFile(std::string(path));
  }

  const std::string& path() const { return path_; }

  Result<void> write(std::span<const std::byte> bytes) const {
    std::error_code code;
    llvm::raw_fd_ostream out(path_, code);
    if (code) return file_error(path_, code);
    out.write(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    out.close();
    if (!out.has_error()) return {};
    const Error error = file_error(path_, out.error());
    out.clear_error();
    return error;
  }

  Result<std::string> read() const {
    auto content = llvm::MemoryBuffer::getFile(path_, false, false);
    if (!content) return file_error(path_, content.getError());
    return (*content)->getBuffer().str();
  }

 private:
  explicit TemporaryFile(std::string path)
      : path_(std::move(path)), remover_(std::make_unique<llvm::FileRemover>(path_)) {}

  std::string path_;
  std::unique_ptr<llvm::FileRemover> remover_;
};

// The stack lies before the data, so that a stack that overflows ends in a trap and not in the weights.
std::vector<std::string> arguments_of(const std::string& linker, const std::string& object, const std::string& module) {
  return {linker,         object,
          "-o",           module,
          "--no-entry",   "--stack-first",
          "-z",           "stack-size=131072",
          "--strip-all",  "--export=__heap_base",
          "--gc-sections"};
}

Error linker_error(const std::string& linker, std::string said) {
  while (!said.empty() && said.back() == '\n') said.pop_back();
  return {ErrorCode::Unsupported, {linker}, "the linker cannot make the module" + (said.empty() ? "" : ": " + said)};
}

}  // namespace

Result<std::string> find_wasm_linker() {
  for (const std::string& name : {"wasm-ld-" + major_version(), std::string("wasm-ld")}) {
    if (auto found = llvm::sys::findProgramByName(name)) return *found;
    if (auto found = llvm::sys::findProgramByName(name, {RNNC_LLVM_TOOLS})) return *found;
  }
  const std::string version = major_version();
  return Error{ErrorCode::Unsupported,
               {},
               "a module of WebAssembly needs the linker wasm-ld-" + version + "; install the package lld-" + version +
                   " (apt-get install lld-" + version + "), or put wasm-ld into PATH"};
}

Result<std::vector<std::byte>> link_wasm(const std::string& linker, std::span<const std::byte> object) {
  Result<TemporaryFile> in = TemporaryFile::make("o"), out = TemporaryFile::make("wasm"),
                        log = TemporaryFile::make("txt");
  for (const Result<TemporaryFile>* each : {&in, &out, &log})
    if (!*each) return each->error();
  if (const Result<void> written = in->write(object); !written) return written.error();
  const std::vector<std::string> arguments = arguments_of(linker, in->path(), out->path());
  const llvm::SmallVector<llvm::StringRef> texts(arguments.begin(), arguments.end());
  const std::optional<llvm::StringRef> streams[] = {llvm::StringRef(""), llvm::StringRef(log->path()),
                                                    llvm::StringRef(log->path())};
  std::string message;
  if (llvm::sys::ExecuteAndWait(linker, texts, std::nullopt, streams, 0, 0, &message) != 0) {
    const Result<std::string> said = log->read();
    return linker_error(linker, message.empty() && said ? *said : message);
  }
  const Result<std::string> module = out->read();
  if (!module) return module.error();
  const auto* first = reinterpret_cast<const std::byte*>(module->data());
  return std::vector<std::byte>(first, first + module->size());
}

}  // namespace rnnc::compiler
