// This file makes a Trainer: it compiles both passes and allocates what they share. trainer_passes.cpp runs them.
#include "compiler/gradient/trainer.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <stdexcept>
#include <utility>

#include "ir/scan.hpp"
#include "runtime/memory_limit.hpp"
#include "runtime/portable.hpp"
#include "runtime/portable_kernels.hpp"
#include "runtime/transpose.hpp"

namespace rnnc::compiler {
namespace {

// The inputs of the backward network get a time that is not T, and with it a name of their own in its calls: so nobody
// has to put them side by side into one row.
ir::Network with_time(ir::Network network, const std::string& time) {
  for (ir::Node& node : network.nodes) {
    if (node.type.axis == ir::kTime) node.type.axis = time;
    if (!node.scan || node.scan->steps != ir::kTime) continue;
    ir::Scan scan = *node.scan;
    scan.steps = time;
    node.scan = std::make_shared<const ir::Scan>(std::move(scan));
  }
  return network;
}

// The rows of a piece of the backward pass, of which there are some copies, fit a cache of level 2.
constexpr std::int64_t kBackBytes = 400000;

}  // namespace

Trainer::Trainer(const ir::Network& network, const TrainingOptions& options)
    : gradient_(gradient_of(network)), options_(options), outputs_(network.outputs()) {}

Result<std::unique_ptr<Trainer>> Trainer::make(const ir::Network& network, const Tier& tier, const TensorMap& weights,
                                               const TrainingOptions& options) try {
  for (const ir::Node& node : network.nodes) {
    const std::string& time = node.scan && !node.scan->steps.empty() ? node.scan->steps : node.type.axis;
    if (time.empty() || time == ir::kTime) continue;
    return Error{ErrorCode::Unsupported, network.place(node.location),
                 "training takes networks of the time T alone, and this is of the time " + time};
  }
  if (options.batch < 0 || options.max_steps < 0 || options.memory_bytes < 0)
    return Error{ErrorCode::Usage, {}, "batch, max_steps and memory_bytes are at least 0"};
  if (options.batch > runtime::kMostSteps || options.max_steps > runtime::kMostSteps)
    return Error{ErrorCode::Limit, {}, "batch and max_steps are at most 2147483648"};
  if (options.compile.weights != WeightFormat::F32)
    return Error{ErrorCode::Unsupported, {}, "training computes with f32 weights; round them afterwards"};
  if (!options.compile.plan.empty())
    return Error{ErrorCode::Usage, {}, "a plan is of one program, and training compiles two"};
  if (const Result<void> checked = check_weights(network, weights); !checked) return checked.error();
  std::unique_ptr<Trainer> trainer(new Trainer(network, options));
  if (const Result<void> done = trainer->compile(network, tier, weights); !done) return done.error();
  if (const Result<void> done = trainer->plan_memory(); !done) return done.error();
  if (const Result<void> done = trainer->allocate(); !done) return done.error();
  return trainer;
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {}, "not enough memory to train " + network.name};
} catch (const std::length_error&) {
  return Error{ErrorCode::Limit, {}, "not enough memory to train " + network.name};
}

Result<void> Trainer::compile(const ir::Network& network, const Tier& tier, const TensorMap& weights) {
  for (const ir::Weight& weight : ir::weights_of(network)) {
    shapes_[weight.name] = shape_of(weight.type);
    weights_[weight.name] = weights.at(weight.name).to_f32();
  }
  const auto empty = [&](const std::string& of, bool is_transposed) {
    Shape shape = shapes_.at(of);
    if (is_transposed) std::swap(shape[0], shape[1]);
    return Tensor::from_f32(shape, weights_.at(of));
  };
  TensorMap forward, backward;
  for (const ir::Weight& weight : ir::weights_of(gradient_.forward))
    forward[weight.name] = empty(gradient_.names.at(weight.name), false);
  for (const auto& [name, of] : gradient_.same) backward[name] = empty(of, false);
  for (const auto& [name, of] : gradient_.transposed) backward[name] = empty(of, true);

  CompileOptions compile_options = options_.compile;
  compile_options.dims.clear();
  auto made = TrainedProgram::make(gradient_.forward, tier, std::move(forward), compile_options, nullptr);
  if (!made) return made.error();
  forward_ = std::move(*made);
  time_ = "R";
  const auto has_name = [&](const ir::Node& node) { return node.name == time_; };
  while (std::ranges::any_of(gradient_.backward.nodes, has_name)) time_ += "_";
  made = TrainedProgram::make(with_time(gradient_.backward, time_), tier, std::move(backward), compile_options,
                              forward_->threads().executor);
  if (!made) return made.error();
  backward_ = std::move(*made);
  const runtime::PortableKernels* kernels = runtime::portable_kernels(options_.compile.cpu);
  if (!kernels) kernels = runtime::portable_kernels("");
  gradients_ = std::make_unique<WeightGradients>(gradient_.terms, shapes_, options_.batch, forward_->threads(),
                                                 outer_products_for(kernels->name));
  return update();
}

