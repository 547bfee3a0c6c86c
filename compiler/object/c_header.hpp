// Facts about an object file become the C header that goes with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/object/emit_program.hpp"
#include "runtime/artifact.hpp"

namespace rnnc::compiler {

/// A state of sequence b begins at `state + batch * before + b * row + offset`.
struct StatePlace {
  runtime::TensorInfo tensor;
  std::int64_t size = 0, before = 0, row = 0, offset = 0;
  float low = 0, high = 0;  // as runtime::StateInfo has them
};

struct HeaderFacts {
  std::string name;  // all symbols begin with it
  std::string cpus;  // their names, for people
  const runtime::Description& description;
  const ObjectProgram& program;
  unsigned index_bytes = 8;  // of the integers that functions take
  std::int64_t weights_bytes = 0;
  std::int64_t chunk_rows = 0;                   // the largest of all levels
  bool calls_doubles = false;                    // sums over time call functions of the C compiler's library
  std::int64_t code_bytes = 0, stack_bytes = 0;  // 0 where they are not known
  std::vector<StatePlace> states = {};
};

bool is_c_name(std::string_view name);

std::string c_header(const HeaderFacts& facts);

}  // namespace rnnc::compiler
