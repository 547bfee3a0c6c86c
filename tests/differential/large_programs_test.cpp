// Programs that are cut into several stages because of their size have the values of the interpreter and the bits of
// the portable executor, which makes no cuts. Random cells are cut into stages of single operations.
#include <algorithm>
#include <string>

#include "compiler/llvm/code_of.hpp"
#include "compiler/llvm/codegen.hpp"
#include "compiler/llvm/resolve_target.hpp"
#include "compiler/network/network.hpp"
#include "compiler/schedule/lower.hpp"
#include "ir/parse.hpp"
#include "ir/scan.hpp"
#include "runtime/code_image.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/large_frame.hpp"
#include "tests/support/random_cell.hpp"
#include "tests/support/trial.hpp"

namespace rnnc::test {
namespace {

using ir::Cell;

constexpr std::uint64_t kCells = 100;
constexpr WeightFormat kFormats[] = {WeightFormat::F32, WeightFormat::F32,   WeightFormat::F16,
                                     WeightFormat::W16, WeightFormat::W8A16, WeightFormat::W8};
const char* const kFunctions[] = {"tanh", "sigmoid", "softsign", "abs", "relu", "silu"};

std::string number(std::size_t i) { return std::to_string(i); }

Cell cell_of(const std::string& declarations, const std::string& statements, const std::string& last) {
  const std::string text = "cell c {\n  input x : f32[17]\n  state h : f32[17]\n" + declarations + statements +
                           "  h' = tanh(" + last + ")\n  output h'\n}\n";
  return ir::parse(text).value().cells.at(0);
}

// Every statement reads the one before and any one before that; each fifth is a scalar.
Cell cell_of_statements(std::size_t count) {
  Random random(count);
  std::string text = "  v0 = x + h\n  s0 = sum(x)\n";
  std::size_t scalars = 1;
  for (std::size_t i = 1; i < count; ++i) {
    const std::string f = kFunctions[i % std::size(kFunctions)];
    const std::string before = number(random.below(i)), scalar = number(random.below(scalars));
    if (i % 5 == 0) text += "  s" + number(scalars++) + " = " + f + "(s" + scalar + " * 0.5 - 0.1)\n";
    text +=
        "  v" + number(i) + " = " + f + "(v" + number(i - 1) + " * 0.5 - v" + before + " * 0.25 + s" + scalar + ")\n";
  }
  return cell_of("", text, "v" + number(count - 1));
}

Cell cell_of_parts(std::size_t count) {
  std::string text = "  c = concat(";
  for (std::size_t i = 0; i < count; ++i)
    text += (i == 0 ? "" : ", ") + (i % 3 == 0 ? std::string("x") : "tanh(h * 0." + number(i + 1) + ")");
  return cell_of("  param W : f32[17," + number(17 * count) + "]\n", text + ")\n  d = tanh(c)\n", "W @ d * 0.001");
}

Cell cell_of_states(std::size_t count) {
  std::string states, text;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string next = number((i + 1) % count);
    states += "  state s" + number(i) + " : f32" + (i % 4 == 0 ? "" : "[17]") + "\n";
    if (i % 4 == 0)
      text += "  s" + number(i) + "' = tanh(s" + number((i + 4) % count) + " + sum(x))\n";
    else
      text += "  s" + number(i) + "' = tanh(s" + next + " * 0.5 + x)\n";
  }
  return cell_of(states, text, "s0 + s1 + h");
}

Cell cell_of_products(std::size_t count) {
  std::string params, text = "  v0 = x + h\n";
  for (std::size_t i = 0; i < 4; ++i) params += "  param W" + number(i) + " : f32[17,17]\n";
  for (std::size_t i = 1; i < count; ++i)
    text += "  v" + number(i) + " = tanh(W" + number(i % 4) + " @ v" + number(i - 1) + " + sum(v" + number(i / 2) +
            ") * x)\n";
  return cell_of(params, text, "v" + number(count - 1));
}

compiler::Lowered lowered(const Cell& cell) {
  return compiler::lower(cell, compiler::resolve_target("host").value()).value();
}

Cell large_frame(int places, int layers) { return ir::parse(text_of_large_frame(places, layers)).value().cells.at(0); }

// Rows that have nothing in common but their weights.
Cell rows_apart(int rows) {
  const std::string size = std::to_string(5 * rows),
                    text = "cell c { input x : f32[" + size + "] param W : f32[5, 5] A = tanh(W @ rows(x, " +
                           std::to_string(rows) +
                           ")) B = sigmoid(W @ (A * A)) C = tanh(W @ (B + A)) output flatten(silu(W @ C)) }";
  return ir::parse(text).value().cells.at(0);
}

// Counts the multiply-adds and copies in the LLVM IR of a cell.
std::size_t length_of_code(const Cell& cell, const std::string& cpu) {
  const compiler::Target target = compiler::resolve_target(cpu, false).value();
  const compiler::Lowered one = compiler::lower(cell, target).value();
  const std::string text = compiler::emit_llvm(one.schedule, one.plan, target);
  std::size_t count = 0;
  for (const std::string part : {"@llvm.fma", " store "})
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

void check(const Cell& cell) {
  CHECK(lowered(cell).schedule.stages.size() > 3);
  const Subject subject{cell, random_weights(cell, 7)};
  const Trial trial(subject, {.steps = 3, .batch = 3, .seed = 5});
  for (const Check each : {Check::Interpreter, Check::Executors, Check::Alone, Check::Pieces, Check::Threads}) {
    INFO(name_of(each));
    CHECK(trial.fault(each).value_or("") == "");
  }
}

// Makes a program whose stages have no more work than `most_work`, if an operation has no more.
Program compile_cut(const Cell& cell, const Weights& weights, std::int64_t most_work, int threads,
                    WeightFormat format) {
  const compiler::Target target = compiler::resolve_target("host").value();
  const auto plan_code = [&](const Cell& one, bool) -> Result<compiler::PendingCode> {
    Result<runtime::StoredCode> made =
        compiler::generate_code(one, target, {.threads = threads, .weights = format, .most_work = most_work});
    if (!made) return made.error();
    const Result<runtime::MappedCode> code = runtime::map_code(made->image);
    if (!code) return code.error();
    return compiler::PendingCode{std::move(made->description), [code = *code] {
                                   return runtime::Code{code.run, code.prepare, code.owner};
                                 }};
  };
  CompileOptions options;
  options.threads = threads;
  options.weights = format;
  const Subject subject{cell, weights};
  return compiler::compile_network(ir::network_of(cell), {compiler::name_of(target), plan_code}, tensors_of(subject),
                                   options)
      .value();
}

}  // namespace

TEST_CASE("a cell of 1,500 statements that reach far back is the interpreter's", "[large]") {
  check(cell_of_statements(1500));
}

TEST_CASE("a cell with a concat of 500 parts is the interpreter's", "[large]") { check(cell_of_parts(500)); }

TEST_CASE("parts of vectors are put in another order, whatever their width", "[large]") {
  for (const int width : {1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 64, 65, 100, 129}) {
    const auto part = [&](const char* vector, int i) {
      return std::string(vector) + "[" + std::to_string(i * width) + ":" + std::to_string((i + 1) * width) + "]";
    };
    const std::string size = std::to_string(6 * width);
    const std::string text =
        "cell c { input x : f32[" + size + "] state s : f32[" + size + "] state t : f32[" + size + "] a = concat(" +
        part("x", 3) + ", " + part("s", 5) + ", " + part("t", 0) + ", " + part("x", 1) + ", " + part("s", 2) + ", " +
        part("x", 0) + ") b = tanh(a * a) s' = concat(" + part("b", 5) + ", " + part("t", 4) + ", " + part("b", 0) +
        ", " + part("b", 3) + ", " + part("a", 2) + ", " + part("a", 4) + ") t' = a output concat(" + part("b", 1) +
        ", " + part("a", 0) + ", " + part("s", 3) + ", " + part("t", 2) + ", " + part("b", 2) + ") }";
    const Cell cell = ir::parse(text).value().cells.at(0);
    const Subject subject{cell, {}};
    for (const std::int64_t batch : {1, 3}) {
      const Trial trial(subject, {.steps = 4, .batch = batch, .seed = 5});
      for (const Check each : {Check::Interpreter, Check::Levels, Check::Executors, Check::Pieces, Check::Threads}) {
        INFO("width " << width << ", batch " << batch << ", " << name_of(each));
        CHECK(trial.fault(each).value_or("") == "");
      }
    }
  }
}

// Threads share the units of the stage: none may read what another has overwritten.
TEST_CASE("states that are copied and overwritten in place are the same on threads", "[large]") {
  const std::string text =
      "cell c { input x : f32[64] state a, b, c, d : f32[64] state s : f32[512] param U : f32[512, 512] "
      "param V : f32[512, 64] s' = tanh(U @ s + V @ x) a' = a + x b' = b - x c' = c + x d' = d - x "
      "output concat(a, b, c, d) }";
  const Cell cell = ir::parse(text).value().cells.at(0);
  const Weights weights = random_weights(cell, 7);
  const Sequences sequences = random_sequences(cell, 200, 1, 3);
  const Outcome alone = run(compile_cell(cell, weights, "host"), sequences);
  for (int times = 0; times < 5; ++times)
    CHECK(run(compile_cell(cell, weights, "host", 2, nullptr, Sharing::Units), sequences) == alone);
}

TEST_CASE("a cell of 300 states, a quarter of them scalars, is the interpreter's", "[large]") {
  check(cell_of_states(300));
}

TEST_CASE("a cell of 60 products one after the other is the interpreter's", "[large]") { check(cell_of_products(60)); }

TEST_CASE("a step of a network of convolutions is the interpreter's", "[large]") {
  check(large_frame(24, 8));
  check(large_frame(13, 17));
  check(rows_apart(67));
}

TEST_CASE("parts of stages that differ in their places only share code", "[large]") {
  for (const char* cpu : {"x86-64-v2", "x86-64-v4", "aarch64-cortex-a72", "wasm32", "thumbv7em-cortex-m4", "riscv64"}) {
    INFO(cpu);
    const std::size_t length = length_of_code(large_frame(24, 8), cpu), of_rows = length_of_code(rows_apart(64), cpu);
    CHECK(length > 50);
    CHECK(of_rows > 50);
    // Stages that are cut at other places have some other parts.
    CHECK(length_of_code(large_frame(24, 24), cpu) < length * 5 / 4);
    CHECK(length_of_code(rows_apart(256), cpu) < of_rows * 2);
  }
}

TEST_CASE("random cells have the same bits if each operation has a stage of its own", "[large]") {
  for (std::uint64_t seed = 0; seed < kCells; ++seed) {
    RandomCell random = random_cell(seed);
    const int threads = seed % 5 == 0 ? 3 : 1;
    const std::int64_t most_work = seed % 3 == 0 ? 40 : 1;
    const WeightFormat format = kFormats[seed / 2 % std::size(kFormats)];
    INFO("seed " << seed << ", most work " << most_work << ", threads " << threads << ", " << runtime::name(format));
    const Sequences sequences = random_sequences(random.cell, 5, 1 + static_cast<std::int64_t>(seed % 4), seed);
    CompileOptions options = options_for("host");
    options.weights = format;
    const Program whole =
        compile(model_of({random.cell, random.weights}), tensors_of(random.cell, random.weights), options).value();
    CHECK(run(compile_cut(random.cell, random.weights, most_work, threads, format), sequences) ==
          run(whole, sequences));
  }
}

TEST_CASE("no standard cell comes near the work at which stages are cut", "[large]") {
  for (const std::string& name : standard_cell_names())
    for (const compiler::Stage& stage : lowered(standard(name, 64, 64)).schedule.stages) {
      INFO(name);
      CHECK(4 * stage.work <= compiler::kMostWork);
    }
}

TEST_CASE("no stage of a large cell has more than the most work", "[large]") {
  for (const Cell& cell : {cell_of_statements(2000), cell_of_parts(700), cell_of_states(500), cell_of_products(80)}) {
    const compiler::Schedule schedule = lowered(cell).schedule;
    for (const compiler::Stage& stage : schedule.stages) {
      INFO("depth " << stage.depth << ", " << stage.units << " units");
      CHECK(stage.work <= compiler::kMostWork);
      CHECK(stage.stores.size() <= static_cast<std::size_t>(compiler::kMostWork));
    }
  }
}

}  // namespace rnnc::test
