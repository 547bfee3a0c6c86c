// Writes an LSTM with random weights as a file of ONNX, with the few fields of protobuf that this takes.

const varint = (value) => {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
};
const number = (field, value) => Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field, value) => {
  const content = Buffer.from(value);
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
};
const message = (field, ...parts) => bytes(field, Buffer.concat(parts));

const kFloat = 1; // a type of elements

function port(field, name, shape) {
  const dims = shape.map((dim) => message(1, typeof dim === 'number' ? number(1, dim) : bytes(2, dim)));
  return message(field, bytes(1, name), message(2, message(1, number(1, kFloat), message(2, ...dims))));
}

function tensor(name, shape, random) {
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, random);
  return message(5, ...shape.map((dim) => number(1, dim)), number(2, kFloat), bytes(8, name),
                 bytes(9, new Uint8Array(values.buffer)));
}

/** Returns the file. With `keeps`, the states are inputs and outputs, so that it can run step by step. */
export function onnxLstm(I, H, keeps) {
  let seed = 1;
  const random = () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return (seed / 1073741824 - 1) / Math.sqrt(H);
  };
  const inputs = ['X', 'W', 'R', 'B', ...(keeps ? ['', 'h', 'c'] : [])];
  const outputs = ['Y', ...(keeps ? ['h_next', 'c_next'] : [])];
  const state = [1, 1, H];
  const hidden = message(5, bytes(1, 'hidden_size'), number(3, H), number(20, 2));
  const graph = message(
    7, message(1, ...inputs.map((name) => bytes(1, name)), ...outputs.map((name) => bytes(2, name)), bytes(4, 'LSTM'), hidden),
    bytes(2, 'lstm'), tensor('W', [1, 4 * H, I], random), tensor('R', [1, 4 * H, H], random), tensor('B', [1, 8 * H], random),
    port(11, 'X', ['T', 1, I]), ...(keeps ? [port(11, 'h', state), port(11, 'c', state)] : []), port(12, 'Y', ['T', 1, 1, H]),
    ...(keeps ? [port(12, 'h_next', state), port(12, 'c_next', state)] : []));
  return Buffer.concat([number(1, 8), graph, message(8, bytes(1, ''), number(2, 17))]);
}
