#include "compiler/gradient/weight_gradients.hpp"

#include <algorithm>
#include <utility>

namespace rnnc::compiler {
namespace {

// A part of a matrix is a multiple of this many rows, so that parts do not share tiles.
constexpr std::int64_t kRowsOfPart = 48;

// Threads are worth while from so many multiply-adds on, which take some 20 us.
constexpr double kWorthSharing = 1e6, kMultiplyAddsPerSecond = 4e10;

constexpr int kDivided = -1;

bool overlap(const Window& a, const Window& b) {
  return a.row < b.row + b.rows && b.row < a.row + a.rows && a.column < b.column + b.columns &&
         b.column < a.column + a.columns;
}

bool is_of_one_value(const Factor& a, const Factor& b) { return a.of == b.of && a.name == b.name && a.axis == b.axis; }

// Tells whether the left factors of two terms are parts of the same rows.
bool have_same_rows(const WeightTerm& a, const WeightTerm& b) {
  return a.count == b.count && a.left.of != Factor::Of::Input && is_of_one_value(a.left, b.left) &&
         a.left.width == b.left.width;
}

// Tells whether the terms are products whose right factors are the same rows, so that these are packed once.
bool go_together(const WeightTerm& a, const WeightTerm& b) {
  return a.kind == Term::Kind::Product && b.kind == Term::Kind::Product && have_same_rows(a, b) &&
         is_of_one_value(a.right, b.right) && a.right.begin == b.right.begin && a.right.width == b.right.width;
}

}  // namespace

WeightGradients::WeightGradients(std::vector<WeightTerm> terms, const std::map<std::string, Shape>& shapes,
                                 std::int64_t batch, const runtime::Threads& threads, AddOuterProducts add_outer)
    : terms_(std::move(terms)), batch_(batch), threads_(threads), add_outer_(add_outer) {
  find_owners();
  group_terms();
  std::int64_t most_elements = 1, scratch = 1;
  std::size_t most_groups = 1, most_together = 1;
  for (const Stream& stream : streams_) {
    most_groups = std::max(most_groups, stream.groups.size());
    for (const Group& group : stream.groups) {
      std::int64_t of_group = 0;
      for (const std::size_t i : group) {
        const Window& window = terms_[i].window;
        most_elements = std::max(most_elements, window.rows * window.columns);
        if (terms_[i].kind == Term::Kind::Product) of_group += outer_scratch(window.rows);
      }
      scratch = std::max(scratch, of_group);
      most_together = std::max(most_together, group.size());
    }
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
    part.sums.reserve(most_together);
    part.left.reserve(kBlockRows);
    part.right.resize(most_groups);
    for (auto& rows : part.right) rows.reserve(kBlockRows);
    part.chains.resize(static_cast<std::size_t>(most_elements));
  }
}

// A product is divided among the threads, unless another term adds to elements of its window.
void WeightGradients::find_owners() {
  std::map<std::string, std::vector<std::size_t>> of_weight;
  for (std::size_t i = 0; i < terms_.size(); ++i) of_weight[terms_[i].weight].push_back(i);
  owners_.assign(terms_.size(), kDivided);
  int owner = 0;
  for (const auto& [weight, all] : of_weight) {
    for (const std::size_t i : all) {
      const auto meets = [&](std::size_t k) { return k != i && overlap(terms_[k].window, terms_[i].window); };
      if (terms_[i].kind != Term::Kind::Product || std::ranges::any_of(all, meets)) owners_[i] = owner;
    }
    ++owner;
  }
}

void WeightGradients::group_terms() {
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    const auto of_stream = [&](const Stream& stream) { return have_same_rows(terms_[stream.groups[0][0]], terms_[i]); };
    const auto stream = std::ranges::find_if(streams_, of_stream);
    if (stream == streams_.end()) {
      streams_.push_back({{{i}}});
      continue;
    }
    const auto found = std::ranges::find_if(
        stream->groups, [&](const Group& group) { return go_together(terms_[group[0]], terms_[i]); });
    if (found == stream->groups.end())
      stream->groups.push_back({i});
    else
      found->push_back(i);
  }
  for (Stream& stream : streams_) {
    const Group* first = nullptr;
    stream.is_packed_once = true;
    for (const Group& group : stream.groups) {
      if (terms_[group[0]].kind != Term::Kind::Product) continue;
      if (first && !have_same_parts(*first, group)) stream.is_packed_once = false;
      first = &group;
    }
  }
}

