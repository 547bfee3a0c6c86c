// Programs that run portably until their code is there: the bits are those of generated code before and after, states
// go on where they were, and the call in which they move allocates nothing.
#include <sys/wait.h>
#include <unistd.h>

#include <rnnc/rnnc.hpp>

#include <future>

#include "compiler/llvm/code_of.hpp"
#include "compiler/llvm/resolve_target.hpp"
#include "compiler/network/network.hpp"
#include "compiler/portable/translate.hpp"
#include "tests/support/allocations.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/run_cell.hpp"
#include "tests/support/run_network.hpp"

namespace rnnc::test {
namespace {

constexpr const char* kCell = "network n { input x : seq f32[5] a = lstm<H=17>(x) output a }";
constexpr const char* kStack =
    "network n { input x : seq f32[5] a = lstm<H=17>(x) b = gru<H=9>(a) c = rnn<H=20>(b) output c output again = b }";
constexpr const char* kTwoWays =
    "network n { input x : seq f32[5] a = lstm<H=6>(x) b = reverse lstm<H=7>(x) output y = concat(a, b) }";
const char* const kTexts[] = {kCell, kStack, kTwoWays};

// A program of two tiers whose code comes when `release` is called, or never if its error is to be `failure`.
struct Tiered {
  explicit Tiered(const std::string& text, int threads = 1, const std::string& failure = "")
      : network(network_of(text)), options{.threads = threads, .cache = false} {
    Random random(3);
    weights = random_weights(network, random);
    const compiler::Target target = compiler::resolve_target("host").value();
    const compiler::PlanCode plan_code = [this, target, failure](const ir::Cell& cell, bool beside_others) {
      auto code = compiler::plan_code(cell, target, options, beside_others);
      code->make = [make = code->make, gate = gate, failure]() -> Result<runtime::Code> {
        gate.wait();
        if (!failure.empty()) return Error{ErrorCode::Limit, {}, failure};
        return make();
      };
      return code;
    };
    const runtime::PortableKernels& kernels = *runtime::portable_kernels("host");
    const compiler::PlanCode portable = [&kernels](const ir::Cell& cell, bool) {
      return compiler::plan_portable(cell, kernels);
    };
    program = compiler::compile_tiers(network, {"first", portable}, {"later", plan_code}, tensors_of(network, weights),
                                      options)
                  .value();
  }
  ~Tiered() { release(); }

  void release() {
    if (!is_released) opened.set_value();
    is_released = true;
  }
  void finish() {
    release();
    program->wait_for_code().value();
  }
  Program plain() const { return compile_network(network, weights, options); }

