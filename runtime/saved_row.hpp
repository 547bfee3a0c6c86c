// The states of one sequence become bytes and bytes become states again: versioned, with names and sizes. Sessions and
// whole states are saved in this form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <rnnc/result.hpp>

#include "runtime/program.hpp"

namespace rnnc::runtime {

/// Appends the states of sequence `b`.
void save_row(const StateContent& content, std::int64_t b, std::vector<std::byte>& bytes);

/// Returns the number of bytes that save_row appends.
std::size_t saved_row_bytes(const StateContent& content);

/// Checks that `saved` comes from save_row for states of the same names and sizes. Errors: InvalidData.
Result<void> check_saved_row(const StateContent& content, std::span<const std::byte> saved);

/// Sets the states of sequence `b` to those of a row that check_saved_row has accepted.
void restore_row(const StateContent& content, std::int64_t b, std::span<const std::byte> saved);

}  // namespace rnnc::runtime
