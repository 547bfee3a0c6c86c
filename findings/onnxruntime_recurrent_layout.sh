#!/usr/bin/env bash
# onnxruntime-node 1.30.0 (CPU): RNN, GRU and LSTM with layout = 1 pass the model checker and are refused when the session is made.
#
# Expected   `layout` is an attribute of the three operators since opset 14 (2021), with the values 0, [T,B,I], and 1, [B,T,I]; node tests
#            of ONNX have it (test_lstm_batchwise). A runtime that runs opset 14 and newer would run both.
# Happens    layout 0 runs; with layout 1 InferenceSession.create throws "Batchwise recurrent operations (layout == 1) are not supported".
#            An exporter that wants batch first has to write Transposes around.
# Not ours   the two models differ in this attribute alone; the one with layout 0 gives tanh of its input.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" onnxruntime-node@1.30.0
cat >finding.js <<'JS'
const { run, close } = require("./onnxruntime.js");
(async () => {
  let same = true;
  for (const operator of ["RNN", "GRU", "LSTM"]) {
    const gates = { RNN: 1, GRU: 3, LSTM: 4 }[operator], zeros = (n) => Array(n).fill(0);
    const inputs = [["X", [1, 1, 1], [0.5]], ["W", [1, gates, 1], zeros(gates)], ["R", [1, gates, 1], zeros(gates)]];
    const said = {};
    for (const layout of [0, 1])
      said[layout] = await run(operator, inputs, ["Y"], { hidden_size: { i: 1 }, layout: { i: layout } })
        .then(({ Y }) => (close(Y, [0]) ? "runs" : "a wrong number"), (error) => /not supported/.test(String(error)) ? "not supported" : String(error));
    console.log(`${operator}: layout 0 ${said[0]}, layout 1 ${said[1]}`);
    same &&= said[0] === "runs" && said[1] === "not supported";
  }
  console.log(same ? "layout 1 is not supported by any of the three" : "it does something else now");
  process.exit(same ? 0 : 1);
})().catch((error) => { console.error(String(error)); process.exit(1); });
JS
node finding.js
