// A program tells the names and sizes of what it takes and gives. One that was moved from takes and gives nothing.
#include "runtime/program.hpp"

namespace rnnc {

namespace runtime {

const LoadedProgram& content_of(const std::shared_ptr<const LoadedProgram>& loaded) {
  static const LoadedProgram none;
  return loaded ? *loaded : none;
}

}  // namespace runtime

namespace {

using runtime::content_of;

Port port_of(const runtime::TensorInfo& tensor) { return {tensor.name, tensor.shape}; }

std::string name_of(const runtime::StepList& list, int time) {
  return time == runtime::kNoTime ? "" : list.times[static_cast<std::size_t>(time)];
}

}  // namespace

std::vector<Port> Program::inputs() const {
  std::vector<Port> ports;
  for (const auto& input : content_of(loaded_).description.inputs) ports.push_back(port_of(input));
  return ports;
}

std::vector<Port> Program::states() const {
  std::vector<Port> ports;
  for (const runtime::StateInfo& state : content_of(loaded_).description.states) ports.push_back(port_of(state.tensor));
  return ports;
}

std::vector<NamedPort> Program::named_inputs() const { return content_of(loaded_).network.list.inputs; }

std::vector<NamedPort> Program::outputs() const {
  const runtime::StepList& list = content_of(loaded_).network.list;
  std::vector<NamedPort> ports;
  for (const runtime::Output& output : list.outputs) ports.push_back({output.port, name_of(list, output.time)});
  return ports;
}

std::string Program::output_time() const {
  const runtime::StepList& list = content_of(loaded_).network.list;
  return list.outputs.empty() ? "" : name_of(list, list.outputs[0].time);
}

std::int64_t Program::input_size() const noexcept { return content_of(loaded_).description.input_size; }
std::int64_t Program::output_size() const noexcept { return content_of(loaded_).description.output_size; }
std::string Program::name() const { return content_of(loaded_).description.cell; }
std::string Program::cell() const { return name(); }
std::string Program::cpu() const { return content_of(runtime::current(loaded_)).description.cpu; }

}  // namespace rnnc
