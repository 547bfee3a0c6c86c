// Our own bugs: an internal error prints the graph, writes it to repro.rnn (in RNNC_DUMP_DIR or the current folder) so
// that `rnnc run` replays it, and aborts. Mistakes of the user never end here.
#pragma once

#include <source_location>
#include <string_view>

namespace rnnc::ir {

struct Graph;

[[noreturn]] void internal_error(const Graph* graph, std::string_view message,
                                 std::source_location where = std::source_location::current());

}  // namespace rnnc::ir

/// Holds in every correct build; `graph` (a pointer, or nullptr) is what was being worked on.
#define RNNC_ASSERT(condition, graph) \
  ((condition) ? void() : ::rnnc::ir::internal_error(graph, "assertion failed: " #condition))
