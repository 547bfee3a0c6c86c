// A bound network or a program becomes the list of what it takes and gives.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <rnnc/program.hpp>

#include "ir/cell.hpp"

namespace rnnc::tools {

struct NamedSize {
  std::string name;
  std::int64_t size = 0;  // floats of one sequence; a scalar counts as 1
};

struct NamedType {
  std::string name;
  ir::Type type;
};

struct Interface {
  std::string name;
  std::vector<NamedType> inputs;   // sequences of the time T lie side by side in a row of x, in this order
  std::vector<NamedType> outputs;  // the first is y
  std::set<std::string> times;
  std::vector<NamedSize> states;
  std::set<std::string> begun_by_inputs = {};  // the states that inputs begin; an artifact does not tell them
  // The inputs that a lookup takes as an index or makes one of, and the rows of the smallest table; an artifact does
  // not tell them.
  std::map<std::string, std::int64_t> rows_of_tables = {};

  std::vector<NamedType> in_x() const;
  std::int64_t input_size() const;  // floats of a row of x
  const ir::Type& output() const { return outputs.front().type; }
};

Interface interface_of(const ir::Network& network);
Interface interface_of(const Program& program);

}  // namespace rnnc::tools
