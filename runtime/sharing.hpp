// How a call is shared among threads: by its sequences, which never wait for each other, or by the units of each step.
#pragma once

#include <cstdint>

#include "runtime/artifact.hpp"

namespace rnnc::runtime {

enum class Sharing : std::uint8_t { None, Batch, Units };

struct Shares {
  Sharing sharing = Sharing::None;
  int parts = 1;
};

/// What promises to be fastest for a call of `steps` steps of `batch` sequences, by an estimate of each way's time.
Shares choose_shares(const Description& description, int threads, std::int64_t steps, std::int64_t batch) noexcept;

}  // namespace rnnc::runtime
