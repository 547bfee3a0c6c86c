#!/usr/bin/env python3
"""make_models.py: writes TensorFlow Lite models, an input of each, and what their equations give in double precision.

NAME.tflite is a model as TensorFlow's schema.fbs describes it, NAME.x.npy an input [steps, sequences, features] and
NAME.y.npy the output. All but the refused were also run by TensorFlow Lite's own kernels (npm has them as
@tensorflow/tfjs-tflite 0.0.1-alpha.10), which give these values within 2e-7; those of hybrid within 4e-3, if D has one
scale: they compute with integers there, and read the first of several; those of upsampled without the RELU that is part
of a TRANSPOSE_CONV, which they do not know yet. Outputs of a loop change their place in memory when it runs, so that
they are read from the model and not from what its predict() gives.
"""

import struct
import sys

import numpy as np

TENSOR_TYPES = {"f4": 0, "i4": 2, "i8": 4, "?": 6, "i1": 9}
BUILTIN = {"CONV_2D": 3, "FULLY_CONNECTED": 9, "LOGISTIC": 14, "MUL": 18, "RESHAPE": 22, "SOFTMAX": 25, "TANH": 28}
BUILTIN |= {"UNIDIRECTIONAL_SEQUENCE_RNN": 35, "SUB": 41, "UNIDIRECTIONAL_SEQUENCE_LSTM": 44, "STRIDED_SLICE": 45}
BUILTIN |= {"SPLIT": 49, "BIDIRECTIONAL_SEQUENCE_LSTM": 52, "EXPAND_DIMS": 70, "SQUEEZE": 43, "ADD": 0, "WHILE": 119}
BUILTIN |= {"CONCATENATION": 2, "PAD": 34}
OPTIONS = {"CONV_2D": 1, "FULLY_CONNECTED": 8, "SOFTMAX": 9, "UNIDIRECTIONAL_SEQUENCE_RNN": 31, "STRIDED_SLICE": 32}
OPTIONS |= {"SQUEEZE": 30, "SPLIT": 35, "BIDIRECTIONAL_SEQUENCE_LSTM": 69, "UNIDIRECTIONAL_SEQUENCE_LSTM": 71}
BUILTIN |= {
    "AVERAGE_POOL_2D": 1,
    "DEPTHWISE_CONV_2D": 4,
    "MAX_POOL_2D": 17,
    "RELU": 19,
    "RELU_N1_TO_1": 20,
    "RELU6": 21,
}
BUILTIN |= {
    "GATHER": 36,
    "TRANSPOSE": 39,
    "MEAN": 40,
    "DIV": 42,
    "EXP": 47,
    "LOG_SOFTMAX": 50,
    "PRELU": 54,
    "MAXIMUM": 55,
}
BUILTIN |= {
    "MINIMUM": 57,
    "NEG": 59,
    "SLICE": 65,
    "LOG": 73,
    "SUM": 74,
    "SQRT": 75,
    "RSQRT": 76,
    "POW": 78,
    "REDUCE_MAX": 82,
}
BUILTIN |= {
    "PACK": 83,
    "UNPACK": 88,
    "REDUCE_MIN": 89,
    "SQUARE": 92,
    "LEAKY_RELU": 98,
    "SQUARED_DIFFERENCE": 99,
    "ABS": 101,
}
BUILTIN |= {"MIRROR_PAD": 100, "SPLIT_V": 102, "REVERSE_V2": 105, "ELU": 111, "HARD_SWISH": 117, "BATCH_MATMUL": 126}
BUILTIN |= {"EMBEDDING_LOOKUP": 7, "BIDIRECTIONAL_SEQUENCE_RNN": 46, "ARG_MAX": 56, "PADV2": 60}
OPTIONS |= {"SPLIT_V": 79, "BIDIRECTIONAL_SEQUENCE_RNN": 70, "CAST": 37, "ARG_MAX": 40}
BUILTIN |= {"CAST": 53, "GELU": 150, "RELU_0_TO_1": 152, "LESS": 58, "GREATER": 61, "SELECT": 64, "TRANSPOSE_CONV": 67}
BUILTIN |= {"LOGICAL_NOT": 87, "SHAPE": 77, "LOGICAL_AND": 86, "FILL": 94, "SELECT_V2": 123}
BUILTIN |= {"DYNAMIC_UPDATE_SLICE": 151}
OPTIONS |= {"TRANSPOSE_CONV": 49, "SHAPE": 55, "WHILE": 93}
OPTIONS |= {"AVERAGE_POOL_2D": 5, "DEPTHWISE_CONV_2D": 2, "MAX_POOL_2D": 5, "CONCATENATION": 10, "ADD": 11, "MUL": 21}
OPTIONS |= {"GATHER": 23, "MEAN": 27, "SUM": 27, "REDUCE_MAX": 27, "REDUCE_MIN": 27, "SUB": 28, "DIV": 29, "PACK": 59}
OPTIONS |= {"UNPACK": 64, "LEAKY_RELU": 75, "MIRROR_PAD": 77, "BATCH_MATMUL": 101, "GELU": 116}
RELU, TANH = 1, 4


class Flatbuffer:
    """A table is {number of the field: (kind, value)}; a value is a number, bytes, a table, or a list of these."""

    def __init__(self, root, identifier):
        self.data = bytearray(8)
        self.data[4:8] = identifier
        self._point(0, self._table(root))

    def _align(self, size, before=0):
        while (len(self.data) + before) % size:
            self.data.append(0)

    def _point(self, at, target):
        self.data[at : at + 4] = struct.pack("<I", target - at)

    def _list(self, kind, values):
        size = 4 if kind == "table" else struct.calcsize("<" + kind)
        self._align(16, 4)
        start = len(self.data)
        self.data += struct.pack("<I", len(values)) + bytes(size * len(values))
        if kind == "table":
            for k, value in enumerate(values):
                self._point(start + 4 + 4 * k, self._table(value))
        else:
            self.data[start + 4 :] = struct.pack(f"<{len(values)}{kind}", *values)
        return start

    def _table(self, fields):
        count = max(fields, default=-1) + 1
        self._align(8)
        places = len(self.data)
        self.data += bytes(4 + 2 * count)
        self._align(8)
        start = len(self.data)
        self.data += bytes(4 + 8 * len(fields))
        self.data[start : start + 4] = struct.pack("<i", start - places)
        self.data[places : places + 4] = struct.pack("<HH", 4 + 2 * count, len(self.data) - start)
        for k, (field, (kind, value)) in enumerate(sorted(fields.items())):
            at = start + 4 + 8 * k
            self.data[places + 4 + 2 * field : places + 6 + 2 * field] = struct.pack("<H", at - start)
            if isinstance(value, (int, float)):
                packed = struct.pack("<" + kind, value)
                self.data[at : at + len(packed)] = packed
            elif isinstance(value, dict):
                self._point(at, self._table(value))
            elif isinstance(value, str):
                self._point(at, self._list("B", value.encode()))
                self.data.append(0)
            else:
                self._point(at, self._list(kind, value))
        return start


