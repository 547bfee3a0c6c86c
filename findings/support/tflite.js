// A TensorFlow Lite file with one operator: takes its code, its options and its tensors, gives the bytes. Names and numbers of fields are
// those of TensorFlow's schema.fbs; the file is a flatbuffer in which each table stands before what it points to.
const writers = { bool: [1, "setUint8"], byte: [1, "setInt8"], ubyte: [1, "setUint8"], int: [4, "setInt32"], uint: [4, "setUint32"],
  float: [4, "setFloat32"] };

// A table is an object, {number of the field: [kind, value]}; a value is a number, a text, a table, or a list of numbers or of tables.
const flatbuffer = (root, identifier) => {
  const view = new DataView(new ArrayBuffer(1 << 16));
  let end = 8;
  const align = (size, before = 0) => { while ((end + before) % size) ++end; };
  const point = (at, target) => view.setUint32(at, target - at, true);
  const write = (kind, at, value) => view[writers[kind][1]](at, value, true);

  const vector = (kind, values) => {
    const size = writers[kind]?.[0] ?? 4;
    align(16, 4);
    const start = end;
    view.setUint32(start, values.length, true);
    end += 4 + size * values.length;
    values.forEach((value, k) => {
      const at = start + 4 + size * k;
      if (kind === "table") point(at, table(value)); else write(kind, at, value);
    });
    return start;
  };
  const string = (text) => {
    const start = vector("ubyte", [...Buffer.from(text)]);
    ++end;  // the 0 behind it
    return start;
  };
  const table = (fields) => {
    const numbers = Object.keys(fields).map(Number), count = Math.max(-1, ...numbers) + 1;
    align(4);
    const places = end;
    end += 4 + 2 * count;
    align(4);
    const start = end;
    end += 4 + 4 * numbers.length;
    view.setInt32(start, start - places, true);
    view.setUint16(places, 4 + 2 * count, true);
    view.setUint16(places + 2, end - start, true);
    numbers.forEach((number, k) => {
      const [kind, value] = fields[number], at = start + 4 + 4 * k;
      view.setUint16(places + 4 + 2 * number, at - start, true);
      if (typeof value === "number") write(kind, at, value);
      else point(at, kind === "string" ? string(value) : value.length === undefined ? table(value) : vector(kind, value));
    });
    return start;
  };

  [...identifier].forEach((letter, k) => view.setUint8(4 + k, letter.charCodeAt(0)));
  const start = table(root);
  point(0, start);
  align(16);
  return new Uint8Array(view.buffer.slice(0, end));
};

// tensors: {shape, values (stored in the file) or state (kept by the program)}, all float32; inputs, outputs and of, the inputs of the
// operator, are places in that list, -1 for an input that is absent.
exports.tflite = ({ code, union, options, tensors, inputs, outputs, of }) => {
  const buffers = [{}];
  const listed = tensors.map(({ shape, values, state }, k) => {
    if (values) buffers.push({ 0: ["ubyte", new Uint8Array(Float32Array.from(values).buffer)] });
    return { 0: ["int", shape], 2: ["uint", values ? buffers.length - 1 : 0], 3: ["string", `tensor${k}`],
      ...(state ? { 5: ["bool", 1] } : {}) };  // is_variable
  });
  const operator = { 0: ["uint", 0], 1: ["int", of], 2: ["int", outputs], 3: ["ubyte", union], 4: ["table", options] };
  const graph = { 0: ["table", listed], 1: ["int", inputs], 2: ["int", outputs], 3: ["table", [operator]], 4: ["string", "main"] };
  const codes = [{ 0: ["byte", code], 3: ["int", code] }];
  return flatbuffer({ 0: ["uint", 3], 1: ["table", codes], 2: ["table", [graph]], 4: ["table", buffers] }, "TFL3");
};

// Recurrent operators of one unit and one input over `steps` steps, [1,steps,1]. An LSTM's weights and biases are in the order i, f, c, o;
// an RNN has weights 1 and no activation, so that it adds up its input.
const sequence = (steps) => ({ shape: [1, steps, 1] });
const one = { shape: [1, 1], values: [1] }, zero = { shape: [1], values: [0] }, state = { shape: [1, 1], state: true };

exports.unidirectionalLstm = (steps, W, R, bias) => exports.tflite({
  code: 44, union: 71, options: { 0: ["byte", 4] },  // tanh
  tensors: [sequence(steps), ...[...W, ...R].map((value) => ({ shape: [1, 1], values: [value] })),
    ...bias.map((value) => ({ shape: [1], values: [value] })), state, state, sequence(steps)],
  inputs: [0], outputs: [15], of: [0, 1, 2, 3, 4, 5, 6, 7, 8, -1, -1, -1, 9, 10, 11, 12, -1, -1, 13, 14, -1, -1, -1, -1],
});
exports.unidirectionalRnn = (steps) => exports.tflite({
  code: 35, union: 31, options: { 0: ["bool", 0], 1: ["byte", 0] },
  tensors: [sequence(steps), one, one, zero, state, sequence(steps)], inputs: [0], outputs: [5], of: [0, 1, 2, 3, 4],
});
exports.bidirectionalRnn = (steps) => exports.tflite({
  code: 46, union: 70, options: { 0: ["bool", 0], 1: ["byte", 0], 2: ["bool", 0] },
  tensors: [sequence(steps), one, one, zero, state, one, one, zero, state, sequence(steps), sequence(steps)],
  inputs: [0], outputs: [9, 10], of: [0, 1, 2, 3, 4, 5, 6, 7, 8, -1, -1, -1],
});
exports.fullyConnected = () => exports.tflite({
  code: 9, union: 8, options: { 0: ["byte", 0] }, tensors: [{ shape: [1, 1] }, one, zero, { shape: [1, 1] }], inputs: [0], outputs: [3],
  of: [0, 1, 2],
});
