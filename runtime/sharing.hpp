// This header decides how a call is divided among threads: by its sequences, which never wait for each other, or by the
// units of each step.
#pragma once

#include <cstdint>

#include <rnnc/executor.hpp>
#include <rnnc/export.hpp>
#include <rnnc/result.hpp>

#include "runtime/artifact.hpp"

namespace rnnc::runtime {

inline constexpr double kStartSeconds = 4e-6;  // to wake threads that spin, and to wait for their end
// Threads wait for each other at the end of a stage: a flag and the values that the other threads have computed go from
// core to core. Measured with LSTM of 64, 96 and 128 units on two cores: 0.45, 0.27 and 0.35 us.
inline constexpr double kMeetingSeconds = 400e-9;

/// Checks the number of threads that a program is to have. Errors: Usage.
RNNC_API Result<void> check_threads(int threads);

struct Shares {
  Sharing sharing = Sharing::Batch;
  int parts = 1;
  double saving = 0;  // seconds saved over one thread
};

/// Decides the shares of a call of `steps` steps of `batch` sequences. A `sharing` other than Auto uses as many threads
/// as can take part; Auto is the fastest way by an estimate of the time of each.
Shares choose_shares(const Description& description, Sharing sharing, int threads, std::int64_t steps,
                     std::int64_t batch) noexcept;

/// Estimates the time of a call on one thread.
double seconds_alone(const Description& description, std::int64_t steps, std::int64_t batch) noexcept;

}  // namespace rnnc::runtime
