#!/usr/bin/env bash
# TensorFlow.js 4.22.0 (tfjs-core and tfjs-layers): its two LSTMs have the gates of their weights in different orders.
#
# Expected   one library has one order. tf.layers.lstm has that of Keras, i f c o; tf.basicLSTMCell, whose text has "The weights for the
#            cell" and "The bias for the cell" and no order, would be the same cell without the layer around it.
# Happens    basicLSTMCell has i c f o: candidate and forget gate are exchanged, as in TensorFlow 1, from which it is derived. Weights
#            of one fit the shapes of the other (its kernel is that of x over that of h), and give another result. States differ as well: c,
#            h here and h, c there.
# Not ours   all 24 orders of the gates are tried against the result of one step in double precision, from four biases and an earlier c.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-layers@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0
cat >finding.js <<'JS'
const { core, layers, input, model, sigmoid } = require("./tfjs.js");
const bias = [0.1, 0.7, -0.4, 1.3], before = 0.6;
const orders = (gates) => (gates.length < 2 ? [gates] : gates.flatMap((gate) => orders(gates.filter((other) => other !== gate))
  .map((rest) => [gate, ...rest])));
const fitting = (h, c) => orders([..."ifco"]).filter((order) => {
  const [i, f, candidate, o] = [..."ifco"].map((gate) => bias[order.indexOf(gate)]);
  const next = sigmoid(f) * before + sigmoid(i) * Math.tanh(candidate);
  return Math.abs(next - c) < 1e-5 && Math.abs(sigmoid(o) * Math.tanh(next) - h) < 1e-5;
}).map((order) => order.join(" "));
const tensor = (value) => core.tensor([value], [1, 1]), number = (value) => value.dataSync()[0];
(async () => {
  await core.setBackend("cpu");
  const forget_bias = core.scalar(0), kernel = core.zeros([2, 4]), biases = core.tensor1d(bias);
  const [c, h] = core.basicLSTMCell(forget_bias, kernel, biases, tensor(0), tensor(before), tensor(0)).map(number);
  const x = input({ shape: [1, 1] }), states = [input({ shape: [1] }), input({ shape: [1] })];
  const lstm = layers.lstm({ units: 1, recurrentActivation: "sigmoid", returnState: true, recurrentInitializer: "zeros" });
  const layer = model({ inputs: [x, ...states], outputs: lstm.apply(x, { initialState: states }) });
  lstm.setWeights([core.zeros([1, 4]), core.zeros([1, 4]), biases]);
  const [, layer_h, layer_c] = layer.predict([core.zeros([1, 1, 1]), tensor(0), tensor(before)]).map(number);
  const found = [fitting(h, c), fitting(layer_h, layer_c)];
  console.log(`basicLSTMCell: h ${h.toFixed(4)}, c ${c.toFixed(4)}, orders that give it: ${found[0].join(", ")}`);
  console.log(`layers.lstm: h ${layer_h.toFixed(4)}, c ${layer_c.toFixed(4)}, orders that give it: ${found[1].join(", ")}`);
  const same = found[0].join() === "i c f o" && found[1].join() === "i f c o";
  console.log(same ? "basicLSTMCell has i c f o, layers.lstm i f c o" : "it does something else now");
  process.exit(same ? 0 : 1);
})().catch((error) => { console.error(String(error)); process.exit(1); });
JS
node finding.js
