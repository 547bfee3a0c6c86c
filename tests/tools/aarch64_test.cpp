// Objects for AArch64 under qemu-user: the bits of x86-64 with fused multiply-adds, for cells of all kinds and ugly
// sizes; the caller's floating-point mode is kept and nothing is written beyond what is the object's.
#include "compiler/llvm/resolve_target.hpp"
#include "runtime/number_format.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/run_network.hpp"
#include "tests/tools/network_program.hpp"

namespace rnnc::test {
namespace {

const std::string kCompiler = "aarch64-linux-gnu-gcc", kMachine = "qemu-aarch64";

bool can_run() {
  if (has_program(kCompiler) && has_program(kMachine) && compiler::resolve_target("x86-64-v3")) return true;
  WARN("skipped: " + kCompiler + ", " + kMachine + " or this machine's FMA is missing");
  return false;
}

void compile_for(const Folder& folder, const std::string& cell, const std::string& dims, const std::string& one,
                 const std::string& two, const std::string& flags = "") {
  const std::string model = "compile --cell " + cell + " --weights w.safetensors " + dims + flags;
  for (const auto& [name, cpu] : {std::pair("one", one), std::pair("two", two)}) {
    const Finished made =
        folder.rnnc(model + " -o " + name + ".o --header " + name + ".h --name " + name + " --target " + cpu);
    INFO(made.err);
    REQUIRE(made.code == 0);
  }
}

// Canaries around state, scratch and y; denormals in the state; FPCR and FPSR before and after; each rounding, with
// denormals flushed and counted, gives the same bits.
constexpr const char* kGuards = R"(
#include <stdint.h>
#include <string.h>
#include "one.h"
#define T 5
#define B 3
enum { kGuard = 64 };
static union { float f[4096]; uint32_t u[4096]; } __attribute__((aligned(64))) state, scratch, y;
static float x[T * B * ONE_INPUT_SIZE];
static float expected[T * B * ONE_OUTPUT_SIZE];
static uint64_t mode(void) { uint64_t m; __asm__ volatile("mrs %0, fpcr" : "=r"(m)); return m; }
static void set_mode(uint64_t m) { __asm__ volatile("msr fpcr, %0" : : "r"(m)); }
static uint64_t flags(void) { uint64_t m; __asm__ volatile("mrs %0, fpsr" : "=r"(m)); return m; }
static int kept(const uint32_t* words, size_t used) {
  size_t i;
  for (i = 0; i < kGuard; ++i) if (words[i] != 0xdeadbeefu) return 0;
  for (i = kGuard + used; i < 4096; ++i) if (words[i] != 0xdeadbeefu) return 0;
  return 1;
}
int main(void) {
  size_t i, n = ONE_STATE_FLOATS(B);
  float *s, *w;
  uint64_t before = mode(), r;
  for (i = 0; i < 4096; ++i) state.u[i] = scratch.u[i] = y.u[i] = 0xdeadbeefu;
  s = state.f + kGuard, w = scratch.f + kGuard;
  if ((uintptr_t)s % 64 || (uintptr_t)w % 64) return 9;
  for (i = 0; i < n; ++i) ((uint32_t*)s)[i] = 1;  /* the smallest denormal */
  if (one_run(s, w, x, y.f + kGuard, T, B) != ONE_OK) return 1;
  if (one_step(s, w, x, y.f + kGuard, B) != ONE_OK) return 2;
  if (mode() != before) return 3;
  if (!kept(state.u, n)) return 4;
  if (!kept(scratch.u, ONE_SCRATCH_FLOATS(T, B))) return 5;
  if (!kept(y.u, T * B * ONE_OUTPUT_SIZE)) return 6;
  for (i = 0; i < n; ++i) if (s[i] != s[i]) return 7;
  for (i = 0; i < T * B * ONE_INPUT_SIZE; ++i) x[i] = (float)(i * 37 % 100) / 50 - 1;
  for (r = 0; r < 9; ++r) {  /* FPCR.FZ and RMode; 4 is the mode of kernels, 8 is 0 again */
    uint64_t raised = flags(), set = r % 8 << 22;
    int status;
    memset(s, 0, n * sizeof *s);
    set_mode(set);
    status = one_run(s, w, x, y.f + kGuard, T, B);
    if (status != ONE_OK || mode() != set || (r % 8 != 4 && flags() != raised)) return 8;
    set_mode(before);
    if (r == 0) memcpy(expected, y.f + kGuard, sizeof expected);
    if (memcmp(expected, y.f + kGuard, sizeof expected) != 0) return 10;
  }
  return 0;
}
)";

}  // namespace

