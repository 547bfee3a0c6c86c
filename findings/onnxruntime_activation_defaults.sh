#!/usr/bin/env bash
# onnxruntime-node 1.30.0 (CPU): the activation Affine of an RNN without activation_alpha and activation_beta gives 0 for every input.
#
# Expected   the text of RNN, GRU and LSTM says of activation_alpha and activation_beta "Default values are the same as of corresponding
#            ONNX operators". The operator Affine, of opset 1, has alpha 1 and beta 0 by default: the identity.
# Happens    both are taken as 0, so that the cell's output is 0 whatever it reads; with alpha 1 and beta 0 written out the identity is
#            right. LeakyRelu without an alpha is right too: it takes the 0.01 of its operator.
# Not ours   one unit, W = 1 and R = 0: the input of the activation is x itself, so that nothing but the activation is in the result.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" onnxruntime-node@1.30.0
cat >finding.js <<'JS'
const { run, close, digits } = require("./onnxruntime.js");
const x = [2, -3];
const of = (attributes) => run("RNN", [["X", [2, 1, 1], x], ["W", [1, 1, 1], [1]], ["R", [1, 1, 1], [0]]], ["Y"],
  { hidden_size: { i: 1 }, ...attributes });
(async () => {
  let same = true;
  const cases = [
    ["Affine without alpha and beta", { activations: { strings: ["Affine"] } }, [0, 0], x],
    ["Affine with alpha 1, beta 0", { activations: { strings: ["Affine"] }, activation_alpha: { floats: [1] },
      activation_beta: { floats: [0] } }, x, x],
    ["LeakyRelu without alpha", { activations: { strings: ["LeakyRelu"] } }, [2, -0.03], [2, -0.03]],
  ];
  for (const [what, attributes, seen, by_text] of cases) {
    const { Y } = await of(attributes);
    console.log(`${what}: ${digits(Y)}; by the text ${digits(by_text)}`);
    same &&= close(Y, seen);
  }
  console.log(same ? "Affine without alpha and beta gives 0" : "it does something else now");
  process.exit(same ? 0 : 1);
})().catch((error) => { console.error(String(error)); process.exit(1); });
JS
node finding.js
