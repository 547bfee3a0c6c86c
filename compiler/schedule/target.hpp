// A Target describes the CPU that code is made for: LLVM's names for the CPU, the numbers that a plan needs, and the
// facts of its architecture.
#pragma once

#include <string>
#include <string_view>

namespace rnnc::compiler {

enum class Arch {
#define TARGET(arch, ...) arch,
#include "compiler/schedule/targets.def"
#undef TARGET
};

inline constexpr Arch kArchs[] = {
#define TARGET(arch, ...) Arch::arch,
#include "compiler/schedule/targets.def"
#undef TARGET
};

/// The architecture of the machines on which rnnc runs its own code. The CPU "host" belongs to this architecture.
inline constexpr Arch kHostArch = Arch::X86_64;

/// A row of targets.def. That file explains each column.
struct ArchFacts {
  const char *name, *triple, *prefix, *baseline_cpu, *example_cpu;
  unsigned pointer_bytes, index_bytes;
  bool has_doubles, has_images, has_choice;
};
const ArchFacts& facts(Arch arch);

/// Returns the architecture of the CPU that rnnc calls `cpu`.
Arch arch_of(std::string_view cpu);

/// The way in which a CPU adds up products of bytes. All give the same sums.
enum class ByteProducts {
  Unsigned,  // one instruction for unsigned by signed bytes: vpdpbusd
  Signs,     // pairs of magnitudes by bytes with the sign of the other: pmaddubsw
  Long,      // products of 16 bits, then pairs of them: smull and saddlp of AArch64
  Signed,    // one instruction for signed bytes: sdot of AArch64
  Words,     // bytes widened to 16 bits, then sums of pairs of their products: dot of WebAssembly
  Wide,      // products of 16 bits, which LLVM makes of the multiplications that a CPU has
  Dual,      // two products of 16 bits at once in registers for integers: smlad of ARM
  Rows,      // sixteen products of one row of the matrix at once: vmladava of ARM
};

/// Tells whether one instruction multiplies bytes and adds the products to a sum.
inline bool adds_at_once(ByteProducts way) { return way == ByteProducts::Unsigned || way == ByteProducts::Signed; }

/// Tells whether all sums of a vector of weights are taken before those of the next, from weights in an order of the
/// instruction's own.
inline bool sums_vectors_alone(ByteProducts way) { return way == ByteProducts::Dual || way == ByteProducts::Rows; }

struct Target {
  Arch arch = kHostArch;
  std::string cpu;       // as LLVM spells it, e.g. "x86-64-v3", "cortex-a72"; in WebAssembly "" or "-relaxed", on
                         // RISC-V "" or "-rvv" and the bits of a register
  std::string features;  // LLVM's feature string; "" if the name of the CPU is enough
  int lanes = 16;        // the f32 numbers in a vector register
  int registers = 32;    // the number of vector registers
  bool fma = true;
  bool converts_f16 = true;  // there is an instruction that widens binary16 to f32
  ByteProducts byte_products = ByteProducts::Signs;
  bool is_small = false;  // memory is scarce: rows follow one after another, since tiles of rows take much code. So
                          // nothing is computed ahead of the steps, for no weights would be read for several rows
};

/// Returns the CPU whose code every machine of an architecture can run. Lanes, registers and FMA have the defaults of
/// Target.
Target baseline(Arch arch);

/// Returns the name by which resolve_target (compiler/llvm) finds the target. A target found as "host" has the name of
/// its CPU.
std::string name_of(const Target& target);

/// Tells whether the target was found as "host": only then are its features listed.
inline bool is_host(const Target& target) { return !target.features.empty(); }

/// Returns the name and the features by which LLVM knows the CPU.
std::string llvm_cpu(const Target& target);
std::string llvm_features(const Target& target);

/// Returns LLVM's triple for the target.
std::string triple_of(const Target& target);

}  // namespace rnnc::compiler
