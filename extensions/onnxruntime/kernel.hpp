// A node of the operator Recurrent in a session of ONNX Runtime: the compiled program of its attributes. Sessions run a
// node from several threads at the same time.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include <rnnc/program.hpp>

#include "extensions/onnxruntime/interface.hpp"
#include "extensions/onnxruntime/node.hpp"

namespace rnnc::onnxruntime {

class Kernel {
 public:
  /// Compiles what read_node reads. Throws a Refusal.
  Kernel(const OrtApi& api, const OrtKernelInfo& info);

  /// Runs whole sequences.
  ///
  /// Shapes    x f32[T, B, I], lengths i32[B], each state f32[B, H];
  ///           y f32[T, B, O] or f32[B, O], each final state f32[B, H]
  /// Errors    a Refusal
  /// Threads   concurrent calls are allowed
  void compute(OrtKernelContext& context);

  const OrtApi& api() const { return api_; }

 private:
  struct Idle {
    State state;
    std::int64_t max_steps;
  };

  Kernel(const OrtApi& api, const Node& node);
  [[noreturn]] void refuse(const std::string& message) const;
  void check_program() const;
  Values input(OrtKernelContext& context, std::size_t index) const;
  float* output(OrtKernelContext& context, std::size_t index, const std::vector<std::int64_t>& shape) const;
  std::vector<std::int64_t> output_shape(std::int64_t steps, std::int64_t batch) const;
  void set_states(OrtKernelContext& context, State& state, std::size_t inputs) const;
  void give_states(OrtKernelContext& context, const State& state) const;
  std::string beyond_states(std::size_t index, const std::string& does) const;
  Idle take(std::int64_t batch, std::int64_t steps);
  void give_back(Idle idle);

  const OrtApi& api_;
  std::string node_;
  std::size_t weights_;  // of the inputs
  Program program_;
  std::vector<Port> states_;
  std::mutex mutex_;
  // States that no call uses, as many as calls ran at the same time: a call of sizes that one of them fits allocates
  // nothing.
  std::vector<Idle> idle_;
};

}  // namespace rnnc::onnxruntime
