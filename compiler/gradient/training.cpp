// The public class Training asks its Trainer. Training::make stands in compiler/compile.cpp, which knows the executors.
#include <rnnc/training.hpp>

#include <utility>

#include "compiler/gradient/trainer.hpp"

namespace rnnc {

Training::Training(std::unique_ptr<compiler::Trainer> trainer) : trainer_(std::move(trainer)) {}
Training::Training(Training&&) noexcept = default;
Training& Training::operator=(Training&&) noexcept = default;
Training::~Training() = default;

std::vector<Port> Training::inputs() const { return trainer_->inputs(); }
std::vector<NamedPort> Training::named_inputs() const { return trainer_->named_inputs(); }
std::vector<NamedPort> Training::outputs() const { return trainer_->outputs(); }
std::vector<Port> Training::states() const { return trainer_->states(); }
std::vector<std::string> Training::parameters() const { return trainer_->parameters(); }
RunStatus Training::forward(const RunArguments& arguments) noexcept { return trainer_->forward(arguments); }
RunStatus Training::backward(const BackwardArguments& arguments) noexcept { return trainer_->backward(arguments); }
void Training::reset() noexcept { trainer_->values().reset(); }

Result<void> Training::set_state(const std::string& name, std::span<const float> values) {
  return trainer_->values().set(name, values);
}

Result<std::vector<float>> Training::state(const std::string& name) const { return trainer_->values().get(name); }

Result<void> Training::set_state_gradient(const std::string& name, std::span<const float> values) {
  return trainer_->values().set_gradient(name, values);
}

Result<std::vector<float>> Training::state_gradient(const std::string& name) const {
  return trainer_->values().gradient(name);
}

std::span<const float> Training::gradient(const std::string& parameter) const noexcept {
  return trainer_->gradient(parameter);
}

void Training::clear_gradients() noexcept { trainer_->clear_gradients(); }
std::span<float> Training::weight(const std::string& parameter) noexcept { return trainer_->weight(parameter); }
Result<void> Training::update() { return trainer_->update(); }
std::int64_t Training::batch() const noexcept { return trainer_->batch(); }
std::int64_t Training::bytes_of_step() const noexcept { return trainer_->bytes_of_step(); }
std::int64_t Training::steps_kept() const noexcept { return trainer_->steps_kept(); }
std::vector<Note> Training::warnings() const { return trainer_->warnings(); }

}  // namespace rnnc
