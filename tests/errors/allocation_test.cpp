// Memory that runs out: the n-th operator new of a call fails, for every n until the call gets by. Each time there is
// the error that is documented, and nothing is left behind. Only our own code is asked: where there is no memory, LLVM
// ends the process, and so does the JSON library while it destroys an array (its destructor allocates).
#include <rnnc/ahead.hpp>
#include <rnnc/artifact.hpp>
#include <rnnc/c_handles.hpp>
#include <rnnc/rnnc.hpp>

#include <filesystem>
#include <functional>
#include <new>

#include "compiler/schedule/code_cache.hpp"
#include "tests/errors/file_bytes.hpp"
#include "tests/fuzz/stored.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/support/allocations.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/run_cell.hpp"
#include "tests/support/run_network.hpp"

namespace rnnc::test {
namespace {

enum class End { Ok, Limit, Thrown, Other };

template <class T>
End end_of(const Result<T>& result) {
  if (result) return End::Ok;
  return result.error().code == ErrorCode::Limit ? End::Limit : End::Other;
}

End end_of(rnnc_status status) { return status == RNNC_OK ? End::Ok : status == RNNC_LIMIT ? End::Limit : End::Other; }

std::size_t open_files() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(files, std::filesystem::directory_iterator()));
}

// Once with enough memory, so that what is made only once is there; then with the n-th allocation failing. `reported`:
// how a failure must end; a call that can do without the memory may also be right.
void fail_each(const std::string& what, End reported, const std::function<End()>& work) {
  INFO(what);
  REQUIRE(work() == End::Ok);
  const std::size_t files = open_files();
  long failures = 0;
  for (long n = 1;; ++n) {
    const long before = live_allocations();
    End end = End::Other;
    bool happened = false;
    {
      const FailingAllocation failing(n);
      try {
        end = work();
      } catch (const std::bad_alloc&) {
        end = End::Thrown;
      }
      happened = failing.happened();
    }
    const long left = live_allocations() - before;
    INFO("allocation " << n << ", " << left << " left");
    REQUIRE(left == 0);
    if (!happened) {
      REQUIRE(end == End::Ok);
      break;
    }
    ++failures;
    REQUIRE((end == reported || end == End::Ok));
    REQUIRE(n < 100000);
  }
  CHECK(failures > 0);
  CHECK(open_files() == files);
}

bool skipped() {
  if (allocations_are_counted()) return false;
  WARN("not with a sanitizer, which has an operator new of its own");
  return true;
}

constexpr const char* kNetwork =
    "network n { input x : seq f32[5] param h0 : f32[3] a = bidirectional gru<H=3>(x) b = gru<H=3>(a) from (h = h0) "
    "output concat(tanh(b), last(b)) }";

struct Prepared {
  ir::Network network = network_of(kNetwork);
  Model model = model_of(network);
  TensorMap weights;

  Prepared() {
    Random random(1);
    weights = tensors_of(network, random_weights(network, random));
  }
};

}  // namespace

TEST_CASE("readers report that memory ran out, wherever it did", "[allocation]") {
  if (skipped()) return;
  const TemporaryFolder folder;
  const auto file_of = [&](const std::string& target) {
    write_text(folder / target, fuzz::seeds(target, RNNC_SOURCE_DIR).back());
    return folder / target;
  };
  const std::string tensors = file_of("safetensors"), array = file_of("npy"), text = file_of("text");
  fail_each("load_safetensors", End::Limit, [&] { return end_of(load_safetensors(tensors)); });
  fail_each("load_npy", End::Limit, [&] { return end_of(load_npy(array)); });
  fail_each("parse_file", End::Limit, [&] { return end_of(parse_file(text)); });
  for (const std::string& model : {tensors, text, file_of("onnx")})
    fail_each("import " + model, End::Limit, [&] { return end_of(import_model_file(model)); });
  fail_each("parse", End::Limit, [] { return end_of(parse(kNetwork)); });
  fail_each("standard_cell", End::Limit, [] { return end_of(standard_cell("lstm")); });
}

