#!/usr/bin/env bash
# onnxruntime-node 1.30.0 (CPU): the first step of a DynamicQuantizeLSTM depends on later steps, and on the other sequences of the batch.
#
# Expected   DynamicQuantizeLSTM is what quantize_dynamic makes of an LSTM. It has the inputs and attributes of LSTM, scales of W and
#            R, and none of X. An LSTM that runs forward reads no step before its turn, and its sequences do not know of each other:
#            the first output comes from the first step of that sequence, with an error of 8-bit weights.
# Happens    X is rounded to 8 bits too, by one scale for the whole call, all steps and all sequences, so that one loud step takes the bits
#            from all others, also from those before it. A stream that is given step by step has other results than the same stream at
#            once, and a quiet sequence beside a loud one is lost.
# Not ours   the first step is computed here in double precision, with X as it is, and with X rounded to 8 bits by the range of the whole
#            call: the latter is what the operator gives each time. The weights are exact in both, and the state before is 0.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" onnxruntime-node@1.30.0
cat >finding.js <<'JS'
const { bytes, number, attribute } = require("./onnx_model.js");
const { ort } = require("./onnxruntime.js");
const types = { float32: 1, int8: 3 }, scale = 1 / 64;
const W = Int8Array.of(50, 64, -30, 96);  // of one input and one unit: i, o, f, candidate
const weights = { W: ["int8", [1, 1, 4], W], R: ["int8", [1, 1, 4], new Int8Array(4)], Ws: ["float32", [1], [scale]],
  Wz: ["int8", [1], [0]], Rs: ["float32", [1], [scale]], Rz: ["int8", [1], [0]] };
const value = (field, name, type) => bytes(field, [...bytes(1, name), ...bytes(2, bytes(1, number(1, types[type])))]);
const file = Uint8Array.from([
  ...number(1, 8),  // ir_version
  ...bytes(7, [  // graph
    ...bytes(1, [  // node
      ...["X", "W", "R", "", "", "", "", "", "Ws", "Wz", "Rs", "Rz"].flatMap((name) => bytes(1, name)), ...bytes(2, "Y"),
      ...bytes(4, "DynamicQuantizeLSTM"), ...attribute(["hidden_size", { i: 1 }]), ...bytes(7, "com.microsoft")]),
    ...bytes(2, "graph"), ...value(11, "X", "float32"),
    ...Object.entries(weights).flatMap(([name, [type]]) => value(11, name, type)), ...value(12, "Y", "float32")]),
  ...bytes(8, number(2, 14)), ...bytes(8, [...bytes(1, "com.microsoft"), ...number(2, 1)]),  // opset_import
]);

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const first_step = (x) => {
  const [i, o, , candidate] = Array.from(W, (w) => w * scale * x);
  return sigmoid(o) * Math.tanh(sigmoid(i) * Math.tanh(candidate));
};
const rounded = (x, all) => {
  const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)], unit = (high - low) / 255, zero = Math.round(-low / unit);
  return (Math.round(x / unit + zero) - zero) * unit;
};
const close = (a, b) => Math.abs(a - b) < 1e-5;
(async () => {
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const stored = Object.fromEntries(Object.entries(weights).map(([name, [type, shape, values]]) => [name, new ort.Tensor(type,
    type === "int8" ? Int8Array.from(values) : Float32Array.from(values), shape)]));
  let same = true;
  const cases = [["one step", [1, 1], [0.3]], ["a loud step behind it", [2, 1], [0.3, -40]],
    ["a louder step behind it", [2, 1], [0.3, -200]], ["a loud sequence beside it", [1, 2], [0.3, -200]]];
  for (const [what, [steps, batch], X] of cases) {
    const { Y } = await session.run({ ...stored, X: new ort.Tensor("float32", Float32Array.from(X), [steps, batch, 1]) });
    const found = Y.data[0], expected = first_step(X[0]), actual = first_step(rounded(X[0], X));
    console.log(`${what}: first output ${found.toFixed(4)}; expected ${expected.toFixed(4)}, by the call's range ${actual.toFixed(4)}`);
    same &&= close(found, actual) && close(found, expected) === (X.length === 1);
  }
  console.log(same ? "what comes later, or beside it, changes the first output" : "it does something else now");
  process.exit(same ? 0 : 1);
})().catch((error) => { console.error(String(error)); process.exit(1); });
JS
node finding.js
