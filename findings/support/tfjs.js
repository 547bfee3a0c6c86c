// TensorFlow.js with its plain backend, from the three packages of a finding; without advice about other backends.
console.warn = () => {};
exports.core = require("@tensorflow/tfjs-core");
require("@tensorflow/tfjs-backend-cpu");
Object.assign(exports, require("@tensorflow/tfjs-layers"));
exports.sigmoid = (x) => 1 / (1 + Math.exp(-x));
