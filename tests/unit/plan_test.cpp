// The cost model against times that were measured once and are kept: its choices are near the best that was tried.
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "compiler/llvm/code_of.hpp"
#include "compiler/llvm/codegen.hpp"
#include "compiler/llvm/resolve_target.hpp"
#include "compiler/network/network.hpp"
#include "compiler/schedule/lower.hpp"
#include "compiler/schedule/plan_stage.hpp"
#include "compiler/schedule/tuned.hpp"
#include "ir/parse.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/random.hpp"
#include "tests/support/run_cell.hpp"
#include "tests/support/run_network.hpp"

namespace rnnc::test {
namespace {

using compiler::PlanChoice;

struct Case {
  runtime::NumberFormat weights = runtime::NumberFormat::F32;
  std::string cell;
  std::int64_t size = 0;
  std::size_t stage = 0;
  std::map<std::string, double> times;  // of each choice that was tried, in microseconds
};

runtime::NumberFormat format_of(const std::string& name) {
  for (const auto format : {runtime::NumberFormat::F32, runtime::NumberFormat::W8, runtime::NumberFormat::W8A16,
                            runtime::NumberFormat::W16})
    if (runtime::name(format) == name) return format;
  FAIL("no format " << name);
  return {};
}

std::vector<Case> read_cases(const std::string& machine) {
  std::ifstream file(RNNC_SOURCE_DIR "/tests/unit/plan_times_" + machine + ".csv");
  REQUIRE(file);
  std::map<std::string, Case> cases;
  bool has_weights = false;
  for (std::string line; std::getline(file, line);) {
    has_weights |= line.starts_with("weights,");
    if (line.empty() || line[0] == '#' || line.starts_with("cell,") || line.starts_with("weights,")) continue;
    std::istringstream fields(line);
    std::string weights = "f32", cell, size, steps, batch, choice, time;
    if (has_weights) std::getline(fields, weights, ',');
    for (std::string* field : {&cell, &size, &steps, &batch, &choice, &time}) std::getline(fields, *field, ',');
    const std::size_t stage = std::stoul(choice);
    Case& one = cases[weights + cell + size + "," + steps + "," + batch + " stage " + std::to_string(stage)];
    one.weights = format_of(weights);
    one.cell = cell;
    one.size = std::stoll(size);
    one.stage = stage;
    one.times[choice] = std::stod(time);
  }
  std::vector<Case> result;
  for (auto& [name, one] : cases) result.push_back(std::move(one));
  return result;
}

compiler::Target target_of(const std::string& cpu) { return compiler::resolve_target(cpu, false).value(); }
compiler::Target v4() { return target_of("x86-64-v4"); }

// The plan that the model prefers to all others that were timed; "" if none was.
std::string choose_timed(const Case& one, const compiler::Target& target) {
  const compiler::PlanOptions options{.weights = one.weights};
  const compiler::Lowered lowered = compiler::lower(standard(one.cell, one.size, one.size), target, options).value();
  const auto candidates = compiler::plan_candidates(lowered.schedule, target, options);
  for (const compiler::Candidate& candidate : candidates.at(one.stage)) {
    const std::string choice = compiler::print(compiler::choice_of(one.stage, candidate.plan));
    if (one.times.contains(choice)) return choice;
  }
  return "";
}

}  // namespace

TEST_CASE("of the plans that were timed, the model's choice is near the best", "[plan]") {
  struct Measured {
    std::string machine, cpu;
    double most_loss = 1;  // the time of the chosen plan over that of the best one
  };
  for (const Measured& measured : {Measured{"zen4", "x86-64-v4", 1.05}, Measured{"zen5", "znver5", 1.06},
                                   Measured{"xeon", "rocketlake", 1.08}, Measured{"zen5_integers", "znver5", 1.12}}) {
    const std::vector<Case> cases = read_cases(measured.machine);
    CHECK(cases.size() >= 40);
    double logarithms = 0;
    for (const Case& one : cases) {
      const std::string choice = choose_timed(one, target_of(measured.cpu));
      INFO(one.cell << " of " << one.size << " on " << measured.machine << ", " << choice);
      REQUIRE(one.times.contains(choice));
      double best = one.times.at(choice);
      for (const auto& [other, time] : one.times) best = std::min(best, time);
      CHECK(one.times.at(choice) <= measured.most_loss * best);
      logarithms += std::log(one.times.at(choice) / best);
    }
    INFO(measured.machine);
    CHECK(std::exp(logarithms / static_cast<double>(cases.size())) <= 1.02);
  }
}

TEST_CASE("tiles of a batch keep as many multiply-adds in flight as the machine needs", "[plan]") {
  for (const std::string cpu : {"x86-64-v3", "x86-64-v4", "znver5", "icelake-server"})
    for (const std::string cell : {"rnn", "gru", "gru_cho", "lstm"})
      for (const std::int64_t size : {100, 300, 333, 512, 1000, 1024}) {  // 300 units are 19 blocks, 1,024 are 64
        const compiler::Lowered lowered = compiler::lower(standard(cell, size, size), target_of(cpu)).value();
        const int chains = lowered.plan.machine.chains(lowered.plan.lanes);
        for (std::size_t stage = 0; stage < lowered.plan.stages.size(); ++stage) {
          const compiler::StagePlan& plan = lowered.plan.stages[stage];
          const ir::Value product = lowered.schedule.stages[stage].products.at(0);
          const int width = plan.batch_blocks * lowered.plan.panel(product).gates;
          INFO(cell << " of " << size << " for " << cpu << ", stage " << stage << ": " << plan.batch_rows << " x "
                    << width);
          for (const int rows : compiler::pieces_of_tile(plan.batch_rows, width, chains)) CHECK(rows * width >= chains);
        }
      }
}

TEST_CASE("a cell that runs beside others has the tiles of one thread", "[plan]") {
  for (const std::string cpu : {"x86-64-v3", "x86-64-v4", "znver5"})
    for (const std::string cell : {"gru", "lstm"})
      for (const std::int64_t size : {64, 128, 256, 384}) {
        INFO(cell << " of " << size << " for " << cpu);
        const auto stages = [&](const compiler::PlanOptions& options) {
          return compiler::lower(standard(cell, size, size), target_of(cpu), options).value().plan.stages;
        };
        CHECK(stages({.threads = 2, .beside_others = true}) == stages({.threads = 1}));
      }
}

TEST_CASE("cells of layers that can run side by side are planned for it", "[plan]") {
  const std::string stack = "network stack { input x : seq f32[8] a = lstm<H=8>(x) b = lstm<H=8>(a) output b }";
  const std::string one = "network one { input x : seq f32[8] a = lstm<H=8>(x) output a }";
  const compiler::Target host = target_of("host");
  const auto beside_others = [&](const std::string& text, int threads) {
    const ir::Network network = network_of(text);
    std::vector<bool> asked;
    const auto plan_code = [&](const ir::Cell& cell, bool beside) {
      asked.push_back(beside);
      return compiler::plan_code(cell, host, {.cpu = "host"}, beside);
    };
    Random random(1);
    const TensorMap weights = tensors_of(network, random_weights(network, random));
    compiler::compile_network(network, {"host", plan_code}, weights, {.threads = threads}).value();
    return asked;
  };
  CHECK(beside_others(stack, 2) == std::vector<bool>{true});  // both layers have one code
  CHECK(beside_others(stack, 1) == std::vector<bool>{false});
  CHECK(beside_others(one, 2) == std::vector<bool>{false});
}

TEST_CASE("threads that share the blocks of one row have alike many", "[plan]") {
  for (const std::string cpu : {"x86-64-v4", "znver5"})
    for (const std::string cell : {"gru", "lstm", "rnn"})
      for (const std::int64_t size : {256, 320, 384, 448, 512, 640, 1000}) {  // 384 units are 24 blocks
        const compiler::PlanOptions options{.threads = 2};
        const compiler::Lowered lowered = compiler::lower(standard(cell, size, size), target_of(cpu), options).value();
        const auto blocks = compiler::divide_up(size, lowered.plan.lanes);
        for (std::size_t i = 0; i < lowered.plan.stages.size(); ++i) {
          const std::int64_t groups = lowered.plan.block_groups(i, lowered.schedule.stages[i]);
          const std::int64_t most = compiler::divide_up(groups, 2) * lowered.plan.stages[i].single_blocks;
          INFO(cell << " of " << size << " for " << cpu << ", stage " << i << ": " << most << " of " << blocks);
          CHECK(5 * most <= 3 * blocks);
        }
      }
}

TEST_CASE("a plan for threads is that of one thread where a step is too short to be shared", "[plan]") {
  for (const std::string cpu : {"x86-64-v4", "znver5", "rocketlake"}) {
    INFO(cpu);
    const auto plan_of = [&](const std::string& cell, std::int64_t size, int threads) {
      return compiler::lower(standard(cell, size, size), target_of(cpu), {.threads = threads}).value().plan.stages;
    };
    for (const std::string cell : {"gru", "lstm", "rnn"})
      for (const std::int64_t size : {16, 32, 48}) CHECK(plan_of(cell, size, 2) == plan_of(cell, size, 1));
    int others = 0;
    for (const std::int64_t size : {320, 384, 448, 640, 1000})
      if (plan_of("gru", size, 2) != plan_of("gru", size, 1)) ++others;
    CHECK(others > 0);
  }
}

// Checks that a cell turns on each family of CPUs, whose caches have other sizes, and that steps that are calls of
// their own, of which none is odd, give the bits of one call.
void check_turning(const ir::Cell& cell) {
  constexpr std::int64_t kSteps = 7;
  for (const std::string cpu : {"host", "x86-64-v3", "znver4", "znver5", "icelake-server", "sapphirerapids"}) {
    INFO(cpu);
    const compiler::Lowered lowered = compiler::lower(cell, target_of(cpu)).value();
    CHECK(std::ranges::any_of(lowered.plan.stages, [](const compiler::StagePlan& stage) { return stage.turns; }));
  }
  const Weights weights = random_weights(cell, 3);
  for (const int threads : {1, 2}) {
    const Program program = compile_cell(cell, weights, "host", threads, nullptr, Sharing::Units);
    const Sequences sequences = random_sequences(cell, kSteps, 1, 5);
    const Outcome whole = run(program, sequences);
    Outcome pieces{{}, sequences.states};
    for (std::int64_t t = 0; t < kSteps; ++t) {
      const auto first = sequences.x.begin() + t * program.input_size();
      const Outcome step = run(program, {1, 1, {first, first + program.input_size()}, pieces.states});
      pieces.y.insert(pieces.y.end(), step.y.begin(), step.y.end());
      pieces.states = step.states;
    }
    REQUIRE(pieces == whole);
  }
}

TEST_CASE("a step of one row that turns at odd steps gives the same bits", "[plan]") {
  for (const std::string name : {"lstm", "gru_cho", "rnn"}) {
    const std::int64_t size = name == "rnn" ? 150 : 72;
    check_turning(standard(name, size, size));
  }
}

TEST_CASE("stages that are functions of their own turn too", "[plan]") {
  constexpr int kProducts = 30;  // their weights are 0.5 to 5 times the first level of every family
  std::string text = "cell deep { input x : f32[32] state h : f32[32] ";
  for (int i = 0; i < kProducts; ++i) text += "param W" + std::to_string(i) + " : f32[32, 32] ";
  text += "a0 = tanh(W0 @ h + x) ";
  for (int i = 1; i < kProducts; ++i) {
    const std::string k = std::to_string(i);
    text += "a" + k + " = tanh(W" + k + " @ a" + std::to_string(i - 1) + ") ";
  }
  text += "h' = a" + std::to_string(kProducts - 1) + " output h' }";
  const ir::Cell cell = ir::parse(text)->cells.at(0);
  const compiler::Target target = compiler::resolve_target("host").value();
  const compiler::Lowered lowered = compiler::lower(cell, target).value();
  CHECK(compiler::emit_assembly(lowered.schedule, lowered.plan, target).find("stages_0_") != std::string::npos);
  check_turning(cell);
}

// Predictions for an LSTM of 64 units.
std::vector<compiler::StageTimes> times_of(const compiler::Target& target, const compiler::PlanOptions& options = {}) {
  return compiler::lower(standard("lstm", 64, 64), target, options).value().plan.times;
}

TEST_CASE("times are predicted for the machine that the target names", "[plan]") {
  const auto target = [](const std::string& cpu) { return compiler::resolve_target(cpu, false).value(); };
  const compiler::Target arm = target("aarch64-cortex-a72");
  CHECK(std::string(compiler::machine_of(arm).name) == "Cortex-A72");
  CHECK(std::string(compiler::machine_of(target("znver5")).name) == "Zen 5");
  CHECK(std::string(compiler::machine_of(target("x86-64-v4")).name) == "Zen 4");
  const compiler::Machine& zen4 = compiler::machine_of(v4());
  for (std::size_t stage : {0, 1}) {
    // Ten times fewer multiply-adds a second, and a quarter of the clock.
    CHECK(times_of(arm)[stage].many_rows > 5 * times_of(v4())[stage].many_rows);
    CHECK(times_of(arm, {.machine = zen4})[stage].many_rows < 0.5 * times_of(arm)[stage].many_rows);
  }
  const ir::Cell cell = standard("lstm", 64, 64);
  const auto description = compiler::describe(cell, compiler::lower(cell, arm).value(), arm);
  CHECK(description.row_seconds == description.flops_per_step / compiler::machine_of(arm).flops_per_second);
}

TEST_CASE("a plan may be chosen by hand, and gives the same bits", "[plan]") {
  const ir::Cell cell = standard("gru_cho", 33, 96);
  const Weights weights = random_weights(cell, 3);
  const Sequences sequences = random_sequences(cell, 5, 3, 4);
  const Sequences single = random_sequences(cell, 5, 1, 4);
  const Program model = compile_cell(cell, weights, "host");
  const compiler::Target target = compiler::resolve_target("host").value();
  const compiler::Lowered lowered = compiler::lower(cell, target).value();
  const auto candidates = compiler::plan_candidates(lowered.schedule, target, {});
  for (std::size_t stage = 0; stage < candidates.size(); ++stage)
    for (const auto& candidate : candidates[stage]) {
      const std::string choice = compiler::print(compiler::choice_of(stage, candidate.plan));
      INFO(choice);
      const Program program = compile_cell(cell, weights, "host", 1, nullptr, Sharing::Auto, choice);
      REQUIRE(run(program, sequences) == run(model, sequences));
      REQUIRE(run(program, single) == run(model, single));
    }
}

TEST_CASE("a choice that is none is refused", "[plan]") {
  const ir::Cell cell = standard("lstm", 16, 32);
  const auto error = [&](const std::string& text) {
    auto choices = compiler::parse_choices(text);
    if (!choices) return choices.error().message;
    return compiler::lower(cell, v4(), {.choices = *choices}).error().message;
  };
  CHECK(error("1:2") == "plan '1:2' is not STAGE:SINGLE_BLOCKS/BATCH_BLOCKS/PANEL_COLUMNS, as in 1:2/1/256");
  CHECK(error("x") == "plan 'x' is not STAGE:SINGLE_BLOCKS/BATCH_BLOCKS/PANEL_COLUMNS, as in 1:2/1/256");
  CHECK(error("1:7/1/32") == "stage 1 has no plausible plan 1:7/1/32; it has 1:2/1/32, 1:1/1/32");
  CHECK(error("9:1/1/32") == "plan 9:1/1/32 is of a stage that is not there; there are 2");
}

TEST_CASE("a kept plan is read back for its own cell and CPU only", "[plan]") {
  const ir::Cell cell = standard("lstm", 16, 32), other = standard("lstm", 16, 33);
  const compiler::Target target = v4(), v3 = target_of("x86-64-v3");
  const std::string path = "kept_plan.txt";
  const std::vector<PlanChoice> choices = compiler::parse_choices("0:1/1/16,1:1/1/32").value();
  const std::string text = compiler::tuned_text({cell, target}, choices);
  std::ofstream(path, std::ios::binary) << text;
  const auto read = compiler::read_tuned(path, {cell, target});
  REQUIRE(read.size() == 2);
  CHECK(compiler::print(read[0]) == "0:1/1/16");
  CHECK(compiler::print(read[1]) == "1:1/1/32");
  CHECK(compiler::read_tuned(path, {other, target}).empty());
  CHECK(compiler::read_tuned(path, {cell, v3}).empty());
  for (std::size_t length = 0; length < text.size(); ++length) {
    std::ofstream(path, std::ios::binary) << text.substr(0, length);
    REQUIRE(compiler::read_tuned(path, {cell, target}).empty());
  }
  CHECK(compiler::read_tuned("", {cell, target}).empty());
  std::remove(path.c_str());
}

}  // namespace rnnc::test
