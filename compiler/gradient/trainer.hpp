// A Trainer is the content of a Training: the programs of both passes, and the memory that they share.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <rnnc/training.hpp>

#include "compiler/gradient/network_gradient.hpp"
#include "compiler/gradient/trained_program.hpp"
#include "compiler/gradient/trained_states.hpp"
#include "compiler/gradient/weight_gradients.hpp"

namespace rnnc::compiler {

class Trainer {
 public:
  /// `network` is bound and verified. Errors: those of Training::make.
  static Result<std::unique_ptr<Trainer>> make(const ir::Network& network, const Tier& tier, const TensorMap& weights,
                                               const TrainingOptions& options);

  // These have the meaning of Training's.
  std::vector<Port> inputs() const { return forward_->program().inputs(); }
  std::vector<NamedPort> named_inputs() const { return forward_->program().named_inputs(); }
  std::vector<NamedPort> outputs() const;
  std::vector<Port> states() const;
  std::vector<std::string> parameters() const;
  RunStatus forward(const RunArguments& arguments) noexcept;
  RunStatus backward(const BackwardArguments& arguments) noexcept;
  TrainedStates& values() noexcept { return *states_; }
  const TrainedStates& values() const noexcept { return *states_; }
  std::span<const float> gradient(const std::string& parameter) const noexcept { return gradients_->of(parameter); }
  void clear_gradients() noexcept { gradients_->clear(); }
  std::span<float> weight(const std::string& parameter) noexcept;
  Result<void> update();
  std::int64_t batch() const noexcept { return options_.batch; }
  std::int64_t bytes_of_step() const noexcept { return bytes_of_step_; }
  std::int64_t steps_kept() const noexcept { return steps_kept_; }
  std::vector<Note> warnings() const;

 private:
  // Rows of a value that a pass leaves for another: over time or one for each sequence.
  struct Rows {
    std::vector<float> values;
    std::int64_t width = 0;
    bool has_time = true;
    std::int64_t count(std::int64_t steps, std::int64_t batch) const { return (has_time ? steps : 1) * batch * width; }
  };

  // An input that is a part of x.
  struct InputColumns {
    std::string name;
    std::int64_t begin = 0, width = 0;
    std::vector<float> values = {};  // if x has several: the columns alone
  };

  // The forward pass that waits for its backward pass.
  struct Tape {
    RunArguments arguments;
    std::vector<NamedInput> inputs = {};
    std::vector<std::int32_t> lengths = {};
    bool is_new = true;  // no state was set for it
    bool waits = false;
    std::int64_t first = 0;  // the first step of the values that are kept now
  };

  Trainer(const ir::Network& network, const TrainingOptions& options);
  Result<void> compile(const ir::Network& network, const Tier& tier, const TensorMap& weights);
  Result<void> runs_in_pieces() const;
  std::int64_t bytes_of(const ir::Network& network, std::size_t first) const;
  Result<void> plan_memory();
  Result<void> allocate();
  void name_states();
  void copy_weights(TrainedProgram& program, const std::map<std::string, std::string>& names, bool is_transposed);

  RunStatus run_piece(State& state, std::int64_t first, std::int64_t steps, std::span<float> y,
                      std::span<const NamedOutput> outputs) noexcept;
  RunStatus forward_whole() noexcept;
  RunStatus forward_in_pieces() noexcept;
  RunStatus check(const RunArguments& arguments) const noexcept;
  RunStatus check(const BackwardArguments& arguments) const noexcept;
  RunStatus back_piece(const BackwardArguments& arguments, std::int64_t first, std::int64_t steps) noexcept;
  void add_gradients(const BackwardArguments& arguments, std::int64_t first, std::int64_t steps) noexcept;
  void scatter_inputs(const BackwardArguments& arguments, std::int64_t first, std::int64_t steps) noexcept;

  std::span<const float> given(const BackwardInput& input, const BackwardArguments& arguments, std::int64_t first,
                               std::int64_t steps) noexcept;
  std::span<const float> kept(const Rows& rows, std::int64_t first, std::int64_t steps) const noexcept;
  std::span<const float> cotangent_of(const BackwardArguments& arguments, const std::string& output, std::int64_t first,
                                      std::int64_t steps) noexcept;
  const InputColumns& columns_of(const std::string& name) const noexcept;
  std::span<const float> input_of(const std::string& name, std::int64_t first, std::int64_t steps) noexcept;
  std::span<float> room_for(const std::string& output, const BackwardArguments& arguments, std::int64_t first,
                            std::int64_t steps) noexcept;
  FactorRows rows_of(const BackwardArguments& arguments, const Factor& factor, std::int64_t first,
                     std::int64_t steps) noexcept;
  std::span<const std::int32_t> lengths_of(std::int64_t first, std::int64_t steps) noexcept;
  void keep(const State& state, std::vector<float>& floats) const noexcept;
  void restore(State& state, const std::vector<float>& floats) const noexcept;

  const NetworkGradient gradient_;
  const TrainingOptions options_;
  std::string time_;  // the name of T in the backward network
  std::vector<ir::NamedValue> outputs_;
  std::map<std::string, Shape> shapes_;  // of weights
  std::map<std::string, std::vector<float>> weights_;
  std::unique_ptr<TrainedProgram> forward_, backward_;
  std::unique_ptr<WeightGradients> gradients_;
  std::unique_ptr<TrainedStates> states_;
  std::unique_ptr<State> again_;  // of pieces of the forward pass that are computed again
  // States of scans that the forward pass has beside the network's, which count steps: they begin with 0 in each call.
  std::map<std::string, std::vector<float>> counters_;
  std::map<std::string, Rows> saved_, found_;    // outputs of the forward network, and of the backward network
  std::map<std::string, Rows> zeros_;            // the cotangents of outputs that have none
  std::vector<float> unwanted_;                  // y of a piece that is computed again
  std::vector<InputColumns> inputs_;             // all of x
  std::vector<std::vector<float>> checkpoints_;  // the states at the beginning of each piece
  std::vector<std::int32_t> piece_lengths_;
  std::vector<float> is_new_;
  std::vector<NamedOutput> wanted_, piece_outputs_;
  std::vector<NamedInput> given_;
  std::vector<FactorRows> left_, right_;
  Tape tape_;
  std::int64_t bytes_of_step_ = 0, steps_kept_ = 0, back_steps_ = 0;
};

}  // namespace rnnc::compiler
