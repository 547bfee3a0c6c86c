#include "tests/support/linked_object.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <limits>
#include <stdexcept>

namespace rnnc::test {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

constexpr const char* kShim = R"(
#include "m.h"
#ifdef M_INPUTS
#define INPUTS , inputs
#else
#define INPUTS
#endif
#ifdef M_TIMES
#define TIMES , times
#else
#define TIMES
#endif
#ifdef M_OUTPUTS
#define OUTPUTS , outputs
#else
#define OUTPUTS
#endif
int64_t state_floats(int64_t batch);
int64_t state_floats(int64_t batch) { return M_STATE_FLOATS(batch); }
int64_t scratch_floats(int64_t steps, int64_t batch);
int64_t scratch_floats(int64_t steps, int64_t batch) { return M_SCRATCH_FLOATS(steps, batch); }
typedef struct {
  float *state, *scratch;
  const float* x;
  float* y;
  int64_t steps, batch;
  const float* const* inputs;
  const int64_t* times;
  float* const* outputs;
} Arguments;
int run(const Arguments* a);
int run(const Arguments* a) {
  const float* const* inputs = a->inputs;
  const int64_t* times = a->times;
  float* const* outputs = a->outputs;
  (void)inputs, (void)times, (void)outputs;
  return m_run(a->state, a->scratch, a->x, a->y, a->steps, a->batch INPUTS TIMES OUTPUTS);
}
)";

constexpr const char* kStepShim = R"(
int step(const Arguments* a);
int step(const Arguments* a) {
  const float* const* inputs = a->inputs;
  const int64_t* times = a->times;
  float* const* outputs = a->outputs;
  (void)inputs, (void)times, (void)outputs;
  return m_step(a->state, a->scratch, a->x, a->y, a->batch INPUTS TIMES OUTPUTS);
}
)";

std::string shim(const std::string& header, const std::vector<Port>& states) {
  std::string text = kShim;
  if (header.find("int m_step(") != std::string::npos) text += kStepShim;
  for (std::size_t i = 0; i < states.size(); ++i) {
    std::string name = states[i].name;
    std::replace(name.begin(), name.end(), '.', '_');
    const std::string function = "state_" + std::to_string(i) + "(float* state, int64_t batch, int64_t b)";
    text += "float* " + function + ";\nfloat* " + function + " { return m_state_" + name + "(state, batch, b); }\n";
  }
  return text;
}

// A program without Catch2 links this too, so that a failure is an exception.
void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

std::int64_t round_up(std::int64_t floats) { return (floats + 15) / 16 * 16; }

}  // namespace

bool has_c_compiler() { return std::system("command -v cc >/dev/null") == 0; }

LinkedObject::LinkedObject(const ObjectFiles& files, const std::vector<Port>& states)
    : states_(states), library_(files, shim(files.header, states)) {}

int LinkedObject::run(const Arguments& arguments) const {
  return library_.find<int(const Arguments*)>("run")(&arguments);
}

int LinkedObject::step(const Arguments& arguments) const {
  return library_.at("step") != nullptr ? library_.find<int(const Arguments*)>("step")(&arguments) : -1;
}

int LinkedObject::start(float* state, std::int64_t batch, std::int64_t first, std::int64_t end) const {
  return library_.find<int(float*, std::int64_t, std::int64_t, std::int64_t)>("m_start")(state, batch, first, end);
}

Guarded LinkedObject::make_state(std::int64_t batch) const {
  const std::int64_t floats = library_.find<std::int64_t(std::int64_t)>("state_floats")(batch);
  require(floats % 16 == 0, "a state of the object is not whole cache lines");
  std::vector<float> state(static_cast<std::size_t>(floats), kNan);
  require(start(state.data(), batch, 0, batch) == 0, "the object makes no state");
  return Guarded(state, true);
}

