// This file runs the two passes of a Trainer. Both go through pieces of time where not all steps are kept.
#include <algorithm>
#include <utility>

#include "compiler/gradient/trainer.hpp"

namespace rnnc::compiler {
namespace {

// The elements of rows [first, first + steps) of a span, as many as it has.
template <class T>
std::span<T> cut(std::span<T> rows, std::int64_t first, std::int64_t steps, std::int64_t elements_of_step) {
  const std::int64_t begin = std::min(std::ssize(rows), first * elements_of_step);
  const std::int64_t count = std::min(std::ssize(rows) - begin, steps * elements_of_step);
  return rows.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count));
}

}  // namespace

void Trainer::keep(const State& state, std::vector<float>& floats) const noexcept {
  std::copy_n(state.content_->floats(), floats.size(), floats.data());
}

void Trainer::restore(State& state, const std::vector<float>& floats) const noexcept {
  std::ranges::copy(floats, state.content_->floats());
}

std::span<const std::int32_t> Trainer::lengths_of(std::int64_t first, std::int64_t steps) noexcept {
  if (tape_.lengths.empty()) return {};
  for (std::size_t b = 0; b < tape_.lengths.size(); ++b)
    piece_lengths_[b] = static_cast<std::int32_t>(std::clamp<std::int64_t>(tape_.lengths[b] - first, 0, steps));
  return piece_lengths_;
}

RunStatus Trainer::run_piece(State& state, std::int64_t first, std::int64_t steps, std::span<float> y,
                             std::span<const NamedOutput> outputs) noexcept {
  const RunArguments& arguments = tape_.arguments;
  tape_.first = first;
  wanted_.assign(outputs.begin(), outputs.end());
  for (auto& [name, rows] : saved_) wanted_.push_back({name, rows.values});
  const std::int64_t width = options_.batch * forward_->program().input_size();
  return forward_->program().run(state, {.x = cut(arguments.x, first, steps, width),
                                         .y = y,
                                         .steps = steps,
                                         .lengths = lengths_of(first, steps),
                                         .inputs = tape_.inputs,
                                         .outputs = wanted_});
}

// Checks what the program does not: it sees a piece of the arguments at a time, or outputs that are not the caller's.
RunStatus Trainer::check(const RunArguments& arguments) const noexcept {
  if (arguments.steps < 0) return RunStatus::NegativeSteps;
  if (arguments.steps > options_.max_steps) return RunStatus::TooManySteps;
  if (!arguments.times.empty()) return RunStatus::UnknownName;
  if (arguments.inputs.size() > tape_.inputs.capacity()) return RunStatus::UnknownName;
  for (const NamedOutput& output : arguments.outputs) {
    const auto rows = zeros_.find(std::string(output.name));
    if (rows == zeros_.end()) return RunStatus::UnknownName;
    if (std::ssize(output.data) < rows->second.count(arguments.steps, options_.batch)) return RunStatus::ShortSpan;
  }
  if (arguments.lengths.empty()) return RunStatus::Ok;
  if (std::ssize(arguments.lengths) < options_.batch) return RunStatus::ShortSpan;
  for (std::int64_t b = 0; b < options_.batch; ++b) {
    const std::int32_t length = arguments.lengths[static_cast<std::size_t>(b)];
    if (length < 0 || length > arguments.steps) return RunStatus::BadLength;
  }
  return RunStatus::Ok;
}

RunStatus Trainer::forward(const RunArguments& arguments) noexcept {
  tape_.waits = false;
  if (const RunStatus status = check(arguments); status != RunStatus::Ok) return status;
  tape_.arguments = arguments;
  tape_.inputs.assign(arguments.inputs.begin(), arguments.inputs.end());
  tape_.lengths.clear();
  if (!arguments.lengths.empty())
    tape_.lengths.assign(arguments.lengths.begin(), arguments.lengths.begin() + options_.batch);
  tape_.is_new = states_->starts_new();
  for (const auto& [name, zeros] : counters_) static_cast<void>(states_->forward().set(name, zeros));
  const RunStatus status = arguments.steps <= steps_kept_ ? forward_whole() : forward_in_pieces();
  tape_.waits = status == RunStatus::Ok;
  if (tape_.waits) states_->end_forward();
  return status;
}

