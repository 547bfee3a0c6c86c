// People who know other languages write what this one has not. These tables say how the same is written here.
#pragma once

#include <string>
#include <string_view>

namespace rnnc::ir {

/// Returns `; there is no ...: write ...` for a character that begins no token, or "".
std::string hint_for_character(char c);

/// Returns `; write ...` for the name of a function that other languages have, in any case of letters, or "".
std::string hint_for_function(std::string_view name);

/// These say how a power and a transposed matrix are written, as the hints above do.
inline constexpr std::string_view kPowerHint = "; there is no power: write x * x, or exp(p * log(x)) for x above 0";
inline constexpr std::string_view kTransposeHint =
    "; nothing is transposed here: declare the parameter with its dims swapped, so that @ takes it as it is";

}  // namespace rnnc::ir
