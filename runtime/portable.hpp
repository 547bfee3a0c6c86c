// A cell as a list of vector operations, for machines where no code may be generated: a phase's operations follow each
// other for all rows at hand. Products, where the time goes, are blocked like those of generated code and have the same
// bits.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include <rnnc/export.hpp>

#include "runtime/artifact.hpp"
#include "runtime/functions.hpp"

namespace rnnc::runtime {

/// Where values lie. A row is one sequence at one time step; Weights and Constants hold one row for all.
enum class PortableSpace : std::uint8_t { Input, Output, Current, Next, Sequence, Step, Weights, Constants };
inline constexpr int kPortableSpaces = 8;

/// A vector from `offset` floats of its row on, or one number for all elements.
struct PortablePlace {
  PortableSpace space = PortableSpace::Constants;
  bool spread = false;
  std::int64_t offset = 0;
  friend bool operator==(const PortablePlace&, const PortablePlace&) = default;
};

/// Whole vectors of 16 are read, except from Input, and written, except by Copy: what is written is 16-aligned and
/// followed by nothing else in its last 16, and behind the last value of a row there are 16 more.
struct PortableOp {
  enum class Kind : std::uint8_t {
    Map,      // `function` of the operands
    Copy,     // of operand 0, `size` elements and no more
    Product,  // operand 1 + the panel at operand 2 times operand 0, which has `columns` elements; `size` units
    Lookup,   // of the table at operand 0, whose rows are `columns` apart, the one of `rows` that operand 1 says
    Sum,      // of operand 0; 16 strided partial sums and a tree
    Max,      // likewise
    Argmax,   // the index of the first of the largest elements, or of the first NaN
  };
  Kind kind = Kind::Map;
  Function function{};
  std::array<PortablePlace, kMostOperands> operands{};
  PortablePlace to{};
  std::int64_t size = 0;
  std::int64_t columns = 0;
  std::int64_t rows = 0;
};

// Of a panel: units in a block, and blocks whose columns lie side by side.
inline constexpr int kPortableLanes = 16;
inline constexpr int kPortableTogether = 4;

struct PortableKernels;

/// Those for a CPU that this machine can run: x86-64-v2, x86-64-v3 or x86-64-v4; "" or "host" are those of its widest
/// vectors. Null where there are none of the name.
RNNC_API const PortableKernels* portable_kernels(std::string_view cpu) noexcept;
RNNC_API const char* name(const PortableKernels& kernels) noexcept;

struct PortableProgram {
  const PortableKernels* kernels = nullptr;
  std::vector<PortableOp> once, sequence, step;
  std::vector<float> constants;
  std::int64_t doubled_row = 0, sequence_row = 0, step_row = 0;  // as the description's
};

/// What a generated `prepare` and `run` would do. All states are double-buffered.
RNNC_API void prepare_portable(const PortableProgram& program, float* weights) noexcept;
RNNC_API void run_portable(const PortableProgram& program, const KernelArguments& arguments) noexcept;

}  // namespace rnnc::runtime