// Returns where the left factor of a term begins in the rows of its stream.
std::int64_t WeightGradients::begin_in(const Stream& stream, std::size_t term) const {
  return terms_[term].left.begin - terms_[stream.groups[0][0]].left.begin;
}

bool WeightGradients::have_same_parts(const Group& a, const Group& b) const {
  return std::ranges::equal(a, b, [&](std::size_t i, std::size_t k) {
    return terms_[i].left.begin == terms_[k].left.begin && terms_[i].window.rows == terms_[k].window.rows &&
           owners_[i] == owners_[k];
  });
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
  const Rows rows{left, right, lengths};
  auto task = [&](int part) noexcept { run_part(part, parts, rows, steps, is_first); };
  const double saving = work / kMultiplyAddsPerSecond * (1 - 1.0 / parts);
  if (parts > 1 && runtime::run_parts(threads_, task, parts, saving)) return;
  const runtime::KernelFloatMode mode;
  run_part(0, 1, rows, steps, is_first);
}

// Every part goes through the same blocks in the same order, for rows of the matrices of its own. All terms of a block
// are added before those of the next one, so that a weight of several terms has the same bits in pieces of time.
void WeightGradients::run_part(int part, int parts, const Rows& rows, std::int64_t steps, bool is_first) noexcept {
  Part& memory = parts_[static_cast<std::size_t>(part)];
  memory.number = part;
  memory.count = parts;
  const auto has_time = [&](const Stream& stream) { return rows.left[stream.groups[0][0]].has_time; };
  for (std::int64_t end = steps; end > 0;) {
    const std::int64_t begin = (end - 1) / steps_of_block_ * steps_of_block_;
    for (const Stream& stream : streams_)
      if (has_time(stream)) add_rows(memory, stream, rows, begin * batch_, end * batch_);
    end = begin;
  }
  if (!is_first) return;
  for (const Stream& stream : streams_)
    if (!has_time(stream)) add_rows(memory, stream, rows, 0, batch_);
}

// Adds the rows of [begin, end) that sequences have.
void WeightGradients::add_rows(Part& memory, const Stream& stream, const Rows& rows, std::int64_t begin,
                               std::int64_t end) noexcept {
  const std::size_t first = stream.groups[0][0];
  const bool has_lengths = rows.left[first].has_time && !rows.lengths.empty();
  const std::int64_t count = terms_[first].count;
  const auto flush = [&] {
    if (!memory.left.empty()) add_block(memory, stream);
    memory.left.clear();
    for (auto& each : memory.right) each.clear();
  };
  for (std::int64_t row = begin; row < end; ++row) {
    const std::int64_t t = row / batch_, b = row % batch_;
    if (has_lengths && t >= rows.lengths[static_cast<std::size_t>(b)]) continue;
    const auto at = [&](const FactorRows& of) { return of.data + (of.has_time ? row : b) * of.stride; };
    for (std::int64_t p = 0; p < count; ++p) {
      memory.left.push_back(at(rows.left[first]) + p * terms_[first].left.width / count);
      for (std::size_t g = 0; g < stream.groups.size(); ++g) {
        const std::size_t i = stream.groups[g][0];
        if (terms_[i].kind != Term::Kind::Sum)
          memory.right[g].push_back(at(rows.right[i]) + p * terms_[i].right.width / count);
      }
      if (std::ssize(memory.left) == kBlockRows) flush();
    }
  }
  flush();
}

