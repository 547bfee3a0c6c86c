// A model and its weights become a program for the CPU at hand.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <rnnc/executor.hpp>
#include <rnnc/export.hpp>
#include <rnnc/model.hpp>
#include <rnnc/program.hpp>
#include <rnnc/ranges.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>
#include <rnnc/weight_format.hpp>

namespace RNNC_API rnnc {

struct CompileOptions {
  // The name of the network or cell; it may be left out if there is one network, or one cell and no network.
  std::string cell = {};
  std::string cpu = {};                           // LLVM's name of a CPU; "" or "host" is this machine's, or RNNC_ISA's
  std::map<std::string, std::int64_t> dims = {};  // the dims that do not follow from the weights
  // The most that a call may use, up to kMaxThreads. A call leaves threads idle that would not make it faster.
  int threads = 1;
  std::shared_ptr<Executor> executor = nullptr;  // owns the threads; null: the program has its own
  Sharing sharing = Sharing::Auto;               // the way in which threads share a call
  // The plan of the stages, in the form that `rnnc inspect --emit plan` prints, for experiments. "" is the plan that
  // `rnnc bench --tune` has found, or else the one that the cost model prefers. The bits of the results do not depend
  // on it.
  std::string plan = {};
  // Auto is an error if the system allows only the portable executor and that executor lacks the `cpu` or `plan`.
  Backend backend = Backend::Auto;
  bool cache = true;  // use and keep generated code in the user's cache folder, unless RNNC_CACHE says otherwise
  // The most threads that generate code at the same time, of a network with several kinds of cells; they end before
  // compile() returns, or with Tiered before the code is there. 0 stands for as many as there are CPUs.
  int compile_threads = 0;
  WeightFormat weights = WeightFormat::F32;  // of all products
  // Products in the step leave out blocks of weights that are zero, where weights are integers: results have the same
  // bits, sooner where most blocks are zero and later where few are.
  bool sparse = false;
  // The ranges that `rnnc calibrate` has measured of this model with these weights; other formats than those of
  // integers need none.
  Ranges ranges = {};
};

/// Compiles one network or cell and packs its weights, which may be freed afterwards.
///
/// Shapes    each tensor as its parameter is declared, f32, or f16, bf16 and f64 converted
/// Errors    Usage (dims, threads, CPU), Name, ShapeMismatch, InvalidData (missing and left over tensors, a weight
///           that is beyond CompileOptions::weights, ranges of another model), InvalidModel, Limit, Unsupported
Result<Program> compile(const Model& model, const TensorMap& weights, const CompileOptions& options = {});

}  // namespace rnnc
