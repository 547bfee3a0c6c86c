// Runs the models of a folder by TensorFlow Lite's own kernels, and writes what they give over six calls:
//
//     npm install @tensorflow/tfjs-tflite@0.0.1-alpha.10 @tensorflow/tfjs-core@4.9.0 @tensorflow/tfjs-backend-cpu@4.9.0
//     node run_kernels.js MODELS real
//
// MODELS has what docs/reliability.md says. Element k of call t is made of the whole number n = (31 t + 17 k) mod 129:
// it is (n - 64) / 64, or n - 128 of a model of integers. A state begins with zeros, and is then what the call before
// gave. Integers that come out are multiplied by their scale.
const fs = require("fs");
const [models, out] = process.argv.slice(2);
const site = "http://files/";
const resolve = (path) => require.resolve(path, { paths: [process.cwd()] });
const folder = require("path").dirname(resolve("@tensorflow/tfjs-tflite/package.json"));
const file = (url) => fs.readFileSync(`${folder}/wasm/${String(url).slice(site.length)}`);
globalThis.navigator ??= { userAgent: "node", hardwareConcurrency: 1 };
Object.assign(globalThis, {
  self: globalThis, location: { origin: site, href: site }, MessageChannel: undefined,
  importScripts: (url) => require("vm").runInThisContext(String(file(url))),
  fetch: async (url) => new Response(file(url), { headers: { "Content-Type": "application/wasm" } }),
});
const core = require(resolve("@tensorflow/tfjs-core"));
require(resolve("@tensorflow/tfjs-backend-cpu"));
const { loadTFLiteModel, setWasmPath } = require(`${folder}/dist/tf-tflite.node.js`);
setWasmPath(site);

const cases = [
  { path: "DTLN/model_1.tflite", x: "input_2", y: "Identity", state: "input_3", next: "Identity_1" },
  { path: "DTLN/model_2.tflite", x: "input_4", y: "Identity", state: "input_5", next: "Identity_1" },
  { path: "DTLN/model_quant_1.tflite", x: "input_2", y: "Identity", state: "input_3", next: "Identity_1" },
  { path: "DTLN/model_quant_2.tflite", x: "input_4", y: "Identity", state: "input_5", next: "Identity_1" },
  { path: "tflite-micro/dtln_noise_suppression.tflite", integers: { scale: 1 / 256, zero: -128 } },
];

function write(path, rows) {
  let header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows.length}, 1, ${rows[0].length}), }`;
  header = header.padEnd(117) + "\n";
  const before = Buffer.from("\x93NUMPY\x01\x00", "latin1"), size = Buffer.from([header.length, 0]);
  fs.writeFileSync(path, Buffer.concat([before, size, Buffer.from(header), ...rows.map((r) => Buffer.from(r.buffer))]));
}

(async () => {
  for (const one of cases) {
    const model = await loadTFLiteModel(new Uint8Array(fs.readFileSync(`${models}/${one.path}`)).buffer);
    const shapes = Object.fromEntries(model.inputs.map(({ name, shape }) => [name, shape]));
    const elements = (name) => shapes[name].reduce((a, b) => a * b, 1);
    let state = one.state && core.zeros(shapes[one.state]);
    const rows = [];
    for (let t = 0; t < 6; ++t) {
      const first = one.x ?? model.inputs[0].name;
      const numbers = Array.from({ length: elements(first) }, (_, k) => (31 * t + 17 * k) % 129);
      const x = one.integers ? core.tensor(numbers.map((n) => n - 128), shapes[first], "int32")
                             : core.tensor(numbers.map((n) => (n - 64) / 64), shapes[first]);
      const result = model.predict(one.state ? { [one.x]: x, [one.state]: state } : x);
      if (one.state) state = result[one.next].clone();
      const y = Float32Array.from((one.state ? result[one.y] : result).dataSync());
      rows.push(one.integers ? y.map((v) => (v - one.integers.zero) * one.integers.scale) : y);
    }
    write(`${out}/${one.path.replace(/^.*\//, "").replace(".tflite", ".y.npy")}`, rows);
  }
})();
