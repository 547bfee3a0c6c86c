#include "runtime/cpu_features.hpp"

#if defined(__x86_64__)
#include <cpuid.h>

#include <rnnc/join.hpp>
#endif

namespace rnnc::runtime {

#if defined(__x86_64__)
namespace {

using Leaves = std::array<std::array<unsigned, 4>, 4>;  // [leaf][register]

Leaves read_leaves() noexcept {
  constexpr unsigned kLeaves[][2] = {{1, 0}, {7, 0}, {0x80000001, 0}, {7, 1}};
  Leaves leaves{};
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    auto& [a, b, c, d] = leaves[i];
    if (!__get_cpuid_count(kLeaves[i][0], kLeaves[i][1], &a, &b, &c, &d)) leaves[i] = {};
  }
  return leaves;
}

// Returns the vector registers that the system saves for programs: XCR0, if programs may read it.
unsigned saved_registers(const Leaves& leaves) noexcept {
  constexpr unsigned kOsxsave = 1u << 27;
  if ((leaves[0][2] & kOsxsave) == 0) return 0;
  unsigned low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

}  // namespace

CpuFeatures host_features() noexcept {
  const Leaves leaves = read_leaves();
  const unsigned saved = saved_registers(leaves);
  CpuFeatures features = 0;
  for (std::size_t i = 0; i < std::size(kCpuFeatures); ++i) {
    const CpuFeature& row = kCpuFeatures[i];
    const unsigned value = leaves[static_cast<std::size_t>(row.leaf)][static_cast<std::size_t>(row.reg)];
    const CpuFeatures feature = CpuFeatures{1} << i;
    const unsigned needed = saved_registers_for(feature);
    if ((value >> row.bit & 1) != 0 && (saved & needed) == needed) features |= feature;
  }
  return features;
}
#else
CpuFeatures host_features() noexcept { return 0; }
#endif

bool has_feature(CpuFeatures features, std::string_view name) noexcept {
  for (std::size_t i = 0; i < std::size(kCpuFeatures); ++i)
    if (kCpuFeatures[i].name == name) return (features >> i & 1) != 0;
  return false;
}

std::uint32_t saved_registers_for(CpuFeatures features) noexcept {
  constexpr std::uint32_t kYmm = 0x6,
                          kZmm = 0xe6;  // kYmm: SSE and AVX state; kZmm: also the mask and the 512-bit registers
  std::uint32_t needed = 0;
  for (std::size_t i = 0; i < std::size(kCpuFeatures); ++i) {
    if ((features >> i & 1) == 0) continue;
    const std::string_view name = kCpuFeatures[i].name;
    if (name.starts_with("avx512")) needed |= kZmm;
    for (const std::string_view wide : {"avx", "fma", "f16c", "xop", "vaes", "vpclmulqdq"})
      if (name.starts_with(wide)) needed |= kYmm;
  }
  return needed;
}

std::string feature_names(CpuFeatures features) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < std::size(kCpuFeatures); ++i)
    if ((features >> i & 1) != 0) names.push_back(kCpuFeatures[i].name);
  return join(names);
}

}  // namespace rnnc::runtime
