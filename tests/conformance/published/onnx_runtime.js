// Runs models by ONNX Runtime, call after call, on one thread: node onnx_runtime.js MODULES CASES.json
//
// MODULES is the folder with node_modules. A case has a model; inputs, whose floats for all calls stand in a file one call behind the
// other; constants of int64; and states, which begin with zeros and are then what the call before gave. The floats of each output and
// state of every call are written to OUT.NAME.f32.
const fs = require("fs"), path = require("path");
const [modules, cases] = process.argv.slice(2);
const ort = require(require.resolve("onnxruntime-web", { paths: [path.resolve(modules)] }));
ort.env.wasm.numThreads = 1;

const elements = (shape) => shape.reduce((a, b) => a * b, 1);

async function run(one) {
  const session = await ort.InferenceSession.create(fs.readFileSync(one.model), { logSeverityLevel: 3 });
  const floats = {}, feeds = {}, rows = {};
  for (const [name, { file }] of Object.entries(one.inputs)) floats[name] = new Float32Array(Uint8Array.from(fs.readFileSync(file)).buffer);
  for (const [name, { shape, values }] of Object.entries(one.constants))
    feeds[name] = new ort.Tensor("int64", BigInt64Array.from(values, BigInt), shape);
  for (const [name, { shape }] of Object.entries(one.states))
    feeds[name] = new ort.Tensor("float32", new Float32Array(elements(shape)), shape);
  for (let call = 0; call < one.calls; ++call) {
    for (const [name, { shape }] of Object.entries(one.inputs)) {
      const size = elements(shape);
      feeds[name] = new ort.Tensor("float32", floats[name].slice(call * size, (call + 1) * size), shape);
    }
    const results = await session.run(feeds);
    for (const [name, { output }] of Object.entries(one.states)) feeds[name] = results[output];
    for (const [name, { data }] of Object.entries(results)) (rows[name] ??= []).push(Float32Array.from(data));
  }
  for (const [name, all] of Object.entries(rows))
    fs.writeFileSync(`${one.out}.${name}.f32`, Buffer.concat(all.map((row) => Buffer.from(row.buffer))));
}

(async () => {
  for (const one of JSON.parse(fs.readFileSync(cases))) await run(one);
})().catch((error) => { console.error(String(error)); process.exit(1); });
