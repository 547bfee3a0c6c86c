// Products that read one panel, some gates of it or some of its columns, have the values of the interpreter and the
// same bits everywhere; the weights are packed once.
#include <string>

#include "compiler/llvm/resolve_target.hpp"
#include "compiler/schedule/lower.hpp"
#include "ir/parse.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/trial.hpp"

namespace rnnc::test {
namespace {

ir::Cell cell_of(const std::string& text) { return ir::parse(text).value().cells.at(0); }

// Rows at the edges of a convolution are in fewer windows than the others.
const std::string kEdges =
    "cell c { input x : f32[120] param K : f32[48, 120] param b : f32[48] "
    "output flatten(relu(K @ windows(pad(rows(x, 3), 1, 1), 3, 1) + b)) }";

const std::string kSubjects[] = {
    kEdges,
    "cell c { input x : f32[77] state h : f32[33] param K : f32[33, 33] param b : f32[33] "
    "Y = tanh(K @ windows(pad(rows(x, 7), 1, 1), 3, 2) + b + h) h' = mean_rows(Y) output flatten(Y) }",
    // Columns of one matrix, and all of them, for several vectors.
    "cell c { input x : f32[40] state h : f32[21] param W : f32[21, 24] param U : f32[21, 21] "
    "a = tanh(W[:, 8:24] @ x[0:16] + U @ h) b = tanh(W @ x[3:27] + U @ a) d = tanh(W[:, 2:19] @ x[20:37] + U @ b) "
    "h' = d output concat(a, b, d, W @ x[16:40]) }",
    // A state whose two halves lie between each other.
    "cell c { input x : f32[5] state s : f32[18] param W : f32[9, 5] param U : f32[9, 9] param V : f32[9, 9] "
    "h = concat(s[0:1], s[2:3], s[4:5], s[6:7], s[8:9], s[10:11], s[12:13], s[14:15], s[16:17]) "
    "c = concat(s[1:2], s[3:4], s[5:6], s[7:8], s[9:10], s[11:12], s[13:14], s[15:16], s[17:18]) "
    "z = sigmoid(W @ x + U @ h) n = tanh(W @ x + V @ h) d = z * c + n m = z * tanh(d) "
    "s' = concat(m[0:1], d[0:1], m[1:2], d[1:2], m[2:3], d[2:3], m[3:4], d[3:4], m[4:5], d[4:5], m[5:6], d[5:6], "
    "m[6:7], d[6:7], m[7:8], d[7:8], m[8:9], d[8:9]) output m }"};

}  // namespace

TEST_CASE("products that read parts of one panel have the same bits everywhere", "[panels]") {
  for (const std::string& text : kSubjects)
    for (const WeightFormat format : {WeightFormat::F32, WeightFormat::F16, WeightFormat::W8}) {
      const ir::Cell cell = cell_of(text);
      const Subject subject{cell, random_weights(cell, 7)};
      for (const std::int64_t batch : {1, 2, 7, 17}) {
        Setting setting{.steps = 3, .batch = batch, .seed = 5};
        setting.weights = format;
        const Trial trial(subject, setting);
        for (const Check each : {Check::Interpreter, Check::Alone, Check::Pieces, Check::Threads, Check::Levels,
                                 Check::Plans, Check::Executors, Check::Artifact}) {
          // The interpreter has the weights that are not rounded.
          if (each == Check::Interpreter && format == WeightFormat::F16) continue;
          INFO(text << "\n" << runtime::name(format) << ", batch " << batch << ", " << name_of(each));
          CHECK(trial.fault(each).value_or("") == "");
        }
      }
    }
}

TEST_CASE("a product reads some gates or columns of a panel that is packed for another", "[panels]") {
  for (const char* cpu : {"x86-64-v2", "x86-64-v4", "aarch64-cortex-a72"}) {
    INFO(cpu);
    const compiler::Target target = compiler::resolve_target(cpu, false).value();
    const auto plan_of = [&](const std::string& text) { return compiler::lower(cell_of(text), target).value().plan; };
    std::size_t of_gates = 0;
    for (const compiler::Panel& panel : plan_of(kEdges).panels) of_gates += panel.gates < panel.gates_in_memory ? 1 : 0;
    CHECK(of_gates == 2);
    std::size_t of_columns = 0;
    for (const compiler::Panel& panel : plan_of(kSubjects[2]).panels)
      of_columns += panel.columns < panel.columns_in_memory ? 1 : 0;
    CHECK(of_columns == 2);
  }
}

}  // namespace rnnc::test
