#!/usr/bin/env bash
# ONNX 1.12.0 (Debian 12's libonnx-testdata): an LSTM without recurrent weights, forget gate and order of its gates passes the node tests.
#
# Expected   ONNX calls its backend tests "a test suite that each ONNX backend should run to verify whether it fulfills ONNX's standard",
#            and says of the node tests that they verify "the expected behavior of handling various attributes for each individual
#            operator". Who passes the four of LSTM has an LSTM; test_rnn_seq_length and test_gru_seq_length are about sequence_lens.
# Happens    each LSTM test is one step long and begins with zeros, so that neither R nor the forget gate nor two of three peepholes are in
#            the result; and all gates have the same weights, so that their order is not. Of RNN and GRU, one test each has two steps. No
#            test has a direction, activations, clip, input_forget or linear_before_reset. The two tests that are named seq_length
#            have no sequence_lens; the one test that has them has the length of the whole.
# Not ours   the program that passes is below: it looks at the last step alone, takes the gates in the reverse of ONNX's order, and does
#            not read R. It fails the two tests of two steps. A later lstm.py of ONNX (its commit 0075bf7) has the same four tests.
set -euo pipefail
. "$(dirname "$0")/support/debian.sh" libonnx-testdata=1.12.0-2
command -v node >/dev/null || { echo "there is no node"; exit 2; }
cat >finding.js <<'JS'
const { readFileSync, readdirSync } = require("fs");
const { close } = require("./recurrent_steps.js");

// The fields of a protobuf message, as a list of [number, value]: names of fields are those of onnx.proto.
const fields = (bytes) => {
  const found = [];
  let at = 0;
  const varint = () => {
    let value = 0, scale = 1, byte;
    do byte = bytes[at++], value += (byte & 127) * scale, scale *= 128; while (byte & 128);
    return value;
  };
  while (at < bytes.length) {
    const tag = varint(), size = { 1: 8, 5: 4 }[tag & 7] ?? varint();
    found.push([tag >> 3, tag & 7 ? bytes.subarray(at, at + size) : size]);
    if (tag & 7) at += size;
  }
  return { all: (number) => found.filter(([field]) => field === number).map(([, value]) => value) };
};
const tensor = (file) => {
  const message = fields(readFileSync(file)), raw = Uint8Array.from(message.all(9)[0]).buffer;
  return { shape: message.all(1), values: Array.from(message.all(2)[0] === 1 ? new Float32Array(raw) : new Int32Array(raw)) };
};
const test = (folder) => {
  const data = `${folder}/test_data_set_0`, [graph] = fields(readFileSync(`${folder}/model.onnx`)).all(7).map(fields);
  const [node] = graph.all(1).map(fields);
  const names = node.all(1).map(String), outputs = node.all(2).map(String).filter(Boolean);
  return {
    operator: String(node.all(4)[0]), inputs: Object.fromEntries(names.map((name, k) => [name, tensor(`${data}/input_${k}.pb`)])),
    outputs: outputs.map((name, k) => tensor(`${data}/output_${k}.pb`)),
    attributes: node.all(5).map(fields).map((attribute) => [String(attribute.all(1)[0]), attribute.all(3)[0]]),
  };
};

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const poor = (operator, { X, W, B, P }, layout) => {
  const gates = { RNN: 1, GRU: 3, LSTM: 4 }[operator], hidden = W.shape[1] / gates, width = W.shape[2], batch = X.shape[layout ? 0 : 1];
  const last = X.values.slice(-batch * width), result = [];
  for (let b = 0; b < batch; ++b)
    for (let unit = 0; unit < hidden; ++unit) {
      const gate = (place) => {
        const row = (gates - 1 - place) * hidden + unit;
        const bias = B ? B.values[row] + B.values[row + gates * hidden] : 0;
        return last.slice(b * width, (b + 1) * width).reduce((sum, x, k) => sum + x * W.values[row * width + k], bias);
      };
      if (operator === "RNN") result.push(Math.tanh(gate(0)));
      if (operator === "GRU") result.push((1 - sigmoid(gate(0))) * Math.tanh(gate(2)));
      if (operator === "LSTM") {
        const c = sigmoid(gate(0)) * Math.tanh(gate(3)), peephole = P ? P.values[2 * hidden + unit] * c : 0;
        result.push(sigmoid(gate(1) + peephole) * Math.tanh(c));
      }
    }
  return result;
};

const root = "usr/share/libonnx-testdata/data/node", used = new Set(), counts = {}, failed = [], lengths = [];
for (const name of readdirSync(root).filter((name) => /^test_(lstm|gru|rnn|simple_rnn)_/.test(name))) {
  const { operator, inputs, outputs, attributes } = test(`${root}/${name}`);
  attributes.forEach(([attribute]) => used.add(attribute));
  const layout = Object.fromEntries(attributes).layout ?? 0, steps = inputs.X.shape[layout];
  const passes = outputs.every(({ values }) => close(values, poor(operator, inputs, layout)));
  const count = (counts[operator] ??= { passed: 0, tests: 0 });
  count.passed += passes, ++count.tests;
  if (!passes) failed.push(name);
  if (inputs.sequence_lens) lengths.push([name, steps, ...inputs.sequence_lens.values]);
}
const table = Object.entries(counts).map(([operator, { passed, tests }]) => `${operator} ${passed} of ${tests}`).sort().join(", ");
console.log(`passed by a program without R: ${table}; failed: ${failed.join(" ")}`);
console.log(`attributes in these tests: ${[...used].sort().join(" ")}`);
for (const [name, steps, ...values] of lengths) console.log(`sequence_lens: ${name}, of ${steps} step, has ${values.join(" ")}`);
const same = table === "GRU 3 of 4, LSTM 4 of 4, RNN 3 of 4" && failed.join() === "test_gru_seq_length,test_rnn_seq_length"
  && [...used].sort().join() === "hidden_size,layout" && lengths.join() === "test_lstm_with_peepholes,1,1,1";
console.log(same ? "an LSTM that reads no R passes all tests of LSTM" : "it does something else now");
process.exit(same ? 0 : 1);
JS
node finding.js
