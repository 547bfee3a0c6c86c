// These tests compare every standard cell with what the equations of its paper give in NumPy (cells/make_data.py), with
// initial states, final states and sizes that fill no vector.
#include <rnnc/compile.hpp>
#include <rnnc/tensor_files.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <string>

#include "compiler/llvm/resolve_target.hpp"
#include "compiler/network/choose_cell.hpp"
#include "ir/interpret.hpp"
#include "tests/support/catch.hpp"

namespace rnnc::test {
namespace {

using ir::Vector;

constexpr double kInterpreter = 1e-12;  // the data are doubles; only orders of sums differ
constexpr double kCompiled = 2e-6;

struct Case {
  std::string name;
  Model model;
  TensorMap weights;
  ir::Cell cell;
  TensorMap data;  // of all cells

  const Tensor& at(const std::string& what) const { return data.at(name + "." + what); }
  std::vector<float> floats(const std::string& what) const { return at(what).to_f32(); }
  std::int64_t steps() const { return at("x").shape[0]; }
  std::int64_t batch() const { return at("x").shape[1]; }

  Vector doubles(const std::string& what) const {
    const Tensor& tensor = at(what);
    REQUIRE(tensor.type == ElementType::F64);
    Vector values(static_cast<std::size_t>(tensor.elements()));
    std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
    return values;
  }

  std::vector<std::string> states() const {
    std::vector<std::string> names;
    for (const ir::Node& node : cell.nodes)
      if (node.op == ir::Op::State) names.push_back(node.name);
    return names;
  }
};

const TensorMap& all_data() {
  static const TensorMap data = load_safetensors(RNNC_SOURCE_DIR "/tests/conformance/cells/cells.safetensors").value();
  return data;
}

Case case_of(const std::string& name) {
  Model model = standard_cell(name).value();
  TensorMap weights;
  for (const ir::Node& node : model.module().cells.front().nodes)
    if (node.op == ir::Op::Param) weights[node.name] = all_data().at(name + "." + node.name);
  ir::Cell cell = compiler::bind(*model.module().find(name), {}, weights).value();
  return {name, std::move(model), std::move(weights), std::move(cell), all_data()};
}

template <class Values>
double largest_error(const Values& found, const Vector& expected) {
  REQUIRE(found.size() == expected.size());
  double largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double error = std::fabs(found[i] - expected[i]);
    REQUIRE_FALSE(std::isnan(error));
    largest = std::max(largest, error);
  }
  return largest;
}

}  // namespace

TEST_CASE("there are NumPy's numbers for every standard cell, and for no other", "[conformance][cells]") {
  std::set<std::string> found;
  for (const auto& [name, tensor] : all_data()) found.insert(name.substr(0, name.find('.')));
  const std::vector<std::string> names = standard_cell_names();
  CHECK(found == std::set<std::string>(names.begin(), names.end()));
}

TEST_CASE("the interpreter gives the numbers of the papers' equations for every standard cell",
          "[conformance][cells]") {
  const Case c = case_of(GENERATE(from_range(standard_cell_names())));
  INFO(c.name);
  ir::NamedVectors params, states;
  const auto widened = [&](const std::string& what) {
    const std::vector<float> values = c.floats(what);
    return Vector(values.begin(), values.end());
  };
  for (const auto& [name, tensor] : c.weights) params[name] = widened(name);
  for (const std::string& name : c.states()) states[name] = widened(name + ".before");
  const Vector y = ir::interpret(c.cell, params, {c.steps(), c.batch(), widened("x"), {}}, states);
  CHECK(largest_error(y, c.doubles("y")) <= kInterpreter);
  for (const std::string& name : c.states())
    CHECK(largest_error(states.at(name), c.doubles(name + ".after")) <= kInterpreter);
}

TEST_CASE("compiled code gives the numbers of the papers' equations for every standard cell on every ISA level",
          "[conformance][cells]") {
  const Case c = case_of(GENERATE(from_range(standard_cell_names())));
  for (const std::string& cpu : compiler::runnable_levels()) {
    INFO(c.name << " " << cpu);
    const Program program = compile(c.model, c.weights, {.cpu = cpu}).value();
    State state = program.make_state(c.batch());
    for (const std::string& name : c.states()) state.set(name, c.floats(name + ".before")).value();
    const std::vector<float> x = c.floats("x");
    std::vector<float> y(static_cast<std::size_t>(c.at("y").elements()));
    REQUIRE(program.run(state, {.x = x, .y = y, .steps = c.steps()}) == RunStatus::Ok);
    CHECK(largest_error(y, c.doubles("y")) <= kCompiled);
    for (const std::string& name : c.states())
      CHECK(largest_error(state.get(name).value(), c.doubles(name + ".after")) <= kCompiled);
  }
}

TEST_CASE(
    "a new sequence of every standard cell begins as in the paper's equations, with the states that it has by itself",
    "[conformance][cells]") {
  const Case c = case_of(GENERATE(from_range(standard_cell_names())));
  INFO(c.name);
  for (const std::string& name : c.states()) {
    const std::vector<float> before = c.floats(name + ".before");
    const auto width = static_cast<std::ptrdiff_t>(before.size()) / c.batch();
    REQUIRE(std::all_of(before.begin(), before.begin() + width, [](float value) { return value == 0; }));
  }
  const Program program = compile(c.model, c.weights).value();
  State state = program.make_state(c.batch());
  const std::vector<float> x = c.floats("x");
  std::vector<float> y(static_cast<std::size_t>(c.at("y").elements()));
  REQUIRE(program.run(state, {.x = x, .y = y, .steps = c.steps()}) == RunStatus::Ok);
  const Vector wanted = c.doubles("y");
  const std::int64_t width = c.at("y").shape[2];
  for (std::int64_t t = 0; t < c.steps(); ++t) {
    INFO("step " << t);
    const std::int64_t first = t * c.batch() * width;
    CHECK(largest_error(std::vector<float>(y.begin() + first, y.begin() + first + width),
                        Vector(wanted.begin() + first, wanted.begin() + first + width)) <= kCompiled);
  }
}

}  // namespace rnnc::test
