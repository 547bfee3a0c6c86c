#!/usr/bin/env bash
# onnxruntime-node 1.30.0 (CPU): `clip` of an LSTM bounds the gates' inputs, but neither the cell state nor the input of its tanh.
#
# Expected   of two things one: what the operator's text says, "clipping bounds the elements of a tensor [...] and is applied to the
#            input of activations", of which h(Ct) is one: H = o * tanh(clip(C)); or the "cell clip" that the same text calls it by,
#            as in TensorFlow's LSTM cell: C itself is bounded, and so is what the next step reads.
# Happens    neither: i, f, o and the candidate are computed of bounded inputs, C grows without bound, and H = o * tanh(C).
# Not ours   all three readings are computed here in double precision from the same numbers; without clip all agree.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" onnxruntime-node@1.30.0
cat >finding.js <<'JS'
const { run, close, digits } = require("./onnxruntime.js");
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const [i, o, f, g] = [3, 2, 4, 3];  // inputs of the gates, in ONNX's order; R is 0
const c0 = 3;
(async () => {
  let same = true;
  for (const limit of [1e9, 2, 1, 0.5]) {
    const clip = (x) => Math.min(limit, Math.max(-limit, x));
    const C = sigmoid(clip(f)) * c0 + sigmoid(clip(i)) * Math.tanh(clip(g));
    const H = (c) => sigmoid(clip(o)) * Math.tanh(c);
    const by_text = [H(clip(C)), C], of_the_cell = [H(clip(C)), clip(C)], of_gates_only = [H(C), C];
    const found = await run("LSTM", [["X", [1, 1, 1], [1]], ["W", [1, 4, 1], [i, o, f, g]], ["R", [1, 4, 1], [0, 0, 0, 0]], ["B"],
      ["lens"], ["h0", [1, 1, 1], [0]], ["c0", [1, 1, 1], [c0]]], ["Y", "Y_h", "Y_c"],
      { hidden_size: { i: 1 }, ...(limit < 1e9 ? { clip: { f: limit } } : {}) });
    const result = [...found.Y_h, ...found.Y_c];
    console.log(`${limit < 1e9 ? "clip " + limit : "no clip"}: H, C ${digits(result)}; by the text ${digits(by_text)}; ` +
      `of the cell ${digits(of_the_cell)}`);
    same &&= close(result, of_gates_only) && close(result, by_text) === limit > 4;
  }
  console.log(same ? "clip leaves C, and the input of its tanh, unbounded" : "it does something else now");
  process.exit(same ? 0 : 1);
})().catch((error) => { console.error(String(error)); process.exit(1); });
JS
node finding.js