TEST_CASE("objects for AArch64 give the bits of x86-64", "[tools][aarch64]") {
  if (!can_run()) return;
  const std::vector<std::pair<int, int>> sizes = {{1, 1}, {3, 3}, {4, 5}, {16, 16}, {5, 17}, {2, 31}};
  for (const std::string cell : {"lstm", "gru", "gru_cho", "rnn", "lstm_peephole", "gru_layer_norm", "indrnn"})
    for (const auto& [inputs, hidden] : sizes) {
      INFO(cell << ", " << inputs << " inputs, " << hidden << " units");
      const Folder folder;
      const Outcome jit = fill(folder, cell, inputs, hidden);
      compile_for(folder, cell, "--dim I=" + std::to_string(inputs) + " --dim H=" + std::to_string(hidden),
                  "aarch64-generic", "aarch64-cortex-a72");
      const int code =
          shell(folder, kCompiler + " -std=c99 -O1 -Wall -Werror -static main.c one.o two.o -o program && " + kMachine +
                            " ./program");
      INFO(folder.text("log.txt"));
      REQUIRE(code == 0);
      CHECK(folder.text("y1.bin") == bytes(jit.y));
      CHECK(folder.text("y2.bin") == bytes(jit.y));
    }
}

TEST_CASE("objects for AArch64 with weights of integers give the bits of x86-64, by either instruction",
          "[tools][aarch64]") {
  if (!can_run()) return;
  for (const std::string cell : {"lstm", "gru_layer_norm", "rnn_relu"})
    for (const auto& [inputs, hidden] : {std::pair(3, 3), std::pair(5, 17), std::pair(2, 31)})
      for (const WeightFormat format : {WeightFormat::W16, WeightFormat::W8A16, WeightFormat::W8}) {
        INFO(cell << ", " << inputs << " inputs, " << hidden << " units, " << runtime::name(format));
        const Folder folder;
        const Outcome jit = fill(folder, cell, inputs, hidden, format);
        // A cortex-a72 multiplies to 16 bits; a neoverse-n1 has an instruction for four products.
        compile_for(folder, cell, " --dim I=" + std::to_string(inputs) + " --dim H=" + std::to_string(hidden),
                    "aarch64-cortex-a72", "aarch64-neoverse-n1", " --weights-as " + std::string(runtime::name(format)));
        const int code =
            shell(folder, kCompiler + " -std=c99 -O1 -Wall -Werror -static main.c one.o two.o -o program && " +
                              kMachine + " ./program");
        INFO(folder.text("log.txt"));
        REQUIRE(code == 0);
        CHECK(folder.text("y1.bin") == bytes(jit.y));
        CHECK(folder.text("y2.bin") == bytes(jit.y));
      }
  // A matrix whose parts multiply an input and constants: what is computed once runs on the machine that compiles.
  const Folder once;
  once.write("m.rnn", "cell m { input x : f32[8] param W : f32[3, 12] output W @ concat(x, fill(0.3, 4)) }");
  Random random(1);
  save_safetensors(once / "w.safetensors", {{"W", Tensor::from_f32({3, 12}, random.vector(36, -1, 1))}}).value();
  for (const std::string cpu : {"cortex-a72", "neoverse-n1"}) {
    const Finished made = once.rnnc(
        "compile m.rnn --weights w.safetensors -o m.o --header m.h --name m --weights-as w8 --target aarch64-" + cpu);
    INFO(made.err);
    CHECK(made.code == 0);
  }
  const Folder folder;
  const std::string model = "inspect --cell lstm --dim I=8 --dim H=8 --emit asm --weights-as w8 --isa aarch64-";
  CHECK(folder.rnnc(model + "neoverse-n1").out.find("sdot\tv") != std::string::npos);
  CHECK(folder.rnnc(model + "cortex-a72").out.find("smull\tv") != std::string::npos);
}