TEST_CASE("writers report that memory ran out and leave no file", "[allocation]") {
  if (skipped()) return;
  const TemporaryFolder folder;
  const Tensor tensor = Tensor::from_f32({2}, {1, 2});
  const TensorMap tensors = {{"a", tensor}};
  const std::string w = folder / "w", y = folder / "y";
  fail_each("save_safetensors", End::Limit, [&] { return end_of(save_safetensors(w, tensors)); });
  fail_each("save_npy", End::Limit, [&] { return end_of(save_npy(y, tensor)); });
  CHECK(folder.names() == std::set<std::string>{"w", "y"});
}

TEST_CASE("compiling for the portable executor reports that memory ran out", "[allocation]") {
  if (skipped()) return;
  const Prepared prepared;
  fail_each("network", End::Limit,
            [&] { return end_of(compile(prepared.model, prepared.weights, {.backend = Backend::Portable})); });
  const ir::Cell cell = standard("lstm_layer_norm", 3, 4);
  auto module = std::make_shared<ir::Module>();
  module->cells.push_back(cell);
  const Model model(module);
  const TensorMap weights = tensors_of(cell, random_weights(cell, 1));
  fail_each("cell", End::Limit, [&] { return end_of(compile(model, weights, {.backend = Backend::Portable})); });
}

TEST_CASE("loading artifacts and making states and sessions report that memory ran out", "[allocation]") {
  if (skipped()) return;
  const Prepared prepared;
  const TemporaryFolder folder;
  const std::vector<std::byte> artifact = compile_artifact(prepared.model, prepared.weights).value();
  const std::string file = folder / "m.rnnc";
  write_text(file, fuzz::text_of(artifact));
  fail_each("parse_artifact", End::Limit, [&] { return end_of(parse_artifact(artifact)); });
  fail_each("load_artifact", End::Limit, [&] { return end_of(load_artifact(file)); });
  const std::vector<std::byte> cell = runtime::write_artifact(fuzz::stored_cell());
  fail_each("an artifact of a cell", End::Limit, [&] { return end_of(parse_artifact(cell)); });

  for (const Program& program : {parse_artifact(artifact).value(), fuzz::seed_program()}) {
    State kept = program.make_state(2, 3);
    const std::vector<std::byte> saved = kept.save();
    fail_each("make_state", End::Thrown, [&] { return program.make_state(2, 3).batch() == 2 ? End::Ok : End::Other; });
    fail_each("save", End::Thrown, [&] { return kept.save() == saved ? End::Ok : End::Other; });
    fail_each("restore", End::Thrown, [&] { return end_of(kept.restore(saved)); });
    CHECK(kept.save() == saved);
  }
  const Program streams = fuzz::seed_program();
  fail_each("sessions", End::Limit, [&] { return end_of(Sessions::make(streams, 3)); });
}

TEST_CASE("the C interface reports that memory ran out", "[allocation]") {
  if (skipped()) return;
  const Prepared prepared;
  const std::vector<std::byte> artifact = compile_artifact(prepared.model, prepared.weights).value();
  fail_each("rnnc_model_parse", End::Limit, [] {
    rnnc_model* model = nullptr;
    const rnnc_status status = rnnc_model_parse(kNetwork, "n", &model, nullptr);
    rnnc_model_destroy(model);
    return end_of(status);
  });
  fail_each("rnnc_program_load and rnnc_state_create", End::Limit, [&] {
    rnnc_program* program = nullptr;
    rnnc_status status = rnnc_program_load(artifact.data(), artifact.size(), "m", nullptr, &program, nullptr);
    rnnc_state* state = nullptr;
    if (status == RNNC_OK) status = rnnc_state_create(program, 2, 3, &state, nullptr);
    rnnc_state_destroy(state);
    rnnc_program_destroy(program);
    return end_of(status);
  });
}

TEST_CASE("the cache of code finds what is right or nothing where memory runs out", "[allocation]") {
  if (skipped()) return;
  const TemporaryFolder folder;
  const compiler::CodeCache cache(folder / "cache");
  const runtime::StoredEntry stored = fuzz::stored_entry();
  fail_each("store and find", End::Ok, [&] {
    cache.store(stored);
    const auto found = cache.find(stored.key);
    return !found || found->code.image.bytes == stored.code.image.bytes ? End::Ok : End::Other;
  });
  std::size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder / "cache")) {
    ++files;
    CHECK_FALSE(file.path().filename().string().starts_with("code-new-"));
  }
  CHECK(files == 1);
}

}  // namespace rnnc::test
