// One ONNX operator as a model: takes its name, inputs, outputs and attributes, gives the bytes of a ModelProto. Names of fields are
// those of onnx.proto. Inputs are float32, but for `lens`, which is int32.
const varint = (n) => (n < 128 ? [n] : [(n % 128) | 128, ...varint(Math.floor(n / 128))]);
const number = (field, n) => [...varint(field * 8), ...varint(n)];
const bytes = (field, content) => {
  const all = typeof content === "string" ? [...Buffer.from(content)] : content;
  return [...varint(field * 8 + 2), ...varint(all.length), ...all];
};
const float = (field, x) => [...varint(field * 8 + 5), ...Buffer.from(Float32Array.of(x).buffer)];

// {clip: {f: 0.5}, hidden_size: {i: 3}, direction: {s: "reverse"}, activations: {strings: ["Tanh"]}, activation_alpha: {floats: [1]}}
function attribute([name, { f, i, s, strings, floats }]) {
  const value = strings !== undefined ? [...strings.flatMap((text) => bytes(9, text)), ...number(20, 8)]
    : floats !== undefined ? [...floats.flatMap((x) => float(7, x)), ...number(20, 6)]
    : f !== undefined ? [...float(2, f), ...number(20, 1)]
    : i !== undefined ? [...number(3, i), ...number(20, 2)] : [...bytes(4, s), ...number(20, 3)];
  return bytes(5, [...bytes(1, name), ...value]);
}

const value = (field, name) => bytes(field, [...bytes(1, name), ...bytes(2, bytes(1, number(1, name === "lens" ? 6 : 1)))]);

Object.assign(exports, { bytes, number, attribute });

exports.model = (operator, inputs, outputs, attributes) => Uint8Array.from([
  ...number(1, 8),  // ir_version
  ...bytes(7, [  // graph
    ...bytes(1, [  // node
      ...inputs.flatMap((name) => bytes(1, name)), ...outputs.flatMap((name) => bytes(2, name)), ...bytes(4, operator),
      ...Object.entries(attributes).flatMap(attribute)]),
    ...bytes(2, operator), ...inputs.filter(Boolean).flatMap((name) => value(11, name)),
    ...outputs.filter(Boolean).flatMap((name) => value(12, name))]),
  ...bytes(8, number(2, 14)),  // opset_import
]);
