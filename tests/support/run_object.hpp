// Runs an object the way its users do: a C compiler makes a shared library of it and of a few lines around its header.
#pragma once

#include <rnnc/ahead.hpp>

#include "tests/support/subject.hpp"

namespace rnnc::test {

/// Of a cell, by the name of "m"; sequences are of one length. `program` is of the same cell and says what its rows
/// are.
NetworkOutcome run_object(const ObjectFiles& files, const Program& program, const ir::Graph& graph, const Data& data);

}  // namespace rnnc::test
