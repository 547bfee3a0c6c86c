// A Reference binds the model as a compilation does, and leaves all arithmetic to the interpreter.
#include <rnnc/reference.hpp>

#include <algorithm>
#include <cstring>
#include <functional>
#include <new>
#include <optional>
#include <utility>

#include "reference/gradients.hpp"

#include "compiler/network/choose_cell.hpp"
#include "compiler/network/network.hpp"
#include "ir/scan.hpp"

namespace rnnc {
namespace reference {

// The arguments of a forward pass, which backward passes read again.
struct Tape {
  ir::NetworkBatch batch = {};
  ir::NamedVectors states = {};  // the first ones; none for new sequences
};

struct Content {
  ir::Network network;
  compiler::NetworkGradient gradient;
  std::int64_t batch = 1;
  std::vector<Port> inputs = {}, states = {};
  ir::NamedVectors weights = {};
  ir::NamedVectors now = {};  // the states for the next forward pass; none for new sequences
  std::optional<Tape> tape = {};
  ir::NamedVectors d_last = {}, d_first = {}, d_weights = {};
};

namespace {

std::int64_t width_of(const std::vector<Port>& ports) {
  std::int64_t width = 0;
  for (const Port& port : ports) width += port.size();
  return width;
}

Port port_of(const std::string& name, const ir::Type& type) {
  return {name, type.rank() == 0 ? Shape{} : Shape{ir::elements(type)}};
}

std::vector<Port> states_of(const ir::Network& network) {
  std::vector<Port> states;
  for (const ir::Node& node : network.nodes) {
    if (node.op != ir::Op::Scan) continue;
    const ir::Cell cell = ir::scan_cell(network, node).value();
    for (const std::string& prefix : ir::scan_prefixes(node))
      for (const ir::Node& state : cell.nodes)
        if (state.op == ir::Op::State) states.push_back(port_of(prefix + state.name, state.type));
  }
  return states;
}

Result<std::vector<Port>> inputs_of(const ir::Network& network) {
  std::vector<Port> inputs;
  for (const ir::Node& node : network.nodes) {
    const std::string& time = node.scan && !node.scan->steps.empty() ? node.scan->steps : node.type.axis;
    if (!time.empty() && time != ir::kTime)
      return Error{ErrorCode::Unsupported, network.place(node.location),
                   "a reference takes networks of the time T alone, and this is of the time " + time};
    if (node.op != ir::Op::Input) continue;
    if (!node.type.is_sequence())
      return Error{ErrorCode::Unsupported, network.place(node.location),
                   "a reference takes networks whose inputs are sequences, and " + node.name + " is none"};
    inputs.push_back(port_of(node.name, node.type));
  }
  return inputs;
}

ir::Vector doubles_of(const Tensor& tensor) {
  if (tensor.type != ElementType::F64) {
    const std::vector<float> values = tensor.to_f32();
    return {values.begin(), values.end()};
  }
  ir::Vector values(static_cast<std::size_t>(tensor.elements()));
  if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

Error short_span(const std::string& what, std::size_t given, std::int64_t wanted) {
  return {ErrorCode::ShapeMismatch,
          {},
          what + " has " + std::to_string(given) + " elements, and the call needs " + std::to_string(wanted)};
}

Error no_memory(const ir::Network& network) {
  return {ErrorCode::Limit, {}, "not enough memory to interpret " + network.name};
}

const ir::Type& type_of(const ir::Network& network, const ir::NamedValue& output) { return network[output.value].type; }

std::int64_t rows_of(const ir::Type& type, const ir::NetworkBatch& batch) {
  return (type.is_sequence() ? batch.times.at(std::string(ir::kTime)).steps : 1) * batch.sequences;
}

// Row (t, b) of a sequence belongs to no step where t is not below the length of b.
bool is_behind_the_end(const ir::NetworkBatch& batch, std::int64_t row) {
  const ir::Time& time = batch.times.at(std::string(ir::kTime));
  return !time.lengths.empty() &&
         row / batch.sequences >= time.lengths[static_cast<std::size_t>(row % batch.sequences)];
}

Result<ir::NetworkBatch> batch_of(const Content& content, const ReferenceArguments& arguments) {
  if (arguments.steps < 0) return Error{ErrorCode::Usage, {}, text(RunStatus::NegativeSteps)};
  ir::Time time{arguments.steps, {}};
  if (!arguments.lengths.empty()) {
    if (std::ssize(arguments.lengths) < content.batch)
      return short_span("lengths", arguments.lengths.size(), content.batch);
    time.lengths.assign(arguments.lengths.begin(), arguments.lengths.begin() + content.batch);
    for (const std::int64_t length : time.lengths)
      if (length < 0 || length > arguments.steps) return Error{ErrorCode::Usage, {}, text(RunStatus::BadLength)};
  }
  const std::int64_t rows = arguments.steps * content.batch, width = width_of(content.inputs);
  if (std::ssize(arguments.x) < rows * width) return short_span("x", arguments.x.size(), rows * width);
  ir::NetworkBatch batch{content.batch, {{std::string(ir::kTime), std::move(time)}}, {}};
  std::int64_t begin = 0;
  for (const Port& port : content.inputs) {
    ir::Vector& values = batch.inputs[port.name];
    for (std::int64_t row = 0; row < rows; ++row) {
      const auto from = arguments.x.begin() + row * width + begin;
      values.insert(values.end(), from, from + port.size());
    }
    begin += port.size();
  }
  return batch;
}

// Puts the gradients of the inputs side by side; one that is missing is 0.
void scatter_inputs(const Content& content, const ir::NetworkBatch& batch, const ir::NamedVectors& gradients,
                    std::span<double> dx) {
  const std::int64_t rows = batch.times.at(std::string(ir::kTime)).steps * batch.sequences;
  const std::int64_t width = width_of(content.inputs);
  std::int64_t begin = 0;
  for (const Port& port : content.inputs) {
    const auto found = gradients.find(port.name);
    for (std::int64_t row = 0; row < rows; ++row) {
      const auto to = dx.begin() + row * width + begin;
      if (found == gradients.end()) {
        std::fill_n(to, port.size(), 0.0);
      } else {
        std::copy_n(found->second.begin() + row * port.size(), port.size(), to);
      }
    }
    begin += port.size();
  }
}

Cotangents cotangents_of(const Content& content, const ir::NetworkBatch& batch, std::span<const double> dy) {
  Cotangents cotangents;
  for (const ir::NamedValue& output : content.network.outputs()) {
    const ir::Type& type = type_of(content.network, output);
    const std::int64_t rows = rows_of(type, batch), width = ir::elements(type);
    ir::Vector values(static_cast<std::size_t>(rows * width));
    for (std::int64_t row = 0; row < rows && cotangents.outputs.empty() && !dy.empty(); ++row)
      if (!type.is_sequence() || !is_behind_the_end(batch, row))
        std::copy_n(dy.begin() + row * width, width, values.begin() + row * width);
    cotangents.outputs.push_back(std::move(values));
  }
  cotangents.states = content.d_last;
  return cotangents;
}

const Port* find_state(const Content& content, const std::string& name) {
  const auto found = std::ranges::find(content.states, name, &Port::name);
  return found == content.states.end() ? nullptr : &*found;
}

// Returns the elements of a state, or why `name` or `size` is wrong.
Result<std::size_t> check_state(const Content& content, const std::string& name, std::optional<std::size_t> size = {}) {
  const Port* const port = find_state(content, name);
  if (!port) {
    std::string known;
    for (const Port& state : content.states) known += (known.empty() ? "" : ", ") + state.name;
    return Error{ErrorCode::Name, {}, "there is no state '" + name + "'; there are " + known};
  }
  const auto wanted = static_cast<std::size_t>(content.batch * port->size());
  if (size && *size != wanted) return short_span("state " + name, *size, static_cast<std::int64_t>(wanted));
  return wanted;
}

void fill_zeros(const Content& content, ir::NamedVectors& states) {
  for (const Port& state : content.states)
    states[state.name].assign(static_cast<std::size_t>(content.batch * state.size()), 0);
}

}  // namespace
}  // namespace reference

using reference::Content;

Reference::Reference(std::unique_ptr<Content> content) : content_(std::move(content)) {}
Reference::Reference(Reference&&) noexcept = default;
Reference& Reference::operator=(Reference&&) noexcept = default;
Reference::~Reference() = default;

Result<Reference> Reference::make(const Model& model, const TensorMap& weights, const ReferenceOptions& options) try {
  Result<ir::Network> network = compiler::choose_program(model, options.cell, options.dims, weights);
  if (!network) return network.error();
  if (options.batch < 0) return Error{ErrorCode::Usage, {}, "batch is at least 0"};
  if (const Result<void> checked = compiler::check_weights(*network, weights); !checked) return checked.error();
  Result<std::vector<Port>> inputs = reference::inputs_of(*network);
  if (!inputs) return inputs.error();
  auto content = std::make_unique<Content>(Content{*network, compiler::gradient_of(*network), options.batch});
  content->inputs = std::move(*inputs);
  content->states = reference::states_of(*network);
  for (const auto& [name, tensor] : weights) content->weights[name] = reference::doubles_of(tensor);
  for (const auto& [name, values] : content->weights) content->d_weights[name].assign(values.size(), 0);
  reference::fill_zeros(*content, content->d_last);
  reference::fill_zeros(*content, content->d_first);
  return Reference(std::move(content));
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {}, "not enough memory for the model"};
}

std::vector<Port> Reference::inputs() const { return content_->inputs; }
std::vector<Port> Reference::states() const { return content_->states; }

std::vector<std::string> Reference::parameters() const {
  std::vector<std::string> names;
  for (const auto& [name, values] : content_->weights) names.push_back(name);
  return names;
}

Result<void> Reference::forward(const ReferenceArguments& arguments) try {
  Content& content = *content_;
  content.tape.reset();
  Result<ir::NetworkBatch> batch = reference::batch_of(content, arguments);
  if (!batch) return batch.error();
  const ir::Type& type = reference::type_of(content.network, content.network.outputs().front());
  const std::int64_t wanted = reference::rows_of(type, *batch) * ir::elements(type);
  if (std::ssize(arguments.y) < wanted) return reference::short_span("y", arguments.y.size(), wanted);
  ir::NamedVectors states = content.now;
  const ir::Vector y = ir::interpret(content.network, content.weights, *batch, states);
  std::ranges::copy(y, arguments.y.begin());
  content.tape = reference::Tape{std::move(*batch), std::move(content.now)};
  content.now = std::move(states);
  return {};
} catch (const std::bad_alloc&) {
  return reference::no_memory(content_->network);
}

Result<void> Reference::backward(const ReferenceCotangents& cotangents) try {
  Content& content = *content_;
  if (!content.tape) return Error{ErrorCode::Usage, {}, text(RunStatus::NoForward)};
  const ir::NetworkBatch& batch = content.tape->batch;
  const ir::Type& type = reference::type_of(content.network, content.network.outputs().front());
  const std::int64_t y = reference::rows_of(type, batch) * ir::elements(type);
  const std::int64_t x =
      batch.times.at(std::string(ir::kTime)).steps * batch.sequences * reference::width_of(content.inputs);
  if (!cotangents.dy.empty() && std::ssize(cotangents.dy) < y)
    return reference::short_span("dy", cotangents.dy.size(), y);
  if (!cotangents.dx.empty() && std::ssize(cotangents.dx) < x)
    return reference::short_span("dx", cotangents.dx.size(), x);
  const reference::Gradients found =
      reference::interpret_gradients(content.network, content.gradient, content.weights, batch, content.tape->states,
                                     reference::cotangents_of(content, batch, cotangents.dy));
  for (const auto& [name, values] : found.weights)
    std::ranges::transform(values, content.d_weights.at(name), content.d_weights.at(name).begin(), std::plus());
  reference::fill_zeros(content, content.d_first);
  for (const auto& [name, values] : found.states) content.d_first[name] = values;
  reference::fill_zeros(content, content.d_last);
  if (!cotangents.dx.empty()) reference::scatter_inputs(content, batch, found.inputs, cotangents.dx);
  return {};
} catch (const std::bad_alloc&) {
  return reference::no_memory(content_->network);
}

void Reference::reset() noexcept { content_->now.clear(); }

Result<void> Reference::set_state(const std::string& name, std::span<const double> values) {
  const Result<std::size_t> size = reference::check_state(*content_, name, values.size());
  if (!size) return size.error();
  content_->now[name].assign(values.begin(), values.end());
  return {};
}

Result<std::vector<double>> Reference::state(const std::string& name) const {
  const Result<std::size_t> size = reference::check_state(*content_, name);
  if (!size) return size.error();
  const auto found = content_->now.find(name);
  return found == content_->now.end() ? std::vector<double>(*size) : found->second;
}

Result<void> Reference::set_state_gradient(const std::string& name, std::span<const double> values) {
  const Result<std::size_t> size = reference::check_state(*content_, name, values.size());
  if (!size) return size.error();
  content_->d_last[name].assign(values.begin(), values.end());
  return {};
}

Result<std::vector<double>> Reference::state_gradient(const std::string& name) const {
  const Result<std::size_t> size = reference::check_state(*content_, name);
  if (!size) return size.error();
  return content_->d_first.at(name);
}

std::span<const double> Reference::gradient(const std::string& parameter) const noexcept {
  const auto found = content_->d_weights.find(parameter);
  return found == content_->d_weights.end() ? std::span<const double>() : std::span<const double>(found->second);
}

void Reference::clear_gradients() noexcept {
  for (auto& [name, values] : content_->d_weights) std::ranges::fill(values, 0.0);
}

std::span<double> Reference::weight(const std::string& parameter) noexcept {
  const auto found = content_->weights.find(parameter);
  return found == content_->weights.end() ? std::span<double>() : std::span<double>(found->second);
}

}  // namespace rnnc
