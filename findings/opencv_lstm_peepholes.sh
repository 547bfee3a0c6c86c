#!/usr/bin/env bash
# OpenCV 5.0.0 (@techstark/opencv-js 5.0.0-release.1): the peepholes of the output gate and of the forget gate of an ONNX LSTM are swapped.
#
# Expected   ONNX's text of LSTM: P is "The weight tensor for peepholes. Concatenation of `P[iof]`"; in W, R and B the gates stand in the
#            order i, o, f, c. OpenCV turns W, R and B into its own order, so that an LSTM without P is right, and would turn P as well.
# Happens    P is taken as i, f, o, in both engines: the cell before the step goes to the forget gate through the numbers of the output
#            gate, and the other way round. The same file with the last two thirds of P exchanged gives the result of the text.
# Not ours   the steps are computed here in double precision by the text; without P OpenCV gives them. All six orders of P are tried.
#            A later change in OpenCV (pull request 29931) corrects the order.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" @techstark/opencv-js@5.0.0-release.1
cat >finding.js <<'JS'
const { run } = require("./opencv.js");
const { example, numbers } = require("./onnx_stored.js");
const { steps, close } = require("./recurrent_steps.js");
(async () => {
  let same = true;
  const of = example("LSTM", "forward"), P = numbers(3 * of.H, 8);
  const gate = { i: 0, o: 1, f: 2 };  // where ONNX has them
  const turned = (order) => [...order].flatMap((name) => P.slice(gate[name] * of.H, (gate[name] + 1) * of.H));
  for (const engine of ["classic", "new"]) {
    same &&= close(await run(of, {}, engine), steps(of));
    const lens = Array(of.B).fill(of.T);  // all of them: the engines want this input beside P
    const Y = await run({ ...of, P, lens }, {}, engine);
    const fits = ["iof", "ifo", "oif", "ofi", "fio", "foi"].filter((order) => close(Y, steps({ ...of, P: turned(order) })));
    console.log(`${engine} engine: of the six orders of P, those that give its result as ONNX's: ${fits.join(" ") || "none"}`);
    same &&= fits.join() === "ifo";
  }
  console.log(same ? "OpenCV reads P as i, f, o; ONNX has i, o, f" : "it does something else now");
  process.exit(same ? 0 : 1);
})().catch((error) => { console.error(String(error)); process.exit(1); });
JS
node finding.js
