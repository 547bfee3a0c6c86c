// Objects for machines of 32 bits, for RISC-V and for microcontrollers, under emulators: the bits of x86-64, for cells
// of all kinds, number formats and ugly sizes; memory beside what is the object's and the caller's floating-point mode
// are kept; the header tells how much memory a program takes.
#include <bit>
#include <cmath>
#include <limits>
#include <sstream>

#include "tests/tools/board_program.hpp"

namespace rnnc::test {
namespace {

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