RunStatus Trainer::forward_whole() noexcept {
  const RunArguments& arguments = tape_.arguments;
  if (!checkpoints_.empty()) keep(states_->forward(), checkpoints_[0]);
  return run_piece(states_->forward(), 0, arguments.steps, arguments.y, arguments.outputs);
}

RunStatus Trainer::forward_in_pieces() noexcept {
  const RunArguments& arguments = tape_.arguments;
  const std::int64_t out = options_.batch * forward_->program().output_size();
  const std::int64_t in = options_.batch * forward_->program().input_size();
  if ((in > 0 && !arguments.x.data()) || (out > 0 && !arguments.y.data())) return RunStatus::MissingPointer;
  if (std::ssize(arguments.x) < arguments.steps * in || std::ssize(arguments.y) < arguments.steps * out)
    return RunStatus::ShortSpan;
  for (std::int64_t first = 0; first < arguments.steps; first += steps_kept_) {
    const std::int64_t steps = std::min(steps_kept_, arguments.steps - first);
    keep(states_->forward(), checkpoints_[static_cast<std::size_t>(first / steps_kept_)]);
    piece_outputs_.clear();
    for (const NamedOutput& output : arguments.outputs) {
      const std::int64_t width = options_.batch * zeros_.find(std::string(output.name))->second.width;
      piece_outputs_.push_back({output.name, cut(output.data, first, steps, width)});
    }
    const RunStatus status =
        run_piece(states_->forward(), first, steps, cut(arguments.y, first, steps, out), piece_outputs_);
    if (status != RunStatus::Ok) return status;
  }
  return RunStatus::Ok;
}

RunStatus Trainer::check(const BackwardArguments& arguments) const noexcept {
  if (!tape_.waits) return RunStatus::NoForward;
  const std::int64_t steps = tape_.arguments.steps, batch = options_.batch;
  const auto is_short = [](const auto& span, std::int64_t elements) {
    return !span.empty() && std::ssize(span) < elements;
  };
  const auto y = zeros_.find(outputs_[0].name);
  if (is_short(arguments.dy, y->second.count(steps, batch))) return RunStatus::ShortSpan;
  for (const NamedInput& given : arguments.d_outputs) {
    const auto rows = zeros_.find(std::string(given.name));
    if (rows == zeros_.end()) return RunStatus::UnknownName;
    if (is_short(given.data, rows->second.count(steps, batch))) return RunStatus::ShortSpan;
  }
  if (is_short(arguments.dx, steps * batch * forward_->program().input_size())) return RunStatus::ShortSpan;
  const std::vector<NamedPort> named = forward_->program().named_inputs();
  for (const NamedOutput& wanted : arguments.d_inputs) {
    const auto port =
        std::ranges::find(named, wanted.name, [](const NamedPort& p) { return std::string_view(p.port.name); });
    if (port == named.end()) return RunStatus::UnknownName;
    if (is_short(wanted.data, batch * port->port.size())) return RunStatus::ShortSpan;
  }
  return RunStatus::Ok;
}

RunStatus Trainer::backward(const BackwardArguments& arguments) noexcept {
  if (const RunStatus status = check(arguments); status != RunStatus::Ok) return status;
  tape_.waits = false;
  const std::int64_t all = tape_.arguments.steps;
  states_->begin_backward();
  const std::int64_t last = all == 0 ? 0 : (all - 1) / steps_kept_ * steps_kept_;
  for (std::int64_t first = last; first >= 0; first -= steps_kept_) {
    const std::int64_t steps = std::min(steps_kept_, all - first);
    if (first != last) {
      restore(*again_, checkpoints_[static_cast<std::size_t>(first / steps_kept_)]);
      const RunStatus status = run_piece(*again_, first, steps, unwanted_, {});
      if (status != RunStatus::Ok) return status;
    }
    const std::int64_t last_piece = steps == 0 ? 0 : (steps - 1) / back_steps_ * back_steps_;
    for (std::int64_t begin = last_piece; begin >= 0; begin -= back_steps_) {
      const std::int64_t count = std::min(back_steps_, steps - begin);
      if (const RunStatus status = back_piece(arguments, first + begin, count); status != RunStatus::Ok) return status;
    }
  }
  states_->end_backward();
  return RunStatus::Ok;
}

