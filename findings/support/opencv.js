// Runs a model of onnx_stored.js by OpenCV's dnn module: `engine` is "new", which readNetFromONNX takes by itself, or "classic". Gives Y,
// or throws what OpenCV says.
const { storedModel } = require("./onnx_stored.js");
const loading = (async () => {
  try {
    const module = require("@techstark/opencv-js");
    if (module instanceof Promise) return await module;
    return module.Mat ? module : await new Promise((done) => { module.onRuntimeInitialized = () => done(module); });
  } catch (error) {
    console.log(`opencv-js does not load here: ${String(error).split("\n")[0]}`);
    process.exit(2);
  }
})();
let files = 0;

exports.run = async (example, attributes, engine) => {
  const cv = await loading, name = `model${files++}.onnx`, { X, T, B, I, D, H } = example;
  cv.FS_createDataFile("/", name, storedModel(example, attributes), true, true, true);
  try {
    const net = engine === "new" ? cv.readNetFromONNX(`/${name}`) : cv.readNetFromONNX(`/${name}`, cv.ENGINE_CLASSIC);
    const x = new cv.Mat(T * B, I, cv.CV_32F);
    x.data32F.set(X);
    net.setInput(x, "X");
    const y = net.forward();
    return Array.from(y.data32F.subarray(0, T * D * B * H));
  } catch (error) {
    throw typeof error === "number" ? new Error(cv.exceptionFromPtr(error).msg.split("\n")[0]) : error;
  }
};
