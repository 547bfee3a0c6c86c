#include "runtime/wavefront.hpp"

#include <algorithm>
#include <optional>

#include "runtime/pause.hpp"
#include "runtime/steps.hpp"

namespace rnnc::runtime {
namespace {

bool overlap(const Piece& a, const Piece& b) { return a.block == b.block && a.begin < b.end && b.begin < a.end; }

// Builds one wavefront, one wave after another.
class Grower {
 public:
  Grower(const StepList& list, int wave) : list_(list), result_{wave, wave, {}} {}

  Wavefront run() {
    while (result_.end_wave < list_.count_waves() && takes(result_.end_wave)) ++result_.end_wave;
    return std::move(result_);
  }

 private:
  // Returns the time over which a call runs forwards, row by row; kNoTime for every other call.
  int time_of(int call) const {
    const Running running = list_.running(call);
    return running.cell < 0 || running.reverse ? kNoTime : running.time;
  }

  // Adds the calls of the wave to the wavefront, all of them or none, and tells whether it did.
  bool takes(int wave) {
    std::vector<std::vector<int>> reads;
    for (int call = list_.first_call(wave); call < list_.first_call(wave + 1); ++call) {
      const int time = time_of(call);
      if (time == kNoTime || time != time_of(list_.first_call(result_.first_wave))) return false;
      std::optional<std::vector<int>> of_call = reads_of(call);
      if (!of_call) return false;
      reads.push_back(std::move(*of_call));
    }
    result_.reads.insert(result_.reads.end(), reads.begin(), reads.end());
    return true;
  }

  // Returns the calls of the wavefront whose rows `reader` reads, counted from the wavefront's first call; nullopt if
  // `reader` needs the final state of one.
  std::optional<std::vector<int>> reads_of(int reader) const {
    std::vector<int> found;
    const int first = list_.first_call(result_.first_wave);
    for (int writer = first; writer < list_.first_call(result_.end_wave); ++writer) {
      bool rows = false;
      for (const AnyStep& written : list_.steps_of(writer)) {
        if (std::holds_alternative<Begin>(written) || !needs(reader, writes(written))) continue;
        if (std::holds_alternative<End>(written)) return std::nullopt;
        rows = true;
      }
      if (rows) found.push_back(writer - first);
    }
    return found;
  }

  bool needs(int reader, const Piece& written) const {
    for (const AnyStep& step : list_.steps_of(reader))
      for (const Piece& piece : reads(step))
        if (overlap(piece, written)) return true;
    return false;
  }

  const StepList& list_;
  Wavefront result_;
};

bool is_ready(const Wavefront& wavefront, std::int64_t chunks, std::span<Progress> progress, std::size_t call) {
  const std::int64_t next = progress[call].done.load(std::memory_order_acquire);
  return next < chunks && std::all_of(wavefront.reads[call].begin(), wavefront.reads[call].end(), [&](int below) {
           return progress[static_cast<std::size_t>(below)].done.load(std::memory_order_acquire) > next;
         });
}

}  // namespace

std::vector<Wavefront> find_wavefronts(const StepList& list) {
  std::vector<Wavefront> result;
  for (int wave = 0; wave < list.count_waves();) {
    Wavefront found = Grower(list, wave).run();
    wave = std::max(wave + 1, found.end_wave);
    if (found.end_wave - found.first_wave > 1) result.push_back(std::move(found));
  }
  return result;
}

void work(const Wavefront& wavefront, std::int64_t chunks, std::span<Progress> progress, RunChunk run,
          void* context) noexcept {
  const auto is_done = [&](const Progress& call) { return call.done.load(std::memory_order_acquire) == chunks; };
  for (Waiting waiting; !std::all_of(progress.begin(), progress.end(), is_done);) {
    bool has_run = false;
    // The highest layer is tried first: the layers stay close to each other, and their rows stay in the caches.
    for (std::size_t call = progress.size(); call-- > 0;) {
      Progress& mine = progress[call];
      if (!is_ready(wavefront, chunks, progress, call) || mine.taken.exchange(true, std::memory_order_acquire))
        continue;
      // Another thread may have finished the chunk between the check and the exchange.
      if (is_ready(wavefront, chunks, progress, call)) {
        const std::int64_t chunk = mine.done.load(std::memory_order_relaxed);
        run(context, static_cast<int>(call), chunk);
        mine.done.store(chunk + 1, std::memory_order_release);
        has_run = true;
      }
      mine.taken.store(false, std::memory_order_release);
      break;
    }
    if (has_run)
      waiting.begin_again();
    else
      waiting.once();
  }
}

}  // namespace rnnc::runtime