std::span<const float> Trainer::cotangent_of(const BackwardArguments& arguments, const std::string& output,
                                             std::int64_t first, std::int64_t steps) noexcept {
  const Rows& rows = zeros_.find(output)->second;
  const auto of = [&](std::span<const float> given) -> std::span<const float> {
    if (given.empty()) return rows.values;
    return rows.has_time ? cut(given, first, steps, options_.batch * rows.width) : given;
  };
  if (output == outputs_[0].name) return of(arguments.dy);
  for (const NamedInput& given : arguments.d_outputs)
    if (given.name == output) return of(given.data);
  return rows.values;
}

const Trainer::InputColumns& Trainer::columns_of(const std::string& name) const noexcept {
  return *std::ranges::find(inputs_, name, &InputColumns::name);
}

// Columns of x are contiguous if x has one input; else they are copied.
std::span<const float> Trainer::input_of(const std::string& name, std::int64_t first, std::int64_t steps) noexcept {
  for (const NamedInput& input : tape_.inputs)
    if (input.name == name) return input.data;
  const std::int64_t width = forward_->program().input_size(), batch = options_.batch;
  const std::span<const float> x = cut(tape_.arguments.x, first, steps, batch * width);
  if (inputs_.size() == 1) return x;
  InputColumns& columns = *std::ranges::find(inputs_, name, &InputColumns::name);
  for (std::int64_t r = 0; r < steps * batch; ++r)
    std::copy_n(x.data() + r * width + columns.begin, columns.width, columns.values.data() + r * columns.width);
  return columns.values;
}

std::span<const float> Trainer::kept(const Rows& rows, std::int64_t first, std::int64_t steps) const noexcept {
  const std::span<const float> values = rows.values;
  return rows.has_time ? cut(values, first - tape_.first, steps, options_.batch * rows.width) : values;
}

std::span<const float> Trainer::given(const BackwardInput& input, const BackwardArguments& arguments,
                                      std::int64_t first, std::int64_t steps) noexcept {
  switch (input.kind) {
    case BackwardInput::Kind::Input: return input_of(input.of, first, steps);
    case BackwardInput::Kind::Saved: return kept(saved_.find(input.of)->second, first, steps);
    case BackwardInput::Kind::Cotangent: return cotangent_of(arguments, input.of, first, steps);
    case BackwardInput::Kind::Last: return states_->last_cotangent(gradient_.names.find(input.of)->second);
    case BackwardInput::Kind::IsNew: std::ranges::fill(is_new_, tape_.is_new ? 1.0F : 0.0F); return is_new_;
  }
  return {};
}

// An output goes to the caller, if it is a gradient that the caller wants whole, and else stays here.
std::span<float> Trainer::room_for(const std::string& output, const BackwardArguments& arguments, std::int64_t first,
                                   std::int64_t steps) noexcept {
  Rows& rows = found_.find(output)->second;
  for (const auto& [input, name] : gradient_.inputs) {
    if (name != output) continue;
    for (const NamedOutput& wanted : arguments.d_inputs)
      if (wanted.name == input && !wanted.data.empty()) return wanted.data;
    const bool is_x = inputs_.size() == 1 && inputs_[0].name == input;
    if (is_x && !arguments.dx.empty()) return cut(arguments.dx, first, steps, options_.batch * rows.width);
  }
  return rows.values;
}

