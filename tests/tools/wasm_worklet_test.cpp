// The processor for an AudioWorklet, without a browser: it allocates nothing while it plays, and is refused for models
// that are none of sound. worklet_test.py has its results in Chromium.
#include "tests/tools/wasm_program.hpp"

namespace rnnc::test {
namespace {

// Plays a processor until the engine has optimised it, and tells how many bytes of garbage 100000 calls more leave.
constexpr const char* kGarbage = R"(
import { readFileSync } from 'node:fs';
let Processor;
globalThis.AudioWorkletProcessor = class { port = { postMessage({ error }) { if (error) throw new Error(error); } }; };
globalThis.registerProcessor = (name, type) => { Processor = type; if (name !== 'm') throw new Error(name); };
await import('./m.worklet.js');
const processor = new Processor({ processorOptions: { bytes: readFileSync('m.wasm') } });
const channels = () => [new Float32Array(128), new Float32Array(128)];
const inputs = [channels()], outputs = [channels(), channels()];
const play = (calls) => {
  for (let i = 0; i < calls; ++i) if (!processor.process(inputs, outputs)) throw new Error('it ended');
};
for (let i = 0; i < 5; ++i) play(20000);
const before = process.memoryUsage().heapUsed;
play(100000);
const garbage = process.memoryUsage().heapUsed - before;
if (Math.abs(garbage) > 50000) throw new Error(`${garbage} bytes`);
)";

// Compiles a network of x : seq f32[3] for an AudioWorklet.
Finished made_for_worklet(const Folder& folder, const std::string& body) {
  const std::string text = "network n { input x : seq f32[3] " + body + " }";
  folder.write("n.rnn", text);
  const ir::Network network = network_of(text);
  Random random(3);
  save_safetensors(folder / "n.safetensors", tensors_of(network, random_weights(network, random))).value();
  return folder.rnnc("compile n.rnn -o m.wasm --worklet");
}

}  // namespace

TEST_CASE("the processor for an AudioWorklet allocates nothing while it plays", "[tools][wasm]") {
  if (!can_run()) return;
  const Folder folder;
  const Finished made =
      made_for_worklet(folder, "param V : f32[1, 3] a = gru<H=3>(x) output y = a output level = V @ a");
  INFO(made.err);
  REQUIRE(made.code == 0);
  CHECK(made.out ==
        "m.wasm: n for wasm32\nm.mjs: its script, with types in m.d.mts\nm.worklet.js: its processor for an "
        "AudioWorklet\n");
  folder.write("garbage.mjs", kGarbage);
  // Browsers load the processor as a module; Node before 20.19 takes a .js for one only where a package says so.
  folder.write("package.json", R"({"type": "module"})");
  const int code = shell(folder, "node --single-threaded garbage.mjs");
  INFO(folder.text("log.txt"));
  CHECK(code == 0);
}

TEST_CASE("a model that an AudioWorklet cannot run is refused before anything is written", "[tools][wasm]") {
  if (!can_link()) return;
  const std::pair<std::string, std::string> cases[] = {
      {"a = gru<H=2>(x) output a",
       "its output y has 2 numbers for each step; a step takes 3 samples and may give as many"},
      {"a = gru<H=3>(x) output last(a)", "its output y is not a sequence"},
      {"a = reverse gru<H=3>(x) output a", "it takes no single steps: "},
      {"input u : seq f32[1] a = gru<H=3>(concat(x, u)) output a", "its x is not one sequence of samples"},
  };
  for (const auto& [body, message] : cases) {
    const Folder folder;
    const Finished made = made_for_worklet(folder, body);
    INFO(body << "\n" << made.err);
    CHECK(made.code == 4);
    CHECK(made.err.find("an AudioWorklet cannot run the model: " + message) != std::string::npos);
    for (const char* file : {"m.wasm", "m.mjs", "m.d.mts", "m.worklet.js"}) CHECK(!folder.has(file));
  }
}

}  // namespace rnnc::test
