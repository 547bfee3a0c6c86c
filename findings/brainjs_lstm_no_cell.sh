#!/usr/bin/env bash
# brain.js 1.6.1 and 2.0.0-beta.24: an LSTM has no cell state; its forget gate keeps the output of the step before.
#
# Expected   the README calls it 'Long Short Term Memory Neural Network or "LSTM"', with a link to Wikipedia's page on it, and the source
#            says "what do we keep from cell" of the forget gate: c = f * c + i * tanh(...), h = o * tanh(c). What the cell has is kept
#            as long as the forget gate is open, also behind an output gate that is closed.
# Happens    c is not kept: h = o * tanh(f * h + i * tanh(...)). With an open forget gate the memory goes through tanh and the output gate
#            in each step, so that it fades, and one step with a closed output gate deletes it. An LSTM that is
#            trained elsewhere has other results with these weights.
# Not ours   one unit without recurrent weights, so that the gates depend on x alone; both rules are computed here in double precision.
#            In the first step they agree.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" brain.js@1.6.1 brain.js-2@npm:brain.js@2.0.0-beta.24
cat >finding.js <<'JS'
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
// Weight of x and bias: x = 1 writes, x = 0 keeps and shows, x = -1 keeps with a closed output gate.
const gates = { input: [40, -20], forget: [0, 20], output: [40, 20], cellActivation: [1.2, 0] };
const [i, f, o, g] = Object.values(gates).map(([weight, bias]) => (x) => weight * x + bias);
const textbook = (inputs) => {
  let h, c = 0;
  for (const x of inputs) c = sigmoid(f(x)) * c + sigmoid(i(x)) * Math.tanh(g(x)), h = sigmoid(o(x)) * Math.tanh(c);
  return h;
};
const without_cell = (inputs) => {
  let h = 0;
  for (const x of inputs) h = sigmoid(o(x)) * Math.tanh(sigmoid(f(x)) * h + sigmoid(i(x)) * Math.tanh(g(x)));
  return h;
};

let same = true;
for (const [version, name] of [["1.6.1", "brain.js"], ["2.0.0-beta.24", "brain.js-2"]]) {
  const { LSTMTimeStep } = require(name).recurrent;
  const made = new LSTMTimeStep({ hiddenLayers: [1], inputSize: 1, outputSize: 1 });
  made.train([[0.1, 0.2]], { iterations: 1 });  // makes the weights, of which nothing is left
  const json = made.toJSON(), net = new LSTMTimeStep();
  const put = (matrix, value) => { matrix.weights = matrix.weights instanceof Array ? [value] : { 0: value }; };
  for (const [gate, [weight, bias]] of Object.entries(gates)) {
    put(json.hiddenLayers[0][`${gate}Matrix`], weight);
    put(json.hiddenLayers[0][`${gate}Hidden`], 0);
    put(json.hiddenLayers[0][`${gate}Bias`], bias);
  }
  put(json.outputConnector, 1);
  put(json.output, 0);
  net.fromJSON(json);
  for (const [what, inputs] of [["written", [1]], ["kept for 20 steps", [1, ...Array(20).fill(0)]], ["behind a closed gate", [1, -1, 0]]]) {
    const seen = net.run(inputs), [by_text, actual] = [textbook(inputs), without_cell(inputs)];
    console.log(`${version}, ${what}: ${seen.toFixed(4)}; with a cell ${by_text.toFixed(4)}, without ${actual.toFixed(4)}`);
    same &&= Math.abs(seen - actual) < 1e-5 && Math.abs(seen - by_text) < 1e-5 === (inputs.length === 1);
  }
}
console.log(same ? "the memory of an LSTM is its output" : "it does something else now");
process.exit(same ? 0 : 1);
JS
node finding.js
