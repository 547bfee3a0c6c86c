// This header lists the instruction sets that generated code may need and tells which of them this machine has: one bit
// for each row of cpu_features.def.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <rnnc/export.hpp>

namespace rnnc::runtime {

enum class CpuidLeaf : std::uint8_t { A, B, C, D };
enum class CpuidRegister : std::uint8_t { a, b, c, d };

struct CpuFeature {
  std::string_view name;  // LLVM's
  CpuidLeaf leaf;
  CpuidRegister reg;
  int bit;
};

inline constexpr CpuFeature kCpuFeatures[] = {
#define CPU_FEATURE(name, leaf, reg, bit) {name, CpuidLeaf::leaf, CpuidRegister::reg, bit},
#include "runtime/cpu_features.def"
#undef CPU_FEATURE
};

using CpuFeatures = std::uint64_t;  // bit i: kCpuFeatures[i]
static_assert(std::size(kCpuFeatures) <= 64);

/// Returns the features of this machine that its system lets programs use.
RNNC_API CpuFeatures host_features() noexcept;

/// Tells whether the feature that LLVM calls `name` is among `features`.
RNNC_API bool has_feature(CpuFeatures features, std::string_view name) noexcept;

/// Returns the bits of XCR0 that must be set before programs may use `features`: the system then saves their registers.
RNNC_API std::uint32_t saved_registers_for(CpuFeatures features) noexcept;

/// Returns the names of the features with commas between.
std::string feature_names(CpuFeatures features);

}  // namespace rnnc::runtime
