// Modules of WebAssembly under Node: the bits of x86-64-v2 for cells and networks of all kinds and number formats, and
// those of x86-64-v3 with relaxed SIMD; scripts that check their arguments; modules that import nothing.
#include <cmath>
#include <filesystem>
#include <limits>

#include "compiler/llvm/resolve_target.hpp"
#include "tests/tools/wasm_program.hpp"

namespace rnnc::test {
namespace {

// Checks what a caller may do wrong, and what a stream keeps, for a model with 5 inputs and 7 units.
constexpr const char* kMistakes = R"(
import { readFileSync } from 'node:fs';
import { load, loadSync } from './m.mjs';
import * as other from './other.mjs';
const fail = (text) => { throw new Error(text); };
const throws = (type, text, work) => {
  try { work(); } catch (error) {
    if (error instanceof type && error.message.includes(text)) return;
    throw error;
  }
  fail('nothing thrown: ' + work);
};
const bytes = readFileSync('m.wasm');
const model = loadSync(bytes);
const same = (a, b) => a.every((value, i) => Object.is(value, b[i]));
const x = Float32Array.from({ length: 5 }, (_, i) => i / 5);
if (model.inputSize !== 5 || model.outputSize !== 7 || model.states.map((s) => s.name + s.size).join() !== 'h7,c7') fail('sizes');
for (const source of [undefined, bytes, bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), new WebAssembly.Module(bytes),
                      './m.wasm', new URL('m.wasm', import.meta.url)]) (await load(source)).step(x);
const one = model.stream(), two = model.stream();
const first = one.step(x), second = one.step(x);
if (same(first, second)) fail('the states do not move');
if (!same(two.step(x), first)) fail('streams are not apart');
const saved = two.save();
throws(RangeError, 'x of a step has 5 numbers, not 4', () => two.step(x.subarray(1)));
throws(TypeError, 'x of a step is a Float32Array, not Array', () => two.step([1, 2, 3, 4, 5]));
throws(TypeError, 'not Float64Array', () => two.step(new Float64Array(5)));
throws(TypeError, 'x is a Float32Array, not undefined', () => two.run());
throws(RangeError, 'into for y has 7 numbers, not 8', () => two.step(x, { into: new Float32Array(8) }));
throws(RangeError, 'x of 2 steps has 10 numbers, not 5', () => two.run(x, 2));
throws(RangeError, 'x has a multiple of 5 numbers, not 4', () => two.run(x.subarray(1)));
throws(RangeError, 'steps is 0 or a positive integer, not 1.5', () => two.run(x, 1.5));
throws(TypeError, 'steps is a number, not String', () => two.run(x, '1'));
throws(RangeError, 'state c has 7 numbers, not 6', () => two.restore({ h: new Float32Array(7).fill(3), c: new Float32Array(6) }));
throws(TypeError, 'state c is a Float32Array, not undefined', () => two.restore({ h: new Float32Array(7) }));
throws(RangeError, 'the model has no state d', () => two.restore({ ...saved, d: new Float32Array(7) }));
throws(TypeError, 'restore takes what save returned', () => two.restore(undefined));
if (two.run(new Float32Array(0)).length !== 0) fail('no steps');
if (!same(two.step(x), second)) fail('a mistake changed the states');
two.restore(saved);
if (!same(two.step(x), second)) fail('restored');
two.reset();
if (!same(two.step(x), first)) fail('reset');
two.close(), two.close();
throws(Error, 'the stream is closed', () => two.step(x));
if (!same(model.stream().step(x), first)) fail('a stream in the place of a closed one');
const many = Array.from({ length: 3000 }, () => model.stream());
if (!many.every((stream) => same(stream.step(x), first))) fail('many streams, for which the memory grows');
throws(Error, 'belongs to another module', () => other.loadSync(bytes));
throws(TypeError, 'loadSync takes bytes', () => loadSync('m.wasm'));
await load(5).then(() => fail('load(5)'), (error) => error instanceof TypeError || fail(error));
await load('none.wasm').then(() => fail('load(none)'), (error) => error.message.includes('none.wasm') || fail(error));
)";

}  // namespace

