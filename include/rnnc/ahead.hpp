// Compilation ahead of time: to an object file that a C program links, and to an artifact that the runtime loads
// without a compiler. Both hold the weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <rnnc/export.hpp>
#include <rnnc/model.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

namespace RNNC_API rnnc {

struct ObjectOptions {
  std::string cell = {};  // as in CompileOptions
  std::map<std::string, std::int64_t> dims = {};
  std::string name = {};  // what all symbols of the object begin with; "": the cell's or network's name
  // CPUs by LLVM's names; of several, the last that the machine can run is taken at the first call. None: this
  // machine's. aarch64- and a name, alone: one CPU of AArch64.
  std::vector<std::string> targets = {};
};

struct ObjectFiles {
  // Relocatable, position-independent; defines NAME_run, NAME_start, and NAME_step of what can run step by step.
  std::vector<std::byte> object;
  std::string header;  // C99, and C++
};

/// Compiles a cell or network with its weights for programs that link the object and nothing of rnnc. It has the bits
/// of a program of one thread; its sequences are all of as many steps.
///
/// Errors    as `compile`; Usage where `name` is no C name or a target is unknown; Unsupported where this machine
/// cannot
///           prepare the weights for a target
Result<ObjectFiles> compile_object(const Model& model, const TensorMap& weights, const ObjectOptions& options = {});

struct ArtifactOptions {
  std::string cell = {};  // as in CompileOptions
  std::map<std::string, std::int64_t> dims = {};
  std::string cpu = {};
  int threads = 1;  // that a call may use at most
};

/// Compiles a cell or network with its weights into what `load_artifact` reads.
///
/// Errors    as `compile_object`
Result<std::vector<std::byte>> compile_artifact(const Model& model, const TensorMap& weights,
                                                const ArtifactOptions& options = {});

}  // namespace rnnc
