// This file reads and sets the states of a Training, which the programs of its passes know by other names.
#include "compiler/gradient/trained_states.hpp"

#include <algorithm>
#include <utility>

namespace rnnc::compiler {

TrainedStates::TrainedStates(State forward, State backward)
    : forward_(std::move(forward)), backward_(std::move(backward)) {}

void TrainedStates::add(const std::string& name, Names names, std::int64_t elements) {
  states_[name] = {std::move(names), std::vector<float>(static_cast<std::size_t>(elements))};
}

Result<void> TrainedStates::set(const std::string& name, std::span<const float> values) {
  const auto found = states_.find(name);
  const Result<void> done = forward_.set(found == states_.end() ? name : found->second.names.forward, values);
  if (done) starts_new_ = false;
  return done;
}

Result<std::vector<float>> TrainedStates::get(const std::string& name) const {
  const auto found = states_.find(name);
  return forward_.get(found == states_.end() ? name : found->second.names.forward);
}

Result<void> TrainedStates::set_gradient(const std::string& name, std::span<const float> values) {
  const auto found = states_.find(name);
  if (found == states_.end()) return forward_.get(name).error();
  std::vector<float>& d_last = found->second.d_last;
  if (values.size() != d_last.size())
    return Error{ErrorCode::ShapeMismatch,
                 {},
                 "the gradient of " + name + " has " + std::to_string(d_last.size()) + " elements, not " +
                     std::to_string(values.size())};
  std::ranges::copy(values, d_last.begin());
  return {};
}

Result<std::vector<float>> TrainedStates::gradient(const std::string& name) const {
  const auto found = states_.find(name);
  if (found == states_.end()) return forward_.get(name).error();
  const Names& names = found->second.names;
  if (names.backward.empty() || names.is_begun) return std::vector<float>(found->second.d_last.size());
  return backward_.get(names.backward);
}

std::span<const float> TrainedStates::last_cotangent(const std::string& name) const noexcept {
  return states_.find(name)->second.d_last;
}

void TrainedStates::reset() noexcept {
  forward_.reset();
  starts_new_ = true;
}

void TrainedStates::begin_backward() noexcept {
  // Cells of the backward pass have states that are no cotangents too: they find a function's first or last step.
  backward_.reset();
  for (const auto& [name, state] : states_)
    if (!state.names.backward.empty() && !state.names.is_input)
      static_cast<void>(backward_.set(state.names.backward, state.d_last));
}

void TrainedStates::end_backward() noexcept {
  for (auto& [name, state] : states_) std::ranges::fill(state.d_last, 0.0F);
}

}  // namespace rnnc::compiler