class Model:
    """The main graph of a file, or with `around` another graph of the same file, which a loop names."""

    def __init__(self, around=None):
        self.tensors, self.operators, self.inputs, self.outputs, self.signature = [], [], [], [], None
        self.buffers, self.codes = (around.buffers, around.codes) if around else ([{}], [])
        self.graphs = around.graphs if around else []
        self.graphs.append(self)

    def tensor(self, name, shape, data=None, variable=False, scales=None, dim=0, kind="f4", open_dim=None):
        table = {0: ("i", list(shape)), 1: ("B", TENSOR_TYPES[kind]), 2: ("I", 0), 3: ("B", name)}
        if data is not None:
            table[2] = ("I", len(self.buffers))
            self.buffers.append({0: ("B", list(np.asarray(data, "<" + kind).tobytes()))})
        if scales is not None:
            scaling = {2: ("f", [float(s) for s in scales]), 3: ("q", [0] * len(scales)), 6: ("i", dim)}
            table[4] = ("table", scaling)
        if variable:
            table[5] = ("B", 1)
        if open_dim is not None:
            table[7] = ("i", [-1 if d == open_dim else size for d, size in enumerate(shape)])
        self.tensors.append(table)
        return len(self.tensors) - 1

    def constant(self, name, data):
        data = np.asarray(data)
        return self.tensor(name, data.shape, data, kind="i4" if data.dtype.kind == "i" else "f4")

    def quantized(self, name, data, per_row):
        """Integers with a scale for each row, or one, and what they stand for."""
        largest = np.abs(data).max(axis=1 if per_row else None, keepdims=True)
        scales = np.float32(largest / 127)
        integers = np.round(data / scales).astype(np.int8)
        place = self.tensor(name, data.shape, integers, scales=np.ravel(scales), kind="i1")
        return place, integers * scales.astype(np.float64)

    def op(self, name, inputs, outputs, options=None):
        if name not in self.codes:
            self.codes.append(name)
        table = {0: ("I", self.codes.index(name)), 1: ("i", inputs), 2: ("i", outputs)}
        if options:
            table[3], table[4] = ("B", OPTIONS[name]), ("table", options)
        self.operators.append(table)

    def save(self, path):
        codes = [{0: ("b", min(127, BUILTIN[n])), 3: ("i", BUILTIN[n])} for n in self.codes]
        graphs = [
            {0: ("table", g.tensors), 1: ("i", g.inputs), 2: ("i", g.outputs), 3: ("table", g.operators)}
            for g in self.graphs
        ]
        root = {0: ("I", 3), 1: ("table", codes), 2: ("table", graphs), 4: ("table", self.buffers)}
        if self.signature:
            pairs = [{0: ("B", name), 1: ("I", place)} for name, place in self.signature]
            root[7] = ("table", [{0: ("table", pairs[:1]), 1: ("table", pairs[1:]), 2: ("B", "serve"), 4: ("I", 0)}])
        with open(path, "wb") as file:
            file.write(Flatbuffer(root, b"TFL3").data)


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def lstm(x, W, U, b, P=None, clip=0, coupled=False, reverse=False, act=np.tanh):
    """Gates in the order i, f, c, o; x is [T, B, I]."""
    H = U[1].shape[0]
    h = c = np.zeros((x.shape[1], H))
    y = np.zeros((*x.shape[:2], H))
    for t in range(len(x))[:: -1 if reverse else 1]:
        z = [x[t] @ W[k].T + h @ U[k].T + b[k] if W[k] is not None else None for k in range(4)]
        f = sigmoid(z[1] + (P[1] * c if P else 0))
        i = 1 - f if coupled else sigmoid(z[0] + (P[0] * c if P else 0))
        c = f * c + i * act(z[2])
        if clip:
            c = np.clip(c, -clip, clip)
        o = sigmoid(z[3] + (P[2] * c if P else 0))
        h = o * act(c)
        y[t] = h
    return y


def softmax(v):
    e = np.exp(v - v.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def matrix(random, *shape):
    return random.uniform(-0.8, 0.8, shape).astype(np.float32)


def gates(random, I, H):
    W = [matrix(random, H, I) for _ in range(4)]
    U = [matrix(random, H, H) for _ in range(4)]
    return W, U, [matrix(random, H) for _ in range(4)]


def lstm_inputs(model, x, W, U, b, P, H, suffix=""):
    """The 18 inputs of one direction behind x."""
    place = lambda name, data: -1 if data is None else model.constant(name + suffix, data)
    inputs = [place(f"W{k}", W[k]) for k in range(4)] + [place(f"U{k}", U[k]) for k in range(4)]
    inputs += [place(f"P{k}", p) for k, p in enumerate(P or [None] * 3)]
    return inputs + [place(f"b{k}", b[k]) for k in range(4)] + [-1, -1]


def states(model, batch, H, suffix=""):
    return [model.tensor(name + suffix, (batch, H), variable=True) for name in ("h", "c")]


def save(name, model, x, y):
    model.save(name + ".tflite")
    np.save(name + ".x.npy", x.astype(np.float32))
    np.save(name + ".y.npy", y.astype(np.float64))


def clipped(random):
    """What the converter makes of Keras's LSTM and a softmax: states are bound to 10 there, and to 0.4 here."""
    I, H, T = 5, 7, 6
    W, U, b = gates(random, I, H)
    D, d = matrix(random, 3, H), matrix(random, 3)
    model = Model()
    x = model.tensor("serving_default_sound:0", (1, T, I), open_dim=1)
    y = model.tensor("lstm", (1, T, H), open_dim=1)
    dense, out = (model.tensor(n, (1, T, 3), open_dim=1) for n in ("dense", "StatefulPartitionedCall:0"))
    options = {0: ("b", TANH), 1: ("f", 0.4)}
    inputs = [x, *lstm_inputs(model, x, W, U, b, None, H), *states(model, 1, H), -1, -1, -1, -1]
    model.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [y], options)
    model.op("FULLY_CONNECTED", [y, model.constant("D", D), model.constant("d", d)], [dense], {2: ("B", 1)})
    model.op("SOFTMAX", [dense], [out], {0: ("f", 1.0)})
    model.inputs, model.outputs = [x], [out]
    model.signature = [("sound", x), ("class", out)]
    data = random.standard_normal((T, 1, I)).astype(np.float32)
    save("clipped", model, data, softmax(lstm(data, W, U, b, clip=0.4) @ D.T.astype(float) + d))


