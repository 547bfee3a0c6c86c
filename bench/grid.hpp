// This is the one list of the shapes that are measured: bench_cells registers them, scripts/bench times them and tests
// look at them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rnnc::bench {

struct Shape {
  std::string cell;
  std::int64_t steps = 0, batch = 0, input = 0, hidden = 0, threads = 1;

  /// As benchmarks are named: lstm/T:100/B:1/I:64/H:64/threads:1.
  std::string name() const {
    return cell + "/T:" + std::to_string(steps) + "/B:" + std::to_string(batch) + "/I:" + std::to_string(input) +
           "/H:" + std::to_string(hidden) + "/threads:" + std::to_string(threads);
  }
};

inline const std::vector<std::string> kGridCells = {"lstm", "gru", "gru_cho", "rnn", "lstm_peephole"};

// Powers of two and what stands between them, where caches end; then sizes that fill no vector, or the last in part.
inline const std::vector<std::int64_t> kGridSizes = {8,   16,  20,  32,   40, 48, 64,  96, 128,
                                                     256, 384, 512, 1024, 7,  37, 100, 333};

/// Every cell x H x B x T x threads with I = H; small cells also with I of 1 and 4, one sequence and one thread, as
/// audio and control use them.
inline std::vector<Shape> full_grid() {
  constexpr std::int64_t kLargestSmallCell = 48;
  std::vector<Shape> shapes;
  for (const std::string& cell : kGridCells)
    for (const std::int64_t hidden : kGridSizes)
      for (const std::int64_t steps : {1, 25, 100}) {
        for (const std::int64_t batch : {1, 2, 4, 8, 16, 64})
          for (const std::int64_t threads : {1, 2}) shapes.push_back({cell, steps, batch, hidden, hidden, threads});
        if (hidden > kLargestSmallCell) continue;
        for (const std::int64_t input : {1, 4}) shapes.push_back({cell, steps, 1, input, hidden, 1});
      }
  return shapes;
}

/// A few of them from every regime; the whole takes a minute a round.
inline std::vector<Shape> quick_grid() {
  return {
      // one step
      {"lstm", 1, 1, 16, 16, 1},
      {"lstm", 1, 1, 128, 128, 1},
      {"lstm", 1, 1, 512, 512, 1},
      {"gru", 1, 1, 384, 384, 1},
      {"rnn", 1, 1, 64, 64, 1},
      {"gru_cho", 1, 16, 100, 100, 1},
      // one sequence, tiny cells
      {"lstm", 100, 1, 8, 8, 1},
      {"lstm", 100, 1, 16, 16, 1},
      {"lstm", 100, 1, 1, 20, 1},
      {"gru", 100, 1, 7, 7, 1},
      {"gru", 100, 1, 16, 16, 1},
      {"rnn", 100, 1, 16, 16, 1},
      {"lstm_peephole", 100, 1, 8, 8, 1},
      // one sequence, weights in L1 or L2
      {"lstm", 100, 1, 32, 32, 1},
      {"lstm", 100, 1, 64, 64, 1},
      {"lstm", 100, 1, 128, 128, 1},
      {"lstm", 100, 1, 256, 256, 1},
      {"gru", 100, 1, 37, 37, 1},
      {"gru", 100, 1, 128, 128, 1},
      {"gru_cho", 100, 1, 64, 64, 1},
      {"rnn", 100, 1, 256, 256, 1},
      {"lstm_peephole", 100, 1, 100, 100, 1},
      // one sequence, weights beyond L2
      {"lstm", 25, 1, 512, 512, 1},
      {"lstm", 25, 1, 1024, 1024, 1},
      {"gru", 25, 1, 384, 384, 1},
      {"gru_cho", 25, 1, 512, 512, 1},
      {"rnn", 25, 1, 1024, 1024, 1},
      // small batches
      {"lstm", 100, 4, 64, 64, 1},
      {"lstm", 25, 8, 256, 256, 1},
      {"gru", 25, 2, 333, 333, 1},
      {"gru_cho", 25, 8, 100, 100, 1},
      {"rnn", 100, 4, 40, 40, 1},
      // large batches
      {"lstm", 25, 64, 32, 32, 1},
      {"lstm", 25, 16, 256, 256, 1},
      {"lstm", 25, 64, 512, 512, 1},
      {"gru", 25, 16, 128, 128, 1},
      {"gru_cho", 25, 64, 96, 96, 1},
      {"rnn", 25, 64, 48, 48, 1},
      // two threads
      {"lstm", 100, 1, 32, 32, 2},
      {"lstm", 100, 1, 128, 128, 2},
      {"lstm", 100, 1, 256, 256, 2},
      {"lstm", 25, 1, 512, 512, 2},
      {"lstm", 25, 1, 1024, 1024, 2},
      {"lstm", 25, 16, 256, 256, 2},
      {"gru", 25, 64, 96, 96, 2},
      {"gru", 25, 1, 384, 384, 2},
      {"rnn", 100, 1, 256, 256, 2},
      // one call a step
      {"lstm", 1, 1, 1, 8, 1},
      {"lstm", 1, 1, 1, 16, 1},
      {"lstm", 1, 1, 4, 40, 1},
      {"gru", 1, 1, 1, 20, 1},
      {"gru", 1, 1, 1, 40, 1},
  };
}

}  // namespace rnnc::bench
