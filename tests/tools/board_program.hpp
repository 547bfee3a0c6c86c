// Tests link objects for microcontrollers, for machines of 32 bits and for RISC-V to programs, and run them under
// emulators.
#pragma once

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "compiler/llvm/resolve_target.hpp"
#include "runtime/number_format.hpp"
#include "tests/tools/object_program.hpp"

namespace rnnc::test {

inline const std::string kBoard = RNNC_SOURCE_DIR "/examples/microcontroller/";

struct Machine {
  std::string target, compiler_flags, emulator, linker_flags = "";
};

inline std::string system_of(const std::string& board) {
  return "qemu-system-arm -M " + board + " -nographic -semihosting -kernel";
}

inline std::string riscv64_of(int bits) {
  return "qemu-riscv64 -cpu rv64,v=true,vext_spec=v1.0,vlen=" + std::to_string(bits);
}

inline const std::string kRiscV64 = "--target=riscv64-linux-gnu -march=rv64gc -mno-relax";

inline const std::vector<Machine>& machines() {
  static const std::string script = "-T board.ld";
  static const std::vector<Machine> list = {
      {"thumbv7em-cortex-m4", "--target=thumbv7em-none-eabihf -mcpu=cortex-m4", system_of("mps2-an386"), script},
      {"thumbv7em-cortex-m7", "--target=thumbv7em-none-eabihf -mcpu=cortex-m7", system_of("mps2-an500"), script},
      {"thumbv7em-cortex-m33", "--target=thumbv8m.main-none-eabihf -mcpu=cortex-m33", system_of("mps2-an505"),
       "-T board33.ld"},
      {"thumbv8.1m-cortex-m55", "--target=thumbv8.1m.main-none-eabihf -mcpu=cortex-m55", system_of("mps3-an547"),
       script},
      {"armv7-a-cortex-a7", "--target=armv7a-linux-gnueabihf -mcpu=cortex-a7", "qemu-arm"},
      {"riscv64", kRiscV64, riscv64_of(128)},
      {"riscv64-rvv128", kRiscV64, riscv64_of(128)},
      {"riscv64-rvv256", kRiscV64, riscv64_of(256)},
      {"riscv64-rvv512", kRiscV64, riscv64_of(512)},
      {"aarch64-cortex-a72", "--target=aarch64-linux-gnu", "qemu-aarch64"},
      {"riscv32", "--target=riscv32-unknown-elf -march=rv32imafc -mabi=ilp32f -mno-relax", "qemu-riscv32"},
  };
  return list;
}

inline bool can_build() {
  if (has_program("clang-19") && has_program("ld.lld-19") && compiler::resolve_target("x86-64-v3")) return true;
  WARN("skipped: clang-19, ld.lld-19 or this machine's FMA is missing");
  return false;
}

inline bool can_run(const Machine& machine) { return !lacks(machine.emulator.substr(0, machine.emulator.find(' '))); }

// GNU's linker for the machine, as most people who write for it have. "" where it takes no part in the tests.
inline std::string gnu_linker_of(const Machine& machine) {
  if (!machine.linker_flags.empty()) return "arm-none-eabi-ld";
  if (machine.target == "riscv32") return "riscv64-unknown-elf-ld -m elf32lriscv";
  return machine.target.starts_with("riscv64") ? "riscv64-unknown-elf-ld -m elf64lriscv" : "";
}

// Runs a piece of the sequence at once and the rest step by step. Canaries lie around state, scratch and y.
inline constexpr const char* kMain = R"(
#include "board.h"
#include "one.h"
#define T 7
#define LINES(floats) (((floats) + 15) / 16 * 16)
#define STATE LINES(ONE_STATE_FLOATS(B))
#define SCRATCH LINES(ONE_SCRATCH_FLOATS(T, B))
#define GUARD 12345.0f
static float state[STATE + 16] __attribute__((aligned(64))), scratch[SCRATCH + 16] __attribute__((aligned(64)));
static float x[T * B * ONE_INPUT_SIZE], y[T * B * ONE_OUTPUT_SIZE + 16];
#if defined(__arm__)
static uint32_t mode(void) { uint32_t m; __asm__ volatile("vmrs %0, fpscr" : "=r"(m)); return m; }
static void set_mode(uint32_t m) { __asm__ volatile("vmsr fpscr, %0" : : "r"(m)); }
#define UPWARD (1u << 22)
#elif defined(__aarch64__)
static uint32_t mode(void) { uint64_t m; __asm__ volatile("mrs %0, fpcr" : "=r"(m)); return (uint32_t)m; }
static void set_mode(uint32_t m) { __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)m)); }
#define UPWARD (1u << 22)
#else
static uint32_t mode(void) { uint32_t m; __asm__ volatile("frcsr %0" : "=r"(m)); return m; }
static void set_mode(uint32_t m) { __asm__ volatile("fscsr %0" : : "r"(m)); }
#define UPWARD (3u << 5)
#endif
int main(void) {
  int i;
  uint32_t before;
  if (read_file("x.bin", x, sizeof x) != 0) return 1;
  for (i = 0; i < 16; ++i) state[STATE + i] = scratch[SCRATCH + i] = y[T * B * ONE_OUTPUT_SIZE + i] = GUARD;
  if (one_start(state, B, 0, B) != ONE_OK || one_start(state, B, 1, B + 1) != ONE_BAD_SIZE) return 2;
  before = mode() | UPWARD;
  set_mode(before);
  i = one_run(state, scratch, x, y, 3, B);
  if (mode() != before) return 3;
  set_mode(before & ~UPWARD);
  if (i != ONE_OK) return 4;
  for (i = 3; i < T; ++i)
    if (one_step(state, scratch, x + i * B * ONE_INPUT_SIZE, y + i * B * ONE_OUTPUT_SIZE, B) != ONE_OK) return 5;
  if (one_run(state + 1, scratch, x, y, 1, B) != ONE_MISALIGNED) return 6;
  if (one_run(state, scratch, x, y, -1, B) != ONE_BAD_SIZE) return 7;
  if (sizeof(void*) == 4 && one_run(state, scratch, x, y, 65536, 65536) != ONE_BAD_SIZE) return 8;
  if (one_run(state, scratch, x, y, 0, B) != ONE_OK) return 9;
  for (i = 0; i < 16; ++i)
    if (state[STATE + i] != GUARD || scratch[SCRATCH + i] != GUARD || y[T * B * ONE_OUTPUT_SIZE + i] != GUARD) return 10;
#ifdef ONE_STACK_BYTES
  if (on_board() && stack_bytes() > ONE_STACK_BYTES + 600) return 11;  /* main and board.c have the rest */
#endif
  return write_file("y.bin", y, sizeof(float) * T * B * ONE_OUTPUT_SIZE) == 0 ? 0 : 12;
}
)";

