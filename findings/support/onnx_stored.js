// One recurrent operator of ONNX as a model whose weights are stored in the file, as exporters write it: a Reshape gives X, [T*B,I] in
// the file's input, its three dims, so that a program whose arrays have two can run it. The output is Y, [T,D,B,H].
const { bytes, number, attribute } = require("./onnx_model.js");

// Numbers between -1 and 1 that are the same everywhere.
exports.numbers = (count, seed) => Array.from({ length: count }, (_, k) => ((k * k * 7 + k * 37 + seed * 53) % 101) / 50 - 1);

exports.gates = { RNN: 1, GRU: 3, LSTM: 4 };

// Sizes T, B, I, H, D, the direction of the attribute, and all weights with an initial state.
exports.example = (operator, direction) => {
  const [T, B, I, H, D, G] = [4, 2, 3, 2, direction === "bidirectional" ? 2 : 1, exports.gates[operator]];
  const { numbers } = exports;
  return {
    operator, direction, T, B, I, H, D, X: numbers(T * B * I, 1), W: numbers(D * G * H * I, 2), R: numbers(D * G * H * H, 3),
    bias: numbers(D * 2 * G * H, 4), h0: numbers(D * B * H, 5), c0: operator === "LSTM" ? numbers(D * B * H, 6) : undefined,
  };
};

const floats = (values) => [...Buffer.from(Float32Array.from(values).buffer)];
const ints = (values) => [...Buffer.from(Int32Array.from(values).buffer)];
const longs = (values) => [...Buffer.from(BigInt64Array.from(values.map(BigInt)).buffer)];
const tensor = (name, dims, type, content) =>
  bytes(5, [...dims.flatMap((n) => number(1, n)), ...number(2, type), ...bytes(8, name), ...bytes(9, content)]);
const value = (field, name, dims) =>
  bytes(field, [...bytes(1, name), ...bytes(2, bytes(1, [...number(1, 1), ...bytes(2, dims.flatMap((n) => bytes(1, number(1, n))))]))]);
const node = (operator, inputs, outputs, attributes) => bytes(1, [...inputs.flatMap((name) => bytes(1, name)),
  ...outputs.flatMap((name) => bytes(2, name)), ...bytes(3, `${operator}_node`), ...bytes(4, operator),
  ...Object.entries(attributes).flatMap(attribute)]);

exports.storedModel = ({ operator, direction, T, B, I, H, D, W, R, bias, h0, c0, P, lens }, attributes) => {
  const G = exports.gates[operator];
  const stored = [
    ["W", [D, G * H, I], W], ["R", [D, G * H, H], R], ["B", [D, 2 * G * H], bias], ["lens", [B], lens], ["h0", [D, B, H], h0],
    ...(operator === "LSTM" ? [["c0", [D, B, H], c0], ["P", [D, 3 * H], P]] : []),
  ];
  while (!stored.at(-1)[2]) stored.pop();
  const tensors = stored.filter(([, , values]) => values)
    .flatMap(([name, dims, values]) => (name === "lens" ? tensor(name, dims, 6, ints(values)) : tensor(name, dims, 1, floats(values))));
  return Uint8Array.from([
    ...number(1, 7),  // ir_version
    ...bytes(7, [  // graph
      ...node("Reshape", ["X", "shape"], ["X3"], {}),
      ...node(operator, ["X3", ...stored.map(([name, , values]) => (values ? name : ""))], ["Y", "Y_h"],
        { hidden_size: { i: H }, direction: { s: direction }, ...attributes }),
      ...bytes(2, operator), ...tensor("shape", [3], 7, longs([T, B, I])), ...tensors,
      ...value(11, "X", [T * B, I]), ...value(12, "Y", [T, D, B, H])]),
    ...bytes(8, number(2, 11)),  // opset_import
  ]);
};
