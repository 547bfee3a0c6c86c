#include "compiler/schedule/machine.hpp"

#include <cmath>
#include <string_view>

namespace rnnc::compiler {
namespace {

// This row was measured on an AMD EPYC of 3.7 GHz, which does one 512-bit multiply-add a cycle. Another run is in
// bench/results/performance.csv: 117 GFLOP/s, and 217, 118, 99 and 33 GB/s. Sizes are a little less than the caches,
// because a step reads other data too.
constexpr Machine kZen4 = {
    "Zen 4", 116e9, 4 / 3.7e9, 3.4e9, {{{29e3, 215e9}, {0.9e6, 113e9}, {24e6, 90e9}, {kBeyond, 20e9}}}};

// This row was measured on an AMD EPYC of 3.75 GHz, which does two 512-bit multiply-adds and two loads a cycle. Weights
// that just fill the 48 KiB of L1 are still read at the speed of L1 (GRU of 64 units: two blocks at a time take 18 %
// less time than one). A loop of loads reads L2 at 220 GB/s, but the step of a GRU of 128 units reads it at 163 GB/s,
// and one block at a time is best by 14 %. Memory and the size of L3 were not measured and are those of a Zen 4.
// Integers of 8 bits need few vectors to have enough multiply-adds under way, so that one block can be read at the
// speed of the loop: an LSTM of 224 to 320 units takes 20 to 30 % less time than with two or four blocks, one of 160
// units as long. Why several streams are slower is not known; huge pages and other distances between the blocks change
// nothing.
constexpr Machine kZen5 = {"Zen 5",
                           240e9,
                           4 / 3.75e9,
                           6.25e9,
                           {{{50e3, 400e9}, {0.9e6, 165e9}, {24e6, 110e9}, {kBeyond, 20e9}}},
                           {120e3, 220. / 165}};

// No CPU with AVX2 alone was measured. The numbers are those of a Zen 4, whose two 256-bit multiply-adds a cycle do as
// much work as its one of 512 bits.
constexpr Machine kAvx2 = {"AVX2", kZen4.flops_per_second, kZen4.latency, kZen4.vector_loads_per_second, kZen4.memory};

// This row is from documents and was not measured. Intel's optimization manual names two 512-bit multiply-adds of 4
// cycles and two loads a cycle, 48 KiB of L1, and 1.25 MiB of L2 that gives 48 bytes a cycle. The clock is taken as 3.4
// GHz. L3 and memory are those of a Zen 4.
constexpr Machine kIceLake = {
    "Ice Lake", 217e9, 4 / 3.4e9, 6.8e9, {{{44e3, 435e9}, {1.1e6, 163e9}, {24e6, 90e9}, {kBeyond, 20e9}}}};

// This row was measured on an Intel Xeon with AMX of 3.8 GHz, which hides its model
// (bench/results/machine_xeon_amx.txt). Its third level was not told from its second.
constexpr Machine kSapphireRapids = {"Sapphire Rapids",
                                     244e9,
                                     4 / 3.81e9,
                                     4.73e9,
                                     {{{49.2e3, 280e9}, {1.57e6, 172e9}, {2.1e6, 106e9}, {kBeyond, 28.8e9}}}};

// This row is from documents and was not measured. LLVM's model of the CPU names one 128-bit multiply-add a cycle, 4
// cycles from one to the next in a chain, and one 128-bit load a cycle. The clock is the 1.5 GHz of a BCM2711, whose L2
// has 1 MiB. No document says how fast L2 and memory are: half the speed of L1 and 4 GB/s are guesses.
constexpr Machine kCortexA72 = {
    "Cortex-A72", 12e9, 4 / 1.5e9, 1.5e9, {{{29e3, 24e9}, {0.9e6, 12e9}, {kBeyond, 4e9}, {kBeyond, 4e9}}}};

// These rows were not measured; nobody had the hardware. Documents say that a Cortex-M4 does a multiply-add of f32 in 3
// cycles and loads a word in 1 or 2, and a Cortex-M55 one of 128 bits in 2. All else is guessed: the clocks of common
// chips, memories as fast as the cores, and the whole rows of a Cortex-A7 and of RISC-V.
constexpr Machine kCortexM4 = {
    "Cortex-M4", 0.112e9, 3 / 168e6, 0.168e9, {{{64e3, 0.67e9}, {1e6, 0.67e9}, {kBeyond, 0.3e9}, {kBeyond, 0.3e9}}}};
constexpr Machine kCortexM55 = {
    "Cortex-M55", 1.6e9, 4 / 400e6, 0.2e9, {{{64e3, 3.2e9}, {1e6, 3.2e9}, {kBeyond, 1e9}, {kBeyond, 1e9}}}};
constexpr Machine kCortexA7 = {
    "Cortex-A7", 2.4e9, 8 / 1.2e9, 0.6e9, {{{29e3, 9.6e9}, {0.4e6, 4e9}, {kBeyond, 2e9}, {kBeyond, 2e9}}}};
constexpr Machine kRiscV = {
    "RISC-V", 12e9, 4 / 1.5e9, 1.5e9, {{{29e3, 24e9}, {0.9e6, 12e9}, {kBeyond, 4e9}, {kBeyond, 4e9}}}};

struct Family {
  std::string_view cpu;  // LLVM's name
  const Machine* machine;
};

constexpr Family kX86[] = {
    {"znver5", &kZen5},
    {"icelake-client", &kIceLake},
    {"icelake-server", &kIceLake},
    {"rocketlake", &kIceLake},
    {"tigerlake", &kIceLake},
    {"sapphirerapids", &kSapphireRapids},
    {"emeraldrapids", &kSapphireRapids},
    {"graniterapids", &kSapphireRapids},
    {"x86-64-v3", &kAvx2},
    {"haswell", &kAvx2},
    {"broadwell", &kAvx2},
    {"skylake", &kAvx2},
    {"alderlake", &kAvx2},
    {"znver1", &kAvx2},
    {"znver2", &kAvx2},
    {"znver3", &kAvx2},
};

// A CPU without a row in the table is treated as a Zen 4, which was measured best.
const Machine& x86(std::string_view cpu) {
  for (const Family& family : kX86)
    if (family.cpu == cpu) return *family.machine;
  return kZen4;
}

}  // namespace

double Machine::bytes_per_second(double working_set) const {
  for (const MemoryLevel& level : memory)
    if (working_set <= level.bytes) return level.bytes_per_second;
  return memory.back().bytes_per_second;
}

int Machine::chains(int lanes) const {
  return static_cast<int>(std::lround(latency * flops_per_second / (2.0 * lanes)));
}

const Machine& machine_of(const Target& target) {
  switch (target.arch) {
    case Arch::X86_64: return x86(target.cpu);
    case Arch::AArch64: return kCortexA72;
    case Arch::Wasm32: return kZen4;  // a module runs on any machine
    case Arch::Thumb7em:
    case Arch::RiscV32: return kCortexM4;
    case Arch::Thumb81m: return kCortexM55;
    case Arch::Arm7a: return kCortexA7;
    case Arch::RiscV64: return kRiscV;
  }
  return kZen4;
}

}  // namespace rnnc::compiler
