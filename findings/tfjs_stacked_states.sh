#!/usr/bin/env bash
# TensorFlow.js 4.22.0 (@tensorflow/tfjs-layers): the states of an rnn layer with several cells stand in the reverse order of the cells.
#
# Expected   the layers are those of Keras under the same names. In Keras 3, and in TensorFlow 2 as long as reverse_state_order of
#            StackedRNNCells is not set, states stand in the order of the cells, as the weights do, here too. The text of
#            initialState, "a tensor or list of tensors representing the initial state of the RNN layer", says nothing else.
# Happens    returnState gives h and c of the last cell first, and initialState is taken in that order as well. Cells of one size, as usual,
#            exchange their states without an error where a state comes from Keras.
# Not ours   two LSTM cells that differ in their bias alone, all other weights 0, so that each cell's state is known by itself; it is
#            computed here in double precision. An initial c of 5 in the first pair shows up in the second cell.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-layers@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0
cat >finding.js <<'JS'
const { core, layers, initializers, input, model, sigmoid } = require("./tfjs.js");
const steps = 3, biases = [0.5, -0.5];
const cell = (value) => layers.lstmCell({ units: 1, kernelInitializer: "zeros", recurrentInitializer: "zeros", unitForgetBias: false,
  biasInitializer: initializers.constant({ value }), recurrentActivation: "sigmoid" });
const expected = (bias, c) => {
  let h = 0;
  for (let step = 0; step < steps; ++step) {
    c = sigmoid(bias) * c + sigmoid(bias) * Math.tanh(bias);
    h = sigmoid(bias) * Math.tanh(c);
  }
  return [h, c];
};
const close = (a, b) => a.every((x, k) => Math.abs(x - b[k]) < 1e-5);
const digits = (values) => values.map((x) => x.toFixed(4)).join(" ");
(async () => {
  await core.setBackend("cpu");
  let same = true;
  const rnn = layers.rnn({ cell: biases.map(cell), returnState: true });
  const x = input({ shape: [steps, 1] }), states = [0, 1, 2, 3].map(() => input({ shape: [1] }));
  const stacked = model({ inputs: [x, ...states], outputs: rnn.apply(x, { initialState: states }) });
  const order = rnn.getWeights().filter((tensor) => tensor.rank === 1).map((tensor) => tensor.dataSync()[0]);
  console.log(`biases in the order of getWeights: ${order.join(" ")}`);
  same &&= order.join() === biases.join();
  for (const first_c of [0, 5]) {
    const given = [0, first_c, 0, 0];
    const inputs = [core.zeros([1, steps, 1]), ...given.map((value) => core.tensor([value], [1, 1]))];
    const seen = stacked.predict(inputs).slice(1).map((tensor) => tensor.dataSync()[0]);
    const in_order = [...expected(biases[0], first_c), ...expected(biases[1], 0)];
    const reversed = [...expected(biases[1], first_c), ...expected(biases[0], 0)];
    console.log(`initialState ${given.join(" ")}: states ${digits(seen)}; in the order of the cells ${digits(in_order)}`);
    same &&= close(seen, reversed) && !close(seen, in_order);
  }
  console.log(same ? "the states of the last cell stand first" : "it does something else now");
  process.exit(same ? 0 : 1);
})().catch((error) => { console.error(String(error)); process.exit(1); });
JS
node finding.js
