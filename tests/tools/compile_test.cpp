// rnnc compile: objects that C and C++ programs link, with the bits of the JIT.
#include <rnnc/rnnc.hpp>

#include <cstring>
#include <filesystem>

#include "compiler/llvm/resolve_target.hpp"
#include "tests/tools/object_program.hpp"

namespace rnnc::test {
namespace {

void compile_two(const Folder& folder, const std::string& cell) {
  const std::string model = "compile --cell " + cell + " --weights w.safetensors --dim I=5 --dim H=19 ";
  const Finished one = folder.rnnc(model + "-o one.o --header one.h --name one --target x86-64-v3");
  INFO(one.err);
  REQUIRE(one.code == 0);
  const Finished two = folder.rnnc(model + "-o two.o --header two.h --name two --target x86-64-v3,x86-64-v4");
  INFO(two.err);
  REQUIRE(two.code == 0);
}

void check_runs(const Folder& folder, const std::string& build, const Outcome& jit) {
  INFO(build);
  const int code = shell(folder, "rm -f y1.bin y2.bin; " + build + " && LD_LIBRARY_PATH=. ./program");
  INFO(folder.text("log.txt"));
  REQUIRE(code == 0);
  const std::vector<float>& h = jit.states.at("h");
  const std::string last = bytes({h.end() - kHidden, h.end()});
  CHECK(folder.text("y1.bin") == bytes(jit.y));
  CHECK(folder.text("y2.bin") == bytes(jit.y));
  CHECK(folder.text("h1.bin") == last);
  CHECK(folder.text("h2.bin") == last);
}

}  // namespace

TEST_CASE("objects of two models link into one program of C or C++ and give the JIT's bits", "[tools]") {
  if (!compiler::resolve_target("x86-64-v3")) return;
  for (const std::string cell : {"lstm", "gru_cho", "indrnn", "gru_layer_norm"}) {
    INFO(cell);
    const Folder folder;
    const Outcome jit = fill(folder, cell);
    compile_two(folder, cell);
    check_runs(folder, "cc" + kC + "main.c one.o two.o -o program", jit);
    if (cell == "lstm") {
      check_runs(folder, "c++" + kCpp + "main.cpp one.o two.o -o program", jit);
      check_runs(folder, "cc -shared one.o two.o -o libm.so && cc" + kC + "main.c -L. -lm -o program", jit);
      if (has_program("clang")) check_runs(folder, "clang" + kC + "main.c one.o two.o -o program", jit);
      if (has_program("clang++")) check_runs(folder, "clang++" + kCpp + "main.cpp one.o two.o -o program", jit);
    }
  }
}

TEST_CASE("an object calls nothing but memcpy and memset, and shows three symbols", "[tools]") {
  const Folder folder;
  fill(folder, "gru");
  const std::string model = "compile --cell gru --weights w.safetensors -o m.o --header m.h --name m ";
  for (const std::string target : {"x86-64-v2", "x86-64-v3", "x86-64-v4", "znver4", "x86-64-v2,x86-64-v4"}) {
    INFO(target);
    REQUIRE(folder.rnnc(model + "--target " + target).code == 0);
    REQUIRE(shell(folder,
                  "nm -u m.o | awk '{print $2}' >used.txt; nm -g --defined-only m.o | awk '{print $3}' >own.txt") == 0);
    CHECK(folder.text("used.txt") == "memcpy\nmemset\n");
    CHECK(folder.text("own.txt") == "m_run\nm_start\nm_step\n");
  }
}

TEST_CASE("an object of one level refuses a machine that lacks its instructions", "[tools]") {
  const Folder folder;
  folder.write("m.rnn", "cell m { input x : f32[1]  state h : f32[1]  h' = tanh(x + h)  output h' }\n");
  folder.write("main.c",
               "#include <stdio.h>\n#include \"m.h\"\n"
               "static _Alignas(64) float state[M_STATE_FLOATS(1)], scratch[M_SCRATCH_FLOATS(1, 1)], x[1], y[1];\n"
               "int main(void) { return m_step(state, scratch, x, y, 1); }\n");
  int refused = 0, ran = 0;
  for (const std::string cpu : {"x86-64-v2", "x86-64-v3", "x86-64-v4", "znver4", "znver5", "sapphirerapids", "knl"}) {
    if (!compiler::resolve_target(cpu, false)) continue;
    INFO(cpu);
    const bool runs_here = compiler::resolve_target(cpu, true).ok();
    REQUIRE(folder.rnnc("compile m.rnn -o m.o --target " + cpu).code == 0);
    REQUIRE(shell(folder, "cc -std=c11 main.c m.o -o program") == 0);
    const int status = shell(folder, "./program");
    // A CPU's name may stand for instructions that the code never has, which the object does not ask for.
    CHECK((WEXITSTATUS(status) == 0 || (!runs_here && WEXITSTATUS(status) == 3)));
    (WEXITSTATUS(status) == 0 ? ran : refused) += 1;
  }
  CHECK(ran > 0);
  CHECK(refused > 0);
}

TEST_CASE("an object's symbols have the model file's name, and a shared library hides those that are hidden",
          "[tools]") {
  const Folder folder;
  fill(folder, "gru");
  folder.write("noise-gate.2.rnn", folder.rnnc("inspect --cell gru").out);
  const std::string model = "compile noise-gate.2.rnn --weights w.safetensors -o o.o --header o.h ";
  const std::string symbols = "cc -shared o.o -o lib.so && nm -D --defined-only lib.so | awk '{print $3}' >all.txt && ";
  for (const std::string target : {"x86-64-v2", "x86-64-v2,x86-64-v4"})
    for (const std::string visibility : {"default", "hidden"}) {
      INFO(visibility << " for " << target);
      const Finished made = folder.rnnc(model + "--visibility " + visibility + " --target " + target);
      INFO(made.err);
      REQUIRE(made.code == 0);
      CHECK(folder.text("o.h").find("int noise_gate_2_run(") != std::string::npos);
      REQUIRE(shell(folder, symbols + "(grep noise all.txt || true) >own.txt") == 0);
      CHECK(folder.text("own.txt") ==
            (visibility == "default" ? "noise_gate_2_run\nnoise_gate_2_start\nnoise_gate_2_step\n" : ""));
    }
  CHECK(folder.rnnc("compile --cell gru --weights w.safetensors -o o.o --header o.h").code == 0);
  CHECK(folder.text("o.h").find("int gru_run(") != std::string::npos);
}

TEST_CASE("run of an artifact writes what run of its model writes", "[tools]") {
  const Folder folder;
  fill(folder, "gru");
  const std::string model = "--cell gru --weights w.safetensors ";
  REQUIRE(folder.rnnc("compile " + model + "-o m.rnnc").code == 0);
  REQUIRE(folder.rnnc("run " + model + "--input x.npy --output y1.npy --final-state h=h1.npy").code == 0);
  const Finished loaded = folder.rnnc("run m.rnnc --input x.npy --output y2.npy --final-state h=h2.npy");
  INFO(loaded.err);
  REQUIRE(loaded.code == 0);
  CHECK(folder.text("y1.npy") == folder.text("y2.npy"));
  CHECK(folder.text("h1.npy") == folder.text("h2.npy"));
  const Finished refused = folder.rnnc("run m.rnnc --weights w.safetensors --input x.npy --output y3.npy");
  CHECK(refused.code == 2);
  CHECK(refused.err == "rnnc: --weights: an artifact was compiled with its own; leave it out\n");
}

TEST_CASE("an artifact under the name of another format does not run", "[tools]") {
  const Folder folder;
  fill(folder, "gru");
  REQUIRE(folder.rnnc("compile --cell gru --weights w.safetensors -o m.rnnc").code == 0);
  std::filesystem::rename(folder / "m.rnnc", folder / "m.onnx");
  check_fails(folder, "run m.onnx --input x.npy --output y.npy", 4, "m.onnx: this is an artifact, machine code that");
}

TEST_CASE("an artifact of several levels runs each of them and shows which it has", "[tools]") {
  const std::vector<std::string> runnable = compiler::runnable_levels();
  if (runnable.size() < 2) return;
  const Folder folder;
  fill(folder, "gru");
  const std::string model = "--cell gru --weights w.safetensors ";
  REQUIRE(folder.rnnc("compile " + model + "-o m.rnnc --target x86-64-v3 --target x86-64-v2").code == 0);
  for (const std::string level : {"x86-64-v2", "x86-64-v3"}) {
    REQUIRE(folder.rnnc("run " + model + "--isa " + level + " --input x.npy --output y1.npy").code == 0);
    REQUIRE(folder.rnnc("run m.rnnc --isa " + level + " --input x.npy --output y2.npy").code == 0);
    CHECK(folder.text("y1.npy") == folder.text("y2.npy"));
  }
  REQUIRE(folder.rnnc("run m.rnnc --input x.npy --output y1.npy").code == 0);
  CHECK(folder.text("y1.npy") == folder.text("y2.npy"));
  CHECK(folder.rnnc("inspect m.rnnc").out == "artifact of gru\nx86-64-v2: runs here\nx86-64-v3: is taken here\n");
  const Finished other = folder.rnnc("run m.rnnc --isa x86-64-v4 --input x.npy --output y1.npy");
  CHECK(other.code == 2);
  CHECK(other.err == "rnnc: --isa: the artifact is for x86-64-v2 or x86-64-v3, and not for 'x86-64-v4'\n");
  const Finished text = folder.rnnc("inspect m.rnnc --emit asm");
  CHECK(text.code == 2);
  CHECK(text.err == "rnnc: --emit: an artifact shows its levels only; name the model that it was made of\n");
}

TEST_CASE("compile makes the levels of x86-64 where nothing is said, and tells what it made", "[tools]") {
  if (compiler::runnable_levels().size() < 2) return;
  const Folder folder;
  fill(folder, "gru");
  const std::string model = "compile --cell gru --weights w.safetensors ";
  CHECK(folder.rnnc(model + "-o m.rnnc").out == "m.rnnc: gru for x86-64-v2, x86-64-v3, x86-64-v4\n");
  CHECK(folder.rnnc("inspect m.rnnc").out.find("x86-64-v2: runs here\n") != std::string::npos);
  CHECK(folder.rnnc(model + "-o m.o --name m").out ==
        "m.o: gru for x86-64-v2, x86-64-v3, x86-64-v4\nm.h: its C header\n");
  CHECK(folder.text("m.h").find("int m_run(") != std::string::npos);
  CHECK(folder.rnnc(model + "-o m.o --isa x86-64-v3").out == "m.o: gru for x86-64-v3\nm.h: its C header\n");
  const std::string cpu = compiler::resolve_target("host").value().cpu;
  CHECK(folder.rnnc(model + "-o m.o --target native").out == "m.o: gru for " + cpu + "\nm.h: its C header\n");
}

TEST_CASE("the levels of an object are sorted, so that the highest one runs", "[tools]") {
  const Folder folder;
  fill(folder, "gru");
  const std::string model = "compile --cell gru --weights w.safetensors --name m ";
  REQUIRE(folder.rnnc(model + "-o sorted.o --header m.h --target x86-64-v2,x86-64-v3").code == 0);
  const Finished other = folder.rnnc(model + "-o other.o --header m.h --target x86-64-v3,x86-64-v2");
  CHECK(other.out == "other.o: gru for x86-64-v2, x86-64-v3\nm.h: its C header\n");
  CHECK(folder.text("sorted.o") == folder.text("other.o"));
}

TEST_CASE("compile says of an object for a CPU of Apple that the linker of macOS does not take it", "[tools]") {
  const Folder folder;
  fill(folder, "gru");
  const std::string compile = "compile --cell gru --weights w.safetensors -o m.o --target ";
  const Finished apple = folder.rnnc(compile + "aarch64-apple-m1");
  CHECK(apple.code == 0);
  CHECK(apple.err.find("note: m.o is an ELF object with the calling convention of Linux") != std::string::npos);
  CHECK(folder.text("m.o").starts_with("\177ELF"));
  CHECK(folder.rnnc(compile + "aarch64-cortex-a72").err == "");
}

TEST_CASE("--isa and --target are one flag in all verbs", "[tools]") {
  const Folder folder;
  fill(folder, "gru");
  const std::string model = " --cell gru --weights w.safetensors ";
  CHECK(folder.rnnc("compile" + model + "-o m.o --isa x86-64-v2 --target native")
            .out.starts_with("m.o: gru for x86-64-v2, " + compiler::resolve_target("host").value().cpu + "\n"));
  const std::string plan = folder.rnnc("inspect" + model + "--emit plan --isa x86-64-v2").out;
  CHECK(!plan.empty());
  CHECK(folder.rnnc("inspect" + model + "--emit plan --target x86-64-v2").out == plan);
  CHECK(folder.rnnc("run" + model + "--input x.npy -o y.npy --target native").code == 0);
}

TEST_CASE("compile says what is wrong with its flags", "[tools]") {
  const Folder folder;
  fill(folder, "gru");
  const std::string model = "compile --cell gru --weights w.safetensors ";
  const auto check = [&](const std::string& flags, int code, const std::string& message) {
    const Finished finished = folder.rnnc(model + flags);
    INFO(flags << "\n" << finished.err);
    CHECK(finished.code == code);
    CHECK(finished.err.find(message) != std::string::npos);
  };
  check("-o m.exe", 2, "-o: 'm.exe' ends neither in .o");
  check("-o m.o --isa quick", 2, "--target: unknown CPU 'quick'");
  check("-o m.o --header m.h --name 1x", 2, "'1x' is no C name");
  check("-o m.o --header m.h --visibility public", 2, "--visibility");
  check("-o m.rnnc --visibility hidden", 2, "--visibility: an artifact has no symbols");
  check("-o m.o --header m.h --target pentium9", 2, "unknown CPU 'pentium9'");
  check("-o m.rnnc --header m.h", 2, "--header: an artifact has none");
  check("-o m.rnnc --target ''", 2, "--target: a name is empty; leave the flag out for the usual levels");
  check("-o m.rnnc --target x86-64-v2,x86-64-v2", 2, "x86-64-v2 is given twice; an artifact has one level for a CPU");
  check("-o no/m.o --header m.h", 3, "cannot create a file");
  CHECK_FALSE(folder.has("m.h"));
}

}  // namespace rnnc::test
