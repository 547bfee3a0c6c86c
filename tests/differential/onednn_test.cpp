// These tests compare the compiled standard cells with oneDNN, which knows nothing of ours, in ugly sizes with dense
// signed weights.
#include <algorithm>
#include <cmath>

#include "bench/grid.hpp"
#include "bench/onednn/onednn_cell.hpp"
#include "compiler/llvm/resolve_target.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_cell.hpp"

namespace rnnc::test {
namespace {

// Two f32 implementations with differently ordered sums; measured over all of the below: 3.6e-7.
constexpr double kMostDifference = 2e-6;

constexpr std::int64_t kSizes[] = {1, 3, 15, 16, 17, 31, 33};
constexpr std::int64_t kBatches[] = {1, 2, 5};
constexpr std::int64_t kSteps[] = {1, 7};

TensorMap tensors(const ir::Cell& cell, const Weights& weights) {
  TensorMap map;
  for (const ir::Node& node : cell.nodes) {
    if (node.op != ir::Op::Param) continue;
    const Shape shape = shape_of(node.type);
    map[node.name] = Tensor::from_f32(shape, weights.at(node.name));
  }
  return map;
}

Outcome run(bench::OnednnCell& cell, const Sequences& sequences) {
  std::ranges::copy(sequences.x, cell.input().begin());
  for (const auto& [name, values] : sequences.states) std::ranges::copy(values, cell.initial_state(name).begin());
  cell.run();
  Outcome outcome{{cell.output().begin(), cell.output().end()}, {}};
  for (const auto& [name, values] : sequences.states) {
    const auto final_values = cell.final_state(name);
    outcome.states[name].assign(final_values.begin(), final_values.end());
  }
  return outcome;
}

double difference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return INFINITY;
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double error =
        std::abs(static_cast<double>(a[i]) - b[i]) / std::max(1.0, std::abs(static_cast<double>(b[i])));
    most = error <= most ? most : std::isnan(error) ? INFINITY : error;
  }
  return most;
}

double difference(const Outcome& a, const Outcome& b) {
  double most = difference(a.y, b.y);
  for (const auto& [name, values] : b.states) most = std::max(most, difference(a.states.at(name), values));
  return most;
}

// Over all batches and steps, with the programs that are compiled already.
double difference(const ir::Cell& cell, const Weights& weights, const std::vector<Program>& programs) {
  double most = 0;
  for (const std::int64_t batch : kBatches) {
    for (const std::int64_t steps : kSteps) {
      auto peer = bench::OnednnCell::make(cell.name, tensors(cell, weights), steps, batch, 1).value();
      const Sequences sequences = random_sequences(cell, steps, batch, 7);
      const Outcome expected = run(peer, sequences);
      for (const Program& program : programs) most = std::max(most, difference(run(program, sequences), expected));
    }
  }
  return most;
}

// oneDNN 3.7 computes its vanilla GRU of one unit wrongly, by up to 0.3; 2.6 agrees with us and with the interpreter.
bool is_wrong_in_onednn(const std::string& cell, std::int64_t hidden) {
  return cell == "gru_cho" && hidden == 1 && !bench::OnednnCell::version().starts_with("2.");
}

}  // namespace

TEST_CASE("Standard cells agree with oneDNN at every size and CPU level", "[differential]") {
  const std::vector<std::string> levels = compiler::runnable_levels();
  double most = 0;
  for (const std::string& name : bench::OnednnCell::cells()) {
    for (const std::int64_t input : kSizes) {
      for (const std::int64_t hidden : kSizes) {
        if (is_wrong_in_onednn(name, hidden)) continue;
        const ir::Cell cell = standard(name, input, hidden);
        const Weights weights = random_weights(cell, 3);
        std::vector<Program> programs;
        for (const std::string& level : levels)
          if (level == levels.back() || input == hidden) programs.push_back(compile_cell(cell, weights, level));
        const double found = difference(cell, weights, programs);
        most = std::max(most, found);
        INFO(name << " I=" << input << " H=" << hidden);
        CHECK(found <= kMostDifference);
      }
    }
  }
  UNSCOPED_INFO("largest difference: " << most);
  CHECK(most > 0);
}

TEST_CASE("oneDNN has every cell of the grid", "[differential]") {
  const std::vector<std::string> known = bench::OnednnCell::cells();
  for (const std::string& cell : bench::kGridCells) {
    INFO(cell);
    CHECK(std::ranges::find(known, cell) != known.end());
  }
}

TEST_CASE("The oneDNN baseline refuses what it cannot run", "[differential]") {
  const ir::Cell cell = standard("lstm", 2, 3);
  TensorMap weights = tensors(cell, random_weights(cell, 1));
  const auto message = [&](const std::string& name, std::int64_t steps) {
    const auto made = bench::OnednnCell::make(name, weights, steps, 1, 1);
    return made ? "" : made.error().to_string();
  };
  CHECK(message("lstm", 1) == "");
  CHECK(message("lstm", 0) == "oneDNN baseline: steps and batch must be at least 1");
  CHECK(message("sru", 1).starts_with("oneDNN baseline: oneDNN has no cell sru; it has lstm, "));
  weights.erase("bf");
  CHECK(message("lstm", 1) == "oneDNN baseline: no tensor for parameter bf");
  weights["bf"] = Tensor::from_f32({2}, {0, 0});
  CHECK(message("lstm", 1) == "oneDNN baseline: parameter bf must be [3] but is [2]");
}

// These are for speed, and must still be the cell: the errors of bf16, and of bytes with one scale for all.
TEST_CASE("oneDNN in bf16 and in bytes is close to our cells where its mathematics are the same", "[onednn]") {
  using bench::Numbers;
  for (const std::string name : {"lstm", "gru", "gru_cho"})
    for (const auto& [numbers, most] : {std::pair(Numbers::Bf16, 0.03), {Numbers::U8, 0.06}}) {
      INFO(name << ", " << static_cast<int>(numbers));
      const ir::Cell cell = standard(name, 17, 33);
      const Weights weights = random_weights(cell, 3);
      auto made = bench::OnednnCell::make(name, tensors(cell, weights), 7, 5, 1, numbers);
      if (!made && made.error().code == ErrorCode::Unsupported) {
        WARN("skipped: " + made.error().message);
        continue;
      }
      const bool is_other = name == "gru" && numbers == Numbers::U8;
      CHECK(made.value().difference().empty() == !is_other);
      if (is_other) continue;
      const Sequences sequences = random_sequences(cell, 7, 5, 2);
      const Outcome theirs = run(made.value(), sequences);
      const double error = difference(theirs, run(compile_cell(cell, weights, "host"), sequences));
      CHECK(error < most);
      CHECK(error > 1e-5);
    }
}

}  // namespace rnnc::test
