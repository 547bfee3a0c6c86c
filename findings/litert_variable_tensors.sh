#!/usr/bin/env bash
# LiteRT.js 2.5.3 (@litertjs/core): the loader refuses each file with a sequence LSTM or RNN, for all of which the package has kernels.
#
# Expected   the README promises to "load and run arbitrary LiteRT (`.tflite`) models directly in the browser", the format is that of
#            TensorFlow Lite, and the operators UNIDIRECTIONAL_SEQUENCE_LSTM, UNIDIRECTIONAL_SEQUENCE_RNN and BIDIRECTIONAL_SEQUENCE_RNN,
#            of which the first is what TensorFlow Lite's converter makes of an LSTM of Keras, are in the package's WebAssembly.
# Happens    these operators keep their state in tensors that the file marks as variable, as schema.fbs has it, and the loader takes no file
#            with such a tensor: loadAndCompile throws "Failed to load model from buffer", and the log says "Variable tensors not yet
#            supported". So no file gets to those kernels.
# Not ours   an older package for the same format, @tensorflow/tfjs-tflite 0.0.1-alpha.10, gives the right results for files of the same
#            writer: see tfjs_tflite_kept_state.sh. A file with a FULLY_CONNECTED from that writer is loaded here, and runs.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" @litertjs/core@2.5.3
cat >finding.mjs <<'JS'
import { createRequire } from "module";
import { readFileSync } from "fs";
import { runInThisContext } from "vm";
// The package looks for a browser's worker; its WebAssembly needs nothing of it.
const require = createRequire(import.meta.url), folder = `${process.cwd()}/node_modules/@litertjs/core/wasm/`;
Object.assign(globalThis, { self: globalThis, require, __dirname: folder, __filename: `${folder}loader.js`, GPUBuffer: class {},
  importScripts: (url) => runInThisContext(readFileSync(String(url), "utf8")) });
let log = "";
console.warn = console.error = (...texts) => { log += `${texts.join(" ")}\n`; };
const { loadLiteRt, loadAndCompile, Tensor } = await import("@litertjs/core");
const { unidirectionalLstm, unidirectionalRnn, bidirectionalRnn, fullyConnected } = require("./tflite.js");
await loadLiteRt(folder);

const programs = ["litert_wasm_internal", "litert_wasm_compat_internal"].map((name) => readFileSync(`${folder}${name}.wasm`, "latin1"));
const cases = [
  ["FULLY_CONNECTED", fullyConnected(), [1, 1]],
  ["UNIDIRECTIONAL_SEQUENCE_LSTM", unidirectionalLstm(3, [1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0]), [1, 3, 1]],
  ["UNIDIRECTIONAL_SEQUENCE_RNN", unidirectionalRnn(3), [1, 3, 1]],
  ["BIDIRECTIONAL_SEQUENCE_RNN", bidirectionalRnn(3), [1, 3, 1]],
];
let same = true;
for (const [name, bytes, shape] of cases) {
  log = "";
  const result = await loadAndCompile(bytes, { accelerator: "wasm" })
    .then((model) => model.run([new Tensor(new Float32Array(shape[1]).fill(5), shape)]))
    .then(([tensor]) => `gives ${tensor.toTypedArray().join(" ")} for 5`, (error) => error.message);
  const reason = log.match(/Variable tensors[^.\n]*/)?.[0];
  const kernel = programs.every((program) => program.includes(`tensorflow/lite/kernels/${name.toLowerCase()}.cc`));
  console.log(`${name}: ${result}${reason ? ` (${reason})` : ""}${kernel ? "; its kernel is there" : ""}`);
  same &&= shape.length === 2 ? result === "gives 5 for 5" : kernel && result === "Failed to load model from buffer" && Boolean(reason);
}
console.log(same ? "no file with a sequence LSTM or RNN is loaded" : "it does something else now");
process.exit(same ? 0 : 1);
JS
node finding.mjs
