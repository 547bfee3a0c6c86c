// A Reference computes a cell or network and its gradients in double precision, by the interpreter that defines the
// language: it is what compiled programs are compared with, and what finite differences are taken of. It is slow and
// for small sizes, and shares no arithmetic with a program.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <rnnc/export.hpp>
#include <rnnc/model.hpp>
#include <rnnc/program.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

namespace RNNC_API rnnc {

namespace reference {
struct Content;
}

struct ReferenceOptions {
  std::string cell = {};                          // as CompileOptions::cell
  std::map<std::string, std::int64_t> dims = {};  // as CompileOptions::dims
  std::int64_t batch = 1;                         // the sequences of every call
};

/// The arguments of a forward pass, as those of RunArguments.
struct ReferenceArguments {
  std::span<const double> x = {};  // [steps, batch, input_size]
  std::span<double> y = {};        // [steps, batch, output_size], or [batch, output_size] if y has no time
  std::int64_t steps = 0;
  std::span<const std::int32_t> lengths = {};  // [batch] if sequences differ in length
};

/// The arguments of a backward pass. A span that is empty is not there.
struct ReferenceCotangents {
  std::span<const double> dy = {};  // the cotangent of y, in the shape of y; 0 if it is not there
  std::span<double> dx = {};        // [steps, batch, input_size] if it is wanted
};

/// The object is for one thread at a time. Its functions are those of Training; outputs after y have the cotangent 0.
class Reference {
 public:
  /// Errors    Usage (dims), Name, ShapeMismatch, InvalidData as of compile(); Unsupported if the model has a time
  ///           besides T, or inputs that are no part of x
  static Result<Reference> make(const Model& model, const TensorMap& weights, const ReferenceOptions& options = {});

  Reference(Reference&&) noexcept;
  Reference& operator=(Reference&&) noexcept;
  ~Reference();

  std::vector<Port> inputs() const;  // side by side in a row of x
  std::vector<Port> states() const;
  std::vector<std::string> parameters() const;

  /// Computes y. The states go on from the call before, unless reset() or set_state() was called. Errors: ShapeMismatch
  /// (x or y is shorter than the call needs), Usage (steps or lengths), Limit (memory); states are as before then.
  Result<void> forward(const ReferenceArguments& arguments);

  /// Adds to the gradients those of the last forward pass, which is kept: there may be several backward passes. Errors:
  /// Usage (no forward pass), ShapeMismatch, Limit.
  Result<void> backward(const ReferenceCotangents& cotangents);

  /// Starts new sequences.
  void reset() noexcept;

  // These have the meaning of Training's.
  Result<void> set_state(const std::string& name, std::span<const double> values);
  Result<std::vector<double>> state(const std::string& name) const;
  Result<void> set_state_gradient(const std::string& name, std::span<const double> values);
  Result<std::vector<double>> state_gradient(const std::string& name) const;
  std::span<const double> gradient(const std::string& parameter) const noexcept;
  void clear_gradients() noexcept;

  /// Returns the value of a parameter for the caller to change, which counts at once. It is empty for an unknown name.
  std::span<double> weight(const std::string& parameter) noexcept;

 private:
  explicit Reference(std::unique_ptr<reference::Content> content);
  std::unique_ptr<reference::Content> content_;
};

}  // namespace rnnc
