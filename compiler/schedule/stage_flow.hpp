// What flows between the stages of a schedule: which values each takes from memory, and who put them there.
#pragma once

#include <string>
#include <vector>

#include "compiler/schedule/stages.hpp"

namespace rnnc::compiler {

/// Whether a stage finds `value` in memory; else it computes it from its operands, or has it in a register.
bool is_loaded(const Schedule& schedule, const Stage& stage, ir::Value value);

struct Read {
  enum class From : std::uint8_t { Input, State, Param, Stage };
  From from = From::Stage;
  std::string name;         // of what is declared; of a stage's value that which the cell gives it, or ""
  std::size_t stage = 0;    // of From::Stage
  std::int64_t size = 0;    // floats of a row
  bool in_product = false;  // as a product's vector, all of it for each unit; else a unit's own element
};

struct StageFlow {
  std::vector<Read> reads;          // each once, in the order in which the stage comes to need them
  std::vector<std::string> states;  // that get their next value
  bool output = false;              // writes y
};

/// By stage.
std::vector<StageFlow> flow_of(const Schedule& schedule);

}  // namespace rnnc::compiler