def coupled(random):
    """i = 1 - f, peepholes, the time first, and its last step."""
    I, H, T, B = 3, 6, 5, 2
    W, U, b = gates(random, I, H)
    W[0] = U[0] = b[0] = None
    P = [None, matrix(random, H), matrix(random, H)]
    model = Model()
    x, y = model.tensor("x", (T, B, I)), model.tensor("y", (T, B, H))
    last = model.tensor("last", (B, H))
    inputs = [x, *lstm_inputs(model, x, W, U, b, P, H), *states(model, B, H), -1, -1, -1, -1]
    model.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [y], {0: ("b", TANH), 3: ("B", 1)})
    begin, end, stride = (
        model.constant(n, np.array(v, np.int32))
        for n, v in (("begin", [-1, 0, 0]), ("end", [0, 0, 0]), ("stride", [1, 1, 1]))
    )
    model.op("STRIDED_SLICE", [y, begin, end, stride], [last], {0: ("i", 6), 1: ("i", 6), 4: ("i", 1)})
    model.inputs, model.outputs = [x], [last]
    data = random.standard_normal((T, B, I)).astype(np.float32)
    save("coupled", model, data, lstm(data, W, U, b, P, coupled=True)[-1:])


def both_ways(random):
    """A bidirectional LSTM and an RNN of relu."""
    I, H, R, T = 4, 3, 5, 7
    one, two = gates(random, I, H), gates(random, I, H)
    V, S, v = matrix(random, R, 2 * H), matrix(random, R, R) / 3, matrix(random, R)
    model = Model()
    x, y = model.tensor("x", (1, T, I), open_dim=1), model.tensor("y", (1, T, 2 * H), open_dim=1)
    out = model.tensor("out", (1, T, R), open_dim=1)
    inputs = [x, *lstm_inputs(model, x, *one, None, H, "f")[:17], *lstm_inputs(model, x, *two, None, H, "b")[:17]]
    inputs += states(model, 1, H, "f") + states(model, 1, H, "b") + [-1] * 9
    model.op("BIDIRECTIONAL_SEQUENCE_LSTM", inputs, [y], {0: ("b", TANH), 3: ("B", 1), 4: ("B", 0)})
    inputs = [y, model.constant("V", V), model.constant("S", S), model.constant("v", v)]
    inputs.append(model.tensor("s", (1, R), variable=True))
    model.op("UNIDIRECTIONAL_SEQUENCE_RNN", inputs, [out], {1: ("b", RELU)})
    model.inputs, model.outputs = [x], [out]
    data = random.standard_normal((T, 1, I)).astype(np.float32)
    h = np.concatenate([lstm(data, *one), lstm(data, *two, reverse=True)], axis=2)
    s, ys = np.zeros((1, R)), []
    for row in h:
        s = np.maximum(row @ V.T.astype(float) + s @ S.T.astype(float) + v, 0)
        ys.append(s)
    save("both_ways", model, data, np.stack(ys))


def hybrid(random):
    """Weights of 8 bits, those of the dense layer with a scale for each row; what is between operators are floats."""
    I, H, T = 6, 8, 5
    W, U, b = gates(random, I, H)
    model = Model()
    x, y = model.tensor("x", (1, T, I), open_dim=1), model.tensor("y", (1, T, H), open_dim=1)
    out = model.tensor("out", (1, T, 4), open_dim=1)
    inputs = [x]
    for name, group in (("W", W), ("U", U)):
        for k in range(4):
            place, group[k] = model.quantized(f"{name}{k}", group[k].astype(np.float64), False)
            inputs.append(place)
    inputs += [-1] * 3 + [model.constant(f"b{k}", b[k]) for k in range(4)] + [-1, -1]
    inputs += [*states(model, 1, H), -1, -1, -1, -1]
    model.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [y], {0: ("b", TANH), 1: ("f", 10.0)})
    place, D = model.quantized("D", matrix(random, 4, H).astype(np.float64), True)
    model.op("FULLY_CONNECTED", [y, place, -1], [out], {0: ("b", RELU), 2: ("B", 1)})
    model.inputs, model.outputs = [x], [out]
    data = random.standard_normal((T, 1, I)).astype(np.float32)
    save("hybrid", model, data, np.maximum(lstm(data, W, U, b) @ D.T, 0))


def convolved(random):
    """Keras's Conv1D over the time, two steps back, before an LSTM."""
    I, C, H, T = 3, 4, 5, 8
    K, k = matrix(random, C, 1, 3, I), matrix(random, C)
    W, U, b = gates(random, C, H)
    model = Model()
    x = model.tensor("x", (1, T, I), open_dim=1)
    padded = model.tensor("padded", (1, T + 2, I), open_dim=1)
    wide = model.tensor("wide", (1, 1, T + 2, I), open_dim=2)
    conv = model.tensor("conv", (1, 1, T, C), open_dim=2)
    narrow, y = model.tensor("narrow", (1, T, C), open_dim=1), model.tensor("y", (1, T, H), open_dim=1)
    pads = model.constant("pads", np.array([[0, 0], [2, 0], [0, 0]], np.int32))
    model.op("PAD", [x, pads], [padded])
    model.op("EXPAND_DIMS", [padded, model.constant("dim", np.array(1, np.int32))], [wide])
    weights = [model.constant("K", K), model.constant("k", k)]
    options = {0: ("b", 1), 1: ("i", 1), 2: ("i", 1), 3: ("b", RELU), 4: ("i", 1), 5: ("i", 1)}
    model.op("CONV_2D", [wide, *weights], [conv], options)
    model.op("SQUEEZE", [conv], [narrow], {0: ("i", [1])})
    inputs = [narrow, *lstm_inputs(model, x, W, U, b, None, H), *states(model, 1, H), -1, -1, -1, -1]
    model.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [y], {0: ("b", TANH)})
    model.inputs, model.outputs = [x], [y]
    data = random.standard_normal((T, 1, I)).astype(np.float32)
    long = np.concatenate([np.zeros((2, 1, I)), data])
    taps = sum(long[j : j + T] @ K[:, 0, j].T.astype(float) for j in range(3))
    save("convolved", model, data, lstm(np.maximum(taps + k, 0), W, U, b))


