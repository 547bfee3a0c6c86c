// A network becomes the list of calls that an executor makes, in order. A call runs a cell over sequences, or a
// function over time. Expressions between such calls become new cells without states. Values are kept in buffers.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "ir/cell.hpp"
#include "runtime/check_weights.hpp"

namespace rnnc::compiler {

/// Rows of `width` floats: [steps, B, width] on a timeline, or [B, width].
struct Buffer {
  std::string axis;  // the timeline; "" for one row a sequence
  std::int64_t width = 0;
  std::string input;  // the input of the network that the buffer holds; "" if a call writes it
};

/// Columns [begin, end) of a buffer. If the buffer has one row for each sequence, every step reads this row.
struct Columns {
  std::size_t buffer = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;
  friend bool operator==(const Columns&, const Columns&) = default;
};

using Row = std::vector<Columns>;  // columns side by side, as the inputs of a cell in a row of x

/// Appends columns to a row. They extend the last columns of the row if they follow these in the same buffer.
void append(Row& row, const Columns& columns);

/// Returns columns [begin, end) of a row.
Row columns_of(const Row& row, std::int64_t begin, std::int64_t end);

/// Runs a cell from each sequence's first step to its last, or from its last to its first.
struct CellCall {
  ir::Cell cell;                       // the bound cell
  std::string prefix;                  // "a." or "a.fwd." before the caller's names of states; "" for an expression
  std::string axis;                    // the timeline; "" for one step on one row a sequence
  bool reverse = false;                // row t of y belongs to row t of x in both directions
  Row x;                               // empty for a cell without inputs
  std::map<std::string, Row> initial;  // state -> its first value; other states are the caller's, or 0
  bool begins_anew = false;            // true: states begin at each call of the network (begun_by_inputs)
  std::map<std::string, std::string> weights;       // parameter -> the network's name of it
  std::size_t y = 0;                                // the buffer of the output
  std::map<std::string, std::size_t> final_states;  // state -> buffer [B, H], for states that the network reads
};

/// Adds to `to` the measured ranges of those nodes of `from` that are needed and have become `values` there.
void copy_ranges(const ir::Graph& from, const std::vector<bool>& needed, const std::vector<ir::Value>& values,
                 ir::Cell& to);

/// Returns the weights of a call by the names of its cell's parameters.
runtime::TensorRefs weights_of(const CellCall& call, const TensorMap& weights);

/// Runs a function over each sequence, over the sequence's own length, and writes one row for each sequence, or for
/// each of its steps where the function gives a sequence.
struct TimeCall {
  ir::OverTime over_time{};
  std::string axis;
  Row x;
  std::size_t y = 0;
};

using Call = std::variant<CellCall, TimeCall>;

struct CallOutput {
  std::string name;
  std::string axis;  // "" for one row a sequence. Rows past the end of a sequence are 0
  Row row;
};

struct CallList {
  std::vector<Buffer> buffers;
  std::vector<Call> calls;          // a call reads inputs and results of calls before it; no two calls write one buffer
  std::vector<CallOutput> outputs;  // the first is y
};

/// Cuts a bound and verified network into calls. A bidirectional scan becomes two calls. Expressions between the same
/// scans and functions over time become one call; slices and concatenations of buffers need no call. Every scan is
/// called, because its final states are results too. Other values are computed only if an output needs them.
CallList cut_network(const ir::Network& network);

/// Names an output in what people read: "output", or "output energy" where the text gives a name.
std::string title_of(const CallOutput& output);

/// Returns the list as text, for tests and people: one line for each call, then the cells that were made here.
std::string print(const CallList& list);

}  // namespace rnnc::compiler
