// A bound network becomes a program: first a list of calls, then steps and blocks of memory, and code once for each
// kind of cell.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <rnnc/compile.hpp>

#include "compiler/network/cut.hpp"
#include "compiler/network/start_values.hpp"
#include "compiler/schedule/cell_code.hpp"
#include "runtime/network.hpp"
#include "runtime/pack.hpp"
#include "runtime/steps.hpp"

namespace rnnc::compiler {

/// The calls of a bound network, and the start values of its scans.
struct NetworkCalls {
  CallList list;
  Starts starts;
};
NetworkCalls calls_of(const ir::Network& network);

/// The steps of a call list, in the order in which they run.
struct NetworkLayout {
  runtime::StepList list;           // the steps, without start values
  std::vector<std::size_t> source;  // the place in the call list of each call
  std::vector<std::size_t> cells;   // the place in the call list of each cell's call
};

/// Turns a list of calls into steps. Buffers that a call or an output reads side by side get columns side by side if
/// possible.
NetworkLayout lay_out(const CallList& list, const ir::Network& network);

/// All of a program but the code and weights of its cells.
struct NetworkParts {
  runtime::Description description;  // the names and sizes only
  runtime::StepList list;
};

/// A function that adds code and weights of the next cell and returns the description of the code. The description
/// lives until put_together returns.
using AddCell =
    std::function<Result<const runtime::Description*>(const ir::Cell& cell, const runtime::TensorRefs& weights)>;

/// Checks that every parameter of a bound network has a tensor of the parameter's name and shape, and that no tensor is
/// left over. Errors: those of runtime::check_weights.
RNNC_API Result<void> check_weights(const ir::Network& network, const TensorMap& weights);

/// Checks that weights of this format may be sparse, if they are to be. Errors: Usage.
Result<void> check_sparse(runtime::NumberFormat format, bool sparse);

/// Makes the parts of a program for a bound network that runs on `cpu`, whose products have weights of `format`.
/// `add_cell` is called for each cell of the list in order. Errors: those of check_weights and of `add_cell`.
Result<NetworkParts> put_together(const ir::Network& network, const std::string& cpu, const TensorMap& weights,
                                  runtime::NumberFormat format, const AddCell& add_cell);

/// A tier makes the code of a program.
struct Tier {
  std::string cpu;  // as Program::cpu() tells it
  PlanCode plan_code;
};

/// The cells of a program that have their weights and wait for their code.
struct UnfinishedCells {
  std::vector<std::shared_ptr<runtime::LoadedCell>> cells;
  std::vector<PendingCode> kinds;
  std::vector<std::size_t> kind_of;          // the kind of each cell
  std::vector<runtime::TensorRefs> weights;  // those of each cell, which are the caller's
};

/// A program that can be run as soon as its cells are finished.
struct UnfinishedProgram {
  runtime::Description description;
  runtime::LoadedNetwork network;
  UnfinishedCells unfinished;  // the cells of `network`
};

/// Makes all of a program but the code. Errors: Usage if a plan is given and there are several kinds of cells; those of
/// check_weights, Tier::plan_code and pack_cell.
Result<UnfinishedProgram> begin_network(const ir::Network& network, const Tier& tier, const TensorMap& weights,
                                        const CompileOptions& options);

/// Makes the code of all cells, of several kinds on up to `threads` threads, 0 for as many as there are CPUs, and
/// computes the values that depend on weights only. Errors: those of PendingCode::make.
Result<void> finish_cells(UnfinishedCells& unfinished, int threads);

/// Compiles a bound network. Errors: those of begin_network, finish_cells and load_program.
Result<Program> compile_network(const ir::Network& network, const Tier& tier, const TensorMap& weights,
                                const CompileOptions& options);

/// Compiles a bound network that runs by the quick code of `first` until the code of `later`, which has the same bits,
/// is there. If that code is quick as well, the program runs by it alone. Errors: those of begin_network, finish_cells
/// and load_program; what goes wrong with `later` afterwards, Program::wait_for_code tells.
Result<Program> compile_tiers(const ir::Network& network, const Tier& first, const Tier& later,
                              const TensorMap& weights, const CompileOptions& options);

}  // namespace rnnc::compiler
