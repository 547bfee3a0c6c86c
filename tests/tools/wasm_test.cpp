// Modules of WebAssembly under Node: the bits of x86-64-v2 for cells and networks of all kinds and number formats, and
// those of x86-64-v3 with relaxed SIMD; scripts that check their arguments; modules that import nothing.
#include <bit>
#include <filesystem>

#include "compiler/llvm/resolve_target.hpp"
#include "runtime/number_format.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/run_network.hpp"
#include "tests/tools/object_program.hpp"

namespace rnnc::test {
namespace {

constexpr std::int64_t kLong = 70;  // more steps than a script gives to one call

bool can_link() {
  if (has_program("wasm-ld-19") || has_program("wasm-ld")) return true;
  WARN("skipped: there is no wasm-ld");
  return false;
}

bool can_run() { return can_link() && !lacks("node"); }

// Runs all steps at once and one by one. Writes outputs and states, and fails where the ways differ.
constexpr const char* kRun = R"(
import { readFileSync, writeFileSync } from 'node:fs';
import { load } from './m.mjs';
const read = (name) => new Float32Array(new Uint8Array(readFileSync(name)).buffer);
const equal = (a, b) => Buffer.compare(Buffer.from(a.slice().buffer), Buffer.from(b.slice().buffer)) === 0;
const model = await load();
const inputs = Object.fromEntries(model.inputs.map(({ name }) => [name, read(name + '.bin')]));
const x = read('x.bin');
const steps = x.length / model.inputSize;
const all = model.runAll(x, steps, { inputs });
for (const [name, values] of Object.entries(all)) writeFileSync(name + '.out', new Uint8Array(values.buffer));
for (const [name, values] of Object.entries(model.save())) writeFileSync(name + '.state', new Uint8Array(values.buffer));
const wrong = [];
if (WebAssembly.Module.imports(new WebAssembly.Module(readFileSync('m.wasm'))).length !== 0) wrong.push('imports');
if (process.argv[2] === 'streams') {
  const stream = model.stream();
  const early = { into: new Float32Array(model.outputSize), inputs };
  for (let t = 0; t < steps; ++t) {
    const row = x.subarray(t * model.inputSize, (t + 1) * model.inputSize);
    const one = t % 2 ? stream.stepAll(row, { inputs }) : { [model.outputs[0].name]: stream.step(row, early) };
    for (const { name, size, timed } of model.outputs)
      if (one[name] && timed && !equal(one[name], all[name].subarray(t * size, (t + 1) * size))) wrong.push(name + t);
  }
  for (const [name, values] of Object.entries(model.save())) if (!equal(values, stream.save()[name])) wrong.push(name);
}
model.reset();
const again = model.runAll(x, steps, { inputs });
for (const { name } of model.outputs) if (!equal(again[name], all[name])) wrong.push('again ' + name);
if (wrong.length > 0) throw new Error(wrong.join());
)";

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

std::string hex(const std::vector<float>& values) {
  std::string text;
  for (const float value : values) text += std::to_string(std::bit_cast<std::uint32_t>(value)) + " ";
  return text;
}

std::vector<float> floats_of(const std::string& content) {
  std::vector<float> values(content.size() / sizeof(float));
  content.copy(reinterpret_cast<char*>(values.data()), values.size() * sizeof(float));
  return values;
}

struct Case {
  std::string body;  // of a network with inputs x : seq f32[5] and v : f32[3]
  bool streams = true;
};

// Compiles a network to a module, runs it under Node and compares all that it computes with the JIT.
void check_network(const Case& each, const std::string& target, const std::string& cpu, const std::string& node,
                   WeightFormat format = WeightFormat::F32) {
  INFO(each.body << "\n" << target << ", " << runtime::name(format));
  const bool has_v = each.body.find('v') != std::string::npos;
  const std::string text =
      "network n { input x : seq f32[5] " + std::string(has_v ? "input v : f32[3] " : "") + each.body + " }";
  const Folder folder;
  const ir::Network network = network_of(text);
  Random random(3);
  const ir::NamedVectors weights = random_weights(network, random);
  ir::NetworkBatch input{1, {{"T", {kLong, {}}}}, {{"x", random_vector(random, kLong * 5)}}};
  if (has_v) input.inputs["v"] = random_vector(random, 3);
  const NetworkOutcome jit =
      run_network(compile_network(network, weights, {.cpu = cpu, .weights = format}), network, input);
  save_safetensors(folder / "w.safetensors", tensors_of(network, weights)).value();
  folder.write("n.rnn", text);
  folder.write("x.bin", bytes(rows_of_x(network, input, kLong)));
  if (has_v) folder.write("v.bin", bytes({input.inputs["v"].begin(), input.inputs["v"].end()}));
  folder.write("run.mjs", kRun);
  const Finished made = folder.rnnc("compile n.rnn --weights w.safetensors -o m.wasm --target " + target +
                                    " --weights-as " + std::string(runtime::name(format)));
  INFO(made.err);
  REQUIRE(made.code == 0);
  const int code = shell(folder, node + " run.mjs" + (each.streams ? " streams" : ""));
  INFO(folder.text("log.txt"));
  REQUIRE(code == 0);
  CHECK(hex(floats_of(folder.text("y.out"))) == hex(jit.y));
  for (const auto& [name, values] : jit.outputs) CHECK(hex(floats_of(folder.text(name + ".out"))) == hex(values));
  for (const auto& [name, values] : jit.states) CHECK(hex(floats_of(folder.text(name + ".state"))) == hex(values));
}

const std::vector<Case> kNetworks = {
    {"a = lstm<H=7>(x) b = gru<H=17>(a) output y = b output energy = a * a output end = a.h"},
    {"param W : f32[3, 16] a = lstm<H=16>(x) b = lstm<H=16>(a) output y = W @ b"},
    {"param W : f32[3, 10] a = bidirectional gru<H=5>(x) output y = W @ tanh(a) output m = mean(a)", false},
    {"param W : f32[5, 3] a = gru_layer_norm<H=5>(x + W @ v) output y = concat(a, v)"},
};

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
  for (const Case& each : kNetworks) check_network(each, "wasm32", "x86-64-v2", "node");
  for (const WeightFormat format :
       {WeightFormat::F16, WeightFormat::BF16, WeightFormat::W16, WeightFormat::W8A16, WeightFormat::W8})
    for (const Case& each : kNetworks) check_network(each, "wasm32", "x86-64-v2", "node", format);
}

TEST_CASE("a module with relaxed SIMD gives the bits of x86-64-v3 where the engine fuses", "[tools][wasm]") {
  if (!can_run()) return;
  // Node 20 has it behind a flag, later ones without; earlier ones have opcodes of a draft.
  const auto is_version = [](const std::string& test) {
    return std::system(("node -e 'process.exit(parseInt(process.versions.node) " + test + " ? 0 : 1)'").c_str()) == 0;
  };
  const std::string node = is_version("== 20") ? "node --experimental-wasm-relaxed-simd" : "node";
  if (!compiler::resolve_target("x86-64-v3") || !is_version(">= 20")) {
    WARN("skipped: this machine has no FMA, or this Node no relaxed SIMD");
    return;
  }
  for (const Case& each : kNetworks) check_network(each, "wasm32-relaxed", "x86-64-v3", node);
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
  refused(model + "-o m.wasm --target wasm32,wasm32-relaxed", 2, "an object for WebAssembly is for one CPU");
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
