// Artifacts of several levels: each level gives the bits of the JIT, and loading takes the highest that runs.
#include <rnnc/ahead.hpp>
#include <rnnc/artifact.hpp>
#include <rnnc/compile.hpp>

#include <algorithm>

#include "compiler/llvm/resolve_target.hpp"
#include "runtime/artifact_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_cell.hpp"

namespace rnnc::test {
namespace {

using runtime::StoredLevel;
using runtime::StoredProgram;

const runtime::CpuFeatures kMissing =
    ~runtime::host_features() & ((runtime::CpuFeatures{1} << std::size(runtime::kCpuFeatures)) - 1);

// The levels that this machine can prepare the weights of: without FMA only the lowest.
std::vector<std::string> levels() {
  return compiler::resolve_target("x86-64-v3") ? std::vector<std::string>{"x86-64-v3", "x86-64-v4", "x86-64-v2"}
                                               : std::vector<std::string>{"x86-64-v2"};
}

struct Subject {
  ir::Cell cell;
  Weights weights;
};

Subject subject_of(const std::string& name) {
  ir::Cell cell = standard(name, 5, 19);
  Weights weights = random_weights(cell, 3);
  return {std::move(cell), std::move(weights)};
}

Result<std::vector<std::byte>> compiled(const Subject& subject, const std::vector<std::string>& targets) {
  auto module = std::make_shared<ir::Module>();
  module->cells.push_back(subject.cell);
  return compile_artifact(Model(module), tensors_of(subject.cell, subject.weights), {.targets = targets});
}

StoredProgram stored(const std::vector<std::string>& targets) {
  return runtime::read_artifact(compiled(subject_of("gru"), targets).value(), "m.rnnc").value();
}

std::string cpu_of(const StoredProgram& program, const std::string& asked = "") {
  const Result<Program> loaded = parse_artifact(runtime::write_artifact(program), "m.rnnc", {.cpu = asked});
  return loaded ? loaded->cpu() : loaded.error().to_string();
}

// Tells the features of each level, of which only names and order matter to the choice.
StoredProgram of_features(const std::vector<std::pair<std::string, runtime::CpuFeatures>>& features) {
  StoredProgram program = stored({"x86-64-v2"});
  const StoredLevel level = program.levels.front();
  program.levels.clear();
  for (const auto& [cpu, needed] : features) {
    program.levels.push_back(level);
    program.levels.back().cpu = cpu;
    program.levels.back().features = needed;
  }
  return program;
}

}  // namespace

TEST_CASE("each level of an artifact gives the bits of the JIT", "[artifact]") {
  for (const std::string name : {"lstm", "gru_cho", "indrnn", "gru_layer_norm", "qrnn"}) {
    const Subject subject = subject_of(name);
    const std::vector<std::byte> artifact = compiled(subject, levels()).value();
    const Sequences sequences = random_sequences(subject.cell, 9, 4, 5);
    for (const std::string& level : compiler::runnable_levels()) {
      INFO(name << " for " << level);
      const Program program = parse_artifact(artifact, "m.rnnc", {.cpu = level}).value();
      CHECK(program.cpu() == level);
      CHECK(run(program, sequences) == run(compile_cell(subject.cell, subject.weights, level), sequences));
    }
    CHECK(parse_artifact(artifact).value().cpu() == compiler::runnable_levels().back());
  }
}

TEST_CASE("the order of levels in an artifact does not matter", "[artifact]") {
  std::vector<std::string> order = levels();
  std::ranges::sort(order);
  do {
    CHECK(cpu_of(stored(order)) == compiler::runnable_levels().back());
  } while (std::ranges::next_permutation(order).found);
}

TEST_CASE("loading takes the level of the widest registers, then the one of the most features", "[artifact]") {
  using Levels = std::vector<std::pair<std::string, runtime::CpuFeatures>>;
  const auto first = runtime::host_features() & (~runtime::host_features() + 1);
  Levels two = {{"none", 0}, {"one", first}, {"future", kMissing | first}};
  do {
    CHECK(cpu_of(of_features(two)) == "one");
    CHECK(cpu_of(of_features(two), "none") == "none");
  } while (std::ranges::next_permutation(two).found);
  CHECK(cpu_of(of_features({{"a", first}, {"b", first}})) == "b");
  CHECK(cpu_of(of_features({{"b", first}, {"a", first}})) == "b");
}

TEST_CASE("an artifact without a level that runs says which it has", "[artifact]") {
  const std::string missing = runtime::feature_names(kMissing);
  const runtime::CpuFeatures least = kMissing & (~kMissing + 1);
  CHECK(cpu_of(of_features({{"later", kMissing}, {"soon", least}})) ==
        "m.rnnc: the artifact is for later or soon, and this CPU lacks " + runtime::feature_names(least) +
            "; compile the model for this one");
  CHECK(cpu_of(of_features({{"old", 0}, {"later", kMissing}}), "later") ==
        "m.rnnc: the artifact is for later, and this CPU lacks " + missing + "; compile the model for this one");
  CHECK(cpu_of(of_features({{"old", 0}, {"later", kMissing}}), "z80") ==
        "m.rnnc: the artifact is for old or later, and not for 'z80'");
}

TEST_CASE("a level is given once, and an artifact has levels of x86-64 only", "[artifact]") {
  const Subject subject = subject_of("rnn");
  CHECK(compiled(subject, {"x86-64-v2", "x86-64-v2"}).error().to_string() ==
        "x86-64-v2 is given twice; an artifact has one level for a CPU");
  CHECK(compiled(subject, {"x86-64-v2", "aarch64-generic"}).error().code == ErrorCode::Unsupported);
}

TEST_CASE("levels share the weights that are packed alike", "[artifact]") {
  if (levels().size() == 1) return;
  CHECK(stored({"x86-64-v2", "x86-64-v3"}).weights.size() == 2);
  CHECK(stored({"x86-64-v4", "znver4"}).weights.size() == 1);
  CHECK(stored({"x86-64-v2", "x86-64-v3", "haswell"}).weights.size() == 2);
}

}  // namespace rnnc::test
