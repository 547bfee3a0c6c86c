#!/usr/bin/env bash
# TensorFlow.js 4.22.0 (@tensorflow/tfjs-layers): a mask stays for layers that have none, also for those of another input.
#
# Expected   a mask goes along the graph: layers.masking skips steps, as its text says, "in all downstream layers". A layer of another input
#            has nothing to do with it, and a recurrent layer that returns its last step alone ends the mask, as in Keras: its
#            computeMask gives null. So the decoder of a sequence autoencoder takes all its steps.
# Happens    when a model is run, a layer without a mask gets the last one that any layer before it had. The decoder skips the steps in
#            which the encoder's input was padding. Of two recurrent layers, each with an input of its own, the second one skips what the
#            first one has masked, so that the result depends on the order in which the model names its inputs. Nothing is reported.
# Not ours   the layers add up their input: simpleRNN with weights 1 and no activation. The decoder alone, as a model of its own that is
#            given the encoder's result, is right, and so is the second of the two layers when it is run without the first one.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-layers@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0
cat >finding.js <<'JS'
const { core, layers, input, model } = require("./tfjs.js");
const steps = 4;
const sum = (returnSequences) => layers.simpleRNN({ units: 1, kernelInitializer: "ones", recurrentInitializer: "ones",
  activation: "linear", returnSequences });
const sequence = (values) => core.tensor(values, [1, steps, 1]);
const sums = (values) => values.map((_, k) => values.slice(0, k + 1).reduce((a, b) => a + b));
const masked = () => layers.masking({ maskValue: 0 });
(async () => {
  await core.setBackend("cpu");
  let same = true;
  const line = (what, seen, actual, expected) => {
    const values = Array.from(seen.dataSync());
    console.log(`${what}: ${values.join(" ")}; expected ${expected.join(" ")}`);
    same &&= values.join() === actual.join();
  };
  const padded = [1, 2, 0, 0], other = [10, 20, 30, 40];

  const x = input({ shape: [steps, 1] }), encoder = sum(false), decoder = sum(true), repeat = layers.repeatVector({ n: steps });
  const code = encoder.apply(masked().apply(x));
  same &&= encoder.computeMask(sequence(padded), core.notEqual(core.tensor([padded]), 0)) === null;
  line("autoencoder", model({ inputs: x, outputs: decoder.apply(repeat.apply(code)) }).predict(sequence(padded)),
    [3, 6, 6, 6], [3, 6, 9, 12]);
  const of_code = input({ shape: [1] }), apart = model({ inputs: of_code, outputs: decoder.apply(repeat.apply(of_code)) });
  line("its two halves", apart.predict(model({ inputs: x, outputs: code }).predict(sequence(padded))), [3, 6, 9, 12], [3, 6, 9, 12]);

  const a = input({ shape: [steps, 1] }), b = input({ shape: [steps, 1] });
  const of_a = sum(true).apply(masked().apply(a)), of_b = sum(true).apply(b), given = [sequence(padded), sequence(other)];
  line("b alone", model({ inputs: b, outputs: of_b }).predict(given[1]), sums(other), sums(other));
  line("b behind a masked a", model({ inputs: [a, b], outputs: [of_a, of_b] }).predict(given)[1], [10, 30, 30, 30], sums(other));
  line("b before a masked a", model({ inputs: [b, a], outputs: [of_b, of_a] }).predict([...given].reverse())[0], sums(other), sums(other));
  console.log(same ? "a layer without a mask takes that of an earlier layer" : "it does something else now");
  process.exit(same ? 0 : 1);
})().catch((error) => { console.error(String(error)); process.exit(1); });
JS
node finding.js