  std::promise<void> opened;
  std::shared_future<void> gate = opened.get_future().share();
  bool is_released = false;
  ir::Network network;
  CompileOptions options;
  ir::NamedVectors weights;
  std::optional<Program> program;
};

std::vector<float> input(std::int64_t elements, std::uint64_t seed) { return Random(seed).vector(elements, -1, 1); }

// Makes one call of `steps` steps from x, and returns y.
std::vector<float> call(const Program& program, State& state, std::int64_t steps, std::uint64_t seed,
                        Workspace* workspace = nullptr) {
  const std::vector<float> x = input(steps * state.batch() * program.input_size(), seed);
  std::vector<float> y(static_cast<std::size_t>(steps * state.batch() * program.output_size()));
  REQUIRE(program.run(state, {.x = x, .y = y, .steps = steps, .workspace = workspace}) == RunStatus::Ok);
  return y;
}

}  // namespace

TEST_CASE("calls before and after the code is there have the bits of generated code", "[tiers]") {
  for (const std::string text : kTexts)
    for (const int threads : {1, 2}) {
      INFO(text << ", " << threads << " threads");
      Tiered tiered(text, threads);
      const Program &program = *tiered.program, plain = tiered.plain();
      CHECK(program.backend() == Backend::Portable);
      CHECK(program.cpu() == "first");
      State mine = program.make_state(3, 4), theirs = plain.make_state(3, 4);
      CHECK(call(program, mine, 4, 1) == call(plain, theirs, 4, 1));
      tiered.finish();
      CHECK(program.backend() == Backend::Jit);
      CHECK(program.cpu() == "later");
      CHECK(program.fallback() == "");
      CHECK(call(program, mine, 3, 2) == call(plain, theirs, 3, 2));
      CHECK(call(program, mine, 4, 3) == call(plain, theirs, 4, 3));
      for (const Port& state : program.states()) CHECK(mine.get(state.name).value() == theirs.get(state.name).value());
    }
}

TEST_CASE("a step moves a state without an allocation, and goes on from its values", "[tiers]") {
  for (const std::string text : {kCell, kStack}) {
    INFO(text);
    Tiered tiered(text);
    const Program &program = *tiered.program, plain = tiered.plain();
    State mine = program.make_state(1), theirs = plain.make_state(1);
    const auto name = program.states()[0].name;
    const std::vector<float> given = input(17, 8);
    mine.set(name, given).value();
    theirs.set(name, given).value();
    std::vector<float> y(static_cast<std::size_t>(program.output_size())), expected = y;
    for (std::uint64_t step = 0; step < 8; ++step) {
      if (step == 3) tiered.finish();
      const std::vector<float> x = input(5, 20 + step);
      const long before = allocations(), live = live_allocations();
      REQUIRE(program.step(mine, x, y) == RunStatus::Ok);
      CHECK(allocations() == before);
      CHECK(live_allocations() == live);
      REQUIRE(plain.step(theirs, x, expected) == RunStatus::Ok);
      CHECK(y == expected);
    }
  }
}

TEST_CASE("states and workspaces of before and after go together", "[tiers]") {
  Tiered tiered(kStack);
  const Program &program = *tiered.program, plain = tiered.plain();
  State old_state = program.make_state_without_workspace(2);
  Workspace old_workspace = program.make_workspace(2, 4);
  State idle = program.make_state(2, 4);
  const std::vector<std::byte> saved = [&] {
    State state = program.make_state(2, 4);
    (void)call(program, state, 4, 5);
    return state.save();
  }();
  tiered.finish();
  State new_state = program.make_state_without_workspace(2);
  Workspace new_workspace = program.make_workspace(2, 4);
  State theirs = plain.make_state(2, 4);
  const std::vector<float> expected = call(plain, theirs, 4, 5);
  CHECK(call(program, old_state, 4, 5, &new_workspace) == expected);
  CHECK(call(program, new_state, 4, 5, &old_workspace) == expected);
  CHECK(call(program, idle, 4, 5) == expected);
  CHECK(theirs.save() == idle.save());
  CHECK(saved == idle.save());
  new_state.restore(saved).value();
  idle.reset();
  idle.restore(new_state.save()).value();
  CHECK(call(program, idle, 3, 6) == call(plain, theirs, 3, 6));
  State stranger = plain.make_state(2, 4);
  std::vector<float> y(40), x(10);
  CHECK(program.run(stranger, {.x = x, .y = y, .steps = 1}) == RunStatus::WrongState);
  CHECK(plain.run(idle, {.x = x, .y = y, .steps = 1}) == RunStatus::WrongState);
  Workspace theirs_too = plain.make_workspace(2, 4);
  CHECK(program.run(idle, {.x = x, .y = y, .steps = 1, .workspace = &theirs_too}) == RunStatus::WrongWorkspace);
}

TEST_CASE("sessions go on with the code", "[tiers]") {
  Tiered tiered(kStack);
  const Program plain = tiered.plain();
  Sessions mine = Sessions::make(*tiered.program, 300).value(), theirs = Sessions::make(plain, 300).value();
  for (int stream = 0; stream < 280; ++stream) REQUIRE(mine.join().value() == theirs.join().value());
  std::vector<float> y(300 * 20), expected = y;
  for (std::uint64_t step = 0; step < 5; ++step) {
    if (step == 2) tiered.finish();
    const std::vector<float> x = input(300 * 5, step);
    REQUIRE(mine.step(x, y) == RunStatus::Ok);
    REQUIRE(theirs.step(x, expected) == RunStatus::Ok);
    CHECK(y == expected);
  }
  CHECK(mine.save(279).value() == theirs.save(279).value());
}

TEST_CASE("memory of both is counted until the code is there", "[tiers]") {
  Tiered tiered(kStack);
  const Program &program = *tiered.program, plain = tiered.plain();
  CHECK(program.state_bytes(3, 4) > plain.state_bytes(3, 4));
  CHECK(program.bytes_without_workspace(3) > plain.bytes_without_workspace(3));
  CHECK(program.workspace_bytes(3, 4) > plain.workspace_bytes(3, 4));
  CHECK(program.weights_bytes() > plain.weights_bytes());
  tiered.finish();
  CHECK(program.state_bytes(3, 4) == plain.state_bytes(3, 4));
  CHECK(program.bytes_without_workspace(3) == plain.bytes_without_workspace(3));
  CHECK(program.workspace_bytes(3, 4) == plain.workspace_bytes(3, 4));
}

TEST_CASE("a program whose code cannot be made says so and stays portable", "[tiers]") {
  Tiered tiered(kStack, 1, "no room for code");
  const Program &program = *tiered.program, plain = tiered.plain();
  CHECK(program.fallback() == "");
  State mine = program.make_state(2, 4), theirs = plain.make_state(2, 4);
  tiered.release();
  const Result<void> waited = program.wait_for_code();
  REQUIRE(!waited);
  CHECK(waited.error().message == "no room for code");
  CHECK(program.backend() == Backend::Portable);
  CHECK(program.fallback() == "no room for code");
  CHECK(call(program, mine, 4, 1) == call(plain, theirs, 4, 1));
}

TEST_CASE("a child that was forked before the code was there runs portably and says so", "[tiers]") {
  Tiered tiered(kCell);
  const Program plain = tiered.plain();
  State mine = tiered.program->make_state(1), theirs = plain.make_state(1);
  const pid_t child = ::fork();
  if (child == 0) {
    const Result<void> waited = tiered.program->wait_for_code();
    const bool says_so = !waited && waited.error().message.starts_with("this process was forked before");
    const bool same = call(*tiered.program, mine, 5, 1) == call(plain, theirs, 5, 1);
    { const Program last = std::move(*tiered.program); }  // this waits for no thread
    std::_Exit(says_so && same ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

TEST_CASE("Backend::Tiered compiles every level, and owners may come and go while it does", "[tiers]") {
  for (const std::string& level : compiler::runnable_levels())
    for (const std::string text : kTexts) {
      INFO(level << ": " << text);
      const ir::Network network = network_of(text);
      Random random(3);
      const ir::NamedVectors weights = random_weights(network, random);
      const CompileOptions jit{.cpu = level, .backend = Backend::Jit, .cache = false};
      CompileOptions tiers = jit;
      tiers.backend = Backend::Tiered;
      const Program plain = compile_network(network, weights, jit);
      const Program program = compile_network(network, weights, tiers);
      State mine = program.make_state(2, 4), theirs = plain.make_state(2, 4);
      for (std::uint64_t seed = 0; seed < 3; ++seed) {
        CHECK(call(program, mine, 4, seed) == call(plain, theirs, 4, seed));
        if (seed == 1) program.wait_for_code().value();
      }
      CHECK(program.cpu() == plain.cpu());
      (void)compile_network(network, weights, tiers);  // nobody waits for this one
      CHECK(plain.wait_for_code().ok());
    }
}

TEST_CASE("errors of Backend::Tiered come at once", "[tiers]") {
  const ir::Network network = network_of(kCell);
  Random random(3);
  const TensorMap weights = tensors_of(network, random_weights(network, random));
  const auto message = [&](const CompileOptions& options) {
    const Result<Program> program = compile(model_of(network), weights, options);
    return program ? "" : program.error().to_string();
  };
  CHECK(message({.cpu = "znver99", .backend = Backend::Tiered}).starts_with("unknown CPU 'znver99'"));
  CHECK(message({.plan = "nonsense", .backend = Backend::Tiered}) != "");
  CHECK(message({.backend = Backend::Tiered, .compile_threads = -1}) == "compile_threads is negative");
  TensorMap none;
  CHECK(!compile(model_of(network), none, {.backend = Backend::Tiered}));
}

TEST_CASE("several threads make the same code as one", "[tiers]") {
  const ir::Network network = network_of(kStack);
  Random random(3);
  const ir::NamedVectors weights = random_weights(network, random);
  const Program one = compile_network(network, weights, {.cache = false, .compile_threads = 1});
  State expected = one.make_state(2, 4);
  const std::vector<float> y = call(one, expected, 4, 1);
  for (const int threads : {0, 2, 3, 64}) {
    const Program program = compile_network(network, weights, {.cache = false, .compile_threads = threads});
    State state = program.make_state(2, 4);
    CHECK(call(program, state, 4, 1) == y);
  }
}

}  // namespace rnnc::test
