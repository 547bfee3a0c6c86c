// The files of a module of WebAssembly: a script that chooses between modules of two targets, weights that lie apart,
// and files of the user's that stay.
#include <filesystem>

#include "compiler/llvm/resolve_target.hpp"
#include "compiler/object/murmur_hash.hpp"
#include "tests/tools/wasm_program.hpp"

namespace rnnc::test {
namespace {

const std::string kLstm = "--cell lstm --weights w.safetensors";

// Prints the target and writes y of x.bin, with the options of the second argument.
constexpr const char* kPlay = R"(
import { writeFileSync, readFileSync } from 'node:fs';
import { load } from './m.mjs';
const model = await load(undefined, JSON.parse(process.argv[2] ?? '{}'));
const y = model.run(new Float32Array(new Uint8Array(readFileSync('x.bin')).buffer));
writeFileSync('y.bin', new Uint8Array(y.buffer));
writeFileSync('target.txt', model.target);
)";

// An LSTM whose module is m.wasm, with one sequence in x.bin and x.npy.
void fill_lstm(const Folder& folder, const std::string& flags, int inputs = 5, int hidden = 17, unsigned seed = 1) {
  fill(folder, "lstm", inputs, hidden);
  const ir::Cell cell = standard("lstm", inputs, hidden);
  save_safetensors(folder / "w.safetensors", tensors_of(cell, random_weights(cell, seed))).value();
  Random random(9);
  const std::vector<float> x = random.vector(70 * inputs, -1, 1);
  folder.write("x.bin", bytes(x));
  folder.write("x.npy", {70, 1, inputs}, x);
  folder.write("play.mjs", kPlay);
  const Finished made = folder.rnnc("compile " + kLstm + " -o m.wasm " + flags);
  INFO(made.err);
  REQUIRE(made.code == 0);
}

void check_plays(const Folder& folder, const std::string& node, const std::string& options, const std::string& target) {
  const int code = shell(folder, node + " play.mjs '" + options + "'");
  INFO(folder.text("log.txt"));
  REQUIRE(code == 0);
  CHECK(folder.text("target.txt") == target);
  const std::string cpu = target == "wasm32" ? "x86-64-v2" : "x86-64-v3";
  const std::vector<float> y = y_of(folder, "run " + kLstm + " --isa " + cpu + " --input x.npy --output y.npy");
  CHECK(hex(floats_of(folder.text("y.bin"))) == hex(y));
}

// Tells how many bytes of garbage 100000 steps leave, after as many for which the engine optimises the code.
constexpr const char* kGarbageOfSteps = R"(
import { load } from './m.mjs';
const model = await load();
const x = new Float32Array(model.inputSize);
const options = { into: new Float32Array(model.outputSize) };
const play = (steps) => { for (let t = 0; t < steps; ++t) model.step(x, options); };
for (let i = 0; i < 5; ++i) play(20000);
const before = process.memoryUsage().heapUsed;
play(100000);
const garbage = process.memoryUsage().heapUsed - before;
if (Math.abs(garbage) > 50000) throw new Error(`${garbage} bytes`);
)";

// Checks that weights are refused unless they belong to the module.
constexpr const char* kWrongWeights = R"(
import { readFileSync } from 'node:fs';
import { load, loadSync } from './m.mjs';
const fail = (text) => { throw new Error(text); };
const refused = async (type, text, work) => {
  let thrown;
  try { await work(); } catch (error) { thrown = error; }
  if (!(thrown instanceof type && thrown.message.includes(text))) fail(work + ': ' + thrown);
};
const bytes = readFileSync('m.wasm'), weights = readFileSync('m.weights');
const x = new Float32Array(5).fill(1);
const expected = (await load()).step(x).join();
for (const given of [weights, new Uint8Array(weights).buffer, 'm.weights', new URL('m.weights', import.meta.url)])
  if ((await load(bytes, { weights: given })).step(x).join() !== expected) fail(given);
if (loadSync(bytes, { weights }).step(x).join() !== expected) fail('loadSync');
if ((await load(bytes)).step(x).join() !== expected) fail('a module without weights takes those beside the script');
await refused(Error, 'the weights belong to another module', () => load(bytes, { weights: 'other.weights' }));
await refused(Error, 'the weights have 100 bytes', () => load(bytes, { weights: weights.subarray(0, 100) }));
await refused(TypeError, 'loadSync takes { weights }, the bytes of m.weights', () => loadSync(bytes));
await refused(Error, 'none.weights', () => load(undefined, { weights: 'none.weights' }));
await refused(Error, 'this script belongs to another module', () => load('other.wasm'));
await refused(RangeError, 'there is no module for wasm32-relaxed, only for wasm32', () => load(undefined, { target: 'wasm32-relaxed' }));
const whole = await import('./whole.mjs');
await refused(TypeError, 'whole.wasm holds its weights', () => whole.load(undefined, { weights }));
)";

}  // namespace