// `model` is what stands behind "rnnc compile".
inline void compile_for(const Folder& folder, const Machine& machine, const std::string& model) {
  const Finished made =
      folder.rnnc("compile " + model + " -o one.o --header one.h --name one --target " + machine.target);
  INFO(made.err);
  REQUIRE(made.code == 0);
}

inline std::string cell_with_weights(const std::string& cell, int inputs, int hidden, WeightFormat format) {
  return "--cell " + cell + " --weights w.safetensors --dim I=" + std::to_string(inputs) +
         " --dim H=" + std::to_string(hidden) + " --weights-as " + std::string(runtime::name(format));
}

inline std::vector<float> floats_of(const std::string& text) {
  std::vector<float> values(text.size() / sizeof(float));
  std::memcpy(values.data(), text.data(), text.size());
  return values;
}

inline void replace(std::string& script, const std::string& from, const std::string& to) {
  const std::size_t place = script.find(from);
  REQUIRE(place != std::string::npos);
  script.replace(place, from.size(), to);
}

// Writes the boards' script, and the same with the addresses that the secure world of mps2-an505 has its memory at.
inline void write_scripts(const Folder& folder, const std::string& stack) {
  std::ifstream file(kBoard + "board.ld");
  std::string script(std::istreambuf_iterator<char>(file), {});
  replace(script, "8K", stack);
  folder.write("board.ld", script);
  replace(script, "0x00000000", "0x10000000");
  replace(script, "0x20000000", "0x38000000");
  folder.write("board33.ld", script);
}

inline void build_and_run(const Folder& folder, const Machine& machine, const std::string& flags,
                          const std::string& linker = "ld.lld-19", const std::string& stack = "8K") {
  folder.write("board_main.c", kMain);
  write_scripts(folder, stack);
  const std::string compile =
      "clang-19 " + machine.compiler_flags + " -O2 -Wall -Werror -ffreestanding -I" + kBoard + " -I. " + flags + " -c ";
  const int code =
      shell(folder, compile + "board_main.c -o main.o && " + compile + kBoard + "board.c -o board.o && " + linker +
                        " " + machine.linker_flags + " main.o board.o one.o -o program && timeout 60 " +
                        machine.emulator + " ./program");
  INFO(folder.text("log.txt"));
  REQUIRE(code == 0);
}

}  // namespace rnnc::test
