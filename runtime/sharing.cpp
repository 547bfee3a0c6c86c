#include "runtime/sharing.hpp"

#include <algorithm>
#include <string>

namespace rnnc::runtime {
namespace {

// These constants are in seconds. The description has the time of the products; the constants only have to tell which
// calls are worth sharing.
constexpr double kSecondsPerStage = 30e-9;  // a stage of one sequence, without its products

struct Estimate {
  const Description& description;
  std::int64_t steps;

  // Returns the time of one step of `rows` sequences on a thread that computes `share` of the products.
  double step(double rows, double share) const {
    return share * std::max(rows * description.row_seconds, description.weights_seconds) +
           description.step_stages * kSecondsPerStage;
  }
  double one(std::int64_t batch) const { return static_cast<double>(steps) * step(static_cast<double>(batch), 1); }
  double by_batch(std::int64_t batch, int parts) const { return kStartSeconds + one((batch + parts - 1) / parts); }
  // Blocks are shared whole, so shares may differ; and one thread alone computes the stages that are not shared.
  double by_units(std::int64_t batch, int parts) const {
    const std::int64_t groups = std::max<std::int64_t>(1, description.block_groups);
    const double most = static_cast<double>((groups + parts - 1) / parts) / static_cast<double>(groups);
    const double common = description.recurrent_bytes > 0 ? description.shared_bytes / description.recurrent_bytes : 0;
    const double share = 1 - common + common * most;
    return kStartSeconds + static_cast<double>(steps) *
                               (step(static_cast<double>(batch), share) + description.step_stages * kMeetingSeconds);
  }
};

}  // namespace

Result<void> check_threads(int threads) {
  if (threads >= 1 && threads <= kMaxThreads) return {};
  return Error{ErrorCode::Usage,
               {},
               "threads = " + std::to_string(threads) + " is not between 1 and " + std::to_string(kMaxThreads)};
}

Shares choose_shares(const Description& description, Sharing sharing, int threads, std::int64_t steps,
                     std::int64_t batch) noexcept {
  const Estimate estimate{description, steps};
  const auto limit = [&](std::int64_t most) { return static_cast<int>(std::min<std::int64_t>(threads, most)); };
  const int most_by_batch = limit(batch), most_by_units = limit(std::max<std::int64_t>(1, description.block_groups));
  constexpr double kWorthWaiting = 1;
  switch (sharing) {
    case Sharing::Batch: return {Sharing::Batch, most_by_batch, kWorthWaiting};
    case Sharing::Units: return {Sharing::Units, most_by_units, kWorthWaiting};
    case Sharing::Layers: return {};
    case Sharing::Auto: break;
  }
  const double alone = estimate.one(batch);
  double least = alone;
  Shares best;
  const auto consider = [&](Sharing way, int parts, double seconds) {
    if (seconds >= least) return;
    least = seconds;
    best = {way, parts, alone - seconds};
  };
  for (int parts = 2; parts <= most_by_batch; ++parts) consider(Sharing::Batch, parts, estimate.by_batch(batch, parts));
  for (int parts = 2; parts <= most_by_units; ++parts) consider(Sharing::Units, parts, estimate.by_units(batch, parts));
  return best;
}

double seconds_alone(const Description& description, std::int64_t steps, std::int64_t batch) noexcept {
  return Estimate{description, steps}.one(batch);
}

}  // namespace rnnc::runtime
