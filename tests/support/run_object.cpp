#include "tests/support/run_object.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <stdexcept>

#include "tests/support/shared_object.hpp"

namespace rnnc::test {
namespace {

// The sizes are macros and the states inline functions of the header.
std::string source_of(const Program& program) {
  std::string text =
      "#include \"m.h\"\n"
      "int64_t state_floats(int64_t batch) { return M_STATE_FLOATS(batch); }\n"
      "int64_t scratch_floats(int64_t steps, int64_t batch) { return M_SCRATCH_FLOATS(steps, batch); }\n";
  for (const Port& state : program.states())
    text += "float* at_" + state.name + "(float* state, int64_t batch, int64_t b) { return m_state_" + state.name +
            "(state, batch, b); }\n";
  return text;
}

struct Aligned {
  explicit Aligned(std::int64_t floats) : memory(static_cast<std::size_t>(floats) + 16) {}
  std::vector<float> memory;
  float* data() {
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    return memory.data() + (64 - address % 64) % 64 / sizeof(float);
  }
};

}  // namespace

NetworkOutcome run_object(const ObjectFiles& files, const Program& program, const ir::Graph& graph, const Data& data) {
  const SharedObject library(files, source_of(program));
  const std::int64_t batch = data.batch.sequences, steps = data.batch.times.at(std::string(ir::kTime)).steps;
  Aligned state(library.find<std::int64_t(std::int64_t)>("state_floats")(batch));
  Aligned scratch(library.find<std::int64_t(std::int64_t, std::int64_t)>("scratch_floats")(steps, batch));
  NetworkOutcome outcome;
  const auto each = [&](auto visit) {
    for (const Port& port : program.states()) {
      const auto at = library.find<float*(float*, std::int64_t, std::int64_t)>("at_" + port.name);
      const std::int64_t width = port.shape.empty() ? 1 : port.shape[0];
      for (std::int64_t b = 0; b < batch; ++b) visit(port.name, at(state.data(), batch, b), b, width);
    }
  };
  each([&](const std::string& name, float* to, std::int64_t b, std::int64_t width) {
    std::transform(data.states.at(name).begin() + b * width, data.states.at(name).begin() + (b + 1) * width, to,
                   [](double value) { return static_cast<float>(value); });
  });
  const std::vector<float> x = rows_of_x(graph, data.batch, steps);
  outcome.y.assign(static_cast<std::size_t>(steps * batch * program.output_size()),
                   std::numeric_limits<float>::quiet_NaN());
  const auto m_run = library.find<int(float*, float*, const float*, float*, std::int64_t, std::int64_t)>("m_run");
  if (m_run(state.data(), scratch.data(), x.data(), outcome.y.data(), steps, batch) != 0)
    throw std::runtime_error("the object refuses the call");
  each([&](const std::string& name, const float* from, std::int64_t, std::int64_t width) {
    outcome.states[name].insert(outcome.states[name].end(), from, from + width);
  });
  return outcome;
}

}  // namespace rnnc::test
