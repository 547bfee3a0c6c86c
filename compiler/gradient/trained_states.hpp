// TrainedStates are the states of a Training by the names of its network: their values before and behind a forward
// pass, the cotangents that the caller gives them, and those that a backward pass finds.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include <rnnc/program.hpp>

namespace rnnc::compiler {

class TrainedStates {
 public:
  /// A state of the network.
  struct Names {
    std::string forward;    // its name in the forward network
    std::string backward;   // the state of the backward network that is its cotangent, or ""
    bool is_begun = false;  // its first values follow from inputs
    bool is_input = false;  // the cotangent of its last values is an input of the backward network
  };

  TrainedStates(State forward, State backward);

  /// Declares a state, [batch, size] row-major.
  void add(const std::string& name, Names names, std::int64_t elements);

  /// These have the meaning of Training's. Errors: Name, ShapeMismatch.
  Result<void> set(const std::string& name, std::span<const float> values);
  Result<std::vector<float>> get(const std::string& name) const;
  Result<void> set_gradient(const std::string& name, std::span<const float> values);
  Result<std::vector<float>> gradient(const std::string& name) const;

  /// Returns the cotangent that the caller gave to the last values of a state.
  std::span<const float> last_cotangent(const std::string& name) const noexcept;

  /// The next forward pass starts new sequences, from zeros or the network's own first values, after reset() and until
  /// one has ended or a state was set.
  void reset() noexcept;
  bool starts_new() const noexcept { return starts_new_; }
  void end_forward() noexcept { starts_new_ = false; }

  /// A backward pass begins with the cotangents that were given, and forgets them at its end.
  void begin_backward() noexcept;
  void end_backward() noexcept;

  State& forward() noexcept { return forward_; }
  State& backward() noexcept { return backward_; }

 private:
  struct Trained {
    Names names;
    std::vector<float> d_last;
  };

  State forward_, backward_;
  std::map<std::string, Trained> states_;
  bool starts_new_ = true;
};

}  // namespace rnnc::compiler
