// This header runs modules of WebAssembly under Node and compares all that they compute with the JIT.
#pragma once

#include <bit>

#include "runtime/number_format.hpp"
#include "tests/support/large_frame.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/run_network.hpp"
#include "tests/tools/object_program.hpp"

namespace rnnc::test {

inline constexpr std::int64_t kLong = 70;  // more steps than a script gives to one call

inline bool can_link() {
  if (has_program("wasm-ld-19") || has_program("wasm-ld")) return true;
  WARN("skipped: there is no wasm-ld");
  return false;
}

inline bool can_run() { return can_link() && !lacks("node"); }

// Runs all steps at once and one by one. Writes outputs and states, and fails where the ways differ.
inline constexpr const char* kRun = R"(
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

inline std::string hex(const std::vector<float>& values) {
  std::string text;
  for (const float value : values) text += std::to_string(std::bit_cast<std::uint32_t>(value)) + " ";
  return text;
}

inline std::vector<float> floats_of(const std::string& content) {
  std::vector<float> values(content.size() / sizeof(float));
  content.copy(reinterpret_cast<char*>(values.data()), values.size() * sizeof(float));
  return values;
}

struct WasmCase {
  std::string body;  // of a network with inputs x : seq f32[5] and v : f32[3]
  bool streams = true;
  std::string cells = "";
};

// Compiles a network to a module, runs it under Node and compares all that it computes with the JIT.
inline void check_network(const WasmCase& each, const std::string& target, const std::string& cpu,
                          const std::string& node, WeightFormat format = WeightFormat::F32,
                          const std::string& flags = "") {
  INFO(each.body << "\n" << target << ", " << runtime::name(format));
  const bool has_v = each.body.find('v') != std::string::npos;
  const std::string text = each.cells + "network n { input x : seq f32[5] " +
                           std::string(has_v ? "input v : f32[3] " : "") + each.body + " }";
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
                                    " --weights-as " + std::string(runtime::name(format)) + flags);
  INFO(made.err);
  REQUIRE(made.code == 0);
  const int code = shell(folder, node + " run.mjs" + (each.streams ? " streams" : ""));
  INFO(folder.text("log.txt"));
  REQUIRE(code == 0);
  CHECK(hex(floats_of(folder.text("y.out"))) == hex(jit.y));
  for (const auto& [name, values] : jit.outputs) CHECK(hex(floats_of(folder.text(name + ".out"))) == hex(values));
  for (const auto& [name, values] : jit.states) CHECK(hex(floats_of(folder.text(name + ".state"))) == hex(values));
}

inline const std::vector<WasmCase> kNetworks = {
    {"a = lstm<H=7>(x) b = gru<H=17>(a) output y = b output energy = a * a output end = a.h"},
    {"param W : f32[3, 16] a = lstm<H=16>(x) b = lstm<H=16>(a) output y = W @ b"},
    {"param W : f32[3, 10] a = bidirectional gru<H=5>(x) output y = W @ tanh(a) output m = mean(a)", false},
    {"param W : f32[5, 3] a = gru_layer_norm<H=5>(x + W @ v) output y = concat(a, v)"},
    {"param P : f32[48, 5] a = frame(P @ x) output y = a", true, text_of_large_frame()},
};

/// Tells whether the version of Node is, for example, "== 20".
inline bool node_is(const std::string& test) {
  return std::system(("node -e 'process.exit(parseInt(process.versions.node) " + test + " ? 0 : 1)'").c_str()) == 0;
}

// Node 20 has relaxed SIMD behind a flag, later ones without; earlier ones have opcodes of a draft.
inline std::string relaxed_node() { return node_is("== 20") ? "node --experimental-wasm-relaxed-simd" : "node"; }

}  // namespace rnnc::test
