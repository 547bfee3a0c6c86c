// A panel of integers without its zeros: groups of columns whose weights are all zero in a vector are left out. The
// sums are those of all weights, since what is left out adds nothing to a sum of integers.
//
// A vector has the weights of one gate for a block of units (compiler/schedule/plan.hpp draws panels). What is left of
// it are entries, each with the weights of one group of four columns and the number of that group (u16). The drawing
// has 4 lanes and 2 vectors, the first of which keeps the groups 0 and 2, and the second one the groups 1, 2 and 5; a
// vector's entries are filled up with zeros of group 0 to a multiple of kEntriesTogether.
//
//     panel    table: where weights and groups begin | first entries 0 4 8 | start values of sums | scales of rows
//     behind   weights of the entries  | 4 x 4 bytes of group 0 | of group 2 | 0 | 0 | of group 1 | of group 2 | ...
//     the block groups of the entries  | 0 2 0 0 | 1 2 5 0 |
//
// The table has a fixed size and a fixed place, so that code does not depend on the weights; the entries of all sparse
// panels lie behind the block of weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <rnnc/export.hpp>

#include "runtime/aligned_buffer.hpp"
#include "runtime/artifact.hpp"

namespace rnnc::runtime {

struct SparseEntries {
  std::vector<std::int8_t> weights;
  std::vector<std::uint16_t> groups;
};

/// Returns the panel that holds all weights, whose blocks lie one by one.
PanelPacking dense_form(PanelPacking panel);

/// Returns the entries of `dense`, a panel of the dense form, and writes all of the sparse one at `begin` but the
/// places of its entries.
SparseEntries leave_out_zeros(const PanelPacking& panel, const float* dense, float* begin);

/// Returns `block` with the entries of each sparse panel of the description behind it, and sets their places.
AlignedBuffer append_entries(const Description& description, const AlignedBuffer& block,
                             std::span<const SparseEntries> entries);

/// Tells whether a packed block has the size that the description says, and the tables of its sparse panels lead to
/// entries and groups that there are.
bool is_packed_as(const Description& description, std::span<const float> block);

/// Takes what a packed block leaves out from the operations, bytes and times of the description, which are those of all
/// weights.
void take_off_zeros(Description& description, std::span<const float> block);

}  // namespace rnnc::runtime