def stepped(random):
    """One step of a GRU written out, whose state is an input and an output."""
    I, H, T = 4, 6, 5
    W, U, b, u = matrix(random, 3 * H, I), matrix(random, 3 * H, H), matrix(random, 3 * H), matrix(random, 3 * H)
    model = Model()
    x, h = model.tensor("x", (1, 1, I)), model.tensor("h", (1, H))
    flat = model.tensor("flat", (1, I))
    model.op("RESHAPE", [x, model.constant("shape", np.array([1, I], np.int32))], [flat])
    of_x, of_h = model.tensor("of_x", (1, 3 * H)), model.tensor("of_h", (1, 3 * H))
    model.op("FULLY_CONNECTED", [flat, model.constant("W", W), model.constant("b", b)], [of_x])
    model.op("FULLY_CONNECTED", [h, model.constant("U", U), model.constant("u", u)], [of_h])
    dim = model.constant("dim", np.array(1, np.int32))
    xs, hs = ([model.tensor(f"{n}{k}", (1, H)) for k in range(3)] for n in ("xs", "hs"))
    model.op("SPLIT", [dim, of_x], xs, {0: ("i", 3)})
    model.op("SPLIT", [dim, of_h], hs, {0: ("i", 3)})

    def new(op, *inputs, options=None):
        place = model.tensor(f"t{len(model.tensors)}", (1, H))
        model.op(op, list(inputs), [place], options)
        return place

    z, r = (new("LOGISTIC", new("ADD", xs[k], hs[k])) for k in (0, 1))
    n = new("TANH", new("ADD", xs[2], new("MUL", r, hs[2])))
    last = model.tensor("new_h", (1, H))
    model.op("ADD", [new("MUL", z, h), new("MUL", new("SUB", model.constant("one", np.float32([1])), z), n)], [last])
    model.inputs, model.outputs = [x, h], [last]
    data = random.standard_normal((T, 1, I)).astype(np.float32)
    state, ys = np.zeros((1, H)), []
    for row in data:
        a, c = row @ W.T.astype(float) + b, state @ U.T.astype(float) + u
        z, r = (sigmoid(a[:, k * H : (k + 1) * H] + c[:, k * H : (k + 1) * H]) for k in (0, 1))
        state = z * state + (1 - z) * np.tanh(a[:, 2 * H :] + r * c[:, 2 * H :])
        ys.append(state)
    save("stepped", model, data, np.stack(ys))


def operators(random):
    """An LSTM, and what each plain operator makes of it, side by side."""
    I, H, T = 3, 4, 5
    W, U, b = gates(random, I, H)
    model = Model()
    x, y = model.tensor("x", (1, T, I), open_dim=1), model.tensor("y", (1, T, H), open_dim=1)
    inputs = [x, *lstm_inputs(model, x, W, U, b, None, H), *states(model, 1, H), -1, -1, -1, -1]
    model.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [y], {0: ("b", TANH)})
    data = random.standard_normal((T, 1, I)).astype(np.float32)
    v = lstm(data, W, U, b)
    parts, values = [], []

    def new(op, *inputs, width=H, options=None, shape=None, place=1):
        made = model.tensor(f"t{len(model.tensors)}", shape or (1, T, width), open_dim=place)
        model.op(op, list(inputs), [made], options)
        return made

    def numbers(*values):
        return model.constant(f"c{len(model.tensors)}", np.array(values, np.int32))

    def give(part, value):
        parts.append(part)
        values.append(value)

    half = model.constant("half", np.float32([0.5]))
    p, q = new("ADD", new("SQUARE", y), half), v * v + 0.5
    wide, far = new("MUL", y, model.constant("nine", np.float32([9]))), v * 9
    log = lambda a: a - a.max(-1, keepdims=True) - np.log(np.exp(a - a.max(-1, keepdims=True)).sum(-1, keepdims=True))
    for op, of, value in (
        ("ABS", y, np.abs(v)), ("SQRT", p, np.sqrt(q)), ("RSQRT", p, 1 / np.sqrt(q)), ("EXP", y, np.exp(v)),
        ("LOG", p, np.log(q)), ("NEG", y, -v), ("ELU", y, np.where(v > 0, v, np.exp(v) - 1)), ("RELU", y, np.maximum(v, 0)),
        ("RELU6", wide, np.clip(far, 0, 6)), ("RELU_N1_TO_1", wide, np.clip(far, -1, 1)),
        ("RELU_0_TO_1", wide, np.clip(far, 0, 1)), ("HARD_SWISH", wide, far * np.clip(far + 3, 0, 6) / 6),
        ("LOG_SOFTMAX", y, log(v)),
    ):  # fmt: skip
        give(new(op, of), value)
    give(new("LEAKY_RELU", y, options={0: ("f", 0.25)}), np.where(v > 0, v, v / 4))
    tanh_of = np.sqrt(2 / np.pi) * (v + 0.044715 * v**3)
    give(new("GELU", y, options={0: ("B", 1)}), v / 2 * (1 + np.tanh(tanh_of)))
    slope = matrix(random, H)
    give(new("PRELU", y, model.constant("slope", slope)), np.where(v > 0, v, v * slope))
    give(new("MAXIMUM", y, p), np.maximum(v, q))
    give(new("MINIMUM", y, p), np.minimum(v, q))
    give(new("POW", p, model.constant("three", np.float32([3]))), q**3)
    give(new("DIV", y, p, options={0: ("b", RELU)}), np.maximum(v / q, 0))
    give(new("SUB", y, p, options={0: ("b", 3)}), np.clip(v - q, 0, 6))
    give(new("SQUARED_DIFFERENCE", y, p), (v - q) ** 2)
    give(new("SLICE", y, numbers(0, 0, 1), numbers(-1, -1, 2), width=2), v[:, :, 1:3])
    give(new("REVERSE_V2", y, numbers(2)), v[:, :, ::-1])
    give(new("GATHER", y, numbers(3, 0), width=2, options={0: ("i", 2)}), v[:, :, [3, 0]])
    one, three = (model.tensor(n, (1, T, w), open_dim=1) for n, w in (("one", 1), ("three_of", 3)))
    model.op("SPLIT_V", [y, numbers(1, 3), model.constant("last", np.array(2, np.int32))], [one, three], {0: ("i", 2)})
    give(three, v[:, :, 1:])
    pair = new("PACK", y, p, shape=(1, T, H, 2), options={0: ("i", 2), 1: ("i", 3)})
    first, second = (model.tensor(n, (1, T, H), open_dim=1) for n in ("first", "second"))
    model.op("UNPACK", [pair], [first, second], {0: ("i", 2), 1: ("i", 3)})
    give(second, q)
    for op, value in (("MEAN", v.mean(2)), ("SUM", v.sum(2)), ("REDUCE_MAX", v.max(2)), ("REDUCE_MIN", v.min(2))):
        give(new(op, y, numbers(2), width=1, options={0: ("B", 1)}), value[:, :, None])
    V = matrix(random, 3, H)
    turned = new("BATCH_MATMUL", y, model.constant("V", V), width=3, options={1: ("B", 1)})
    give(turned, v @ V.T.astype(float))
    back = new("TRANSPOSE", new("TRANSPOSE", y, numbers(0, 2, 1), shape=(1, H, T), place=2), numbers(0, 2, 1))
    give(back, v)

    image = new("EXPAND_DIMS", y, model.constant("dim", np.array(3, np.int32)), shape=(1, T, H, 1))
    K, k = matrix(random, 1, 1, 3, 2), matrix(random, 2)
    options = {0: ("b", 0), 1: ("i", 1), 2: ("i", 1), 3: ("i", 2), 4: ("b", RELU), 5: ("i", 1), 6: ("i", 1)}
    weights = [model.constant("K", K), model.constant("k", k)]
    deep = new("DEPTHWISE_CONV_2D", image, *weights, shape=(1, T, H, 2), options=options)
    around = np.pad(v, ((0, 0), (0, 0), (1, 1)))
    a = sum(around[:, :, j : j + H, None] * K[0, 0, j].astype(float) for j in range(3)) + k
    a = np.maximum(a, 0)
    pool = {0: ("b", 1), 1: ("i", 2), 2: ("i", 1), 3: ("i", 2), 4: ("i", 1)}
    most = new("MAX_POOL_2D", deep, shape=(1, T, 2, 2), options=pool)
    a = a.reshape(T, 1, 2, 2, 2).max(3)
    pads = model.constant("pads", np.array([[0, 0], [0, 0], [1, 1], [0, 0]], np.int32))
    mirrored = new("MIRROR_PAD", most, pads, shape=(1, T, 4, 2), options={0: ("b", 0)})
    a = np.pad(a, ((0, 0), (0, 0), (1, 1), (0, 0)), mode="reflect")
    pool = {0: ("b", 0), 1: ("i", 1), 2: ("i", 1), 3: ("i", 3), 4: ("i", 1)}
    mean = new("AVERAGE_POOL_2D", mirrored, shape=(1, T, 4, 2), options=pool)
    around, count = np.pad(a, ((0, 0), (0, 0), (1, 1), (0, 0))), np.array([2, 3, 3, 2])[:, None]
    a = sum(around[:, :, j : j + 4] for j in range(3)) / count
    give(new("RESHAPE", mean, numbers(1, -1, 8), width=8), a.reshape(T, 1, 8))

    out = new("CONCATENATION", *parts, width=sum(part.shape[2] for part in values), options={0: ("i", 2)})
    model.inputs, model.outputs = [x], [out]
    save("operators", model, data, np.concatenate(values, axis=2))