TEST_CASE("a script takes the module with relaxed SIMD where the engine has it", "[tools][wasm]") {
  if (!can_run()) return;
  for (const std::string flags : {"--target wasm32-relaxed,wasm32", "--target wasm32,wasm32-relaxed --weights-apart"}) {
    const Folder folder;
    fill_lstm(folder, flags);
    check_plays(folder, "node", R"({"target":"wasm32"})", "wasm32");
    // An engine without it: Node 20 needs a flag for it, and later ones do not.
    if (node_is("== 20")) check_plays(folder, "node", "{}", "wasm32");
    if (!compiler::resolve_target("x86-64-v3") || !node_is(">= 20")) {
      WARN("skipped: this machine has no FMA, or this Node no relaxed SIMD");
      continue;
    }
    check_plays(folder, relaxed_node(), "{}", "wasm32-relaxed");
    check_plays(folder, relaxed_node(), R"({"target":"wasm32"})", "wasm32");
  }
}

TEST_CASE("a module whose weights lie apart gives the bits of x86-64-v2", "[tools][wasm]") {
  if (!can_run()) return;
  const Folder folder;
  fill_lstm(folder, "--weights-apart", 64, 64);
  check_plays(folder, "node", "{}", "wasm32");
  CHECK(std::filesystem::file_size(folder / "m.wasm") <= 10000);
  CHECK(std::filesystem::file_size(folder / "m.weights") > 4 * 4 * 64 * 128);
  for (const WeightFormat format : {WeightFormat::F32, WeightFormat::W8})
    for (const WasmCase& each : kNetworks)
      check_network(each, "wasm32", "x86-64-v2", "node", format, " --weights-apart");
}

TEST_CASE("a script finds its files whatever their names are", "[tools][wasm]") {
  if (!can_run()) return;
  const Folder folder;
  fill_lstm(folder, "--weights-apart");
  REQUIRE(folder.rnnc("compile " + kLstm + " -o '50% #1?.wasm' --weights-apart").code == 0);
  std::filesystem::rename(folder / "50% #1?.mjs", folder / "m.mjs");
  check_plays(folder, "node", "{}", "wasm32");
}

TEST_CASE("a step into an array of the caller's allocates nothing", "[tools][wasm]") {
  if (!can_run()) return;
  const Folder folder;
  fill_lstm(folder, "");
  folder.write("garbage.mjs", kGarbageOfSteps);
  const int code = shell(folder, "node --single-threaded garbage.mjs");
  INFO(folder.text("log.txt"));
  CHECK(code == 0);
}

TEST_CASE("weights of another model are refused", "[tools][wasm]") {
  if (!can_run()) return;
  const Folder folder;
  fill_lstm(folder, "--weights-apart");
  REQUIRE(folder.rnnc("compile " + kLstm + " -o whole.wasm").code == 0);
  const Folder second;
  fill_lstm(second, "--weights-apart", 5, 17, 2);
  for (const char* name : {"m.weights", "m.wasm"})
    folder.write("other" + std::string(name).substr(1), second.text(name));
  folder.write("wrong.mjs", kWrongWeights);
  const int code = shell(folder, "node wrong.mjs");
  INFO(folder.text("log.txt"));
  CHECK(code == 0);
}

TEST_CASE("the hash of weights is MurmurHash3", "[tools][wasm]") {
  const auto hash = [](const std::string& text) { return compiler::murmur_hash(std::as_bytes(std::span(text))); };
  CHECK(hash("") == 0);
  CHECK(hash("test") == 0xba6bd213);  // of the test vectors that others publish, this one has whole words
}

TEST_CASE("files beside a module that rnnc has not made stay", "[tools][wasm]") {
  if (!can_link()) return;
  const Folder folder;
  fill(folder, "rnn");
  const std::string model =
      "compile --cell rnn --weights w.safetensors --target wasm32,wasm32-relaxed --weights-apart ";
  const std::vector<std::string> names = {"m.mjs", "m.d.mts", "m.weights", "m.relaxed.wasm", "m.relaxed.weights"};
  for (const std::string& name : names) {
    folder.write(name, "mine\n");
    const Finished made = folder.rnnc(model + "-o m.wasm");
    INFO(name << "\n" << made.err);
    CHECK(made.code == 2);
    CHECK(made.err.find("-o: would also write " + name + ", which is there and was not made by rnnc") !=
          std::string::npos);
    CHECK(folder.text(name) == "mine\n");
    for (const std::string& other : names) CHECK(folder.has(other) == (other == name));
    CHECK(!folder.has("m.wasm"));
    std::filesystem::remove(folder / name);
  }
  CHECK(folder.rnnc(model + "-o m.wasm").code == 0);
  const Finished again = folder.rnnc(model + "-o m.wasm");
  CHECK(again.code == 0);
  CHECK(again.out ==
        "m.wasm: rnn for wasm32\nm.weights: its weights\nm.relaxed.wasm: rnn for wasm32-relaxed\n"
        "m.relaxed.weights: its weights\nm.mjs: its script, with types in m.d.mts\n");
}

}  // namespace rnnc::test
