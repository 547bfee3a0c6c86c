// From a bound network to a program: its list of calls, its steps and blocks of memory, and code for each kind of cell
// once.
#pragma once

#include <functional>
#include <vector>

#include <rnnc/compile.hpp>

#include "compiler/network/cut.hpp"
#include "compiler/network/start_values.hpp"
#include "compiler/schedule/cell_code.hpp"
#include "runtime/pack.hpp"
#include "runtime/steps.hpp"

namespace rnnc::compiler {

/// The calls that a bound network is run as, and where its scans begin.
struct NetworkCalls {
  CallList list;
  Starts starts;
};
NetworkCalls calls_of(const ir::Network& network);

/// The steps of a call list, in the order in which they run.
struct NetworkLayout {
  runtime::StepList list;           // without start values
  std::vector<std::size_t> source;  // the place in the call list of each of its calls
  std::vector<std::size_t> cells;   // the place in the call list of the call that each of its cells belongs to
};

/// Buffers that another call or the output wants side by side are laid side by side where that can be.
NetworkLayout lay_out(const CallList& list, const ir::Network& network);

/// All of a program but the code and weights of its cells.
struct NetworkParts {
  runtime::Description description;  // names and sizes only
  runtime::StepList list;
};

/// Adds code and weights of the next cell, and answers the description of its code, which lives on until put_together
/// returns.
using AddCell =
    std::function<Result<const runtime::Description*>(const ir::Cell& cell, const runtime::TensorRefs& weights)>;

/// Whether every parameter of a bound network has a tensor of its shape under the name that the network gives it, and
/// none is left over. Errors: those of runtime::check_weights.
Result<void> check_weights(const ir::Network& network, const TensorMap& weights);

/// `network` is bound and will run on `cpu`. Errors: those of check_weights, and of `add_cell`, which is called for
/// each cell of the list in order.
Result<NetworkParts> put_together(const ir::Network& network, const std::string& cpu, const TensorMap& weights,
                                  const AddCell& add_cell);

/// `network` is bound. Errors: Usage where a plan is given and there are several cells; those of `make_code` and
/// load_cell, with the names that the network gives to weights.
Result<Program> compile_network(const ir::Network& network, const std::string& cpu, const TensorMap& weights,
                                const CompileOptions& options, const MakeCode& make_code);

}  // namespace rnnc::compiler
