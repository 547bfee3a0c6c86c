// The header that goes with an object file, and the names in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/artifact.hpp"

namespace rnnc::compiler {

struct HeaderFacts {
  std::string name;  // what symbols begin with
  std::string cpus;  // for people
  const runtime::Description& description;
  std::int64_t chunk_rows = 0;  // the largest of all levels
};

bool is_c_name(std::string_view name);

std::string c_header(const HeaderFacts& facts);

}  // namespace rnnc::compiler
