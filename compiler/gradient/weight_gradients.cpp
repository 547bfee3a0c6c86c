#include "compiler/gradient/weight_gradients.hpp"

#include <algorithm>
#include <utility>

namespace rnnc::compiler {
namespace {

// A part of a matrix is a multiple of this many rows, so that parts do not share tiles.
constexpr std::int64_t kRowsOfPart = 48;

// Threads are worth while from so many multiply-adds on, which take some 20 us.
constexpr double kWorthSharing = 1e6, kMultiplyAddsPerSecond = 4e10;

}  // namespace

WeightGradients::WeightGradients(std::vector<WeightTerm> terms, const std::map<std::string, Shape>& shapes,
                                 std::int64_t batch, const runtime::Threads& threads, AddOuterProducts add_outer)
    : terms_(std::move(terms)), batch_(batch), threads_(threads), add_outer_(add_outer) {
  std::int64_t most_rows = 1, most_elements = 1;
  for (const WeightTerm& term : terms_) {
    most_rows = std::max(most_rows, term.window.rows);
    most_elements = std::max(most_elements, term.window.rows * term.window.columns);
  }
  steps_of_block_ = std::max<std::int64_t>(1, kBlockRows / std::max<std::int64_t>(1, batch));
  for (const auto& [name, shape] : shapes) {
    std::int64_t elements = 1;
    for (const std::int64_t dim : shape) elements *= dim;
    sums_[name] = {std::vector<float>(static_cast<std::size_t>(elements)), shape.size() == 2 ? shape[1] : 1};
  }
  parts_.resize(static_cast<std::size_t>(std::max(1, threads.count)));
  for (Part& part : parts_) {
    part.scratch = runtime::AlignedBuffer(outer_scratch(most_rows));
    part.left.reserve(kBlockRows);
    part.right.reserve(kBlockRows);
    part.chains.resize(static_cast<std::size_t>(most_elements));
  }
}

std::span<const float> WeightGradients::of(const std::string& weight) const {
  const auto found = sums_.find(weight);
  return found == sums_.end() ? std::span<const float>() : std::span<const float>(found->second.values);
}

void WeightGradients::clear() noexcept {
  for (auto& [name, sum] : sums_) std::ranges::fill(sum.values, 0.0F);
}

double WeightGradients::multiply_adds(std::int64_t rows) const noexcept {
  double sum = 0;
  for (const WeightTerm& term : terms_)
    if (term.kind == Term::Kind::Product)
      sum += static_cast<double>(rows * term.count) * static_cast<double>(term.window.rows * term.window.columns);
  return sum;
}

void WeightGradients::add(std::span<const FactorRows> left, std::span<const FactorRows> right, std::int64_t steps,
                          std::span<const std::int32_t> lengths, bool is_first) noexcept {
  const double work = multiply_adds(steps * batch_);
  const int parts = work < kWorthSharing ? 1 : std::min(threads_.count, threads_.useful);
  auto task = [&](int part) noexcept { run_part(part, parts, left, right, steps, lengths, is_first); };
  const double saving = work / kMultiplyAddsPerSecond * (1 - 1.0 / parts);
  if (parts > 1 && runtime::run_parts(threads_, task, parts, saving)) return;
  const runtime::KernelFloatMode mode;
  run_part(0, 1, left, right, steps, lengths, is_first);
}

// Every part goes through the same blocks in the same order, for rows of the matrices of its own.
void WeightGradients::run_part(int part, int parts, std::span<const FactorRows> left, std::span<const FactorRows> right,
                               std::int64_t steps, std::span<const std::int32_t> lengths, bool is_first) noexcept {
  Part& memory = parts_[static_cast<std::size_t>(part)];
  const auto add_rows = [&](std::size_t i, std::int64_t begin, std::int64_t end) {
    const WeightTerm& term = terms_[i];
    const bool has_time = left[i].has_time;
    const auto flush = [&] {
      if (!memory.left.empty()) add_block(memory, i, part, parts);
      memory.left.clear();
      memory.right.clear();
    };
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t t = row / batch_, b = row % batch_;
      if (has_time && !lengths.empty() && t >= lengths[static_cast<std::size_t>(b)]) continue;
      const auto at = [&](const FactorRows& rows) { return rows.data + (rows.has_time ? row : b) * rows.stride; };
      for (std::int64_t p = 0; p < term.count; ++p) {
        memory.left.push_back(at(left[i]) + p * term.left.width / term.count);
        if (term.kind != Term::Kind::Sum) memory.right.push_back(at(right[i]) + p * term.right.width / term.count);
        if (std::ssize(memory.left) == kBlockRows) flush();
      }
    }
    flush();
  };
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    if (!left[i].has_time) {
      if (is_first) add_rows(i, 0, batch_);
      continue;
    }
    for (std::int64_t end = steps; end > 0;) {
      const std::int64_t begin = (end - 1) / steps_of_block_ * steps_of_block_;
      add_rows(i, begin * batch_, end * batch_);
      end = begin;
    }
  }
}

void WeightGradients::add_block(Part& memory, std::size_t term_index, int part, int parts) noexcept {
  const WeightTerm& term = terms_[term_index];
  Sum& sum = sums_.find(term.weight)->second;
  const Window& window = term.window;
  if (term.kind != Term::Kind::Product) {
    if (part != static_cast<int>(term_index) % parts) return;
    return term.kind == Term::Kind::Sum ? add_sums(memory, term, sum) : add_looked_up(memory, term, sum);
  }
  const std::int64_t pieces = (window.rows + kRowsOfPart - 1) / kRowsOfPart;
  const std::int64_t first = pieces * part / parts * kRowsOfPart;
  const std::int64_t end = std::min(window.rows, pieces * (part + 1) / parts * kRowsOfPart);
  if (first >= end) return;
  for (const float*& row : memory.left) row += first;
  add_outer_({.rows = std::ssize(memory.left),
              .left = memory.left.data(),
              .right = memory.right.data(),
              .left_count = end - first,
              .right_count = window.columns,
              .sum = sum.values.data() + (window.row + first) * sum.columns + window.column,
              .stride = sum.columns,
              .scratch = memory.scratch.data()});
}

void WeightGradients::add_sums(Part& memory, const WeightTerm& term, Sum& sum) noexcept {
  const Window& window = term.window;
  const std::int64_t count = window.rows * window.columns;
  float* const chains = memory.chains.data();
  std::fill_n(chains, count, 0.0F);
  for (const float* const row : memory.left)
    for (std::int64_t i = 0; i < count; ++i) chains[i] += row[i];
  for (std::int64_t i = 0; i < window.rows; ++i)
    for (std::int64_t k = 0; k < window.columns; ++k)
      sum.values[static_cast<std::size_t>((window.row + i) * sum.columns + window.column + k)] +=
          chains[i * window.columns + k];
}

// A number that is no row of the matrix has looked up NaN, and has no row to add to.
void WeightGradients::add_looked_up(const Part& memory, const WeightTerm& term, Sum& sum) noexcept {
  const Window& window = term.window;
  for (std::size_t r = memory.left.size(); r-- > 0;) {
    const float index = *memory.right[r];
    if (!(index >= 0 && index < static_cast<float>(window.rows))) continue;
    float* const to = sum.values.data() + (window.row + static_cast<std::int64_t>(index)) * sum.columns + window.column;
    for (std::int64_t k = 0; k < window.columns; ++k) to[k] += memory.left[r][k];
  }
}

}  // namespace rnnc::compiler
