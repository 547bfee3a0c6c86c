#include "runtime/sparse_panel.hpp"

#include <algorithm>
#include <cstring>

namespace rnnc::runtime {
namespace {

std::int64_t bytes_of_entry(const PanelShape& shape) {
  return std::int64_t{shape.lanes} * kColumnsOfGroup * weight_digits(shape.format);
}

std::int64_t floats_of_bytes(std::int64_t bytes) {
  return whole_lines((bytes + bytes_of(kRowFormat, 1) - 1) / bytes_of(kRowFormat, 1));
}

template <class T>
T read(const float* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// Appends the entries of a vector, whose weights of successive groups are `distance` bytes apart.
void append_vector(const PanelShape& shape, const std::int8_t* weights, std::int64_t distance, SparseEntries& entries) {
  const std::int64_t bytes = bytes_of_entry(shape);
  for (std::int64_t group = 0; group < groups_of_columns(shape.columns); ++group, weights += distance) {
    if (std::all_of(weights, weights + bytes, [](std::int8_t weight) { return weight == 0; })) continue;
    entries.weights.insert(entries.weights.end(), weights, weights + bytes);
    entries.groups.push_back(static_cast<std::uint16_t>(group));
  }
  const auto whole = static_cast<std::size_t>(kEntriesTogether);
  entries.groups.resize((entries.groups.size() + whole - 1) / whole * whole);
  entries.weights.resize(entries.groups.size() * static_cast<std::size_t>(bytes));
}

bool is_possible(const Description& description, const PanelPacking& panel) {
  constexpr std::int64_t kMost = std::int64_t{1} << 31;
  const auto is_count = [](std::int64_t count) { return count > 0 && count < kMost; };
  return is_integer(panel.format) && is_count(panel.units) && is_count(panel.columns) && is_count(panel.gates) &&
         is_count(panel.lanes) && is_count(panel.tail_gates) && panel.columns <= kMostIntegerColumns &&
         panel.offset >= 0 && panel.units * panel.gates < kMost && panel.offset <= description.weights_size &&
         panel.shape().floats() <= description.weights_size - panel.offset;
}

bool has_entries(const PanelPacking& panel, std::span<const float> block) {
  const PanelShape shape = panel.shape();
  const auto size = static_cast<std::int64_t>(block.size());
  const float* const table = block.data() + panel.offset;
  const std::int64_t vectors = shape.vectors_of_column();
  for (std::int64_t vector = 0; vector < vectors; ++vector) {
    const auto first = read<std::int32_t>(table + kFirstEntries + vector),
               next = read<std::int32_t>(table + kFirstEntries + vector + 1);
    if (first > next || next % kEntriesTogether != 0) return false;
  }
  if (read<std::int32_t>(table + kFirstEntries) != 0) return false;
  const auto entries = std::int64_t{read<std::int32_t>(table + kFirstEntries + vectors)};
  const std::int64_t weights = panel.offset + read<std::int64_t>(table + kEntryWeights),
                     groups = panel.offset + read<std::int64_t>(table + kEntryGroups);
  const auto within = [&](std::int64_t begin, std::int64_t bytes) {
    return begin >= 0 && begin <= size && floats_of_bytes(bytes) <= size - begin;
  };
  if (!within(weights, entries * bytes_of_entry(shape))) return false;
  if (!within(groups, entries * std::int64_t{sizeof(std::uint16_t)})) return false;
  for (std::int64_t entry = 0; entry < entries; ++entry) {
    std::uint16_t group = 0;
    std::memcpy(&group, reinterpret_cast<const std::byte*>(block.data() + groups) + entry * std::int64_t{sizeof group},
                sizeof group);
    if (group >= groups_of_columns(shape.columns)) return false;
  }
  return true;
}

}  // namespace

PanelPacking dense_form(PanelPacking panel) {
  panel.sparse = false;
  panel.together = 1;
  return panel;
}

SparseEntries leave_out_zeros(const PanelPacking& panel, const float* dense, float* begin) {
  const PanelShape shape = panel.shape(), from = dense_form(panel).shape();
  const auto* weights = reinterpret_cast<const std::int8_t*>(dense);
  SparseEntries entries;
  float* first_entries = begin + kFirstEntries;
  const auto count = [&] {
    const auto number = static_cast<std::int32_t>(entries.groups.size());
    std::memcpy(first_entries++, &number, sizeof number);
  };
  for (std::int64_t unit = 0; unit < shape.units; unit += shape.lanes) {
    const std::int64_t vectors = shape.vectors(unit + shape.lanes > shape.units);
    for (std::int64_t vector = 0; vector < vectors; ++vector) {
      count();
      append_vector(shape, weights + vector * bytes_of_entry(shape), vectors * bytes_of_entry(shape), entries);
    }
    weights += vectors * bytes_of_entry(shape) * groups_of_columns(shape.columns);
  }
  count();
  std::copy_n(dense + from.starts(), from.floats() - from.starts(), begin + shape.starts());
  return entries;
}

AlignedBuffer append_entries(const Description& description, const AlignedBuffer& block,
                             std::span<const SparseEntries> entries) {
  std::int64_t end = whole_lines(block.size());
  std::vector<std::int64_t> places;
  for (const SparseEntries& each : entries)
    for (const std::size_t bytes : {each.weights.size(), each.groups.size() * sizeof(std::uint16_t)}) {
      places.push_back(end);
      end += floats_of_bytes(static_cast<std::int64_t>(bytes));
    }
  AlignedBuffer all(end);
  std::copy_n(block.data(), block.size(), all.data());
  auto place = places.begin();
  auto each = entries.begin();
  for (const PanelPacking& panel : description.panels) {
    if (!panel.sparse) continue;
    const std::int64_t weights = *place++, groups = *place++;
    std::ranges::copy(each->weights, reinterpret_cast<std::int8_t*>(all.data() + weights));
    std::ranges::copy(std::as_bytes(std::span(each->groups)), reinterpret_cast<std::byte*>(all.data() + groups));
    const std::int64_t distances[] = {weights - panel.offset, groups - panel.offset};
    std::memcpy(all.data() + panel.offset + kEntryWeights, &distances[0], sizeof distances[0]);
    std::memcpy(all.data() + panel.offset + kEntryGroups, &distances[1], sizeof distances[1]);
    ++each;
  }
  return all;
}

bool is_packed_as(const Description& description, std::span<const float> block) {
  const auto size = static_cast<std::int64_t>(block.size());
  if (std::ranges::none_of(description.panels, &PanelPacking::sparse)) return size == description.weights_size;
  return size >= description.weights_size && std::ranges::all_of(description.panels, [&](const PanelPacking& panel) {
           return !panel.sparse || (is_possible(description, panel) && has_entries(panel, block));
         });
}

void take_off_zeros(Description& description, std::span<const float> block) {
  double operations = 0, bytes = 0;
  for (const PanelPacking& panel : description.panels) {
    if (!panel.sparse) continue;
    const PanelShape shape = panel.shape();
    const std::int64_t vectors = shape.vectors_of_column();
    const auto entries = read<std::int32_t>(block.data() + panel.offset + kFirstEntries + vectors);
    const double left_out =
        1 - static_cast<double>(entries) / static_cast<double>(vectors * groups_of_columns(shape.columns));
    const auto weights = static_cast<double>(panel.units * panel.gates * panel.columns);
    operations += left_out * 2 * weights;
    bytes += left_out * weights * static_cast<double>(bytes_of(panel.format, 1));
  }
  const auto left_of = [](double all, double part) { return all > 0 ? std::max(0.0, all - part) / all : 1; };
  const double of_operations = left_of(description.flops_per_step, operations),
               of_bytes = left_of(description.recurrent_bytes, bytes);
  description.shared_bytes *= left_of(description.shared_bytes, bytes);
  description.flops_per_step *= of_operations;
  description.row_seconds *= of_operations;
  description.recurrent_bytes *= of_bytes;
  description.weights_seconds *= of_bytes;
}

}  // namespace rnnc::runtime