// Says why the passes cannot run in pieces of time.
Result<void> Trainer::runs_in_pieces() const {
  if (const Result<void> streams = forward_->program().streams(); !streams) return streams.error();
  for (const BackwardInput& input : gradient_.reads)
    if (input.kind == BackwardInput::Kind::Last || input.kind == BackwardInput::Kind::IsNew)
      return Error{ErrorCode::Unsupported, {}, "a value of this one is there once for a whole sequence"};
  for (const auto* network : {&gradient_.forward, &gradient_.backward})
    for (const ir::NamedValue& output : network->outputs())
      if (!(*network)[output.value].type.is_sequence())
        return Error{ErrorCode::Unsupported, {}, "output " + output.name + " is there once for a whole sequence"};
  if (!forward_->program().named_inputs().empty())
    return Error{ErrorCode::Unsupported, {}, "this one has inputs by name"};
  return {};
}

// Returns the bytes of a step of the outputs from `first` on.
std::int64_t Trainer::bytes_of(const ir::Network& network, std::size_t first) const {
  std::int64_t floats = 0;
  const std::vector<ir::NamedValue> outputs = network.outputs();
  for (std::size_t i = first; i < outputs.size(); ++i) {
    const ir::Type& type = network[outputs[i].value].type;
    if (type.is_sequence()) floats += ir::elements(type);
  }
  return floats * options_.batch * std::int64_t{sizeof(float)};
}

// Decides how many steps are kept, and how many the backward pass takes at once: its rows should stay in a cache of
// level 2 until the gradients of weights have read them. Pieces begin at blocks of these gradients' sums, so that the
// order of the sums stays.
Result<void> Trainer::plan_memory() {
  bytes_of_step_ = bytes_of(gradient_.forward, outputs_.size());
  steps_kept_ = std::max<std::int64_t>(1, options_.max_steps);
  if (bytes_of_step_ > std::numeric_limits<std::int64_t>::max() / 4 / steps_kept_)
    return Error{ErrorCode::Limit, {}, "a training of so many steps and sequences needs more memory than there is"};
  const std::int64_t block = gradients_->steps_of_block();
  const Result<void> in_pieces = runs_in_pieces();
  back_steps_ = steps_kept_;
  const std::int64_t back_bytes = std::max<std::int64_t>(1, bytes_of(gradient_.backward, 0));
  if (in_pieces)
    back_steps_ = std::min(steps_kept_, std::max<std::int64_t>(1, kBackBytes / back_bytes / block) * block);
  const bool fits = bytes_of_step_ * steps_kept_ + back_bytes * back_steps_ <= options_.memory_bytes;
  if (options_.memory_bytes == 0 || fits) return {};
  if (!in_pieces)
    return Error{ErrorCode::Unsupported,
                 {},
                 "memory_bytes bounds the memory of models that run in pieces; " + in_pieces.error().message};

  std::int64_t state_bytes = 0;
  for (const Port& state : forward_->program().states())
    state_bytes += state.size() * options_.batch * std::int64_t{sizeof(float)};
  const auto bytes = [&](std::int64_t steps) {
    return back_bytes * block + bytes_of_step_ * steps + (options_.max_steps + steps - 1) / steps * state_bytes;
  };
  std::int64_t least = bytes(block), best = 0;
  for (std::int64_t steps = block; steps < options_.max_steps + block; steps += block) {
    least = std::min(least, bytes(steps));
    if (bytes(steps) <= options_.memory_bytes) best = steps;
  }
  if (best == 0)
    return Error{ErrorCode::Limit,
                 {},
                 "a training of " + std::to_string(options_.max_steps) + " steps and " +
                     std::to_string(options_.batch) + " sequences needs at least " + std::to_string(least) +
                     " bytes, and memory_bytes is " + std::to_string(options_.memory_bytes)};
  steps_kept_ = best;
  back_steps_ = block;
  return {};
}

