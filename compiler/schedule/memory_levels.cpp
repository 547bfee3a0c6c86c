// Reading speeds of rising working sets become the levels of memory: the speeds, in logarithms, are cut into as many
// flat pieces as a Machine has levels, so that the squares of what is left are least in sum. The system is not asked
// for the sizes of its caches, since a virtual machine may name none, or those of a whole host.
#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "compiler/schedule/limits.hpp"

namespace rnnc::compiler {
namespace {

constexpr std::size_t kMostLevels = std::tuple_size_v<decltype(Machine::memory)>;
// Pieces whose speeds differ by less than this factor are one level.
constexpr double kAlike = 1.2;
// A set belongs to a level if it is read at least so far up from the speed of the next level to that of its own.
constexpr double kNearly = 0.5;

struct Piece {
  std::size_t begin = 0, end = 0;  // indices of reading speeds
  double speed = 0;
};

// Returns the sum of squares by which the logarithms of the speeds [begin, end) differ from their mean.
double error_of(const std::vector<ReadSpeed>& reads, std::size_t begin, std::size_t end) {
  double sum = 0, squares = 0;
  for (std::size_t i = begin; i < end; ++i) {
    const double value = std::log(reads[i].bytes_per_second);
    sum += value;
    squares += value * value;
  }
  return squares - sum * sum / static_cast<double>(end - begin);
}

double median_speed(const std::vector<ReadSpeed>& reads, std::size_t begin, std::size_t end) {
  std::vector<double> speeds;
  for (std::size_t i = begin; i < end; ++i) speeds.push_back(reads[i].bytes_per_second);
  const auto middle = speeds.begin() + static_cast<std::ptrdiff_t>(speeds.size() / 2);
  std::nth_element(speeds.begin(), middle, speeds.end());
  return *middle;
}

// Cuts the speeds into at most `most` pieces, by dynamic programming.
std::vector<Piece> cut(const std::vector<ReadSpeed>& reads, std::size_t most) {
  const std::size_t count = reads.size(), pieces = std::min(most, count);
  const std::vector<double> none(count + 1, std::numeric_limits<double>::infinity());
  std::vector<std::vector<double>> error(pieces + 1, none);
  std::vector<std::vector<std::size_t>> begin(pieces + 1, std::vector<std::size_t>(count + 1));
  error[0][0] = 0;
  for (std::size_t k = 1; k <= pieces; ++k)
    for (std::size_t end = k; end <= count; ++end)
      for (std::size_t i = k - 1; i < end; ++i)
        if (const double all = error[k - 1][i] + error_of(reads, i, end); all < error[k][end]) {
          error[k][end] = all;
          begin[k][end] = i;
        }
  std::vector<Piece> result;
  for (std::size_t k = pieces, end = count; k > 0; --k) {
    result.insert(result.begin(), {begin[k][end], end, 0});
    end = begin[k][end];
  }
  return result;
}

// Gives the pieces their speeds, and makes one of neighbours that are alike.
std::vector<Piece> distinct(const std::vector<ReadSpeed>& reads, const std::vector<Piece>& pieces) {
  std::vector<Piece> result;
  for (Piece piece : pieces) {
    piece.speed = median_speed(reads, piece.begin, piece.end);
    if (!result.empty() && result.back().speed < kAlike * piece.speed) {
      piece.begin = result.back().begin;
      piece.speed = median_speed(reads, piece.begin, piece.end);
      result.pop_back();
    }
    result.push_back(piece);
  }
  return result;
}

}  // namespace

std::array<MemoryLevel, kMostLevels> levels_of(const std::vector<ReadSpeed>& reads) {
  const std::vector<Piece> pieces = distinct(reads, cut(reads, kMostLevels));
  std::array<MemoryLevel, kMostLevels> levels{};
  levels.fill({kBeyond, pieces.back().speed});
  std::size_t count = 0;
  for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
    const double speed = pieces[i].speed, least = pieces[i + 1].speed + kNearly * (speed - pieces[i + 1].speed);
    double bytes = 0;
    for (std::size_t k = pieces[i].begin; k < pieces[i + 1].end && reads[k].bytes_per_second >= least; ++k)
      bytes = reads[k].bytes;
    if (bytes > (count == 0 ? 0 : levels[count - 1].bytes)) levels[count++] = {bytes, speed};
  }
  // A level that a single noisy set seems to read faster is no faster.
  for (std::size_t i = levels.size() - 1; i > 0; --i)
    levels[i - 1].bytes_per_second = std::max(levels[i - 1].bytes_per_second, levels[i].bytes_per_second);
  return levels;
}

}  // namespace rnnc::compiler
