// From a bound network to a program: its list of calls, code for each kind of cell once, and the blocks of memory.
#pragma once

#include <functional>

#include <rnnc/compile.hpp>

#include "compiler/network/cut.hpp"
#include "compiler/network/start_values.hpp"
#include "compiler/schedule/cell_code.hpp"
#include "runtime/network.hpp"

namespace rnnc::compiler {

/// The calls that a bound network is run as, and where its scans begin.
struct NetworkCalls {
  CallList list;
  Starts starts;
};
NetworkCalls calls_of(const ir::Network& network);

/// Where the values of a call list lie and which calls are of one wave; calls have no cells yet, which are those of
/// `list` in the order of `source`.
struct NetworkLayout {
  runtime::LoadedNetwork network;
  std::vector<std::size_t> source;  // by call: its place in the list
};

/// Buffers that another call or the output wants side by side are laid side by side where that can be.
NetworkLayout lay_out(const CallList& list, const ir::Network& network);

/// A network without its cells' code and weights, for whoever adds them.
struct NetworkParts {
  runtime::Description description;  // names and sizes only
  runtime::LoadedNetwork network;
};

/// Adds code and weights of `cell` for `call`, whose cell it may set, and answers the description of that code, which
/// must live on until put_together returns.
using AddCell = std::function<Result<const runtime::Description*>(const ir::Cell& cell, const TensorMap& weights,
                                                                  runtime::CellCall& call)>;

/// `network` is bound and will run on `cpu`. Errors: those of pack_weights, with the names that the network gives to
/// weights, and of `add_cell`.
Result<NetworkParts> put_together(const ir::Network& network, const std::string& cpu, const TensorMap& weights,
                                  const AddCell& add_cell);

/// `network` is bound. Errors: Usage where a plan is given; those of `make_code` and load_cell, with the names that the
/// network gives to weights.
Result<Program> compile_network(const ir::Network& network, const std::string& cpu, const TensorMap& weights,
                                const CompileOptions& options, const MakeCode& make_code);

}  // namespace rnnc::compiler