def spread(v, K, stride, before, size):
    """A transposed convolution over the last dim but one: v is [T, B, places, inputs], K [outputs, 1, taps, inputs]."""
    y = np.zeros((*v.shape[:2], size + 2 * K.shape[2], len(K)))
    for p in range(v.shape[2]):
        for k in range(K.shape[2]):
            y[:, :, K.shape[2] + p * stride + k - before] += v[:, :, p] @ K[:, 0, k].T.astype(float)
    return y[:, :, K.shape[2] : K.shape[2] + size]


def upsampled(random):
    """Transposed convolutions over the features of each step, SAME and VALID, and choices of two kinds."""
    I, H, T = 3, 4, 5
    W, U, b = gates(random, I, H)
    model = Model()
    x, y = model.tensor("x", (1, T, I)), model.tensor("y", (1, T, H))
    inputs = [x, *lstm_inputs(model, x, W, U, b, None, H), *states(model, 1, H), -1, -1, -1, -1]
    model.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [y], {0: ("b", TANH)})
    shapes = {"image": (H, 1), "twice": (8, 2), "more": (18, 1)}
    image, twice, more = (model.tensor(name, (1, T, *shape)) for name, shape in shapes.items())
    numbers = lambda name, *values: model.constant(name, np.array(values, np.int32))
    model.op("EXPAND_DIMS", [y, model.constant("dim", np.array(3, np.int32))], [image])
    K, L, k = matrix(random, 2, 1, 3, 1), matrix(random, 1, 1, 3, 2), matrix(random, 2)
    same = {0: ("b", 0), 1: ("i", 2), 2: ("i", 1), 3: ("b", RELU)}
    weights = [model.constant("K", K), image, model.constant("k", k)]
    model.op("TRANSPOSE_CONV", [numbers("shape", 1, T, 8, 2), *weights], [twice], same)
    valid = {0: ("b", 1), 1: ("i", 2), 2: ("i", 1)}
    model.op("TRANSPOSE_CONV", [numbers("shape2", 1, T, 18, 1), model.constant("L", L), twice], [more], valid)
    flat, chosen, out = (model.tensor(n, (1, T, 18)) for n in ("flat", "chosen", "out"))
    model.op("RESHAPE", [more, numbers("flat shape", 1, T, 18)], [flat])
    is_large, is_other = (model.tensor(n, (1, T, 18), kind="?") for n in ("is_large", "is_other"))
    half = model.constant("half", np.float32(0.125))
    fill = model.constant("fill", matrix(random, 18))
    model.op("GREATER", [flat, half], [is_large])
    model.op("SELECT_V2", [is_large, flat, fill], [chosen])
    model.op("LOGICAL_NOT", [is_large], [is_other])
    double = model.tensor("double", (1, T, 18))
    model.op("ADD", [chosen, chosen], [double])
    model.op("SELECT", [is_other, double, flat], [out])
    model.inputs, model.outputs = [x], [out]
    data = random.standard_normal((T, 1, I)).astype(np.float32)
    v = np.maximum(spread(lstm(data, W, U, b)[..., None], K, 2, 0, 8) + k, 0)
    v = spread(v, L, 2, 0, 18)[..., 0]
    fills = np.array(np.frombuffer(bytes(model.buffers[model.tensors[fill][2][1]][0][1]), np.float32), float)
    save("upsampled", model, data, np.where(v > 0.125, v, 2 * fills))


def in_place(model, rows, item, number, T, H, as_update):
    """What the converter makes of TensorListSetItem: row `number` of [T, 1, H] becomes `item`, [1, H]."""
    wide = model.tensor("item", (1, 1, H))
    numbers = lambda name, *values: model.constant(name, np.array(values, np.int32))
    scalar = lambda name, value: model.constant(name, np.array(value, np.int32))
    model.op("EXPAND_DIMS", [item, scalar("dim_0", 0)], [wide])
    place, begin = model.tensor("place", (1,), kind="i4"), model.tensor("begin", (3,), kind="i4")
    model.op("EXPAND_DIMS", [number, scalar("dim_1", 0)], [place])
    written = model.tensor("written", (T, 1, H))
    if as_update:
        model.op("CONCATENATION", [place, numbers("zeros", 0, 0)], [begin], {0: ("i", 0)})
        model.op("DYNAMIC_UPDATE_SLICE", [rows, wide, begin], [written])
        return written
    size, behind, next_ = (model.tensor(n, s, kind="i4") for n, s in (("size", (3,)), ("behind", (1,)), ("next", ())))
    model.op("CONCATENATION", [place, numbers("rest", -1, -1)], [size], {0: ("i", 0)})
    model.op("ADD", [number, scalar("one more", 1)], [next_])
    model.op("EXPAND_DIMS", [next_, scalar("dim_2", 0)], [behind])
    model.op("CONCATENATION", [behind, numbers("zeros", 0, 0)], [begin], {0: ("i", 0)})
    first, last = (model.tensor(n, (1, 1, H), open_dim=0) for n in ("first", "last"))
    model.op("SLICE", [rows, numbers("all zeros", 0, 0, 0), size], [first])
    model.op("SLICE", [rows, begin, numbers("all", -1, -1, -1)], [last])
    model.op("CONCATENATION", [first, wide, last], [written], {0: ("i", 0)})
    return written


