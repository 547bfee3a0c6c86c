// Bugs that compilers of recurrent cells have had, planted into the compiled side, into the data or into the results.
// Each must be caught by the comparison that the differential tests use, with the bounds that they use; the same
// comparison lets pass what has no bug.
#include <algorithm>
#include <bit>
#include <functional>

#include "ir/parse.hpp"
#include "ir/verify.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/trial.hpp"

namespace rnnc::test {
namespace {

const std::string kInput =
    "input x : f32[I] state h : f32[H] param W, Wr, Wz, V : f32[H, I] param U, Ur, Uz : f32[H, H] "
    "param b, br, bz, gamma, beta : f32[H] ";
const std::string kGru = "cell gru<I, H> { " + kInput +
                         "r = sigmoid(Wr @ x + Ur @ h + br) z = sigmoid(Wz @ x + Uz @ h + bz)"
                         " n = tanh(W @ x + b + r * (U @ h)) h' = (1 - z) * n + z * h output h' }";
const std::string kLstm =
    "cell lstm<I, H> { input x : f32[I] state h, c : f32[H] param Wi, Wf, Wg, Wo : f32[H, I] param Ui, Uf, Ug, Uo : "
    "f32[H, H]"
    " param bi, bf, bg, bo : f32[H] i = sigmoid(Wi @ x + Ui @ h + bi) f = sigmoid(Wf @ x + Uf @ h + bf)"
    " g = tanh(Wg @ x + Ug @ h + bg) o = sigmoid(Wo @ x + Uo @ h + bo) c' = f * c + i * g h' = o * tanh(c') output h' "
    "}";
const std::string kNorm = "cell norm<I, H> { " + kInput +
                          "h' = tanh(layer_norm(W @ x + U @ h, gamma, beta, 1e-3) + b) output softmax(h' + V @ x) }";
const std::string kMisc =
    "cell misc<I, H> { " + kInput +
    "h' = tanh(W @ x + U @ h + b) output concat(gelu(h'), elu(V @ x, 0.5), max(h') * h + sum(h))[1:3 * H] }";

// Weights of the declared parameters, whether or not they are used.
Subject cell_of(const std::string& text, std::int64_t inputs = 7, std::int64_t units = 17) {
  const Result<ir::Module> module = ir::parse(text);
  if (!module) FAIL(module.error().to_string());
  const ir::Cell cell = ir::bind_dims(module->cells.at(0), {{"I", inputs}, {"H", units}}).value();
  return {cell, random_weights(cell, 3)};
}

Subject network_subject(const std::string& statements) {
  const ir::Network network = network_of("network n { input x : seq f32[5] input v : f32[6] " + statements + " }");
  Random random(4);
  Subject subject{network, {}};
  for (const auto& [name, values] : random_weights(network, random)) {
    std::vector<float>& small = subject.weights[name];
    for (const double value : values) small.push_back(static_cast<float>(value / 2));
  }
  return subject;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::vector<Setting> settings() {
  return {{.executor = "host", .steps = 1, .batch = 1, .seed = 11},
          {.executor = "host", .steps = 12, .batch = 3, .seed = 11},
          {.executor = "portable host", .steps = 1, .batch = 9, .seed = 11}};
}

// `compiled` is judged by what was `meant`.
std::optional<std::string> verdict(const Subject& meant, const Subject& compiled, const Setting& setting) {
  const Data data = random_data(meant.graph, setting);
  return judge(meant, setting, data, run(compile(compiled, setting), compiled.graph, data));
}

void check_caught(const Subject& meant, const Subject& compiled) {
  for (const Setting& setting : settings()) {
    INFO(setting.executor << ", " << setting.steps << " steps, " << setting.batch << " sequences");
    CHECK(verdict(meant, meant, setting).value_or("") == "");
    CHECK(verdict(meant, compiled, setting));
  }
}

void check_text(const std::string& text, const std::string& from, const std::string& to) {
  INFO(from << " became " << to);
  check_caught(cell_of(text), cell_of(replaced(text, from, to)));
}

void check_weights(const std::string& text, const std::function<void(Weights&)>& plant) {
  const Subject meant = cell_of(text);
  Subject compiled = meant;
  plant(compiled.weights);
  check_caught(meant, compiled);
}

// Of more than one step, so that there is something to get wrong.
void check_network(const std::string& statements, const std::string& from, const std::string& to, bool ragged = false) {
  INFO(from << " became " << to);
  const Subject meant = network_subject(statements);
  Subject compiled = network_subject(replaced(statements, from, to));
  compiled.weights = meant.weights;
  for (Setting setting : settings()) {
    setting.steps = 12, setting.ragged = ragged;
    CHECK(verdict(meant, meant, setting).value_or("") == "");
    CHECK(verdict(meant, compiled, setting));
  }
}

}  // namespace

TEST_CASE("gates that are swapped are caught", "[planted]") {
  for (const auto& [one, other] : {std::pair{"i", "f"}, {"i", "o"}, {"f", "o"}, {"g", "o"}})
    for (const std::string kind : {"W", "U", "b"}) {
      INFO(kind << one << " and " << kind << other);
      check_weights(kLstm, [&](Weights& weights) { std::swap(weights.at(kind + one), weights.at(kind + other)); });
    }
}

TEST_CASE("half a bias, a bias twice and none are caught", "[planted]") {
  for (const float factor : {0.5f, 2.f, 0.f})
    check_weights(kGru, [&](Weights& weights) {
      for (float& value : weights.at("br")) value *= factor;
    });
}

TEST_CASE("a loop that ends one element early is caught in columns and in rows", "[planted]") {
  check_weights(kLstm, [](Weights& weights) {  // the last input
    for (std::size_t row = 0; row < 17; ++row) weights.at("Wg")[row * 7 + 6] = 0;
  });
  check_weights(kLstm, [](Weights& weights) {  // the last unit
    for (std::size_t row = 0; row < 17; ++row) weights.at("Uf")[row * 17 + 16] = 0;
  });
  check_weights(kGru, [](Weights& weights) { weights.at("b").back() = 0; });
  check_text(kGru, "tanh(W @ x + b", "tanh(concat(W[0:H - 1] @ x, W[H - 2:H - 1] @ x) + b");
}

TEST_CASE("a reset gate that is dropped, or reset before instead of after, is caught", "[planted]") {
  check_text(kGru, "r * (U @ h)", "U @ h");
  check_text(kGru, "r * (U @ h)", "U @ (r * h)");
  check_text(kGru, "r * (U @ h)", "z * (U @ h)");
}

TEST_CASE("a stale state is caught", "[planted]") {
  check_text(kLstm, "o * tanh(c')", "o * tanh(c)");
  check_text(kLstm, "output h'", "output h");
  check_text(kGru, "+ z * h output", "+ z * (0 * h) output");
}

TEST_CASE("updates the wrong way round are caught", "[planted]") {
  check_text(kGru, "(1 - z) * n + z * h", "z * n + (1 - z) * h");
  check_text(kLstm, "f * c + i * g", "f * c - i * g");
}

TEST_CASE("activations that are swapped or nearly right are caught", "[planted]") {
  check_text(kLstm, "g = tanh(", "g = sigmoid(");
  check_text(kLstm, "o = sigmoid(Wo @ x + Uo @ h + bo)", "o = hard_sigmoid(Wo @ x + Uo @ h + bo, 0.25, 0.5)");
  check_text(kLstm, "g = tanh(", "g = softsign(");
  check_text(kLstm, "o * tanh(c')", "o * (tanh(c') * 1.0001)");
  check_text(kMisc, "gelu(h')", "silu(h')");
  check_text(kMisc, "gelu(h')", "h' * sigmoid(1.702 * h')");
  check_text(kMisc, "0.5)", "0.5001)");
}

TEST_CASE("reductions over the wrong elements, or with the wrong constant, are caught", "[planted]") {
  check_text(kMisc, "max(h')", "max(abs(h'))");
  check_text(kMisc, "sum(h)", "sum(h[0:H - 1])");
  check_text(kNorm, "1e-3", "1e-5");
  check_text(kNorm, "gamma, beta", "beta, gamma");
  check_text(kNorm, "softmax(h' + V @ x)", "softmax(h' + V @ x) * 1.0001");
  check_text(kMisc, "[1:3 * H]", "[0:3 * H - 1]");
}

TEST_CASE("a direction, a merge or an initial state that is wrong is caught", "[planted]") {
  const std::string scan = "a = reverse gru<H=6>(x) from (h = v) output a";
  check_network(scan, "reverse gru", "gru");
  check_network("a = bidirectional lstm<H=6>(x) output a", "output a", "output concat(a[6:12], a[0:6])");
  check_network("a = bidirectional lstm<H=6>(x) merge sum output a", "sum", "mean");
  check_network(scan, "h = v", "h = 0 * v");
  check_network("a = lstm<H=6>(x) b = lstm<H=6>(a) from (h = a.h, c = a.c) output b", "h = a.h, c = a.c",
                "h = a.c, c = a.h");
}

TEST_CASE("functions over time that take the wrong steps are caught", "[planted]") {
  check_network("a = gru<H=6>(x) output last(a)", "last", "first");
  check_network("a = gru<H=6>(x) output max(a)", "max", "mean");
  check_network("a = gru<H=6>(x) output mean(a)", "mean(a)", "sum(a) / 12", true);
}

TEST_CASE("lengths that are ignored are caught", "[planted]") {
  for (const std::string statements : {"a = gru<H=6>(x) output a", "a = reverse gru<H=6>(x) output a",
                                       "a = gru<H=6>(x) output last(a)", "a = gru<H=6>(x) output a.h"}) {
    INFO(statements);
    const Subject subject = network_subject(statements);
    for (Setting setting : settings()) {
      setting.steps = 12, setting.batch = 5, setting.ragged = true;
      const Data data = random_data(subject.graph, setting);
      Data whole = data;
      for (auto& [name, time] : whole.batch.times) time.lengths.clear();
      const Program program = compile(subject, setting);
      CHECK(judge(subject, setting, data, run(program, subject.graph, data)).value_or("") == "");
      CHECK(judge(subject, setting, data, run(program, subject.graph, whole)));
    }
  }
}

TEST_CASE("a state that is not reset between sequences, or that of a neighbour, is caught", "[planted]") {
  const Subject subject = cell_of(kLstm);
  for (Setting setting : settings()) {
    setting.batch = 3;
    const Program program = compile(subject, setting);
    const Data data = random_data(subject.graph, setting);
    const NetworkOutcome first = run(program, subject.graph, data);
    Data goes_on = data;
    for (const auto& [name, values] : first.states) goes_on.states[name] = ir::Vector(values.begin(), values.end());
    CHECK(judge(subject, setting, data, run(program, subject.graph, goes_on)));
    Data neighbour = data;
    for (auto& [name, values] : neighbour.states) std::rotate(values.begin(), values.begin() + 17, values.end());
    CHECK(judge(subject, setting, data, run(program, subject.graph, neighbour)));
  }
}

TEST_CASE("one element that is wrong in the results is caught wherever it is", "[planted]") {
  const Subject subject = cell_of(kGru);
  const Setting setting{.executor = "portable host", .steps = 4, .batch = 3};
  const Data data = random_data(subject.graph, setting);
  const NetworkOutcome right = run(compile(subject, setting), subject.graph, data);
  REQUIRE_FALSE(judge(subject, setting, data, right));
  for (std::size_t i = 0; i < right.y.size(); ++i) {
    NetworkOutcome wrong = right;
    wrong.y[i] += 1e-5f;
    REQUIRE(judge(subject, setting, data, wrong));
    wrong.y[i] = std::numeric_limits<float>::quiet_NaN();
    REQUIRE(judge(subject, setting, data, wrong));
  }
  for (std::size_t i = 0; i < right.states.at("h").size(); ++i) {
    NetworkOutcome wrong = right;
    wrong.states.at("h")[i] -= 1e-5f;
    REQUIRE(judge(subject, setting, data, wrong));
  }
  NetworkOutcome shorter = right;
  shorter.y.pop_back();
  CHECK(judge(subject, setting, data, shorter));
}

// Too little for the bounds, so that the comparison of bits is what must see it.
TEST_CASE("products and sums in another order are caught by their bits", "[planted]") {
  const auto check = [](const std::string& text, const std::string& other) {
    const Subject meant = cell_of(text), planted = cell_of(other);
    for (const std::string executor : {"host", "portable host"}) {
      const Setting setting{.executor = executor, .steps = 12, .batch = 3};
      const Data data = random_data(meant.graph, setting);
      const NetworkOutcome right = run(compile(meant, setting), meant.graph, data);
      const NetworkOutcome wrong = run(compile(planted, setting), planted.graph, data);
      CHECK_FALSE(differ(right, run(compile(meant, setting), meant.graph, data)));
      CHECK(differ(wrong, right));
      CHECK(judge(meant, setting, data, wrong).value_or("") == "");
    }
  };
  check(kGru, replaced(kGru, "W @ x + b", "hoist(W[0:H, 3:7] @ x[3:7] + W[0:H, 0:3] @ x[0:3]) + b"));
  check(replaced(kNorm, "+ b) output", "+ b * sum(h)) output"),
        replaced(kNorm, "+ b) output", "+ b * (sum(h[0:5]) + sum(h[5:H]))) output"));
}

TEST_CASE("a difference in the last bit is a difference, and two NaN are none", "[planted]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const NetworkOutcome one{{1.f, nan, 0.f}, {{"h", {2.f}}}};
  NetworkOutcome other = one;
  CHECK_FALSE(differ(one, other));
  other.y[0] = std::nextafter(1.f, 2.f);
  CHECK(differ(one, other));
  other = one;
  other.y[2] = -0.f;
  CHECK(differ(one, other));
  other = one;
  other.states.at("h")[0] = 3;
  CHECK(differ(one, other));
}

}  // namespace rnnc::test
