// A model and its weights become an object file that a C program links, a module of WebAssembly, or an artifact that
// the runtime loads without a compiler. All hold the weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <rnnc/export.hpp>
#include <rnnc/model.hpp>
#include <rnnc/ranges.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>
#include <rnnc/weight_format.hpp>

namespace RNNC_API rnnc {

struct ObjectOptions {
  std::string cell = {};  // as in CompileOptions
  std::map<std::string, std::int64_t> dims = {};
  std::string name = {};  // begins all symbols of the object; "" is the cell's or network's name
  // CPUs by LLVM's names: the first call picks the last of them that the machine can run. An empty list is this
  // machine's CPU. A name with aarch64- before it stands alone and is a CPU of AArch64.
  std::vector<std::string> targets = {};
  // Hidden symbols are seen within the program or library that the object is linked into, and by no other.
  bool hidden = false;
  WeightFormat weights = WeightFormat::F32;  // as in CompileOptions
  bool sparse = false;
  Ranges ranges = {};  // as in CompileOptions
};

struct ObjectFiles {
  // A relocatable, position-independent object; it defines NAME_run, NAME_start, and NAME_step if it can run step by
  // step.
  std::vector<std::byte> object;
  std::string header;  // C99, and C++
};

/// Compiles a cell or network with its weights for programs that link the object and no library of rnnc. The object
/// gives the bits of a program of one thread; its sequences all have the same number of steps.
///
/// Errors    as `compile`; Usage if `name` is no C name or a target is unknown; Unsupported if this machine cannot
///           prepare the weights for a target
Result<ObjectFiles> compile_object(const Model& model, const TensorMap& weights, const ObjectOptions& options = {});

struct WasmOptions {
  std::string file = "model.wasm";  // the module; all other files are named after it
  bool weights_apart = false;       // in a file of their own, so that the module holds code alone
  bool worklet = false;             // also makes a processor for an AudioWorklet
};

struct WasmFile {
  std::string name;
  std::vector<std::byte> content;
};

/// Lists the files that `compile_wasm` makes: modules, weights, the script, its types, and the processor.
std::vector<std::string> wasm_file_names(const ObjectOptions& options, const WasmOptions& wasm);

/// Compiles a cell or network with its weights into a module of WebAssembly, for one sequence at a time, an ES module
/// that loads it from its own folder and runs it, and the types of that script. Targets are `wasm32`, which is the
/// default, `wasm32-relaxed`, or both: then there are two modules, and the script takes the one that the engine can
/// run. A module gives the bits of a program for a CPU without fused multiply-adds, as long as no number is denormal:
/// WebAssembly cannot flush those.
///
/// Errors    as `compile_object`; Unsupported if the program wasm-ld is missing, if the network has sequences of
///           several times, or if a processor is asked for and an AudioWorklet cannot run the model
Result<std::vector<WasmFile>> compile_wasm(const Model& model, const TensorMap& weights,
                                           const ObjectOptions& options = {}, const WasmOptions& wasm = {});

struct ArtifactOptions {
  std::string cell = {};  // as in CompileOptions
  std::map<std::string, std::int64_t> dims = {};
  // CPUs by LLVM's names, in any order: loading takes the highest that the machine can run. An empty list is the CPU of
  // RNNC_ISA, or this machine's.
  std::vector<std::string> targets = {};
  int threads = 1;                           // the most that a call may use
  WeightFormat weights = WeightFormat::F32;  // as in CompileOptions
  bool sparse = false;
  Ranges ranges = {};  // as in CompileOptions
};

/// Compiles a cell or network with its weights into an artifact that `load_artifact` reads.
///
/// Errors    as `compile_object`; Usage if a target is given twice; Unsupported if a target is not x86-64
Result<std::vector<std::byte>> compile_artifact(const Model& model, const TensorMap& weights,
                                                const ArtifactOptions& options = {});

}  // namespace rnnc
