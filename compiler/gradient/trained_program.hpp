// A program whose weights change: it is compiled once, and packs the weights of its cells again when they were changed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/network/network.hpp"
#include "runtime/program.hpp"

namespace rnnc::compiler {

class TrainedProgram {
 public:
  /// Compiles a bound network. `weights` has a tensor of f32 for each weight of the network. With an `executor` the
  /// program uses its threads. Errors: those of compile_network.
  static Result<std::unique_ptr<TrainedProgram>> make(const ir::Network& network, const Tier& tier, TensorMap weights,
                                                      const CompileOptions& options,
                                                      std::shared_ptr<Executor> executor);

  const Program& program() const { return *program_; }
  const runtime::LoadedProgram& loaded() const { return *loaded_; }
  const runtime::Threads& threads() const { return loaded_->threads; }

  /// Returns the elements of a weight, which repack() makes count.
  std::span<float> weight(const std::string& name);

  /// Errors: Limit.
  Result<void> repack();

 private:
  TrainedProgram(const ir::Network& network, std::string cpu, TensorMap weights)
      : network_(network), cpu_(std::move(cpu)), weights_(std::move(weights)) {}

  const ir::Network network_;
  const std::string cpu_;
  TensorMap weights_;
  std::vector<std::shared_ptr<runtime::LoadedCell>> cells_;
  std::vector<runtime::TensorRefs> refs_;  // the tensors of each cell, in `weights_`
  std::shared_ptr<runtime::LoadedProgram> loaded_;
  std::optional<Program> program_;
};

}  // namespace rnnc::compiler
