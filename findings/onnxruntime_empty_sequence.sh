#!/usr/bin/env bash
# onnxruntime-node 1.30.0 (CPU): a sequence of length 0 in a batch loses its state.
#
# Expected   no step is taken, so that Y_h and Y_c are initial_h and initial_c: a stream that has nothing to say in this call
#            goes on in the next from where it was. The operators' text says "if not specified, assumes all sequences in the
#            batch to have length seq_length" and forbids no 0; ReverseSequence, which exporters put beside, allows it too.
# Happens    Y_h and Y_c of that sequence are 0, for LSTM and for GRU, whatever initial_h and initial_c are. Its neighbours are right,
#            and a sequence that is one step long uses its initial state.
# Not ours   the steps are computed here in double precision, by the operators' text, from the same numbers.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" onnxruntime-node@1.30.0
cat >finding.js <<'JS'
const { run, close, digits } = require("./onnxruntime.js");
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const W = 0.5, R = 0.25;  // of every gate: one unit, one input
const lstm = ([h, c]) => {
  const a = W * 1 + R * h, next = sigmoid(a) * c + sigmoid(a) * Math.tanh(a);
  return [sigmoid(a) * Math.tanh(next), next];
};
const gru = ([h]) => {
  const z = sigmoid(W + R * h);
  return [(1 - z) * Math.tanh(W + R * z * h) + z * h];
};
(async () => {
  const lengths = [2, 0, 1], h0 = [0.1, 0.2, 0.3], c0 = [0.4, 0.5, 0.6];
  let same = true;
  for (const [operator, gates, step] of [["LSTM", 4, lstm], ["GRU", 3, gru]]) {
    const constant = (n, x) => Array(n).fill(x);
    const inputs = [["X", [2, 3, 1], constant(6, 1)], ["W", [1, gates, 1], constant(gates, W)],
      ["R", [1, gates, 1], constant(gates, R)], ["B"], ["lens", [3], lengths], ["h0", [1, 3, 1], h0]];
    const names = ["Y", "Y_h"];
    if (operator === "LSTM") inputs.push(["c0", [1, 3, 1], c0]), names.push("Y_c");
    const found = await run(operator, inputs, names, { hidden_size: { i: 1 } });
    const expected = lengths.map((length, k) => {
      let state = [h0[k], c0[k]];
      for (let t = 0; t < length; ++t) state = step(state);
      return state;
    });
    for (const [at, name] of names.slice(1).entries()) {
      const want = expected.map((state) => state[at]);
      console.log(`${operator} lengths 2 0 1: ${name} ${digits(found[name])}, expected ${digits(want)}`);
      same &&= close(found[name], want.map((x, k) => (lengths[k] === 0 ? 0 : x)));
    }
  }
  console.log(same ? "the final state of a sequence of length 0 is 0, not the initial one" : "it does something else now");
  process.exit(same ? 0 : 1);
})().catch((error) => { console.error(String(error)); process.exit(1); });
JS
node finding.js