def loop(model, x, count, T, I, states, cell, H, keeps, as_update=False, begin=None, start=0, by=1, length=None):
    """The loop that the converter makes of Keras's recurrent layer: its variables are the number of the step twice, the
    rows of the output (of all steps, or of the last), the states, and what the loop reads. `cell` gives the new states;
    `count` is a constant or, if `begin` is, a tensor, and the rows begin with tensor `begin`, or as `length` zeros.
    Steps count from `start` on in steps of `by`. Returns the rows and the final states."""
    rows = (length or T) if keeps else 1
    captured = [] if begin is None else [count]
    condition, body = Model(model), Model(model)

    def variables(graph):
        whole = [graph.tensor(n, (), kind="i4") for n in ("loop_counter", "time")]
        own = [graph.tensor("rows", (rows, 1, H))] + [graph.tensor(f"state{k}", (1, H)) for k in range(len(states))]
        read = [graph.tensor("sequence", (T, 1, I))] + [graph.tensor("steps", (), kind="i4") for _ in captured]
        return whole + own + read

    condition.inputs = variables(condition)
    limit = condition.inputs[-1] if captured else condition.constant("count", np.array(count, np.int32))
    first, second, both = (condition.tensor(n, (), kind="?") for n in ("first", "second", "both"))
    condition.op("LESS", [condition.inputs[0], limit], [first])
    condition.op("GREATER", [limit, condition.inputs[1]], [second])
    condition.op("LOGICAL_AND", [first, second], [both])
    condition.outputs = [both]
    body.inputs = variables(body)
    one = body.constant("one", np.array(by, np.int32))
    counters = [body.tensor(n, (), kind="i4") for n in ("next_counter", "next_time")]
    for k in (0, 1):
        body.op("ADD", [body.inputs[k], one], [counters[k]])
    row = body.tensor("row", (1, I))
    of = body.inputs[3 + len(states) :]
    body.op("GATHER", [of[0], body.inputs[1]], [row], {0: ("i", 0)})
    new = cell(body, row, body.inputs[3 : 3 + len(states)])
    if keeps:
        output = in_place(body, body.inputs[2], new[0], body.inputs[1], rows, H, as_update)
    else:
        output = body.tensor("output", (1, 1, H))
        body.op("RESHAPE", [new[0], body.constant("shape", np.array([1, 1, H], np.int32))], [output])
    body.outputs = [*counters, output, *new, *of]
    zero = model.constant("zero", np.array(start, np.int32))
    if begin is None:
        begin = model.constant("no rows", np.zeros((rows, 1, H), np.float32))
    inputs = [zero, zero, begin, *states, x, *captured]
    shapes = [(), (), (rows, 1, H)] + [(1, H)] * len(states)
    outputs = [model.tensor(f"loop:{k}", shape, kind="f4" if shape else "i4") for k, shape in enumerate(shapes)]
    outputs += [model.tensor("loop:x", (T, 1, I))] + [model.tensor("loop:n", (), kind="i4") for _ in captured]
    graphs = {0: ("i", model.graphs.index(condition)), 1: ("i", model.graphs.index(body))}
    model.op("WHILE", inputs, outputs, graphs)
    return outputs[2], outputs[3 : 3 + len(states)]


def written_out(body, x, h, W, b, U, u, gates, H):
    """x W + b and h U + u, each split into gates."""
    sides = []
    for n, of, weights, bias in (("x", x, W, b), ("h", h, U, u)):
        sums = body.tensor(f"sums of {n}", (1, gates * H))
        body.op("FULLY_CONNECTED", [of, body.constant(f"W of {n}", weights), body.constant(f"b of {n}", bias)], [sums])
        parts = [body.tensor(f"{n}{k}", (1, H)) for k in range(gates)]
        body.op("SPLIT", [body.constant(f"dim of {n}", np.array(1, np.int32)), sums], parts, {0: ("i", gates)})
        sides.append(parts)
    return sides


def looped_gru(random):
    """Keras's GRU, all steps and, behind it, an LSTM that goes backwards and gives its last step."""
    I, H, T = 3, 5, 6
    W, U, b, u = matrix(random, 3 * H, I), matrix(random, 3 * H, H), matrix(random, 3 * H), matrix(random, 3 * H)
    V, S, v = matrix(random, 4 * H, H), matrix(random, 4 * H, H), matrix(random, 4 * H)
    model = Model()
    x, turned = model.tensor("x", (1, T, I)), model.tensor("turned", (T, 1, I))
    order = model.constant("order", np.array([1, 0, 2], np.int32))
    model.op("TRANSPOSE", [x, order], [turned])

    def new(body, op, *inputs):
        place = body.tensor(f"t{len(body.tensors)}", (1, H))
        body.op(op, list(inputs), [place])
        return place

    def gru(body, row, states):
        xs, hs = written_out(body, row, states[0], W, b, U, u, 3, H)
        z, r = (new(body, "LOGISTIC", new(body, "ADD", xs[k], hs[k])) for k in (0, 1))
        n = new(body, "TANH", new(body, "ADD", xs[2], new(body, "MUL", r, hs[2])))
        rest = new(body, "SUB", body.constant("1", np.float32(1)), z)
        return [new(body, "ADD", new(body, "MUL", z, states[0]), new(body, "MUL", rest, n))]

    def lstm_cell(body, row, states):
        xs, hs = written_out(body, row, states[0], V, v, S, np.zeros(4 * H, np.float32), 4, H)
        i, f, g, o = (new(body, "ADD", xs[k], hs[k]) for k in range(4))
        c = new(body, "ADD", new(body, "MUL", new(body, "LOGISTIC", f), states[1]),
                new(body, "MUL", new(body, "LOGISTIC", i), new(body, "TANH", g)))  # fmt: skip
        return [new(body, "MUL", new(body, "LOGISTIC", o), new(body, "TANH", c)), c]

    zeros = lambda name: model.constant(name, np.zeros((1, H), np.float32))
    rows, _ = loop(model, turned, T, T, I, [zeros("h0")], gru, H, True)
    reverse, y, last = (model.tensor(n, s) for n, s in (("reverse", (T, 1, H)), ("y", (1, T, H)), ("last", (1, 1, H))))
    model.op("REVERSE_V2", [rows, model.constant("time", np.array([0], np.int32))], [reverse])
    one, (final, _) = loop(model, reverse, T, T, H, [zeros("h1"), zeros("c1")], lstm_cell, H, False)
    model.op("TRANSPOSE", [rows, order], [y])
    model.op("TRANSPOSE", [one, order], [last])
    both = model.tensor("both", (1, T, H))
    model.op("ADD", [y, last], [both])
    model.inputs, model.outputs = [x], [both]
    data = random.standard_normal((T, 1, I)).astype(np.float32)
    state, ys = np.zeros((1, H)), []
    for row in data:
        a, c = row @ W.T.astype(float) + b, state @ U.T.astype(float) + u
        z, r = (sigmoid(a[:, k * H : (k + 1) * H] + c[:, k * H : (k + 1) * H]) for k in (0, 1))
        state = z * state + (1 - z) * np.tanh(a[:, 2 * H :] + r * c[:, 2 * H :])
        ys.append(state)
    split = lambda a: [a[k * H : (k + 1) * H] for k in range(4)]
    h = lstm(np.stack(ys), split(V), split(S), split(v), reverse=True)[:1]
    save("looped_gru", model, data, np.stack(ys) + h)