TEST_CASE("modules of WebAssembly give the bits of x86-64-v2", "[tools][wasm]") {
  if (!can_run()) return;
  for (const std::string cell : {"lstm", "gru", "gru_cho", "rnn", "lstm_peephole", "gru_layer_norm", "indrnn"})
    for (const auto& [inputs, hidden] : {std::pair(1, 1), std::pair(3, 5), std::pair(5, 7), std::pair(4, 17)}) {
      INFO(cell << ", " << inputs << " inputs, " << hidden << " units");
      const Folder folder;
      fill(folder, cell, inputs, hidden);
      Random random(7);
      const std::vector<float> x = random.vector(kLong * inputs, -1, 1);
      folder.write("x.bin", bytes(x));
      folder.write("x.npy", {kLong, 1, inputs}, x);
      folder.write("run.mjs", kRun);
      const std::string model = " --cell " + cell + " --weights w.safetensors --dim I=" + std::to_string(inputs) +
                                " --dim H=" + std::to_string(hidden);
      const Finished made = folder.rnnc("compile" + model + " -o m.wasm");
      INFO(made.err);
      REQUIRE(made.code == 0);
      CHECK(made.out == "m.wasm: " + cell + " for wasm32\nm.mjs: its script, with types in m.d.mts\n");
      const int code = shell(folder, "node run.mjs streams");
      INFO(folder.text("log.txt"));
      REQUIRE(code == 0);
      const std::vector<float> y = y_of(folder, "run" + model + " --isa x86-64-v2 --input x.npy --output y.npy");
      CHECK(hex(floats_of(folder.text("y.out"))) == hex(y));
    }
}

TEST_CASE("modules of networks give the bits of x86-64-v2, in every number format", "[tools][wasm]") {
  if (!can_run()) return;
  for (const WasmCase& each : kNetworks) check_network(each, "wasm32", "x86-64-v2", "node");
  for (const WeightFormat format :
       {WeightFormat::F16, WeightFormat::BF16, WeightFormat::W16, WeightFormat::W8A16, WeightFormat::W8})
    for (const WasmCase& each : kNetworks) check_network(each, "wasm32", "x86-64-v2", "node", format);
}

TEST_CASE("a module with relaxed SIMD gives the bits of x86-64-v3 where the engine fuses", "[tools][wasm]") {
  if (!can_run()) return;
  if (!compiler::resolve_target("x86-64-v3") || !node_is(">= 20")) {
    WARN("skipped: this machine has no FMA, or this Node no relaxed SIMD");
    return;
  }
  for (const WasmCase& each : kNetworks) check_network(each, "wasm32-relaxed", "x86-64-v3", relaxed_node());
}

TEST_CASE("a module widens every kind of f16", "[tools][wasm]") {
  if (!can_run()) return;
  // Numbers and what IEEE 754 rounds them to: normal ones, multiples of 2^-24, and infinity.
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<std::pair<float, float>> cases = {
      {1.f / 3, 0.333251953125f},    {-65504, -65504},          {65519, 65504},    {inf, inf}, {-inf, -inf},
      {1e-5f, 168 * 0x1p-24f},       {-3e-5f, -503 * 0x1p-24f}, {6e-8f, 0x1p-24f}, {2e-8f, 0}, {0x1p-14f, 0x1p-14f},
      {1023.5f * 0x1p-24f, 0x1p-14f}};
  const Folder folder;
  const auto count = static_cast<std::int64_t>(cases.size());
  std::vector<float> weights, expected;
  for (const auto& [weight, rounded] : cases) weights.push_back(weight), expected.push_back(rounded);
  weights.push_back(std::numeric_limits<float>::quiet_NaN());
  save_safetensors(folder / "w.safetensors", {{"W", Tensor::from_f32({count + 1, 1}, weights)}}).value();
  folder.write("n.rnn", "network n { input x : seq f32[1] param W : f32[12, 1] output W @ x }");
  folder.write("x.bin", bytes({1}));
  folder.write("run.mjs", kRun);
  REQUIRE(folder.rnnc("compile n.rnn --weights w.safetensors -o m.wasm --weights-as f16").code == 0);
  REQUIRE(shell(folder, "node run.mjs streams") == 0);
  std::vector<float> y = floats_of(folder.text("y.out"));
  REQUIRE(y.size() == expected.size() + 1);
  CHECK(std::isnan(y.back()));
  y.pop_back();
  CHECK(y == expected);
}

