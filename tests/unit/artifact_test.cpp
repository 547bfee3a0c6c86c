// Artifacts give the bits of the JIT, and nothing but a clear error where a file is wrong.
#include <rnnc/ahead.hpp>
#include <rnnc/artifact.hpp>
#include <rnnc/compile.hpp>
#include <rnnc/version.hpp>

#include <fstream>
#include <iterator>

#include "runtime/artifact_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_cell.hpp"

namespace rnnc::test {
namespace {

struct Prepared {
  ir::Cell cell;
  Weights weights;
  std::vector<std::byte> artifact;
};

Prepared prepare(const std::string& name, int hidden = 19, const std::string& cpu = "") {
  const ir::Cell cell = standard(name, 5, hidden);
  const Weights weights = random_weights(cell, 3);
  auto module = std::make_shared<ir::Module>();
  module->cells.push_back(cell);
  return {cell, weights, compile_artifact(Model(module), tensors_of(cell, weights), {.targets = {cpu}}).value()};
}

// The features that this machine lacks.
const runtime::CpuFeatures kMissing =
    ~runtime::host_features() & ((runtime::CpuFeatures{1} << std::size(runtime::kCpuFeatures)) - 1);

std::string error_of(std::span<const std::byte> content) {
  const Result<Program> program = parse_artifact(content, "m.rnnc");
  return program ? "" : program.error().to_string();
}

}  // namespace

TEST_CASE("an artifact gives the bits of the JIT", "[artifact]") {
  for (const std::string name : {"lstm", "gru_cho", "indrnn", "gru_layer_norm", "qrnn"}) {
    INFO(name);
    const Prepared prepared = prepare(name);
    const Sequences sequences = random_sequences(prepared.cell, 9, 4, 5);
    const Program loaded = parse_artifact(prepared.artifact).value();
    CHECK(run(loaded, sequences) == run(compile_cell(prepared.cell, prepared.weights, ""), sequences));
  }
}

TEST_CASE("an artifact that was made for several threads runs on one, which is the default", "[artifact]") {
  for (const std::int64_t units : {3, 64}) {
    const ir::Cell cell = standard("lstm", 5, units);
    const Weights weights = random_weights(cell, 1);
    auto module = std::make_shared<ir::Module>();
    module->cells.push_back(cell);
    const std::vector<std::byte> file =
        compile_artifact(Model(module), tensors_of(cell, weights), {.threads = 2}).value();
    for (const std::int64_t batch : {1, 3}) {
      const Sequences sequences = random_sequences(cell, 4, batch, 9);
      const Outcome expected = run(compile_cell(cell, weights, "host"), sequences);
      for (const int threads : {1, 2})
        CHECK(run(parse_artifact(file, "m.rnnc", {.threads = threads}).value(), sequences) == expected);
    }
  }
}

TEST_CASE("an artifact that is damaged in any byte, or cut, is refused", "[artifact]") {
  const std::vector<std::byte> good = prepare("rnn", 2).artifact;
  std::vector<std::byte> bad = good;
  // Every byte near the ends, where all the fields are, and a sample of the padding between.
  for (std::size_t i = 0; i < good.size(); i += i < 1024 || i + 1024 > good.size() ? 1 : 251) {
    bad[i] ^= std::byte{0x10};
    if (error_of(bad).empty()) FAIL("byte " << i);
    bad[i] = good[i];
    if (error_of(std::span(good).first(i)).empty()) FAIL("cut at " << i);
  }
  bad.push_back(std::byte{0});
  CHECK(error_of(bad) == "m.rnnc: the artifact is damaged; compile the model again");
}

TEST_CASE("an artifact of another version, another CPU, or no artifact says so", "[artifact]") {
  std::vector<std::byte> artifact = prepare("rnn", 2).artifact;
  CHECK(error_of(std::span(artifact).first(7)).find("this is no artifact of rnnc") != std::string::npos);
  runtime::StoredProgram stored = runtime::read_artifact(artifact, "m.rnnc").value();
  stored.levels[0].features = kMissing;
  stored.levels[0].cpu = "future";
  CHECK(error_of(runtime::write_artifact(stored)).find("is for future, and this CPU lacks ") != std::string::npos);
  const std::vector<std::byte> entry = runtime::write_entry({"key", 0, stored.levels[0].codes[0]});
  CHECK(error_of(entry) == "m.rnnc: it is code of the cache, without weights; compile the model with -o m.rnnc");
  // The format before this one had other fields.
  std::vector<std::byte> before = artifact;
  before[7] = std::byte{3};
  CHECK(error_of(before).find("made by another version of rnnc; compile the model again") != std::string::npos);
  artifact[9] = std::byte{'9'};
  CHECK(error_of(artifact).find("made by another version of rnnc; compile the model again") != std::string::npos);
}

TEST_CASE("an artifact whose weights are of no known format is refused", "[artifact]") {
  runtime::StoredProgram stored = runtime::read_artifact(prepare("rnn", 2).artifact, "m.rnnc").value();
  CHECK(error_of(runtime::write_artifact(stored)).empty());
  stored.levels[0].codes[0].description.panels.front().format = static_cast<runtime::NumberFormat>(99);
  CHECK(!error_of(runtime::write_artifact(stored)).empty());
}

TEST_CASE("version.hpp and CMakeLists.txt name the same version", "[artifact]") {
  std::ifstream file(RNNC_SOURCE_DIR "/CMakeLists.txt");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  CHECK(text.find(std::string("project(rnnc VERSION ").append(kVersion).append(" ")) != std::string::npos);
}

TEST_CASE("a folder is no artifact", "[artifact]") {
  const Error error = load_artifact(RNNC_SOURCE_DIR).error();
  CHECK(error.code == ErrorCode::InvalidData);
  CHECK(error.to_string() == std::string(RNNC_SOURCE_DIR) + ": is a folder, not an artifact");
}

}  // namespace rnnc::test
