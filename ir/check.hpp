// An internal error is a bug of ours: it prints the graph, writes it to repro.rnn (in RNNC_DUMP_DIR or the current
// folder) so that `rnnc run` can repeat it, and aborts. A mistake of the user never ends here.
#pragma once

#include <source_location>
#include <string_view>

namespace rnnc::ir {

struct Graph;

[[noreturn]] void internal_error(const Graph* graph, std::string_view message,
                                 std::source_location where = std::source_location::current());

}  // namespace rnnc::ir

/// Asserts a condition that holds in every correct build; `graph` is a pointer to the graph in work, or nullptr.
#define RNNC_ASSERT(condition, graph) \
  ((condition) ? void() : ::rnnc::ir::internal_error(graph, "assertion failed: " #condition))
