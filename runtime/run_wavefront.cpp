// This file runs layers of a network as a wavefront if that promises to be faster, and decides how time is cut into
// chunks. On two threads, 100 steps of three layers of LSTM of 64 units with one sequence take 156 us instead of 258.
#include <algorithm>
#include <cmath>

#include "runtime/network_run.hpp"
#include "runtime/sharing.hpp"

namespace rnnc::runtime {

// The chunks of a wavefront's time, and the time that the wavefront promises to save.
struct NetworkRun::Chunks {
  NetworkRun& run;
  const Wavefront& wavefront;
  int first_call = 0;
  std::int64_t steps = 0, chunk_steps = 0, count = 0;
  int parts = 1;
  double saving = 0;  // seconds saved over running one layer after another, each shared as is best for it

  Chunks(NetworkRun& all, const Wavefront& front) noexcept;

  // Runs chunks until none is left.
  void operator()(int) noexcept {
    const std::span<Progress> progress(run.workspace_.progress.data(), wavefront.reads.size());
    const auto run_chunk = [](void* of, int call, std::int64_t index) noexcept {
      const Chunks& me = *static_cast<Chunks*>(of);
      const TimeChunk chunk = me.chunk(index);
      me.run.run_call(me.first_call + call, Threads{}, &chunk);
    };
    work(wavefront, count, progress, run_chunk, this);
  }

  TimeChunk chunk(std::int64_t index) const noexcept {
    const std::int64_t first = index * chunk_steps;
    return {first, std::min(chunk_steps, steps - first), index + 1 == count};
  }
};

NetworkRun::Chunks::Chunks(NetworkRun& all, const Wavefront& front) noexcept
    : run(all), wavefront(front), first_call(all.list_.first_call(front.first_wave)) {
  // A chunk costs this much more than its steps: its rows go from core to core, and the weights of another layer are
  // read again. Measured with LSTM of 16 to 64 units.
  constexpr double kChunkSeconds = 1.2e-6;
  constexpr std::int64_t kRows = 6;  // rows of a product's tile
  const bool forced = all.threads_.sharing == Sharing::Layers;
  const int calls = static_cast<int>(front.reads.size());
  double alone = 0, longest = 0, shared = 0;
  for (int i = first_call; i < first_call + calls; ++i) {
    const Description& description = all.cell_of(i)->description;
    const Work work = all.work_of(i);
    const double seconds = seconds_alone(description, work.steps, work.batch);
    alone += seconds;
    longest = std::max(longest, seconds);
    shared += seconds - choose_shares(description, Sharing::Auto, all.threads_.useful, work.steps, work.batch).saving;
  }
  parts = std::min(forced ? all.threads_.count : all.threads_.useful, calls);
  const double cost = kChunkSeconds * calls / parts;
  // Threads wait for the first chunks and for the last ones: shorter chunks make these waits shorter, but there are
  // more chunks.
  const auto wanted = std::max<std::int64_t>(2, std::llround(std::sqrt(longest / cost)));
  const std::int64_t tile = std::max<std::int64_t>(1, forced ? 1 : kRows / std::max<std::int64_t>(1, all.batch_));
  steps = all.timeline(all.list_.running(first_call).time)->live_steps();
  chunk_steps = ((steps + wanted - 1) / wanted + tile - 1) / tile * tile;
  count = chunk_steps == 0 ? 0 : (steps + chunk_steps - 1) / chunk_steps;
  const double chunks = static_cast<double>(std::max<std::int64_t>(1, count));
  saving = forced ? 1
                  : shared - std::max(longest, alone / parts) - longest / chunks * (parts - 1) - chunks * cost -
                        kStartSeconds;
}

const Wavefront* NetworkRun::wavefront_at(int wave) const noexcept {
  for (const Wavefront& wavefront : network_.wavefronts)
    if (wavefront.first_wave == wave) return &wavefront;
  return nullptr;
}

// Runs a wavefront. Returns false, with nothing run, if it does not promise to be faster or the threads are not
// available.
bool NetworkRun::run_wavefront(const Wavefront& wavefront) noexcept {
  if (threads_.sharing != Sharing::Auto && threads_.sharing != Sharing::Layers) return false;
  Chunks chunks(*this, wavefront);
  const Timeline& time = *timeline(list_.running(chunks.first_call).time);
  if (chunks.parts < 2 || chunks.count < 2 || chunks.saving <= 0 || time.is_ragged()) return false;
  for (Progress& progress : workspace_.progress) progress.done.store(0, std::memory_order_relaxed);
  return run_parts(threads_, chunks, chunks.parts, chunks.saving);
}

}  // namespace rnnc::runtime
