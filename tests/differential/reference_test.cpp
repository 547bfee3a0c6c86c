// The public Reference, which takes rows of x, against the interpreter that it asks: random cells, rows and networks
// have the same bits in every result, so that columns, states and lengths are in their places.
#include <rnnc/reference.hpp>

#include <algorithm>
#include <span>
#include <utility>

#include "tests/support/catch.hpp"
#include "tests/support/ci_seeds.hpp"
#include "tests/support/gradients.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/random_network.hpp"
#include "tests/support/random_rows.hpp"

namespace rnnc::test {
namespace {

using ir::NamedVectors;
using ir::Vector;

Vector doubles(const std::vector<float>& values) { return {values.begin(), values.end()}; }

Subject subject_of(std::uint64_t seed) {
  if (seed % 3 == 0) return random_network(seed);
  RandomCell random = seed % 3 == 1 ? random_cell(seed) : random_rows(seed);
  return {std::move(random.cell), std::move(random.weights)};
}

bool is_taken(const ir::Network& network) {
  for (const std::string& time : ir::times_of(network))
    if (time != ir::kTime) return false;
  for (const ir::Node& node : network.nodes)
    if (node.op == ir::Op::Input && !node.type.is_sequence()) return false;
  return true;
}

// The gradients of the inputs side by side, as x has them.
Vector rows_of_gradients(const Reference& reference, const NamedVectors& gradients, std::int64_t rows) {
  Vector result;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (const Port& port : reference.inputs()) {
      const std::int64_t width = port.size();
      const auto found = gradients.find(port.name);
      for (std::int64_t k = 0; k < width; ++k)
        result.push_back(found == gradients.end() ? 0 : found->second[static_cast<std::size_t>(row * width + k)]);
    }
  }
  return result;
}

}  // namespace

TEST_CASE("a reference has the results and gradients of the interpreter", "[differential][gradient][reference]") {
  int taken = 0;
  for (std::uint64_t seed = 0; seed < kTrainings; ++seed) {
    const Subject subject = subject_of(seed);
    const ir::Network network = network_of(subject);
    Setting setting = random_setting(subject, seed);
    setting.steps = std::min<std::int64_t>(setting.steps, 9);
    const Data data = random_data(network, setting);
    const auto time = data.batch.times.find(std::string(ir::kTime));
    Result<Reference> made = Reference::make(model_of(subject), tensors_of(subject), {.batch = data.batch.sequences});
    CHECK(made.ok() == is_taken(network));
    if (!made || time == data.batch.times.end()) continue;
    ++taken;
    INFO("seed " << seed);
    Reference& reference = *made;
    Cotangents cotangents = random_cotangents(network, data.batch, seed + 7);
    for (std::size_t i = 1; i < cotangents.outputs.size(); ++i)
      cotangents.outputs[i].assign(cotangents.outputs[i].size(), 0);
    const Gradients expected = interpret_gradients(network, doubles_of(subject), data.batch, data.states, cotangents);
    NamedVectors finals = data.states;
    const Vector y_expected = ir::interpret(network, doubles_of(subject), data.batch, finals);

    const Vector x = doubles(rows_of_x(network, data.batch, time->second.steps));
    Vector y(y_expected.size()), dx(x.size());
    const std::vector<std::int32_t> lengths(time->second.lengths.begin(), time->second.lengths.end());
    for (const auto& [name, values] : data.states) REQUIRE(reference.set_state(name, values));
    REQUIRE(reference.forward({.x = x, .y = y, .steps = time->second.steps, .lengths = lengths}));
    CHECK(y == y_expected);
    for (const Port& state : reference.states()) CHECK(reference.state(state.name).value() == finals.at(state.name));
    for (const auto& [name, values] : cotangents.states) REQUIRE(reference.set_state_gradient(name, values));
    REQUIRE(reference.backward({.dy = cotangents.outputs[0], .dx = dx}));
    CHECK(dx == rows_of_gradients(reference, expected.inputs, time->second.steps * data.batch.sequences));
    for (const auto& [name, values] : expected.weights) {
      const std::span<const double> gradient = reference.gradient(name);
      CHECK(Vector(gradient.begin(), gradient.end()) == values);
    }
    for (const auto& [name, values] : expected.states) CHECK(reference.state_gradient(name).value() == values);
  }
  CHECK(taken > static_cast<int>(kTrainings) / 3);
}

}  // namespace rnnc::test
