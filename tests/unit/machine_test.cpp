// The measured machine: its file, the rows that it is printed as, the levels that reading speeds show, and what follows
// from it: plans, keys of caches, and never the bits of results.
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>

#include <rnnc/ahead.hpp>

#include "compiler/llvm/code_of.hpp"
#include "compiler/llvm/resolve_target.hpp"
#include "compiler/schedule/code_cache.hpp"
#include "compiler/schedule/limits.hpp"
#include "compiler/schedule/lower.hpp"
#include "compiler/schedule/tuned.hpp"
#include "tests/support/run_cell.hpp"
#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

using compiler::kBeyond;
using compiler::Limits;
using compiler::Machine;
using compiler::Target;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Target host() { return compiler::resolve_target("host").value(); }

// Limits such as a machine like a Zen 5 has.
Limits sound_limits() {
  Limits limits{"A CPU", "a-target", 224e9};
  for (std::int64_t bytes = compiler::kSmallestSet; bytes <= compiler::kLargestSet; bytes *= 2)
    limits.reads.push_back({static_cast<double>(bytes), 4e15 / static_cast<double>(bytes)});
  const Machine machine{compiler::kMeasuredHere,
                        240e9,
                        4 / 3.75e9,
                        6.25e9,
                        {{{49.2e3, 390e9}, {1.05e6, 150e9}, {18e6, 90e9}, {kBeyond, 30e9}}}};
  limits.core = compiler::MeasuredCore{machine, 16, 3.75e9, 62e-9, false};
  return limits;
}

std::optional<Limits> read_back(const Limits& limits) {
  return compiler::parse_limits(compiler::text_of(limits), "A CPU", "a-target");
}

// A cache folder in which the host has the limits of `machine`, for as long as this lives.
class MeasuredHost {
 public:
  explicit MeasuredHost(const Machine& machine, const char* mode = "ro", bool is_noisy = false) {
    Limits limits = sound_limits();
    limits.cpu = compiler::cpu_model();
    limits.target = compiler::name_of(host());
    limits.core->machine = machine;
    limits.core->lanes = host().lanes;
    limits.core->is_noisy = is_noisy;
    std::ofstream(compiler::limits_path(folder(), limits.cpu, limits.target)) << compiler::text_of(limits);
    ::setenv("RNNC_CACHE", mode, 1);
    ::setenv("RNNC_CACHE_DIR", folder().c_str(), 1);
  }
  ~MeasuredHost() {
    ::setenv("RNNC_CACHE", "off", 1);
    ::unsetenv("RNNC_CACHE_DIR");
  }
  MeasuredHost(const MeasuredHost&) = delete;
  MeasuredHost& operator=(const MeasuredHost&) = delete;

  std::string folder() const { return std::filesystem::path(folder_ / "").parent_path().string(); }

 private:
  Folder folder_;
};

// Returns a machine that needs `chains` multiply-adds of the host's vectors in flight.
Machine odd_machine(int chains, double cache_bytes) {
  const double flops = 100e9;
  return {"odd",
          flops,
          chains * 2.0 * host().lanes / flops,
          1e9,
          {{{cache_bytes, 90e9}, {2 * cache_bytes, 20e9}, {4 * cache_bytes, 10e9}, {kBeyond, 1e9}}}};
}

std::vector<Machine> odd_machines() {
  return {odd_machine(1, 48e3), odd_machine(100, 48e3), odd_machine(8, 64), odd_machine(3, 1e12)};
}

std::vector<compiler::StagePlan> plans_of(const ir::Cell& cell, const std::optional<Machine>& machine) {
  return compiler::lower(cell, host(), {.machine = machine}).value().plan.stages;
}

