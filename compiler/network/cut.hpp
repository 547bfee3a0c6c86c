// A network as the list of calls that an executor makes, in order: cells over sequences or, for expressions between
// them, cells without states that are made up here; and functions over time. Values live in buffers.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "ir/cell.hpp"

namespace rnnc::compiler {

/// Rows of `width` floats: [steps, B, width] of a time, or [B, width].
struct Buffer {
  std::string axis;  // the time; "" for one row a sequence
  std::int64_t width = 0;
  std::string input;  // the network's input that it is; "" for what a call writes
};

/// Columns [begin, end) of a buffer. A buffer of one row a sequence stands for that row at each step.
struct Columns {
  std::size_t buffer = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;
  friend bool operator==(const Columns&, const Columns&) = default;
};

using Row = std::vector<Columns>;  // side by side, as the inputs of a cell lie in a row of x

/// Behind the row's last columns, of which they are part where they follow them in their buffer.
void append(Row& row, const Columns& columns);

/// Columns [begin, end) of a row.
Row columns_of(const Row& row, std::int64_t begin, std::int64_t end);

/// Runs a cell from each sequence's first step to its last, or from its last to its first.
struct CellCall {
  ir::Cell cell;       // bound
  std::string prefix;  // "a." or "a.fwd.": of the states, as the caller of the network names them; "" of an expression
  std::string axis;    // the time; "" for one step on one row a sequence
  bool reverse = false;                // row t of y belongs to row t of x all the same
  Row x;                               // may be empty: a cell without inputs
  std::map<std::string, Row> initial;  // state -> where its first value lies; others are the caller's, or 0
  bool begins_anew = false;  // at each call of the network, as begun_by_inputs says; else where a sequence begins
  std::map<std::string, std::string> weights;       // parameter -> the network's name of it
  std::size_t y = 0;                                // buffer of the output
  std::map<std::string, std::size_t> final_states;  // state -> buffer [B, H], of those that the network reads
};

/// From a sequence, over its own length, to one row.
struct TimeCall {
  ir::OverTime over_time{};
  std::string axis;
  Row x;
  std::size_t y = 0;
};

using Call = std::variant<CellCall, TimeCall>;

struct CallList {
  std::vector<Buffer> buffers;
  std::vector<Call> calls;  // each reads inputs and what calls before it write; no two write one buffer
  Row output;
  std::string output_axis;  // its time; "" for one row a sequence. Rows behind the end of a sequence are 0
};

/// `network` is bound and verified. A bidirectional scan becomes two calls. Expressions that lie between the same scans
/// and functions over time become one call; slices and concatenations of what is in buffers need none. Every scan is
/// called, since its final states are results too; other values only where the output needs them.
CallList cut_network(const ir::Network& network);

/// One line a call, then the cells that were made up: for tests and people.
std::string print(const CallList& list);

}  // namespace rnnc::compiler
