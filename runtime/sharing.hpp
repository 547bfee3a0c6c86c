// How a call is shared among threads: by its sequences, which never wait for each other, or by the units of each step.
#pragma once

#include <cstdint>

#include <rnnc/executor.hpp>

#include "runtime/artifact.hpp"

namespace rnnc::runtime {

inline constexpr double kStartSeconds = 4e-6;  // to wake threads that spin, and to wait for their end

struct Shares {
  Sharing sharing = Sharing::Batch;
  int parts = 1;
  double saving = 0;  // seconds, over one thread
};

/// For a call of `steps` steps of `batch` sequences: `sharing` with all threads that can take part, or where that is
/// Auto, what promises to be fastest by an estimate of each way's time.
Shares choose_shares(const Description& description, Sharing sharing, int threads, std::int64_t steps,
                     std::int64_t batch) noexcept;

/// An estimate of what a call takes on one thread.
double seconds_alone(const Description& description, std::int64_t steps, std::int64_t batch) noexcept;

}  // namespace rnnc::runtime
