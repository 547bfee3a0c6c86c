// Objects for machines of 32 bits, for RISC-V and for microcontrollers, under emulators: the bits of x86-64, for cells
// of all kinds, number formats and ugly sizes; memory beside what is the object's and the caller's floating-point mode
// are kept; the header tells how much memory a program takes.
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>

#include "compiler/llvm/resolve_target.hpp"
#include "runtime/number_format.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/run_network.hpp"
#include "tests/tools/object_program.hpp"

namespace rnnc::test {
namespace {

const std::string kBoard = RNNC_SOURCE_DIR "/examples/microcontroller/";

struct Machine {
  std::string target, compiler_flags, emulator, linker_flags = "";
};

std::string system_of(const std::string& board) {
  return "qemu-system-arm -M " + board + " -nographic -semihosting -kernel";
}

std::string riscv64_of(int bits) { return "qemu-riscv64 -cpu rv64,v=true,vext_spec=v1.0,vlen=" + std::to_string(bits); }

const std::string kRiscV64 = "--target=riscv64-linux-gnu -march=rv64gc -mno-relax";

const std::vector<Machine>& machines() {
  static const std::string script = "-T " + kBoard + "board.ld";
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

bool can_build() {
  if (has_program("clang-19") && has_program("ld.lld-19") && compiler::resolve_target("x86-64-v3")) return true;
  WARN("skipped: clang-19, ld.lld-19 or this machine's FMA is missing");
  return false;
}

bool can_run(const Machine& machine) { return !lacks(machine.emulator.substr(0, machine.emulator.find(' '))); }

// GNU's linker for the machine, as most people who write for it have. "" where it takes no part in the tests.
std::string gnu_linker_of(const Machine& machine) {
  if (!machine.linker_flags.empty()) return "arm-none-eabi-ld";
  if (machine.target == "riscv32") return "riscv64-unknown-elf-ld -m elf32lriscv";
  return machine.target.starts_with("riscv64") ? "riscv64-unknown-elf-ld -m elf64lriscv" : "";
}

// Runs a piece of the sequence at once and the rest step by step. Canaries lie around state, scratch and y.
constexpr const char* kMain = R"(
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
void compile_for(const Folder& folder, const Machine& machine, const std::string& model) {
  const Finished made =
      folder.rnnc("compile " + model + " -o one.o --header one.h --name one --target " + machine.target);
  INFO(made.err);
  REQUIRE(made.code == 0);
}

std::string cell_with_weights(const std::string& cell, int inputs, int hidden, WeightFormat format) {
  return "--cell " + cell + " --weights w.safetensors --dim I=" + std::to_string(inputs) +
         " --dim H=" + std::to_string(hidden) + " --weights-as " + std::string(runtime::name(format));
}

std::vector<float> floats_of(const std::string& text) {
  std::vector<float> values(text.size() / sizeof(float));
  std::memcpy(values.data(), text.data(), text.size());
  return values;
}

// The board's script with the addresses that the secure world of mps2-an505 has its memory at.
std::string script_of_cortex_m33() {
  std::ifstream file(kBoard + "board.ld");
  std::string script(std::istreambuf_iterator<char>(file), {});
  for (const auto& [from, to] : {std::pair("0x00000000", "0x10000000"), {"0x20000000", "0x38000000"}}) {
    const std::size_t place = script.find(from);
    REQUIRE(place != std::string::npos);
    script.replace(place, std::strlen(from), to);
  }
  return script;
}

void build_and_run(const Folder& folder, const Machine& machine, const std::string& flags,
                   const std::string& linker = "ld.lld-19") {
  folder.write("board_main.c", kMain);
  folder.write("board33.ld", script_of_cortex_m33());
  const std::string compile =
      "clang-19 " + machine.compiler_flags + " -O2 -Wall -Werror -ffreestanding -I" + kBoard + " -I. " + flags + " -c ";
  const int code =
      shell(folder, compile + "board_main.c -o main.o && " + compile + kBoard + "board.c -o board.o && " + linker +
                        " " + machine.linker_flags + " main.o board.o one.o -o program && timeout 60 " +
                        machine.emulator + " ./program");
  INFO(folder.text("log.txt"));
  REQUIRE(code == 0);
}

struct BoardCase {
  std::string cell;
  int inputs, hidden;
  WeightFormat format = WeightFormat::F32;
};

void check_bits(const Machine& machine, const BoardCase& subject) {
  INFO(machine.target << ", " << subject.cell << ", " << subject.inputs << " inputs, " << subject.hidden << " units, "
                      << runtime::name(subject.format));
  const Folder folder;
  const Outcome jit = fill(folder, subject.cell, subject.inputs, subject.hidden, subject.format);
  compile_for(folder, machine, cell_with_weights(subject.cell, subject.inputs, subject.hidden, subject.format));
  build_and_run(folder, machine, "-DB=3");
  CHECK(folder.text("y.bin") == bytes(jit.y));
}

// A NaN in one sequence stays in it, and goes through all functions of a cell: comparisons keep it.
void check_nan(const Machine& machine, WeightFormat format) {
  INFO(machine.target << ", " << runtime::name(format));
  const Folder folder;
  const Outcome jit = fill(folder, "gru", 4, 20, format);
  std::vector<float> x(static_cast<std::size_t>(kSteps * kBatch * 4), 0.25F);
  x[static_cast<std::size_t>(2 * kBatch * 4)] = std::numeric_limits<float>::quiet_NaN();  // of sequence 0, in step 2
  folder.write("x.bin", bytes(x));
  compile_for(folder, machine, cell_with_weights("gru", 4, 20, format));
  build_and_run(folder, machine, "-DB=3");
  const std::vector<float> y = floats_of(folder.text("y.bin"));
  REQUIRE(y.size() == jit.y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t step = i / (3 * 20), sequence = i / 20 % 3;
    CHECK(std::isnan(y[i]) == (sequence == 0 && step >= 2));
  }
}

// Every kind of function and reduction, with all that is special about floats.
constexpr const char* kFunctions =
    "cell f { input x : f32[7] a = x * 3 + 0.001 * x i = argmax(a) output concat(softmax(a), exp(a), log(abs(a)), "
    "gelu(a), "
    "silu(a), softplus(a), elu(a, 1), leaky_relu(a, 0.1), relu(a), clip(a, -1, 1), sigmoid(a), tanh(a), softsign(a), "
    "erf(a), max(a, 0), min(a, 1), sqrt(abs(a)), fill(i, 2), fill(sum(a), 1), fill(max(a), 1)) }";

// The sequences are 7 steps of 3 of 7 numbers.
std::vector<float> special_numbers() {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> special = {0.5F,       -0.F,   0.F,    std::numeric_limits<float>::quiet_NaN(),
                                      1e30F,      -1e30F, 1e-30F, 88.F,
                                      -88.F,      -104.F, 5.F,    -5.F,
                                      1.F,        -1.F,   0.3F,   kInfinity,
                                      -kInfinity, 40.F,   -40.F};
  Random random(3);
  std::vector<float> x = random.vector(kSteps * kBatch * 7, -1, 1);
  for (std::size_t i = kBatch * 7; i < x.size(); ++i)
    if (i % 3 != 0) x[i] = special[i % special.size()];
  return x;
}

}  // namespace

TEST_CASE("objects for boards and for RISC-V give the bits of x86-64", "[tools][boards]") {
  if (!can_build()) return;
  for (const Machine& machine : machines()) {
    if (!can_run(machine)) continue;
    for (const BoardCase& subject : std::vector<BoardCase>{{"lstm", 5, 17},
                                                           {"gru_layer_norm", 3, 7},
                                                           {"rnn_relu", 1, 1},
                                                           {"gru", 16, 16},
                                                           {"lstm_peephole", 2, 31},
                                                           {"gru", 4, 9, WeightFormat::F16}})
      check_bits(machine, subject);
  }
}

TEST_CASE("objects for boards and for RISC-V with weights of integers give the bits of x86-64", "[tools][boards]") {
  if (!can_build()) return;
  for (const Machine& machine : machines()) {
    if (!can_run(machine)) continue;
    for (const BoardCase& subject : std::vector<BoardCase>{{"lstm", 5, 17, WeightFormat::W8},
                                                           {"gru", 16, 32, WeightFormat::W8},
                                                           {"rnn_relu", 2, 3, WeightFormat::W16},
                                                           {"gru_layer_norm", 33, 20, WeightFormat::W8A16},
                                                           {"lstm", 16, 16, WeightFormat::W16}})
      check_bits(machine, subject);
  }
}

TEST_CASE("objects for boards are linked by GNU's linker too, whichever way the program passes floats",
          "[tools][boards]") {
  if (!can_build()) return;
  for (const Machine& machine : machines()) {
    const std::string linker = gnu_linker_of(machine);
    if (linker.empty() || !can_run(machine) || lacks(linker.substr(0, linker.find(' ')))) continue;
    const auto link = [&](const std::string& flags) {
      INFO(machine.target << flags);
      const Folder folder;
      const Outcome jit = fill(folder, "gru", 5, 9);
      compile_for(folder, machine, cell_with_weights("gru", 5, 9, WeightFormat::F32));
      build_and_run(folder, machine, "-DB=3" + flags, linker);
      CHECK(folder.text("y.bin") == bytes(jit.y));
    };
    link("");
    if (machine.target.starts_with("thumb")) link(" -mfloat-abi=softfp");
  }
}

TEST_CASE("functions and reductions have the bits of x86-64 on a board", "[tools][boards]") {
  if (!can_build()) return;
  for (const Machine& machine : machines()) {
    if (!can_run(machine)) continue;
    INFO(machine.target);
    const Folder folder;
    const std::vector<float> x = special_numbers();
    folder.write("f.rnn", kFunctions);
    folder.write("x.bin", bytes(x));
    folder.write("x.npy", {kSteps, kBatch, 7}, x);
    const Finished expected = folder.rnnc("run f.rnn --isa x86-64-v3 --input x.npy --output y.npy");
    INFO(expected.err);
    REQUIRE(expected.code == 0);
    compile_for(folder, machine, "f.rnn");
    build_and_run(folder, machine, "-DB=3");
    const std::vector<float> here = floats_of(folder.text("y.npy")), there = floats_of(folder.text("y.bin"));
    REQUIRE(here.size() > there.size());  // a head, which is whole floats, and the numbers
    REQUIRE(there.size() == static_cast<std::size_t>(kSteps * kBatch) * (7 * 17 + 4));
    for (std::size_t i = 0; i < there.size(); ++i) {
      const float right = here[here.size() - there.size() + i];
      INFO("number " << i << " is " << there[i] << ", and right is " << right);
      CHECK((std::isnan(right) ? std::isnan(there[i])
                               : std::bit_cast<std::uint32_t>(right) == std::bit_cast<std::uint32_t>(there[i])));
    }
  }
}

TEST_CASE("networks have the bits of x86-64 on a board", "[tools][boards]") {
  if (!can_build()) return;
  const std::string text =
      "network n { input x : seq f32[5] param W : f32[3, 9] param V : f32[8, 9] param E : f32[4, 5] "
      "a = gru<H=9>(x) b = lstm<H=9>(concat(a, x)) output concat(W @ b, tanh(V @ a), lookup(E, argmax(W @ a))) }";
  const ir::Network network = network_of(text);
  for (const Machine& machine : machines())
    for (const WeightFormat format : {WeightFormat::F32, WeightFormat::W8}) {
      if (!can_run(machine)) continue;
      INFO(machine.target << ", " << runtime::name(format));
      const Folder folder;
      Random random(4);
      const ir::NamedVectors weights = random_weights(network, random);
      const ir::NetworkBatch input{kBatch, {{"T", {kSteps, {}}}}, {{"x", random_vector(random, kSteps * kBatch * 5)}}};
      const CompileOptions options{.cpu = "x86-64-v3", .weights = format};
      const NetworkOutcome jit = run_network(compile_network(network, weights, options), network, input);
      save_safetensors(folder / "w.safetensors", tensors_of(network, weights)).value();
      folder.write("n.rnn", text);
      folder.write("x.bin", bytes(rows_of_x(network, input, kSteps)));
      compile_for(folder, machine, "n.rnn --weights w.safetensors --weights-as " + std::string(runtime::name(format)));
      build_and_run(folder, machine, "-DB=3");
      CHECK(folder.text("y.bin") == bytes(jit.y));
    }
}

// Sums of a Cortex-M4 are 256 times too large, and fit for 512 columns.
TEST_CASE("long rows of integers do not overflow on a board", "[tools][boards]") {
  if (!can_build()) return;
  for (const Machine& machine : machines())
    if (machine.target.find("cortex-m") != std::string::npos && can_run(machine))
      check_bits(machine, {"rnn_relu", 1037, 4, WeightFormat::W8});
}

TEST_CASE("NaN stays NaN on a board too", "[tools][boards]") {
  if (!can_build()) return;
  for (const Machine& machine : machines())
    if (can_run(machine))
      for (const WeightFormat format : {WeightFormat::F32, WeightFormat::W8}) check_nan(machine, format);
}

TEST_CASE("objects for boards call nothing but memcpy and memset, and their headers tell their sizes",
          "[tools][boards]") {
  for (const Machine& machine : machines()) {
    INFO(machine.target);
    const Folder folder;
    fill(folder, "lstm", 64, 64, WeightFormat::W8);
    compile_for(folder, machine, cell_with_weights("lstm", 64, 64, WeightFormat::W8));
    if (has_program("llvm-nm-19")) {
      REQUIRE(shell(folder, "llvm-nm-19 -u one.o | awk '{print $2}' >used.txt") == 0);
      std::istringstream used(folder.text("used.txt"));
      for (std::string name; used >> name;) CHECK((name == "memcpy" || name == "memset"));
    }
    const std::string header = folder.text("one.h");
    const bool is_narrow = machine.target.find("64") == std::string::npos;
    CHECK((header.find("int32_t steps") != std::string::npos) == is_narrow);
    CHECK(header.find("#define ONE_CODE_BYTES ") != std::string::npos);
    CHECK(header.find("#define ONE_WEIGHTS_BYTES 35840 ") != std::string::npos);
  }
}

TEST_CASE("a header tells that sums over time call a library for double", "[tools][boards]") {
  const Folder folder;
  folder.write("n.rnn", "network n { input x : seq f32[5] output mean(x) }");
  const auto header_for = [&](const std::string& target) {
    const Finished made = folder.rnnc("compile n.rnn -o one.o --header one.h --target " + target);
    INFO(made.err);
    REQUIRE(made.code == 0);
    return folder.text("one.h");
  };
  const std::string note = "functions for double of the C compiler's library";
  CHECK(header_for("thumbv7em-cortex-m4").find(note) != std::string::npos);
  CHECK(header_for("riscv32").find(note) != std::string::npos);
  CHECK(header_for("riscv64").find(note) == std::string::npos);
}

TEST_CASE("what boards cannot have is refused", "[tools][boards]") {
  const Folder folder;
  fill(folder, "rnn", 4, 4);
  const std::string model = "--cell rnn --dim I=4 --dim H=4 --weights w.safetensors ";
  const std::string object = "compile " + model + "-o m.o --header m.h --target ";
  check_fails(folder, object + "thumbv7em-cortex-m3", 4, "no ARMv7E-M or ARMv8-M with DSP and a unit for floats");
  check_fails(folder, object + "thumbv7em-zx81", 2, "use thumbv7em-cortex-m4");
  check_fails(folder, object + "cortex-m4", 2, "did you mean thumbv7em-cortex-m4");
  check_fails(folder, object + "thumbv8.1m-cortex-m4", 4, "has no vector instructions for floats");
  check_fails(folder, object + "armv7-a-cortex-a9", 4, "VFPv4");
  check_fails(folder, object + "riscv64-rvv64", 2, "use riscv64, riscv64-rvv128");
  check_fails(folder, object + "apple-m1", 2, "macOS");
  check_fails(folder, object + "riscv32,riscv64", 2, "for one CPU");
  check_fails(folder, object + "thumbv7em-cortex-m4 --weights-as w8 --sparse", 4, "leaves no zeros out");
  check_fails(folder, "compile " + model + "-o m.rnnc --target riscv64", 4,
              "artifacts are for x86-64; compile to an object");
  check_fails(folder, "compile " + model + "-o m.wasm --target riscv64", 2, "is code for WebAssembly");
  check_fails(folder, "run " + model + "--isa riscv32 --input x.npy --output y.npy", 4, "this machine cannot run code");
  CHECK(!folder.has("m.o"));
}

}  // namespace rnnc::test