Result<void> Trainer::allocate() {
  const std::int64_t batch = options_.batch;
  if (bytes_of_step_ * steps_kept_ > runtime::available_memory())
    return Error{ErrorCode::Limit,
                 {},
                 "a training of " + std::to_string(steps_kept_) + " steps and " + std::to_string(batch) +
                     " sequences keeps " + std::to_string(bytes_of_step_ * steps_kept_) +
                     " bytes, and the machine has less; memory_bytes bounds what is kept"};
  const auto make_rows = [&](const ir::Network& network, const ir::NamedValue& output, std::int64_t steps) {
    const ir::Type& type = network[output.value].type;
    Rows rows;
    rows.width = ir::elements(type);
    rows.has_time = type.is_sequence();
    rows.values.resize(static_cast<std::size_t>(rows.count(steps, batch)));
    return rows;
  };
  const std::vector<ir::NamedValue> values = gradient_.forward.outputs();
  for (std::size_t i = 0; i < values.size(); ++i)
    (i < outputs_.size() ? zeros_ : saved_)[values[i].name] = make_rows(gradient_.forward, values[i], steps_kept_);
  for (const ir::NamedValue& output : gradient_.backward.outputs())
    found_[output.name] = make_rows(gradient_.backward, output, back_steps_);
  std::int64_t begin = 0;
  for (const Port& port : inputs()) {
    InputColumns columns{.name = port.name, .begin = begin, .width = port.size()};
    if (inputs().size() > 1) columns.values.resize(static_cast<std::size_t>(back_steps_ * batch * columns.width));
    begin += columns.width;
    inputs_.push_back(std::move(columns));
  }
  const std::int64_t pieces = (options_.max_steps + steps_kept_ - 1) / steps_kept_;
  if (pieces > 1) {
    std::int64_t floats = 0;  // of the states, as runtime::for_each_cell finds them
    for (const auto& cell : forward_->loaded().network.cells)
      floats += runtime::whole_lines(batch * cell->description.doubled_row) +
                runtime::whole_lines(batch * cell->description.in_place_row);
    checkpoints_.assign(static_cast<std::size_t>(pieces), std::vector<float>(static_cast<std::size_t>(floats)));
    unwanted_.resize(static_cast<std::size_t>(steps_kept_ * batch * forward_->program().output_size()));
  }
  Result<State> forward = forward_->program().try_make_state(batch, steps_kept_);
  if (!forward) return forward.error();
  Result<State> backward = backward_->program().try_make_state(batch, back_steps_);
  if (!backward) return backward.error();
  states_ = std::make_unique<TrainedStates>(std::move(*forward), std::move(*backward));
  if (pieces > 1) {
    Result<State> again = forward_->program().try_make_state(batch, steps_kept_);
    if (!again) return again.error();
    again_ = std::make_unique<State>(std::move(*again));
  }
  piece_lengths_.resize(static_cast<std::size_t>(batch));
  is_new_.resize(static_cast<std::size_t>(batch));
  wanted_.reserve(outputs_.size() + saved_.size() + found_.size());
  piece_outputs_.reserve(outputs_.size());
  given_.reserve(gradient_.reads.size() + forward_->program().named_inputs().size());
  left_.resize(gradient_.terms.size());
  right_.resize(gradient_.terms.size());
  tape_.inputs.reserve(forward_->program().named_inputs().size());
  tape_.lengths.reserve(static_cast<std::size_t>(batch));
  name_states();
  return {};
}

void Trainer::name_states() {
  for (const Port& port : forward_->program().states()) {
    const std::int64_t elements = options_.batch * port.size();
    if (!gradient_.names.contains(port.name)) {
      counters_[port.name] = std::vector<float>(static_cast<std::size_t>(elements));
      continue;
    }
    TrainedStates::Names names{.forward = port.name, .backward = ""};
    if (const auto found = gradient_.states.find(port.name); found != gradient_.states.end())
      names.backward = found->second;
    names.is_begun = gradient_.begun.contains(port.name);
    for (const BackwardInput& input : gradient_.reads)
      if (input.kind == BackwardInput::Kind::Last && input.of == port.name) names.is_input = true;
    states_->add(gradient_.names.at(port.name), std::move(names), elements);
  }
}

void Trainer::copy_weights(TrainedProgram& program, const std::map<std::string, std::string>& names,
                           bool is_transposed) {
  for (const auto& [name, of] : names) {
    const std::vector<float>& from = weights_.at(of);
    const std::span<float> to = program.weight(name);
    if (!is_transposed) {
      std::ranges::copy(from, to.begin());
      continue;
    }
    const Shape& shape = shapes_.at(of);
    runtime::transpose(from.data(), shape[1], shape[0], shape[1], to.data(), shape[0]);
  }
}

Result<void> Trainer::update() {
  std::map<std::string, std::string> forward;
  for (const ir::Weight& weight : ir::weights_of(gradient_.forward))
    forward[weight.name] = gradient_.names.at(weight.name);
  copy_weights(*forward_, forward, false);
  copy_weights(*backward_, gradient_.same, false);
  copy_weights(*backward_, gradient_.transposed, true);
  if (const Result<void> packed = forward_->repack(); !packed) return packed.error();
  return backward_->repack();
}

std::span<float> Trainer::weight(const std::string& parameter) noexcept {
  const auto found = weights_.find(parameter);
  return found == weights_.end() ? std::span<float>() : std::span<float>(found->second);
}

std::vector<NamedPort> Trainer::outputs() const {
  std::vector<NamedPort> ports = forward_->program().outputs();
  ports.resize(outputs_.size());
  return ports;
}

std::vector<Port> Trainer::states() const {
  std::vector<Port> ports;
  for (Port& port : forward_->program().states()) {
    const auto name = gradient_.names.find(port.name);
    if (name == gradient_.names.end()) continue;
    port.name = name->second;
    ports.push_back(std::move(port));
  }
  return ports;
}

std::vector<std::string> Trainer::parameters() const {
  std::vector<std::string> names;
  for (const auto& [name, shape] : shapes_) names.push_back(name);
  return names;
}

std::vector<Note> Trainer::warnings() const {
  std::vector<Note> notes;
  for (const auto& [name, shape] : shapes_)
    if (std::ranges::none_of(gradient_.terms, [&](const WeightTerm& term) { return term.weight == name; }))
      notes.push_back({{}, "no output and no state depends on parameter " + name + ": its gradient is 0"});
  return notes;
}

}  // namespace rnnc::compiler