RunStatus Trainer::back_piece(const BackwardArguments& arguments, std::int64_t first, std::int64_t steps) noexcept {
  given_.clear();
  for (const BackwardInput& input : gradient_.reads)
    given_.push_back({input.name, given(input, arguments, first, steps)});
  wanted_.clear();
  std::span<float> y;
  bool is_first = true;
  for (const ir::Statement& statement : gradient_.backward.statements) {
    if (statement.kind != ir::Statement::Kind::Output) continue;
    const std::span<float> room = room_for(statement.name, arguments, first, steps);
    if (std::exchange(is_first, false)) {
      y = room;
    } else {
      wanted_.push_back({statement.name, room});
    }
  }
  const NamedTime time{time_, steps, lengths_of(first, steps)};
  const bool has_time = std::ranges::count(backward_->loaded().network.list.times, time_) > 0;
  const RunStatus status = backward_->program().run(
      states_->backward(), {.y = y,
                            .steps = 0,
                            .inputs = given_,
                            .times = has_time ? std::span(&time, 1) : std::span<const NamedTime>(),
                            .outputs = wanted_});
  if (status != RunStatus::Ok) return status;
  scatter_inputs(arguments, first, steps);
  add_gradients(arguments, first, steps);
  return RunStatus::Ok;
}

// Puts the gradients of several inputs side by side, and 0 where there is none.
void Trainer::scatter_inputs(const BackwardArguments& arguments, std::int64_t first, std::int64_t steps) noexcept {
  for (const NamedOutput& wanted : arguments.d_inputs)
    if (!gradient_.inputs.contains(std::string(wanted.name))) std::ranges::fill(wanted.data, 0.0F);
  if (arguments.dx.empty()) return;
  const std::int64_t width = forward_->program().input_size(), batch = options_.batch;
  const std::span<float> dx = cut(arguments.dx, first, steps, batch * width);
  for (const InputColumns& columns : inputs_) {
    const auto found = gradient_.inputs.find(columns.name);
    for (std::int64_t r = 0; r < steps * batch; ++r) {
      float* const to = dx.data() + r * width + columns.begin;
      if (found == gradient_.inputs.end()) {
        std::fill_n(to, columns.width, 0.0F);
      } else if (inputs_.size() > 1) {
        const Rows& rows = found_.find(found->second)->second;
        std::copy_n(rows.values.data() + r * columns.width, columns.width, to);
      }
    }
  }
}

FactorRows Trainer::rows_of(const BackwardArguments& arguments, const Factor& factor, std::int64_t first,
                            std::int64_t steps) noexcept {
  const bool has_time = !factor.axis.empty();
  const auto at = [&](std::span<const float> values, std::int64_t width) {
    return FactorRows{values.data() + factor.begin, width, has_time};
  };
  switch (factor.of) {
    case Factor::Of::Forward: {
      const Rows& rows = saved_.find(factor.name)->second;
      return at(kept(rows, first, steps), rows.width);
    }
    case Factor::Of::Backward: {
      const Rows& rows = found_.find(factor.name)->second;
      return at(rows.values, rows.width);
    }
    case Factor::Of::Cotangent:
      return at(cotangent_of(arguments, factor.name, first, steps), zeros_.find(factor.name)->second.width);
    case Factor::Of::Input: break;
  }
  if (!has_time) return at(input_of(factor.name, first, steps), factor.begin + factor.width);
  const std::int64_t width = forward_->program().input_size();
  const std::int64_t begin = columns_of(factor.name).begin + factor.begin;
  return {tape_.arguments.x.data() + first * options_.batch * width + begin, width, true};
}

void Trainer::add_gradients(const BackwardArguments& arguments, std::int64_t first, std::int64_t steps) noexcept {
  for (std::size_t i = 0; i < gradient_.terms.size(); ++i) {
    const WeightTerm& term = gradient_.terms[i];
    left_[i] = rows_of(arguments, term.left, first, steps);
    if (term.kind != Term::Kind::Sum) right_[i] = rows_of(arguments, term.right, first, steps);
  }
  gradients_->add(left_, right_, steps, lengths_of(first, steps), first == 0);
}

}  // namespace rnnc::compiler
