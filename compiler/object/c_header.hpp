// The header that goes with an object file, and the names in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/artifact.hpp"
#include "runtime/network.hpp"

namespace rnnc::compiler {

/// Sequence b of a state: behind `state + batch * before + b * row + offset`.
struct StatePlace {
  runtime::TensorInfo tensor;
  std::int64_t size = 0, before = 0, row = 0, offset = 0;
};

/// Scratch of a call takes these many floats: for each sequence, for each step of each, for each row of a chunk of
/// time, and besides.
struct ScratchSize {
  std::int64_t of_sequence = 0, of_step = 0, of_chunk_row = 0, besides = 0;
};

struct HeaderFacts {
  std::string name;  // what symbols begin with
  std::string cpus;  // for people
  const runtime::Description& description;
  std::int64_t weights_bytes = 0;
  std::int64_t chunk_rows = 0;  // the largest of all levels
  std::int64_t state_row = 0;   // floats of the states of a sequence
  ScratchSize scratch;
  std::vector<StatePlace> states;
  const runtime::LoadedNetwork* network = nullptr;  // null of a cell
};

bool is_c_name(std::string_view name);

std::string c_header(const HeaderFacts& facts);

}  // namespace rnnc::compiler
