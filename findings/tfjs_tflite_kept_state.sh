#!/usr/bin/env bash
# TensorFlow Lite for the web (@tensorflow/tfjs-tflite 0.0.1-alpha.10): predict begins where the last predict ended, also backwards in
# time; nothing sets the state back.
#
# Expected   LSTM layers of Keras that are not "stateful" begin each predict with zeros, and TensorFlow Lite's converter makes one operator
#            UNIDIRECTIONAL_SEQUENCE_LSTM of such a layer. The same input gives the same output. TFLiteModel is an InferenceModel of
#            TensorFlow.js, with predict, "Execute the inference for the input tensors", as a model of tfjs-layers is.
# Happens    the operators keep their state in the loaded model, so that a second input goes on from the first one. The Python interpreter
#            has reset_all_variables for that; this package has no such function, and a model has to be loaded again. A bidirectional
#            operator keeps its backward half too: it begins at an input's last step with what it had at the first step of the one before.
# Not ours   the LSTM's steps are computed here in double precision, once from zeros and once on and on; the RNNs have weights 1 and no
#            activation, so that they add up. A model that is loaded again gives the first result again.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" @tensorflow/tfjs-tflite@0.0.1-alpha.10 @tensorflow/tfjs-core@4.9.0 @tensorflow/tfjs-backend-cpu@4.9.0
cat >finding.js <<'JS'
// The package looks for a browser's worker that loads its files from a site, without threads.
const site = "http://files/";
const file = (url) => require("fs").readFileSync(`node_modules/@tensorflow/tfjs-tflite/wasm/${String(url).slice(site.length)}`);
Object.assign(globalThis, { self: globalThis, location: { origin: site, href: site }, MessageChannel: undefined,
  importScripts: (url) => require("vm").runInThisContext(String(file(url))),
  fetch: async (url) => new Response(file(url), { headers: { "Content-Type": "application/wasm" } }) });
console.warn = console.error = () => {};  // greetings
const core = require("@tensorflow/tfjs-core");
require("@tensorflow/tfjs-backend-cpu");
const { loadTFLiteModel, setWasmPath } = require("@tensorflow/tfjs-tflite/dist/tf-tflite.node.js");
setWasmPath(site);
const { unidirectionalLstm, unidirectionalRnn, bidirectionalRnn } = require("./tflite.js");

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const W = [0.5, 0.6, 0.7, 0.8], R = [0.1, 0.2, 0.3, 0.4], bias = [0.1, 0.2, -0.1, 0.3];  // i, f, c, o
const lstm = (x, { h, c }) => {
  const [i, f, g, o] = W.map((w, k) => w * x + R[k] * h + bias[k]);
  c = sigmoid(f) * c + sigmoid(i) * Math.tanh(g);
  return { h: sigmoid(o) * Math.tanh(c), c };
};
const sum = (x, { h }) => ({ h: h + x });
// The outputs of two calls with the same input, `kept` if the second one begins where the first one ends.
const twice = (step, x, kept) => {
  let state = { h: 0, c: 0 };
  return [0, 1].map((call) => {
    if (call && !kept) state = { h: 0, c: 0 };
    return x.map((value) => (state = step(value, state)).h);
  });
};
const backward = (calls) => calls.map((values) => [...values].reverse());
const close = (a, b) => a.flat().every((value, k) => Math.abs(value - b.flat()[k]) < 1e-5);
const digits = (values) => values.map((value) => +value.toFixed(4)).join(" ");
const x = [1, 10, 100], back = [...x].reverse();

(async () => {
  await core.setBackend("cpu");
  let same = true;
  const cases = [
    ["LSTM", unidirectionalLstm(3, W, R, bias), [[lstm, x, (calls) => calls]]],
    ["RNN", unidirectionalRnn(3), [[sum, x, (calls) => calls]]],
    ["bidirectional RNN", bidirectionalRnn(3), [[sum, x, (calls) => calls], [sum, back, backward]]],
  ];
  for (const [what, bytes, halves] of cases) {
    const load = () => loadTFLiteModel(bytes.buffer, { numThreads: 1 });
    const model = await load(), again = await load();
    const run = (of) => {
      const outputs = of.predict(core.tensor(x, [1, 3, 1]));
      return outputs instanceof core.Tensor ? [[...outputs.dataSync()]] : Object.values(outputs).map((tensor) => [...tensor.dataSync()]);
    };
    const calls = [run(model), run(model)], fresh = run(again);
    for (const [at, [step, input, order]] of halves.entries()) {
      const seen = calls.map((outputs) => outputs[at]);
      const [expected, actual] = [false, true].map((kept) => order(twice(step, input, kept)));
      const half = at ? ", backward half" : "";
      console.log(`${what}${half}: first ${digits(seen[0])}, second ${digits(seen[1])}; expected ${digits(expected[1])}`);
      same &&= close(seen, actual) && !close(seen, expected) && close([fresh[at]], [seen[0]]);
    }
  }
  console.log(same ? "the state of one predict is the start of the next, in both directions" : "it does something else now");
  process.exit(same ? 0 : 1);
})().catch((error) => { console.log(String(error)); process.exit(1); });
JS
node finding.js