def simple_cell(random, I, H):
    """The step of Keras's SimpleRNN, and its weights."""
    W, U, b = matrix(random, H, I), matrix(random, H, H), matrix(random, H)

    def cell(body, row, states):
        of_x, of_h, sums, new = (body.tensor(n, (1, H)) for n in ("of_x", "of_h", "sums", "new"))
        body.op("FULLY_CONNECTED", [row, body.constant("W", W), body.constant("b", b)], [of_x])
        body.op("FULLY_CONNECTED", [states[0], body.constant("U", U), -1], [of_h])
        body.op("ADD", [of_x, of_h], [sums])
        body.op("TANH", [sums], [new])
        return [new]

    return cell, W, U, b


def looped_rnn(random):
    """Keras's SimpleRNN of any number of steps and sequences, which the model counts."""
    I, H, T = 4, 6, 5
    cell, W, U, b = simple_cell(random, I, H)
    model = Model()
    numbers = lambda name, *values: model.constant(name, np.array(values, np.int32))
    x, turned = model.tensor("x", (1, T, I), open_dim=1), model.tensor("turned", (T, 1, I), open_dim=0)
    order = numbers("order", 1, 0, 2)
    model.op("TRANSPOSE", [x, order], [turned])
    shape = model.tensor("shape", (3,), kind="i4")
    model.op("SHAPE", [turned], [shape], {0: ("B", 2)})
    steps, batch = (model.tensor(n, (), kind="i4") for n in ("steps", "batch"))
    for k, place in enumerate((steps, batch)):
        ends = [numbers(f"begin{k}", k), numbers(f"end{k}", k + 1), numbers(f"stride{k}", 1)]
        model.op("STRIDED_SLICE", [shape, *ends], [place], {4: ("i", 1)})
    dims, long = model.tensor("dims", (2,), kind="i4"), model.tensor("long", (1,), kind="i4")
    model.op("PACK", [batch, model.constant("H", np.array(H, np.int32))], [dims], {0: ("i", 2)})
    h0, nothing = model.tensor("h0", (1, H)), model.constant("nothing", np.float32(0))
    model.op("FILL", [dims, nothing], [h0])
    model.op("EXPAND_DIMS", [steps, model.constant("dim", np.array(0, np.int32))], [long])
    all_dims, begin = model.tensor("all_dims", (3,), kind="i4"), model.tensor("begin", (T, 1, H), open_dim=0)
    model.op("CONCATENATION", [long, numbers("item dims", 1, H)], [all_dims], {0: ("i", 0)})
    model.op("FILL", [all_dims, nothing], [begin])
    rows, _ = loop(model, turned, steps, T, I, [h0], cell, H, True, True, begin)
    y = model.tensor("y", (1, T, H), open_dim=1)
    model.op("TRANSPOSE", [rows, order], [y])
    model.inputs, model.outputs = [x], [y]
    data = random.standard_normal((T, 1, I)).astype(np.float32)
    state, ys = np.zeros((1, H)), []
    for row in data:
        state = np.tanh(row @ W.T.astype(float) + state @ U.T.astype(float) + b)
        ys.append(state)
    save("looped_rnn", model, data, np.stack(ys))


def apart(random):
    """Directions that give an output each, of a bidirectional LSTM and an RNN behind it, and a shape that is computed."""
    I, H, R, T = 3, 4, 2, 6
    one, two = gates(random, I, H), gates(random, I, H)
    model = Model()
    sizes = {"x": I, "forward": H, "backward": H}
    x, forward, backward = (model.tensor(name, (1, T, size), open_dim=1) for name, size in sizes.items())
    inputs = [x, *lstm_inputs(model, x, *one, None, H, "f")[:17], *lstm_inputs(model, x, *two, None, H, "b")[:17]]
    inputs += states(model, 1, H, "f") + states(model, 1, H, "b") + [-1] * 9
    options = {0: ("b", TANH), 3: ("B", 0), 4: ("B", 0)}
    model.op("BIDIRECTIONAL_SEQUENCE_LSTM", inputs, [forward, backward], options)
    wide = model.tensor("wide", (1, T, H + 3), open_dim=1)
    pads = model.constant("pads", np.array([[0, 0], [0, 0], [1, 2]], np.int32))
    model.op("PADV2", [backward, pads, model.constant("edge", np.float32(-1.5))], [wide])
    weights = [[matrix(random, R, H + 3), matrix(random, R, R) / 2, matrix(random, R)] for _ in range(2)]

    def inputs():
        result = [wide]
        for side, (W, U, b) in zip("fb", weights):
            result += [model.constant(n + side, v) for n, v in (("V", W), ("S", U), ("v", b))]
            result.append(model.tensor("s" + side, (1, R), variable=True))
        return result + [-1] * 3

    to, fro = (model.tensor(n, (1, T, R), open_dim=1) for n in ("to", "fro"))
    options = {0: ("B", 0), 1: ("b", TANH), 2: ("B", 0)}
    model.op("BIDIRECTIONAL_SEQUENCE_RNN", inputs(), [to, fro], options)
    both = model.tensor("both", (1, T, 2 * R), open_dim=1)
    model.op("BIDIRECTIONAL_SEQUENCE_RNN", inputs(), [both], options | {2: ("B", 1)})
    joined = model.tensor("joined", (1, T, H + 4 * R), open_dim=1)
    model.op("CONCATENATION", [forward, fro, both, to], [joined], {0: ("i", 2)})
    numbers = lambda name, *values: model.constant(name, np.array(values, np.int32))
    shape, first, new = (model.tensor(n, (s,), kind="i4") for n, s in (("shape", 3), ("first two", 2), ("new", 4)))
    model.op("SHAPE", [joined], [shape], {0: ("B", 2)})
    ends = [numbers("begin", 0), numbers("end", 2), numbers("stride", 1)]
    model.op("STRIDED_SLICE", [shape, *ends], [first], {})
    model.op("CONCATENATION", [first, numbers("pairs", -1, 2)], [new], {0: ("i", 0)})
    pairs, sums = (model.tensor(n, (1, T, *s), open_dim=1) for n, s in (("pairs of", (6, 2)), ("sums", (6,))))
    model.op("RESHAPE", [joined, new], [pairs])
    model.op("SUM", [pairs, numbers("over", 3)], [sums])
    model.inputs, model.outputs = [x], [sums]
    data = random.standard_normal((T, 1, I)).astype(np.float32)

    def rnn(v, W, U, b, reverse):
        s, ys = np.zeros((1, R)), []
        for row in v[:: -1 if reverse else 1]:
            s = np.tanh(row @ W.T.astype(float) + s @ U.T.astype(float) + b)
            ys.append(s)
        return np.stack(ys[:: -1 if reverse else 1])

    h = lstm(data, *two, reverse=True)
    v = np.pad(h, ((0, 0), (0, 0), (1, 2)), constant_values=-1.5)
    a, b = rnn(v, *weights[0], False), rnn(v, *weights[1], True)
    joined = np.concatenate([lstm(data, *one), b, a, b, a], axis=2)
    save("apart", model, data, joined.reshape(T, 1, 6, 2).sum(3))


