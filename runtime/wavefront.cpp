#include "runtime/wavefront.hpp"

#include <algorithm>
#include <optional>
#include <thread>

#include "runtime/network.hpp"
#include "runtime/pause.hpp"

namespace rnnc::runtime {
namespace {

bool overlap(const Piece& a, const Piece& b) { return a.block == b.block && a.begin < b.end && b.begin < a.end; }

// Grows one wavefront, wave by wave.
class Grower {
 public:
  Grower(const LoadedNetwork& network, int wave) : network_(network), result_{wave, wave, {}} {}

  Wavefront run() {
    while (result_.end_wave + 1 < static_cast<int>(network_.waves.size()) && takes(result_.end_wave))
      ++result_.end_wave;
    return std::move(result_);
  }

 private:
  const CellCall* call(int i) const { return std::get_if<CellCall>(&network_.calls[static_cast<std::size_t>(i)]); }
  int first_call(int wave) const { return network_.waves[static_cast<std::size_t>(wave)]; }

  // What it read of the wavefront's so far is added then.
  bool takes(int wave) {
    std::vector<std::vector<int>> reads;
    for (int i = first_call(wave); i < first_call(wave + 1); ++i) {
      const CellCall* each = call(i);
      if (!each || each->reverse || each->time == kNoTime) return false;
      if (each->time != call(first_call(result_.first_wave))->time) return false;
      std::optional<std::vector<int>> of_call = reads_of(*each);
      if (!of_call) return false;
      reads.push_back(std::move(*of_call));
    }
    result_.reads.insert(result_.reads.end(), reads.begin(), reads.end());
    return true;
  }

  // Nothing where it needs more of a call than the rows of its own steps.
  std::optional<std::vector<int>> reads_of(const CellCall& reader) const {
    std::vector<int> reads;
    const int first = first_call(result_.first_wave);
    for (int i = first; i < first_call(result_.end_wave); ++i) {
      const CellCall& writer = *call(i);
      for (const FinalState& final : writer.final_states)
        if (needs(reader, final.to)) return std::nullopt;
      const auto reads_rows = [&](const Piece& piece) { return overlap(piece, writer.y); };
      if (std::any_of(reader.x.begin(), reader.x.end(), reads_rows)) reads.push_back(i - first);
    }
    return reads;
  }

  static bool needs(const CellCall& reader, const Piece& written) {
    const auto reads = [&](const Piece& piece) { return overlap(piece, written); };
    return std::any_of(reader.x.begin(), reader.x.end(), reads) ||
           std::any_of(reader.initial.begin(), reader.initial.end(), [&](const InitialState& initial) {
             return std::any_of(initial.from.begin(), initial.from.end(), reads);
           });
  }

  const LoadedNetwork& network_;
  Wavefront result_;
};

bool is_ready(const Wavefront& wavefront, std::int64_t chunks, std::span<Progress> progress, std::size_t call) {
  const std::int64_t next = progress[call].done.load(std::memory_order_acquire);
  return next < chunks && std::all_of(wavefront.reads[call].begin(), wavefront.reads[call].end(), [&](int below) {
           return progress[static_cast<std::size_t>(below)].done.load(std::memory_order_acquire) > next;
         });
}

}  // namespace

std::vector<Wavefront> find_wavefronts(const LoadedNetwork& network) {
  std::vector<Wavefront> result;
  for (int wave = 0; wave + 1 < static_cast<int>(network.waves.size());) {
    Wavefront found = Grower(network, wave).run();
    wave = std::max(wave + 1, found.end_wave);
    if (found.end_wave - found.first_wave > 1) result.push_back(std::move(found));
  }
  return result;
}

void work(const Wavefront& wavefront, std::int64_t chunks, std::span<Progress> progress, RunChunk run,
          void* context) noexcept {
  constexpr int kLooksToYield = 4096;  // a thread that is not running will not finish its chunk sooner
  const auto is_done = [&](const Progress& call) { return call.done.load(std::memory_order_acquire) == chunks; };
  for (int looks = 1; !std::all_of(progress.begin(), progress.end(), is_done); ++looks) {
    // The highest layer first: that keeps the layers close, and rows in the caches.
    for (std::size_t call = progress.size(); call-- > 0;) {
      Progress& mine = progress[call];
      if (!is_ready(wavefront, chunks, progress, call) || mine.taken.exchange(true, std::memory_order_acquire))
        continue;
      // Another thread may have done the chunk between the look and the taking.
      if (is_ready(wavefront, chunks, progress, call)) {
        const std::int64_t chunk = mine.done.load(std::memory_order_relaxed);
        run(context, static_cast<int>(call), chunk);
        mine.done.store(chunk + 1, std::memory_order_release);
        looks = 0;
      }
      mine.taken.store(false, std::memory_order_release);
      break;
    }
    if (looks % kLooksToYield == 0) std::this_thread::yield();
    if (looks > 0) pause();
  }
}

}  // namespace rnnc::runtime
