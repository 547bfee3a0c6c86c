// A Training computes a cell or network forwards and backwards: outputs, and the gradients of parameters, inputs and
// states. What to do with the gradients, the optimizer, is the caller's.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <rnnc/compile.hpp>
#include <rnnc/export.hpp>
#include <rnnc/model.hpp>
#include <rnnc/program.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

namespace RNNC_API rnnc {

namespace compiler {
class Trainer;
}

struct TrainingOptions {
  CompileOptions compile = {};  // weights are f32, and there is no plan
  std::int64_t batch = 1;       // the sequences of every call
  std::int64_t max_steps = 1;   // the most steps of a call
  // The most bytes for what a forward pass keeps for the backward pass; 0 is no bound. Where all steps do not fit, the
  // forward pass keeps the states at the beginning of some pieces of time, and the backward pass computes each piece
  // again. The bits do not change.
  std::int64_t memory_bytes = 0;
};

/// The arguments of a backward pass. A span that is empty is not there.
struct BackwardArguments {
  std::span<const float> dy = {};              // the cotangent of y, in the shape of y; 0 if it is not there
  std::span<const NamedInput> d_outputs = {};  // those of outputs after y; one that is missing is 0
  std::span<float> dx = {};                    // [steps, batch, input_size] if it is wanted
  std::span<const NamedOutput> d_inputs = {};  // those of named inputs that are wanted
};

/// The object is for one thread at a time.
class Training {
 public:
  /// Compiles the forward and the backward pass, and allocates the memory of calls.
  ///
  /// Errors    those of compile(); Unsupported if the model has a time besides T, or if memory_bytes is given and the
  ///           model needs whole sequences; Limit if memory_bytes or the machine's memory does not suffice
  static Result<Training> make(const Model& model, const TensorMap& weights, const TrainingOptions& options);

  Training(Training&&) noexcept;
  Training& operator=(Training&&) noexcept;
  ~Training();

  std::vector<Port> inputs() const;             // side by side in a row of x, as Program::inputs
  std::vector<NamedPort> named_inputs() const;  // those that are not in x
  std::vector<NamedPort> outputs() const;       // the first is y
  std::vector<Port> states() const;
  std::vector<std::string> parameters() const;

  /// Computes outputs, and keeps what backward() needs. The states go on from the call before, unless reset() or
  /// set_state() was called. x and the named inputs must stay as they are until backward() has returned.
  ///
  /// Shapes    as of Program::run, with `batch` sequences and at most `max_steps` steps; `times` and `workspace` are
  ///           empty
  RunStatus forward(const RunArguments& arguments) noexcept;

  /// Adds to the gradients those of the last forward pass: of the sum of all outputs and last states, each multiplied
  /// with its cotangent. A forward pass has one backward pass. Errors: NoForward, ShortSpan, UnknownName.
  ///
  /// Numerics  each element of a gradient of a matrix is a sum over blocks of 128 rows, the last steps first; the same
  ///           bits for any number of threads and any memory_bytes
  RunStatus backward(const BackwardArguments& arguments) noexcept;

  /// Starts new sequences: sets all states to zero, or to the values that parameters of the network give them.
  void reset() noexcept;

  /// These read and set a state, [batch, size] row-major, of the next forward pass. Errors: Name, ShapeMismatch.
  Result<void> set_state(const std::string& name, std::span<const float> values);
  Result<std::vector<float>> state(const std::string& name) const;

  /// Sets the cotangent of a state behind the last step, [batch, size], for the next backward pass; it is 0 otherwise.
  /// Errors: Name, ShapeMismatch.
  Result<void> set_state_gradient(const std::string& name, std::span<const float> values);

  /// Returns the gradient of a state before the first step, [batch, size], by the last backward pass. It is 0 for a
  /// state whose first values follow from inputs. Errors: Name.
  Result<std::vector<float>> state_gradient(const std::string& name) const;

  /// Returns the gradient of a parameter, row-major, which backward passes add to. It is empty for an unknown name.
  std::span<const float> gradient(const std::string& parameter) const noexcept;
  void clear_gradients() noexcept;

  /// Returns the value of a parameter for the caller to change; update() makes it count. It is empty for an unknown
  /// name.
  std::span<float> weight(const std::string& parameter) noexcept;

  /// Packs the weights that the caller has changed. Errors: Limit.
  Result<void> update();

  std::int64_t batch() const noexcept;          // the sequences of every call
  std::int64_t bytes_of_step() const noexcept;  // of what a forward pass keeps, for all sequences
  std::int64_t steps_kept() const noexcept;     // the steps of a piece; max_steps where all fit

  /// Tells of parameters that no output and no state depends on: their gradient is 0.
  std::vector<Note> warnings() const;

 private:
  explicit Training(std::unique_ptr<compiler::Trainer> trainer);
  std::unique_ptr<compiler::Trainer> trainer_;
};

}  // namespace rnnc
