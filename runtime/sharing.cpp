#include "runtime/sharing.hpp"

#include <algorithm>

namespace rnnc::runtime {
namespace {

// Orders of magnitude of a core of today, in seconds: they only have to tell what is worth sharing.
constexpr double kSecondsPerFlop = 1 / 100e9;
constexpr double kSecondsPerByte = 1 / 100e9;  // of weights, from L2
constexpr double kSecondsPerStage = 30e-9;     // what a stage takes besides its products, with one sequence
constexpr double kStart = 4e-6;                // to wake threads that spin, and to wait for their end
constexpr double kMeeting = 150e-9;            // of threads at the end of a stage, which never come at once

struct Estimate {
  const Description& description;
  std::int64_t steps;

  // Products of `rows` sequences at one step, of which this thread has a share.
  double step(double rows, double share) const {
    const double weights = description.recurrent_bytes * kSecondsPerByte;
    return share * std::max(rows * description.flops_per_step * kSecondsPerFlop, weights) +
           description.step_stages * kSecondsPerStage;
  }
  double one(std::int64_t batch) const { return static_cast<double>(steps) * step(static_cast<double>(batch), 1); }
  double by_batch(std::int64_t batch, int parts) const { return kStart + one((batch + parts - 1) / parts); }
  // Blocks are shared whole, so that shares may differ.
  double by_units(std::int64_t batch, int parts) const {
    const std::int64_t groups = std::max<std::int64_t>(1, description.block_groups);
    const double share = static_cast<double>((groups + parts - 1) / parts) / static_cast<double>(groups);
    return kStart +
           static_cast<double>(steps) * (step(static_cast<double>(batch), share) + description.step_stages * kMeeting);
  }
};

}  // namespace

Shares choose_shares(const Description& description, int threads, std::int64_t steps, std::int64_t batch) noexcept {
  const Estimate estimate{description, steps};
  Shares best;
  double least = estimate.one(batch);
  for (int parts = 2; parts <= threads; ++parts) {
    const auto consider = [&](Sharing sharing, double seconds) {
      if (seconds >= least) return;
      least = seconds;
      best = {sharing, parts};
    };
    if (parts <= batch) consider(Sharing::Batch, estimate.by_batch(batch, parts));
    if (parts <= description.block_groups) consider(Sharing::Units, estimate.by_units(batch, parts));
  }
  return best;
}

}  // namespace rnnc::runtime