Guarded LinkedObject::make_scratch(std::int64_t steps, std::int64_t batch) const {
  const std::int64_t floats = library_.find<std::int64_t(std::int64_t, std::int64_t)>("scratch_floats")(steps, batch);
  return Guarded(std::vector<float>(static_cast<std::size_t>(round_up(floats)), kNan), true);
}

std::span<float> LinkedObject::state(const std::string& name, float* state, std::int64_t batch, std::int64_t b) const {
  for (std::size_t i = 0; i < states_.size(); ++i)
    if (states_[i].name == name) {
      const std::int64_t size = states_[i].size();
      float* row =
          library_.find<float*(float*, std::int64_t, std::int64_t)>("state_" + std::to_string(i))(state, batch, b);
      return {row, static_cast<std::size_t>(size)};
    }
  throw std::runtime_error("no state " + name);
}

NetworkOutcome run_object(const LinkedObject& object, const Program& program, const ir::Graph& graph,
                          const ir::NetworkBatch& batch, const ir::NamedVectors& states) {
  const auto steps_of = [&](const std::string& time) {
    const auto found = batch.times.find(time);
    return found == batch.times.end() ? 0 : found->second.steps;
  };
  const std::int64_t steps = steps_of("T"), sequences = batch.sequences;
  std::int64_t most = std::max<std::int64_t>(1, steps);
  std::vector<std::int64_t> times;
  for (const std::string& name : times_of(graph))
    if (name != "T") times.push_back(steps_of(name)), most = std::max(most, times.back());
  std::deque<Guarded> values;
  std::vector<const float*> inputs;
  for (const NamedPort& input : program.named_inputs()) {
    const ir::Vector& from = batch.inputs.at(input.port.name);
    inputs.push_back(values.emplace_back(std::vector<float>(from.begin(), from.end()), true).data());
  }
  const Guarded x(rows_of_x(graph, batch, steps), true), state = object.make_state(sequences);
  const Guarded scratch = object.make_scratch(most, sequences);
  for (const auto& [name, initial] : states)
    for (std::int64_t b = 0; b < sequences; ++b) {
      const std::span<float> row = object.state(name, state.data(), sequences, b);
      std::copy_n(initial.begin() + b * std::ssize(row), row.size(), row.begin());
    }
  std::deque<Guarded> outputs;
  std::vector<float*> pointers;
  const std::vector<NamedPort> ports = program.outputs();
  for (const auto& [port, time] : ports) {
    const std::int64_t rows = (time.empty() ? 1 : steps_of(time)) * sequences;
    const std::int64_t size = port.size();
    pointers.push_back(
        outputs.emplace_back(std::vector<float>(static_cast<std::size_t>(rows * size), kNan), true).data());
  }
  const int status = object.run({state.data(), scratch.data(), x.data(), pointers[0], steps, sequences, inputs.data(),
                                 times.data(), pointers.data() + 1});
  require(status == 0, "the object refuses the call");
  NetworkOutcome outcome{outputs[0].values(), {}};
  for (std::size_t i = 1; i < ports.size(); ++i) outcome.outputs[ports[i].port.name] = outputs[i].values();
  for (const Port& port : program.states())
    for (std::int64_t b = 0; b < sequences; ++b) {
      const std::span<float> row = object.state(port.name, state.data(), sequences, b);
      outcome.states[port.name].insert(outcome.states[port.name].end(), row.begin(), row.end());
    }
  return outcome;
}

bool same_bits(const NetworkOutcome& a, const NetworkOutcome& b) {
  const auto same = [](const std::vector<float>& x, const std::vector<float>& y) {
    return x.size() == y.size() && (x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0);
  };
  const auto same_by_name = [&](const auto& x, const auto& y) {
    return x.size() == y.size() && std::ranges::all_of(x, [&](const auto& each) {
             return y.contains(each.first) && same(each.second, y.at(each.first));
           });
  };
  return same(a.y, b.y) && same_by_name(a.states, b.states) && same_by_name(a.outputs, b.outputs);
}

}  // namespace rnnc::test