TEST_CASE("objects for AArch64 leave zeros out and take measured ranges, with the bits of dense programs of x86-64",
          "[tools][aarch64]") {
  if (!can_run()) return;
  for (const std::string cell : {"lstm", "gru"})
    for (const WeightFormat format : {WeightFormat::W16, WeightFormat::W8A16, WeightFormat::W8}) {
      const Folder folder;
      const std::string dims = " --dim I=5 --dim H=41 ";
      fill(folder, cell, 5, 41);
      const auto done = [&](const std::string& command) {
        const Finished finished = folder.rnnc(command);
        INFO(command << "\n" << finished.err);
        REQUIRE(finished.code == 0);
      };
      const std::string model = "--cell " + cell + dims + "--weights ";
      done("prune " + model + "w.safetensors --keep 0.3 -o pruned.safetensors");
      std::filesystem::rename(folder / "pruned.safetensors", folder / "w.safetensors");
      done("calibrate " + model + "w.safetensors --input x.npy -o r.json");
      for (const std::string ranges : {"", " --ranges r.json"}) {
        INFO(cell << ", " << runtime::name(format) << ranges);
        const std::string flags = " --weights-as " + std::string(runtime::name(format)) + ranges;
        done("run " + model + "w.safetensors --isa x86-64-v3 --input x.npy --output y.npy" + flags);
        compile_for(folder, cell, dims, "aarch64-cortex-a72", "aarch64-neoverse-n1", flags + " --sparse");
        const int code =
            shell(folder, kCompiler + " -std=c99 -O1 -Wall -Werror -static main.c one.o two.o -o program && " +
                              kMachine + " ./program");
        INFO(folder.text("log.txt"));
        REQUIRE(code == 0);
        const std::string dense = bytes(folder.values("y.npy"));
        CHECK(folder.text("y1.bin") == dense);
        CHECK(folder.text("y2.bin") == dense);
      }
    }
}

TEST_CASE("objects for AArch64 keep to their memory, and the caller's mode", "[tools][aarch64]") {
  if (!can_run()) return;
  for (const std::string cell : {"lstm", "gru_layer_norm"})
    for (const auto& [inputs, hidden] : {std::pair(1, 1), std::pair(3, 7), std::pair(5, 16)}) {
      INFO(cell << ", " << hidden << " units");
      const Folder folder;
      fill(folder, cell, inputs, hidden);
      folder.write("guards.c", kGuards);
      compile_for(folder, cell, "--dim I=" + std::to_string(inputs) + " --dim H=" + std::to_string(hidden),
                  "aarch64-generic", "aarch64-neoverse-n1");
      const int code =
          shell(folder, kCompiler + " -std=gnu99 -O1 -static guards.c one.o -o guards && " + kMachine + " ./guards");
      INFO(folder.text("log.txt"));
      CHECK(code == 0);
      REQUIRE(shell(folder, "aarch64-linux-gnu-nm -u one.o | awk '{print $2}' >used.txt") == 0);
      const std::string used = folder.text("used.txt");
      INFO(used);
      CHECK((used == "memcpy\nmemset\n" || used == "memset\n"));
    }
}