std::string source_text(const std::string& path) {
  std::ifstream file(std::string(RNNC_SOURCE_DIR "/") + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the limits of a machine are read back as they were kept", "[machine]") {
  const Limits kept = sound_limits();
  const auto read = read_back(kept);
  REQUIRE(read);
  REQUIRE(read->core);
  CHECK(compiler::text_of(*read) == compiler::text_of(kept));
  CHECK(compiler::numbers_of(read->core->machine) == compiler::numbers_of(kept.core->machine));
  CHECK(std::string(read->core->machine.name) == "measured here");
  Limits without = kept;
  without.core.reset();
  REQUIRE(read_back(without));
  CHECK_FALSE(read_back(without)->core);
}

TEST_CASE("limits of another CPU, or cut short, or that no machine has are as if they were not there", "[machine]") {
  const std::string text = compiler::text_of(sound_limits());
  CHECK_FALSE(compiler::parse_limits(text, "B CPU", "a-target"));
  CHECK_FALSE(compiler::parse_limits(text, "A CPU", "b-target"));
  for (std::size_t length = 0; length + 2 < text.size(); ++length)
    REQUIRE_FALSE(compiler::parse_limits(text.substr(0, length), "A CPU", "a-target"));
  using Change = void (*)(Limits&, double);
  const Change changes[] = {[](Limits& limits, double x) { limits.flops_per_second = x; },
                            [](Limits& limits, double x) { limits.reads[3].bytes_per_second = x; },
                            [](Limits& limits, double x) { limits.core->clock = x; },
                            [](Limits& limits, double x) { limits.core->machine.flops_per_second = x; },
                            [](Limits& limits, double x) { limits.core->machine.latency = x; },
                            [](Limits& limits, double x) { limits.core->machine.vector_loads_per_second = x; },
                            [](Limits& limits, double x) { limits.core->machine.memory[1].bytes = x; },
                            [](Limits& limits, double x) { limits.core->machine.memory[0].bytes_per_second = x; }};
  for (const Change change : changes)
    for (const double nonsense : {0.0, -1.0, kNan, std::numeric_limits<double>::infinity(), 1e40}) {
      Limits limits = sound_limits();
      change(limits, nonsense);
      INFO(compiler::text_of(limits));
      CHECK_FALSE(read_back(limits));
    }
}

TEST_CASE("levels of a measured machine rise in size and fall in speed, or the file counts for nothing", "[machine]") {
  const auto with = [](auto change) {
    Limits limits = sound_limits();
    change(*limits.core);
    return read_back(limits).has_value();
  };
  CHECK(with([](auto&) {}));
  CHECK_FALSE(with([](auto& core) { core.machine.memory[1].bytes = core.machine.memory[0].bytes; }));
  CHECK_FALSE(with([](auto& core) { core.machine.memory[2].bytes = 100; }));
  CHECK_FALSE(with([](auto& core) { core.machine.memory[1].bytes_per_second = 400e9; }));
  CHECK_FALSE(with([](auto& core) { core.machine.memory[3].bytes = 1e9; }));
  CHECK(with([](auto& core) { core.machine.memory[2] = core.machine.memory[3]; }));  // a machine without L3
  CHECK_FALSE(with([](auto& core) { core.lanes = 5; }));
  CHECK_FALSE(with([](auto& core) { core.machine.latency = 1e-4; }));   // a million multiply-adds in flight
  CHECK_FALSE(with([](auto& core) { core.machine.latency = 1e-11; }));  // none
  CHECK_FALSE(with([](auto& core) { core.flag_seconds = -1; }));
}

TEST_CASE("a machine is printed as the rows that the table of families has", "[machine]") {
  const Machine& zen4 = compiler::machine_of(compiler::resolve_target("x86-64-v4", false).value());
  const std::string rows = compiler::row_of(zen4, "znver4", 3.7e9),
                    table = source_text("compiler/schedule/machine.cpp");
  const std::size_t second = rows.find(";\n") + 2;
  const std::string numbers = rows.substr(rows.find(" = {"), second - rows.find(" = {"));
  INFO(rows);
  CHECK(table.find("constexpr Machine kZen4" + numbers) != std::string::npos);
  CHECK(rows.starts_with("constexpr Machine kZnver4 = {\n    \"Zen 4\", 116e9, "));
  CHECK(rows.substr(second) == "    {\"znver4\", &kZnver4},\n");
  CHECK(compiler::row_of(zen4, "sapphire-rapids", 3.7e9).starts_with("constexpr Machine kSapphirerapids = {"));
}

TEST_CASE("reading speeds of rising sets show the levels of memory", "[machine]") {
  const auto speeds = [](const std::vector<std::pair<double, double>>& levels) {
    std::vector<compiler::ReadSpeed> reads;
    for (double bytes = 16 * 1024; bytes <= 128 * 1024 * 1024; bytes *= 1.25) {
      double speed = levels.back().second;
      for (std::size_t i = levels.size(); i-- > 0;)
        if (bytes <= levels[i].first) speed = levels[i].second;
      // Noise of a tenth, which goes both ways.
      reads.push_back({bytes, speed * (reads.size() % 3 == 0 ? 0.9 : reads.size() % 3 == 1 ? 1.0 : 1.1)});
    }
    return compiler::levels_of(reads);
  };
  const auto near = [](const compiler::MemoryLevel& level, double bytes, double speed) {
    return level.bytes <= bytes && level.bytes * 1.25 >= bytes && level.bytes_per_second == Approx(speed).epsilon(0.11);
  };
  const auto four = speeds({{48e3, 390e9}, {1e6, 150e9}, {20e6, 90e9}, {1e18, 30e9}});
  CHECK(near(four[0], 48e3, 390e9));
  CHECK(near(four[1], 1e6, 150e9));
  CHECK(near(four[2], 20e6, 90e9));
  CHECK(four[3].bytes == kBeyond);
  CHECK(four[3].bytes_per_second == Approx(30e9).epsilon(0.11));
  const auto three = speeds({{32e3, 24e9}, {1e6, 12e9}, {1e18, 4e9}});
  CHECK(near(three[0], 32e3, 24e9));
  CHECK(near(three[1], 1e6, 12e9));
  CHECK(three[2].bytes == kBeyond);
  CHECK(three[3].bytes == kBeyond);
  CHECK(compiler::levels_of({{16384, 5e9}})[0].bytes == kBeyond);
}

TEST_CASE("plans prefer the measured machine for the host, where the cache may be read", "[machine]") {
  Machine machine = odd_machine(8, 64);
  machine.lone_stream = compiler::machine_of(host()).lone_stream;  // which the family tells
  const std::string numbers = compiler::numbers_of(machine);
  {
    const MeasuredHost measured(machine);
    REQUIRE(compiler::measured_machine(host()));
    CHECK(compiler::numbers_of(*compiler::measured_machine(host())) == numbers);
    CHECK_FALSE(compiler::measured_machine(compiler::resolve_target(compiler::name_of(host()), false).value()));
    CHECK_FALSE(compiler::measured_machine(compiler::resolve_target("aarch64-cortex-a72", false).value()));
    Target wider = host();
    wider.lanes *= 2;
    CHECK_FALSE(compiler::measured_machine(wider));
    ::setenv("RNNC_CACHE", "off", 1);
    CHECK_FALSE(compiler::measured_machine(host()));
    ::setenv("RNNC_CACHE", "on", 1);
    CHECK(compiler::measured_machine(host()));
    CHECK(compiler::remove_limits(measured.folder()).size() == 1);
    CHECK_FALSE(compiler::measured_machine(host()));
  }
  CHECK_FALSE(compiler::measured_machine(host()));
  const MeasuredHost noisy(machine, "ro", true);
  CHECK_FALSE(compiler::measured_machine(host()));
}

TEST_CASE("keys of code and of tuned plans tell machines apart", "[machine]") {
  const ir::Cell cell = standard("lstm", 16, 32);
  const Target target = host();
  const auto key = [&](const std::optional<Machine>& machine) {
    return compiler::cache_key(cell, target, {.machine = machine});
  };
  Machine one = odd_machine(8, 48e3), other = one;
  other.memory[2].bytes_per_second *= 1.000001;
  CHECK(key(one).find(compiler::numbers_of(one)) != std::string::npos);
  CHECK(key(one) != key(other));
  CHECK(key(one) != key({}));
  CHECK(compiler::tuned_path("f", {cell, target, one}) != compiler::tuned_path("f", {cell, target, other}));
  CHECK(compiler::tuned_path("f", {cell, target, one}) != compiler::tuned_path("f", {cell, target}));
  const auto choices = compiler::parse_choices("0:1/1/16,1:1/1/32").value();
  const Folder folder;
  folder.write("plan.txt", compiler::tuned_text({cell, target, one}, choices));
  CHECK(compiler::read_tuned(folder / "plan.txt", {cell, target, one}).size() == 2);
  CHECK(compiler::read_tuned(folder / "plan.txt", {cell, target, other}).empty());
  CHECK(compiler::read_tuned(folder / "plan.txt", {cell, target}).empty());
}

TEST_CASE("code for a machine of other numbers is never taken from the cache", "[machine]") {
  const ir::Cell cell = standard("gru", 24, 40);
  const MeasuredHost measured(odd_machine(1, 48e3), "on");
  const compiler::CodeCache cache(measured.folder());
  const auto files_after = [&] {
    REQUIRE(compiler::plan_code(cell, host(), {.cpu = "host"}, false).value().make().ok());
    return cache.size().files;
  };
  CHECK(files_after() == 1);
  CHECK(files_after() == 1);
  compiler::remove_limits(measured.folder());
  CHECK(files_after() == 2);
}

TEST_CASE("the bits of results never depend on the machine", "[machine]") {
  bool any_other_plan = false;
  for (const auto& [name, inputs, units] :
       {std::tuple("lstm", 20, 72), {"gru", 64, 64}, {"gru_cho", 33, 96}, {"rnn", 16, 300}, {"lstm_peephole", 8, 37}}) {
    const ir::Cell cell = standard(name, inputs, units);
    const Weights weights = random_weights(cell, 3);
    const Sequences many = random_sequences(cell, 5, 19, 4), single = random_sequences(cell, 6, 1, 4);
    const Program table = compile_cell(cell, weights, "host");
    for (const Machine& machine : odd_machines()) {
      INFO(name << " of " << units << " units, " << compiler::numbers_of(machine));
      any_other_plan = any_other_plan || plans_of(cell, machine) != plans_of(cell, {});
      const MeasuredHost measured(machine);
      REQUIRE(compiler::measured_machine(host()));
      for (const int threads : {1, 2}) {
        const Program program = compile_cell(cell, weights, "host", threads);
        CHECK(run(program, many) == run(table, many));
        CHECK(run(program, single) == run(table, single));
      }
    }
  }
  CHECK(any_other_plan);
}

TEST_CASE("an object is the same whatever was measured where it is made", "[machine]") {
  const Model model = rnnc::parse(
                          "cell m { input x : f32[64] state h : f32[64] param W : f32[64, 64] param U : f32[64, 64] "
                          "h' = tanh(W @ x + U @ h) output h' }",
                          "m.rnn")
                          .value();
  const std::vector<float> zeros(64 * 64);
  const TensorMap weights = {{"W", Tensor::from_f32({64, 64}, zeros)}, {"U", Tensor::from_f32({64, 64}, zeros)}};
  const auto object = [&] { return compile_object(model, weights).value().object; };
  const auto before = object();
  for (const Machine& machine : odd_machines()) {
    const MeasuredHost measured(machine);
    CHECK(object() == before);
  }
}

}  // namespace rnnc::test