void WeightGradients::add_block(Part& memory, const Stream& stream) noexcept {
  bool is_packed = false;
  for (std::size_t g = 0; g < stream.groups.size(); ++g) {
    const std::size_t i = stream.groups[g][0];
    if (terms_[i].kind == Term::Kind::Product) {
      add_products(memory, stream, g, is_packed);
      is_packed = stream.is_packed_once;
    } else if (memory.number == owners_[i] % memory.count) {
      if (terms_[i].kind == Term::Kind::Sum)
        add_sums(memory, stream, g);
      else
        add_looked_up(memory, stream, g);
    }
  }
}

void WeightGradients::add_products(Part& memory, const Stream& stream, std::size_t group, bool is_packed) noexcept {
  memory.sums.clear();
  for (const std::size_t i : stream.groups[group]) {
    const WeightTerm& term = terms_[i];
    Sum& sum = sums_.find(term.weight)->second;
    const Window& window = term.window;
    const std::int64_t pieces = (window.rows + kRowsOfPart - 1) / kRowsOfPart;
    std::int64_t first = 0, end = window.rows;
    if (owners_[i] == kDivided) {
      first = pieces * memory.number / memory.count * kRowsOfPart;
      end = std::min(window.rows, pieces * (memory.number + 1) / memory.count * kRowsOfPart);
    } else if (memory.number != owners_[i] % memory.count) {
      continue;
    }
    if (first >= end) continue;
    memory.sums.push_back({.values = sum.values.data() + (window.row + first) * sum.columns + window.column,
                           .stride = sum.columns,
                           .begin = begin_in(stream, i) + first,
                           .rows = end - first});
  }
  if (memory.sums.empty()) return;
  add_outer_({.rows = std::ssize(memory.left),
              .left = memory.left.data(),
              .is_left_packed = is_packed,
              .right = memory.right[group].data(),
              .right_count = terms_[stream.groups[group][0]].window.columns,
              .sums = memory.sums,
              .scratch = memory.scratch.data()});
}

void WeightGradients::add_sums(Part& memory, const Stream& stream, std::size_t group) noexcept {
  const std::size_t i = stream.groups[group][0];
  const WeightTerm& term = terms_[i];
  Sum& sum = sums_.find(term.weight)->second;
  const Window& window = term.window;
  const std::int64_t count = window.rows * window.columns, begin = begin_in(stream, i);
  float* const chains = memory.chains.data();
  std::fill_n(chains, count, 0.0F);
  for (const float* const row : memory.left)
    for (std::int64_t k = 0; k < count; ++k) chains[k] += row[begin + k];
  for (std::int64_t r = 0; r < window.rows; ++r)
    for (std::int64_t k = 0; k < window.columns; ++k)
      sum.values[static_cast<std::size_t>((window.row + r) * sum.columns + window.column + k)] +=
          chains[r * window.columns + k];
}

// A number that is no row of the matrix has looked up NaN, and has no row to add to.
void WeightGradients::add_looked_up(const Part& memory, const Stream& stream, std::size_t group) noexcept {
  const std::size_t i = stream.groups[group][0];
  const WeightTerm& term = terms_[i];
  Sum& sum = sums_.find(term.weight)->second;
  const Window& window = term.window;
  const std::int64_t begin = begin_in(stream, i);
  for (std::size_t r = memory.left.size(); r-- > 0;) {
    const float index = *memory.right[group][r];
    if (!(index >= 0 && index < static_cast<float>(window.rows))) continue;
    float* const to = sum.values.data() + (window.row + static_cast<std::int64_t>(index)) * sum.columns + window.column;
    for (std::int64_t k = 0; k < window.columns; ++k) to[k] += memory.left[r][begin + k];
  }
}

}  // namespace rnnc::compiler
