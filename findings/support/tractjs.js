// Runs a model of onnx_stored.js by tractjs; gives Y.
const fs = require("fs");
const { storedModel } = require("./onnx_stored.js");
const tractjs = (() => {
  try {
    return require("tractjs");
  } catch (error) {
    console.log(`tractjs does not load here: ${error.message.split("\n")[0]}`);
    process.exit(2);
  }
})();

exports.run = async (example, attributes) => {
  fs.writeFileSync("model.onnx", storedModel(example, attributes));
  const model = await tractjs.load("./model.onnx");
  const [y] = await model.predict([new tractjs.Tensor(Float32Array.from(example.X), [example.T * example.B, example.I])]);
  return Array.from(y.data);
};
