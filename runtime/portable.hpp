// A portable program is a cell as a list of vector operations, for machines that do not let programs make code. The
// operations of a phase follow each other for all rows of the phase. Products take most of the time: they are blocked
// like those of generated code and have the same bits.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include <rnnc/export.hpp>

#include "runtime/artifact.hpp"
#include "runtime/functions.hpp"

namespace rnnc::runtime {

/// The space in which a value lies. A row is one sequence at one time step; Weights and Constants hold one row for all.
enum class PortableSpace : std::uint8_t { Input, Output, Current, Next, Sequence, Step, Weights, Constants };
inline constexpr int kPortableSpaces = 8;

/// A vector that begins `offset` floats into its row, or one number for all elements.
struct PortablePlace {
  PortableSpace space = PortableSpace::Constants;
  bool spread = false;
  std::int64_t offset = 0;
  friend bool operator==(const PortablePlace&, const PortablePlace&) = default;
};

/// Operations read whole vectors of 16, except from Input, and write whole vectors of 16, except for Copy. So a written
/// value begins at a multiple of 16 with nothing else in its last 16 floats, and a row has 16 more floats behind its
/// last value.
struct PortableOp {
  enum class Kind : std::uint8_t {
    Map,             // `function` of the operands
    Copy,            // of operand 0, `size` elements and no more
    Product,         // operand 1 + the panel at operand 2 times operand 0, which has `columns` elements; `size` units
    Lookup,          // row number operand 1 of the table at operand 0, which has `rows` rows that are `columns` apart
    Sum,             // of operand 0; 16 strided partial sums and a tree
    Max,             // likewise
    Argmax,          // the index of the first of the largest elements, or of the first NaN
    Quantize,        // operand 0 times the number operand 1 as integers for weights of `format`
    IntegerProduct,  // the panel at operand 2, of integers of `format`, times the integers at operand 0
  };
  Kind kind = Kind::Map;
  Function function{};
  std::array<PortablePlace, kMostOperands> operands{};
  PortablePlace to{};
  std::int64_t size = 0;
  std::int64_t columns = 0;
  std::int64_t rows = 0;
  NumberFormat format = kRowFormat;
};

// Panels of portable programs: the units of a block, and the blocks whose columns lie side by side.
inline constexpr int kPortableLanes = 16;
inline constexpr int kPortableTogether = 4;

struct PortableKernels;

/// Returns the kernels of a CPU that this machine can run: x86-64-v2, x86-64-v3 or x86-64-v4; "" or "host" are those of
/// its widest vectors. Returns null if there are none of this name.
RNNC_API const PortableKernels* portable_kernels(std::string_view cpu) noexcept;
RNNC_API const char* name(const PortableKernels& kernels) noexcept;

/// Returns the kernels that use no fused multiply-add, which every CPU can run. Programs of integers have the same bits
/// everywhere with them.
RNNC_API const PortableKernels* unfused_kernels() noexcept;

struct PortableProgram {
  const PortableKernels* kernels = nullptr;
  std::vector<PortableOp> once, sequence, step;
  std::vector<float> constants;
  std::int64_t doubled_row = 0, sequence_row = 0, step_row = 0;  // as the description's
};

/// These do the work of a generated `prepare` and `run`. All states are double-buffered.
RNNC_API void prepare_portable(const PortableProgram& program, float* weights) noexcept;
RNNC_API void run_portable(const PortableProgram& program, const KernelArguments& arguments) noexcept;

}  // namespace rnnc::runtime