TEST_CASE("the script of a module checks its arguments and keeps streams apart", "[tools][wasm]") {
  if (!can_run()) return;
  const Folder folder;
  fill(folder, "lstm", 5, 7);
  const std::string model = "compile --cell lstm --weights w.safetensors ";
  REQUIRE(folder.rnnc(model + "-o m.wasm").code == 0);
  const Folder second;
  fill(second, "lstm", 5, 9);
  REQUIRE(second.rnnc(model + "-o other.wasm").code == 0);
  folder.write("other.mjs", second.text("other.mjs"));
  folder.write("mistakes.mjs", kMistakes);
  const int code = shell(folder, "node mistakes.mjs");
  INFO(folder.text("log.txt"));
  CHECK(code == 0);
}

TEST_CASE("what a module of WebAssembly cannot have is refused before anything is written", "[tools][wasm]") {
  const Folder folder;
  fill(folder, "rnn");
  const std::string model = "compile --cell rnn --weights w.safetensors ";
  const auto refused = [&](const std::string& arguments, int code, const std::string& message) {
    const Finished made = folder.rnnc(arguments);
    INFO(arguments << "\n" << made.err);
    CHECK(made.code == code);
    CHECK(made.err.find(message) != std::string::npos);
    for (const char* file : {"m.wasm", "m.mjs", "m.d.mts", "m.o", "m.h", "m.rnnc"}) CHECK(!folder.has(file));
  };
  refused(model + "-o m.wasm --target x86-64-v3", 2, "a module is code for WebAssembly, not for x86-64-v3");
  refused(model + "-o m.wasm --target wasm32,wasm32", 2, "the target wasm32 is given twice; name it once");
  refused(model + "-o m.wasm --target wasm32,x86-64-v3", 2, "a module is code for WebAssembly, not for x86-64-v3");
  refused(model + "-o m.o --weights-apart", 2, "--weights-apart: only a module has its weights apart");
  refused(model + "-o m.rnnc --worklet", 2, "--worklet: only a module has a processor");
  refused(model + "-o m.wasm --threads 2", 2, "a module of WebAssembly has one thread");
  refused(model + "-o m.wasm --header m.h", 2, "a module has a script instead");
  refused(model + "-o m.wasm --name a", 2, "the functions of a module always have the same names");
  refused(model + "-o m.wasm --visibility hidden", 2, "a module shows what its script needs");
  refused(model + "-o m.o --target wasm32", 2,
          "code for WebAssembly becomes a module, not an object; name -o FILE.wasm");
  refused(model + "-o m.rnnc --target wasm32", 4, "artifacts are for x86-64; compile to a module (-o m.wasm)");
  refused(model + "-o m.wasm --target wasm64", 2, "unknown CPU 'wasm64'");
  refused(model + "-o m.wasm --target wasm32-fast", 2, "use wasm32 or wasm32-relaxed");
  refused("run --cell rnn --weights w.safetensors --isa wasm32 --input x.npy --output y.npy", 4,
          "this machine cannot run code for 'wasm32'; compile it to a module (-o m.wasm)");
  folder.write("n.rnn", "network n { input x : seq f32[5] input u : seq<U> f32[3] output concat(x, last(u)) }");
  refused("compile n.rnn -o m.wasm", 4,
          "the network has sequences of time U, and a module takes those of time T alone");
  std::filesystem::copy_file(folder / "w.safetensors", folder / "m.mjs");
  CHECK(folder.rnnc("compile --cell rnn --weights m.mjs -o m.wasm").code == 2);
}

}  // namespace rnnc::test
