#!/usr/bin/env bash
# synaptic 1.1.4: an LSTM does not forget when it is told to, and does not remember when it is exported.
#
# Expected   clear() of a network: "the network forgets its context, but not what was trained", so that the same sequence gives
#            the same outputs again. standalone() "returns a function that works as the activation of the network", so that its calls,
#            like those of activate(), are the steps of one sequence.
# Happens    the other way round. clear() puts the traces of training to 0 and leaves the states and activations of the cells, so that the
#            next sequence begins where the last one ended. The function of standalone() sets all its states when it begins, so
#            that every call is the first step, whatever came before.
# Not ours   the steps of the LSTM, one cell whose gates see the cell and the input, are computed here from the weights of toJSON(), by the
#            order of the neurons there: activate() gives them from states of 0, after clear() from those that were left.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" synaptic@1.1.4
cat >finding.js <<'JS'
const { Architect, Network } = require("synaptic");
let seed = 1;
Math.random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;  // initial weights that are the same everywhere
const file = JSON.parse(JSON.stringify(new Architect.LSTM(1, 1, 1).toJSON()));
for (const connection of file.connections) if (connection.from !== connection.to) connection.weight *= 20;

// Neurons 0 to 5: input, gates i and f, cell, gate o, output. All have a logistic function.
const logistic = (x) => 1 / (1 + Math.exp(-x));
const weight = (from, to) => file.connections.find((c) => c.from === from && c.to === to).weight;
const first = file.neurons.map(({ state, activation }) => ({ state, activation }));
function steps(inputs, start) {
  const [x, i, f, cell, o, y] = start.map((neuron) => ({ ...neuron }));
  const gate = (neuron, at) => {
    neuron.activation = logistic(file.neurons[at].bias + weight(0, at) * x.activation + weight(3, at) * cell.activation);
  };
  const outputs = inputs.map((value) => {
    x.activation = value;
    gate(i, 1);
    gate(f, 2);
    cell.state = f.activation * weight(3, 3) * cell.state + file.neurons[3].bias + i.activation * weight(0, 3) * value;
    cell.activation = logistic(cell.state);
    gate(o, 4);
    y.activation = logistic(file.neurons[5].bias + o.activation * weight(3, 5) * cell.activation + weight(0, 5) * value);
    return y.activation;
  });
  return { outputs, state: [x, i, f, cell, o, y] };
}
const digits = (values) => values.map((x) => x.toFixed(4)).join(" ");
const close = (a, b) => a.every((x, k) => Math.abs(x - b[k]) < 1e-9);
const inputs = [0.5, 0.5, 0.9, 0.5];

const network = Network.fromJSON(file), play = () => inputs.map((x) => network.activate([x])[0]);
const alone = Network.fromJSON(file).standalone();
const once = steps(inputs, first), twice = steps(inputs, once.state);
const every_first = inputs.map((x) => steps([x], first).outputs[0]);
let same = !close(once.outputs, twice.outputs) && !close(once.outputs, every_first);
const line = (what, seen, expected, actual) => {
  console.log(`${what}: ${digits(seen)}; expected ${digits(expected)}`);
  same &&= close(seen, actual);
};
line("activate()", play(), once.outputs, once.outputs);
network.clear();
line("after clear()", play(), once.outputs, twice.outputs);
line("standalone()", inputs.map((x) => alone([x])[0]), once.outputs, every_first);
console.log(same ? "clear() keeps the state, standalone() loses it at every call" : "it does something else now");
process.exit(same ? 0 : 1);
JS
node finding.js
