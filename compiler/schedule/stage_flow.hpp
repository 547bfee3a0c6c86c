// A schedule becomes the flow between its stages: the values that each stage loads from memory, and the stage or
// declaration that each value comes from.
#pragma once

#include <string>
#include <vector>

#include "compiler/schedule/stages.hpp"

namespace rnnc::compiler {

/// Tells whether a stage loads `value` from memory. If not, the stage computes `value` from its operands or has it in a
/// register.
bool is_loaded(const Schedule& schedule, const Stage& stage, ir::Value value);

struct Read {
  enum class From : std::uint8_t { Input, State, Param, Stage };
  From from = From::Stage;
  std::string name;         // the value's name in the text of the cell; "" if there is none
  std::size_t stage = 0;    // the stage that stores it, for From::Stage
  std::int64_t size = 0;    // the floats of a row
  bool in_product = false;  // true: each unit reads the whole vector, as a product does
};

struct StageFlow {
  std::vector<Read> reads;          // each value once, in the order in which the stage needs them
  std::vector<std::string> states;  // the states that get their next value here
  bool output = false;              // true if the stage writes y
};

/// Returns the flow of each stage.
std::vector<StageFlow> flow_of(const Schedule& schedule);

}  // namespace rnnc::compiler
