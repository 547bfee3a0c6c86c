// The portable executor and generated code have the same bits, on a CPU with fused multiply-add and on one without.
#include <cmath>
#include <string>

#include "compiler/llvm/resolve_target.hpp"
#include "ir/parse.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_cell.hpp"
#include "tests/support/random_network.hpp"
#include "tests/support/trial.hpp"

namespace rnnc::test {
namespace {

constexpr std::uint64_t kCells = 200, kNetworks = 50;

// Sequences, lengths and threads as random_setting draws them, on one CPU level after the other.
void check(const Subject& subject, std::uint64_t seed) {
  const std::vector<std::string> levels = compiler::runnable_levels();
  Setting setting = random_setting(subject, seed);
  setting.executor = levels[seed % levels.size()];
  INFO("seed " << seed << " on " << setting.executor);
  CHECK(Trial(subject, setting).fault(Check::Executors).value_or("") == "");
}

ir::Cell cell_of(const std::string& text) { return ir::parse(text).value().cells.at(0); }

}  // namespace

TEST_CASE("random cells have the bits of generated code on the portable executor", "[canonical]") {
  for (std::uint64_t seed = 0; seed < kCells; ++seed) {
    RandomCell random = random_cell(seed);
    check({std::move(random.cell), std::move(random.weights)}, seed);
  }
}

TEST_CASE("random networks have the bits of generated code on the portable executor", "[canonical]") {
  for (std::uint64_t seed = 0; seed < kNetworks; ++seed) check(random_network(seed), seed);
}

TEST_CASE("standard cells have the bits of generated code on the portable executor", "[canonical]") {
  std::uint64_t seed = 0;
  for (const std::string& name : standard_cell_names()) {
    const ir::Cell cell = standard(name, 7, 21);
    INFO(name);
    check({cell, random_weights(cell, 3)}, ++seed);
  }
}

TEST_CASE("a product of quotients has the same bits wherever it is divided", "[canonical]") {
  const char* const products[] = {"sigmoid(x) * tanh(z)", "tanh(z) * sigmoid(x)", "sigmoid(x) * sigmoid(z)",
                                  "tanh(x) * tanh(z)",    "sigmoid(x) * z",       "x * sigmoid(z)",
                                  "tanh(x) * z"};
  for (const std::string product : products) {
    INFO(product);
    const ir::Cell cell = cell_of("cell c {\n  input x, z : f32[40]\n  output " + product + "\n}\n");
    Sequences sequences = random_sequences(cell, 60, 1, 4);
    for (float& x : sequences.x) x *= 6;
    for (const std::string& level : compiler::runnable_levels())
      CHECK(run(compile_cell(cell, {}, level), sequences) ==
            run(compile_cell(cell, {}, "portable " + level), sequences));
  }
}

TEST_CASE("a folded constant has the bits that run on a CPU with fused multiply-add", "[canonical]") {
  for (const char* function : {"sigmoid", "tanh", "exp", "log", "rsqrt", "erf", "softplus", "softsign", "silu", "gelu"})
    for (int i = 1; i <= 24; ++i) {
      const std::string call = function + std::string("(") + std::to_string(0.37 * i) + ")";
      const ir::Cell folded = cell_of("cell c {\n  input x : f32\n  output " + call + "\n}\n");
      const ir::Cell computed = cell_of("cell c {\n  input x : f32\n  output " + std::string(function) + "(x)\n}\n");
      const Sequences sequences{1, 1, {std::stof(std::to_string(0.37 * i))}, {}};
      for (const std::string& level : compiler::runnable_levels()) {
        if (!compiler::resolve_target(level)->fma) continue;
        INFO(call << " on " << level);
        const Outcome expected = run(compile_cell(computed, {}, level), sequences);
        CHECK(run(compile_cell(folded, {}, level), sequences) == expected);
        CHECK(run(compile_cell(folded, {}, "portable " + level), sequences) == expected);
      }
    }
}

}  // namespace rnnc::test