TEST_CASE("objects of networks for AArch64 give the bits of x86-64, which are the interpreter's", "[tools][aarch64]") {
  if (!can_run()) return;
  const std::vector<std::string> bodies = {
      "param h0 : f32[7] param W : f32[3, 19] a = bidirectional gru<H=7>(x) from (fwd.h = h0) b = reverse lstm<H=19>("
      "concat(a, mean(x))) from (h = concat(max(a), sum(x))) output concat(W @ tanh(b), last(a), first(x))",
      "param W : f32[5, 16] a = lstm<H=16>(x) b = lstm<H=16>(a) output W @ b + x",
      "a = lstm<H=5>(turned(x)) output concat(turned(a) - x, turned(mean(x) + x))"};
  for (const std::string& body : bodies)
    for (const std::int64_t batch : {1, 3}) {
      INFO(body << ", batch " << batch);
      const Folder folder;
      const ir::Network network = network_of("network n { input x : seq f32[5] " + body + " }");
      Random random(4);
      const ir::NamedVectors weights = random_weights(network, random);
      const std::int64_t steps = 7;
      const ir::NetworkBatch input{batch, {{"T", {steps, {}}}}, {{"x", random_vector(random, steps * batch * 5)}}};
      const bool half = batch == 3;
      const CompileOptions options{.cpu = "x86-64-v3", .weights = half ? WeightFormat::F16 : WeightFormat::F32};
      const NetworkOutcome jit = run_network(compile_network(network, weights, options), network, input);
      CHECK(error_against_interpreter(network, weights, input, {}, jit) <= (half ? 1e-2 : 5e-6));
      save_safetensors(folder / "w.safetensors", tensors_of(network, weights)).value();
      folder.write("n.rnn", "network n { input x : seq f32[5] " + body + " }");
      folder.write("x.bin", bytes(rows_of_x(network, input, steps)));
      folder.write("main.c", kNetworkProgram);
      const Finished made = folder.rnnc(
          "compile n.rnn --weights w.safetensors -o net.o --header net.h --name net --target aarch64-cortex-a72" +
          std::string(half ? " --weights-as f16" : ""));
      INFO(made.err);
      REQUIRE(made.code == 0);
      const int code =
          shell(folder, kCompiler + " -std=c99 -O1 -Wall -Werror -static -DT=7 -DB=" + std::to_string(batch) +
                            (&body == &bodies[1] ? " -DSTREAMS" : "") + " main.c net.o -o program && " + kMachine +
                            " ./program");
      INFO(folder.text("log.txt"));
      REQUIRE(code == 0);
      CHECK(folder.text("y.bin") == bytes(jit.y));
    }
}

TEST_CASE("what AArch64 cannot have is refused", "[tools][aarch64]") {
  const Folder folder;
  fill(folder, "rnn");
  const std::string model = "--cell rnn --weights w.safetensors ";
  const auto refused = [&](const std::string& arguments, int code, const std::string& message) {
    const Finished made = folder.rnnc(arguments);
    INFO(arguments << "\n" << made.err);
    CHECK(made.code == code);
    CHECK(made.err.find(message) != std::string::npos);
  };
  refused("compile " + model + "-o m.o --header m.h --target aarch64-zx81", 2,
          "unknown CPU 'aarch64-zx81'; use aarch64-generic");
  refused("compile " + model + "-o m.o --header m.h --target aarch64-generic,x86-64-v3", 2,
          "an object for AArch64 is for one CPU");
  refused("compile " + model + "-o m.rnnc --target aarch64-generic", 4,
          "artifacts are for x86-64; compile to an object");
  refused("run " + model + "--isa aarch64-generic --input x.npy --output y.npy", 4,
          "this machine cannot run code for 'aarch64-generic'");
  CHECK(!folder.has("m.o"));
  const Finished shown = folder.rnnc("inspect --cell lstm --dim I=8 --dim H=8 --isa aarch64-cortex-a72 --emit asm");
  CHECK(shown.out.find("fmla\tv") != std::string::npos);
}

}  // namespace rnnc::test