def labelled(random):
    """Tokens go in, and the number of the likeliest of five classes comes out, as a float."""
    V, E, H, T = 7, 3, 5, 8
    W, U, b = gates(random, E, H)
    table = matrix(random, V, E)
    model = Model()
    tokens = model.tensor("tokens", (1, T), kind="i4", open_dim=1)
    flat = model.tensor("flat", (T,), kind="i4", open_dim=0)
    rows = model.tensor("rows", (T, E), open_dim=0)
    x, y = (model.tensor(n, (1, T, size), open_dim=1) for n, size in (("x", E), ("y", H)))
    model.op("RESHAPE", [tokens, model.constant("all", np.array([-1], np.int32))], [flat])
    model.op("EMBEDDING_LOOKUP", [flat, model.constant("table", table)], [rows])
    model.op("EXPAND_DIMS", [rows, model.constant("dim", np.array(0, np.int32))], [x])
    inputs = [x, *lstm_inputs(model, x, W, U, b, None, H), *states(model, 1, H), -1, -1, -1, -1]
    model.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [y], {0: ("b", TANH)})
    best, label = model.tensor("best", (1, T), kind="i4", open_dim=1), model.tensor("label", (1, T), open_dim=1)
    model.op("ARG_MAX", [y, model.constant("last", np.array(2, np.int32))], [best], {0: ("b", 2)})
    model.op("CAST", [best], [label], {0: ("b", 2), 1: ("b", 0)})
    model.inputs, model.outputs = [tokens], [label]
    data = random.integers(0, V, (T, 1, 1)).astype(np.float32)
    h = lstm(table[data[:, :, 0].astype(int)].astype(float), W, U, b)
    save("labelled", model, data, h.argmax(2)[:, :, None].astype(float))


def refused(random):
    """Loops that are no recurrence over their whole sequence, and an LSTM with a projection."""
    T, I, H = 4, 2, 2
    for name, more in {
        "loop_short": {"count": T - 1, "length": T - 1},
        "loop_late": {"start": 1},
        "loop_by_two": {"by": 2},
        "loop_long_rows": {"length": T + 1},
        "loop_peeks": {},
        "loop_counts": {},
        "loop_within": {},
    }.items():
        model = Model()
        x, zeros = model.tensor("x", (T, 1, I)), model.constant("h0", np.zeros((1, H), np.float32))
        arguments = {"count": T} | more
        simple = simple_cell(random, I, H)[0]

        def cell(body, row, states, name=name, simple=simple):
            new, more, other = simple(body, row, states)[0], body.tensor("more", (1, H)), body.tensor("other", (1, H))
            if name == "loop_peeks":  # reads what the first step wrote
                body.op("GATHER", [body.inputs[2], body.constant("0", np.array(0, np.int32))], [other], {0: ("i", 0)})
            elif name == "loop_counts":
                body.op("CAST", [body.inputs[1]], [other])
            elif name == "loop_within":
                body.op("WHILE", states, [other], {0: ("i", 1), 1: ("i", 2)})
            else:
                return [new]
            body.op("ADD", [new, other], [more])
            return [more]

        rows, final = loop(model, x, arguments.pop("count"), T, I, [zeros], cell, H, True, **arguments)
        model.inputs, model.outputs = [x], final
        model.save(name + ".tflite")
    model = Model()
    x, y = model.tensor("x", (1, T, H)), model.tensor("y", (1, T, H))
    model.op("ADD", [x, x], [y], {0: ("b", TANH)})
    model.inputs, model.outputs = [x], [y]
    model.save("fused_tanh.tflite")
    model = Model()  # two operators have one state
    x, first, last = (model.tensor(n, (1, T, H)) for n in ("x", "first", "last"))
    weights = [model.constant("V", matrix(random, H, H)), model.constant("S", matrix(random, H, H))]
    weights += [model.constant("v", matrix(random, H)), model.tensor("s", (1, H), variable=True)]
    model.op("UNIDIRECTIONAL_SEQUENCE_RNN", [x, *weights], [first], {1: ("b", TANH)})
    model.op("UNIDIRECTIONAL_SEQUENCE_RNN", [first, *weights], [last], {1: ("b", TANH)})
    model.inputs, model.outputs = [x], [last]
    model.save("one_state.tflite")
    model = Model()  # ends by its state
    x, y = model.tensor("x", (1, 1)), model.tensor("y", (1, 1))
    condition, body = Model(model), Model(model)
    condition.inputs, condition.outputs = [condition.tensor("v", (1, 1))], [condition.tensor("more", (1, 1), kind="?")]
    condition.op("LESS", [condition.inputs[0], condition.constant("ten", np.float32(10))], condition.outputs)
    body.inputs, body.outputs = [body.tensor("v", (1, 1))], [body.tensor("w", (1, 1))]
    body.op("ADD", [body.inputs[0], body.inputs[0]], body.outputs)
    model.op("WHILE", [x], [y], {0: ("i", 1), 1: ("i", 2)})
    model.inputs, model.outputs = [x], [y]
    model.save("loop.tflite")
    model, H = Model(), 2
    x, y = model.tensor("x", (1, 4, 3)), model.tensor("y", (1, 4, 1))
    inputs = [
        x,
        *lstm_inputs(model, x, *gates(random, 3, H), None, H)[:15],
        model.constant("R", matrix(random, 1, H)),
        -1,
    ]
    model.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs + states(model, 1, H) + [-1] * 4, [y], {0: ("b", TANH)})
    model.inputs, model.outputs = [x], [y]
    model.save("projected.tflite")


makers = (clipped, coupled, both_ways, hybrid, convolved, stepped, operators, refused)
makers += (looped_gru, looped_rnn, upsampled, apart, labelled)

if __name__ == "__main__":
    for number, make in enumerate(makers):
        make(np.random.default_rng(number))
    sys.exit(0)
