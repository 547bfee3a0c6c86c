// From a bound network to a program: its list of calls, code for each kind of cell once, and the blocks of memory.
#pragma once

#include <rnnc/compile.hpp>

#include "compiler/start_values.hpp"
#include "compiler/target.hpp"
#include "ir/cut_network.hpp"
#include "runtime/network.hpp"

namespace rnnc::compiler {

/// The calls that a bound network is run as, and where its scans begin.
struct NetworkCalls {
  ir::CallList list;
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
NetworkLayout lay_out(const ir::CallList& list, const ir::Network& network);

/// `network` is bound. Errors: Usage where a plan is given; those of code_of and load_cell, with the names that the network gives to weights.
Result<Program> compile_network(const ir::Network& network, const Target& target, const TensorMap& weights,
                                const CompileOptions& options);

}  // namespace rnnc::compiler
