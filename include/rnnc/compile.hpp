// From a model and its weights to a program for the CPU at hand.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <rnnc/executor.hpp>
#include <rnnc/export.hpp>
#include <rnnc/model.hpp>
#include <rnnc/program.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

namespace RNNC_API rnnc {

struct CompileOptions {
  std::string cell =
      {};  // which network or cell; may be left out where there is one network, or one cell and no network
  std::string cpu = {};                           // LLVM's name of a CPU; "" or "host" is this machine's, or RNNC_ISA's
  std::map<std::string, std::int64_t> dims = {};  // what does not follow from the weights
  int threads = 1;  // that a call may use, at most kMaxThreads; those that would not make it faster stay idle
  std::shared_ptr<Executor> executor = nullptr;  // whose threads they are; null: the program has its own
  Sharing sharing = Sharing::Auto;               // what the threads divide among them
  // How stages are laid on the machine, as `rnnc inspect --emit plan` prints it, for experiments. "": what `rnnc bench
  // --tune` has found, or else what the cost model prefers. The bits of the results do not depend on it.
  std::string plan = {};
  // Auto is an error where only the portable executor can be had and `cpu` or `plan` ask for what it has not.
  Backend backend = Backend::Auto;
  bool cache = true;  // use and keep generated code in the user's cache folder, unless RNNC_CACHE says otherwise
};

/// Compiles one network or cell and packs its weights, which may be freed afterwards.
///
/// Shapes    each tensor as its parameter is declared, f32, or f16, bf16 and f64 converted
/// Errors    Usage (dims, threads, CPU), Name, ShapeMismatch, InvalidData (missing and left over tensors),
/// InvalidModel,
///           Limit, Unsupported
Result<Program> compile(const Model& model, const TensorMap& weights, const CompileOptions& options = {});

}  // namespace rnnc
