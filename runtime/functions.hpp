// Enumerators of the functions of elements and of the functions over time, generated from functions.def. The language
// has the same ones; ir/op.hpp gives the meaning of each.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace rnnc::runtime {

enum class Function : std::uint8_t {
#define RNNC_FUNCTION(enumerator, ...) enumerator,
#define RNNC_PRODUCT RNNC_FUNCTION
#include "runtime/functions.def"
};

enum class OverTime : std::uint8_t {
#define RNNC_OVER_TIME(enumerator, name) enumerator,
#include "runtime/functions.def"
};

/// Tells whether a function over time gives a sequence, and not one value of each.
constexpr bool gives_sequence(OverTime function) { return function == OverTime::Turned; }

/// The number of operands of each function, in the order of the table.
inline constexpr int kArities[] = {
#define RNNC_FUNCTION(enumerator, name, arity, ...) arity,
#define RNNC_PRODUCT RNNC_FUNCTION
#include "runtime/functions.def"
};

constexpr int arity(Function function) { return kArities[static_cast<std::size_t>(function)]; }
inline constexpr int kMostOperands = *std::max_element(std::begin(kArities), std::end(kArities));

/// The name of each function over time, in the order of the table.
inline constexpr const char* kNamesOverTime[] = {
#define RNNC_OVER_TIME(enumerator, name) name,
#include "runtime/functions.def"
};

inline constexpr std::size_t kOverTimes = 0
#define RNNC_OVER_TIME(enumerator, name) +1
#include "runtime/functions.def"
    ;

}  // namespace rnnc::runtime
