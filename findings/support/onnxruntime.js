// Runs one operator of ONNX by ONNX Runtime on one thread: takes inputs in the operator's order, an absent one as null, gives the
// outputs that have a name, as arrays.
const { model } = require("./onnx_model.js");
const ort = (() => {
  try {
    return require("onnxruntime-node");
  } catch (error) {
    console.log(`onnxruntime-node does not load here: ${error.message.split("\n")[0]}`);
    process.exit(2);
  }
})();

exports.run = async (operator, inputs, outputs, attributes) => {
  const names = inputs.map(([name, shape]) => (shape ? name : ""));
  const options = { intraOpNumThreads: 1, logSeverityLevel: 3 };
  const session = await ort.InferenceSession.create(model(operator, names, outputs, attributes), options);
  const feeds = {};
  for (const [name, shape, values] of inputs)
    if (shape)
      feeds[name] = name === "lens" ? new ort.Tensor("int32", Int32Array.from(values), shape)
        : new ort.Tensor("float32", Float32Array.from(values), shape);
  const results = await session.run(feeds);
  return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, Array.from(tensor.data)]));
};

exports.ort = ort;
exports.close = (a, b) => a.length === b.length && a.every((x, i) => Math.abs(x - b[i]) < 1e-5);
exports.digits = (values) => values.map((x) => x.toFixed(4)).join(" ");
