#include "compiler/gradient/weight_gradients.hpp"

#include <algorithm>
#include <utility>

namespace rnnc::compiler {
namespace {

// A part of a matrix is a multiple of this many rows, so that parts do not share tiles.
constexpr std::int64_t kRowsOfPart = 48;

// Threads are worth while from so many multiply-adds on, which take some 20 us.
constexpr double kWorthSharing = 1e6, kMultiplyAddsPerSecond = 4e10;

bool is_of_one_value(const Factor& a, const Factor& b) { return a.of == b.of && a.name == b.name && a.axis == b.axis; }

// Tells whether the terms are products whose right factors are the same rows, so that these are packed once.
bool go_together(const WeightTerm& a, const WeightTerm& b) {
  return a.kind == Term::Kind::Product && b.kind == Term::Kind::Product && a.count == b.count &&
         a.left.of != Factor::Of::Input && is_of_one_value(a.left, b.left) && a.left.width == b.left.width &&
         is_of_one_value(a.right, b.right) && a.right.begin == b.right.begin && a.right.width == b.right.width;
}

}  // namespace

WeightGradients::WeightGradients(std::vector<WeightTerm> terms, const std::map<std::string, Shape>& shapes,
                                 std::int64_t batch, const runtime::Threads& threads, AddOuterProducts add_outer)
    : terms_(std::move(terms)), batch_(batch), threads_(threads), add_outer_(add_outer) {
  group_terms();
  std::int64_t most_elements = 1, scratch = 1;
  std::size_t most_together = 1;
  for (const Group& group : groups_) {
    std::int64_t of_group = 0;
    for (const std::size_t i : group) {
      const Window& window = terms_[i].window;
      most_elements = std::max(most_elements, window.rows * window.columns);
      if (terms_[i].kind == Term::Kind::Product) of_group += outer_scratch(window.rows);
    }
    scratch = std::max(scratch, of_group);
    most_together = std::max(most_together, group.size());
  }
  steps_of_block_ = std::max<std::int64_t>(1, kBlockRows / std::max<std::int64_t>(1, batch));
  for (const auto& [name, shape] : shapes) {
    std::int64_t elements = 1;
    for (const std::int64_t dim : shape) elements *= dim;
    sums_[name] = {std::vector<float>(static_cast<std::size_t>(elements)), shape.size() == 2 ? shape[1] : 1};
  }
  parts_.resize(static_cast<std::size_t>(std::max(1, threads.count)));
  for (Part& part : parts_) {
    part.scratch = runtime::AlignedBuffer(scratch);
    part.begins.reserve(most_together);
    part.sums.reserve(most_together);
    part.left.reserve(kBlockRows);
    part.right.reserve(kBlockRows);
    part.chains.resize(static_cast<std::size_t>(most_elements));
  }
}

void WeightGradients::group_terms() {
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    const auto found =
        std::ranges::find_if(groups_, [&](const Group& group) { return go_together(terms_[group[0]], terms_[i]); });
    if (found == groups_.end())
      groups_.push_back({i});
    else
      found->push_back(i);
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
  const auto add_rows = [&](const Group& group, std::int64_t begin, std::int64_t end) {
    const std::size_t i = group[0];
    const WeightTerm& term = terms_[i];
    const bool has_time = left[i].has_time;
    const auto flush = [&] {
      if (!memory.left.empty()) add_block(memory, group, part, parts);
      memory.left.clear();
      memory.right.clear();
    };
    memory.begins.clear();
    for (const std::size_t each : group) memory.begins.push_back(terms_[each].left.begin - term.left.begin);
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
  for (const Group& group : groups_) {
    if (!left[group[0]].has_time) {
      if (is_first) add_rows(group, 0, batch_);
      continue;
    }
    for (std::int64_t end = steps; end > 0;) {
      const std::int64_t begin = (end - 1) / steps_of_block_ * steps_of_block_;
      add_rows(group, begin * batch_, end * batch_);
      end = begin;
    }
  }
}

void WeightGradients::add_block(Part& memory, const Group& group, int part, int parts) noexcept {
  const WeightTerm& term = terms_[group[0]];
  if (term.kind == Term::Kind::Product) return add_products(memory, group, part, parts);
  if (part != static_cast<int>(group[0]) % parts) return;
  Sum& sum = sums_.find(term.weight)->second;
  return term.kind == Term::Kind::Sum ? add_sums(memory, term, sum) : add_looked_up(memory, term, sum);
}

void WeightGradients::add_products(Part& memory, const Group& group, int part, int parts) noexcept {
  memory.sums.clear();
  for (std::size_t k = 0; k < group.size(); ++k) {
    const WeightTerm& term = terms_[group[k]];
    Sum& sum = sums_.find(term.weight)->second;
    const Window& window = term.window;
    const std::int64_t pieces = (window.rows + kRowsOfPart - 1) / kRowsOfPart;
    const std::int64_t first = pieces * part / parts * kRowsOfPart;
    const std::int64_t end = std::min(window.rows, pieces * (part + 1) / parts * kRowsOfPart);
    if (first >= end) continue;
    memory.sums.push_back({.values = sum.values.data() + (window.row + first) * sum.columns + window.column,
                           .stride = sum.columns,
                           .begin = memory.begins[k] + first,
                           .rows = end - first});
  }
  if (memory.sums.empty()) return;
  add_outer_({.rows = std::ssize(memory.left),
              .left = memory.left.data(),
              .right = memory.right.data(),
              .right_count = terms_[group[0]].window.columns,
              .sums = memory.sums,
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
