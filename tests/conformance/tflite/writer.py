"""A writer of TensorFlow Lite files, whose tables are those of TensorFlow's schema.fbs, and equations in double precision."""

import struct

import numpy as np

TENSOR_TYPES = {"f4": 0, "i4": 2, "i8": 4, "?": 6, "i1": 9, "resource": 13, "variant": 14}
CUSTOM = 32
# fmt: off
# The numbers of the operators, and of the kinds of their options.
BUILTIN = {
    "ADD": 0, "AVERAGE_POOL_2D": 1, "CONCATENATION": 2, "CONV_2D": 3, "DEPTHWISE_CONV_2D": 4,
    "EMBEDDING_LOOKUP": 7, "FULLY_CONNECTED": 9, "LOGISTIC": 14, "MAX_POOL_2D": 17, "MUL": 18, "RELU": 19,
    "RELU_N1_TO_1": 20, "RELU6": 21, "RESHAPE": 22, "SOFTMAX": 25, "TANH": 28, "PAD": 34,
    "UNIDIRECTIONAL_SEQUENCE_RNN": 35, "GATHER": 36, "TRANSPOSE": 39, "MEAN": 40, "SUB": 41, "DIV": 42,
    "SQUEEZE": 43, "UNIDIRECTIONAL_SEQUENCE_LSTM": 44, "STRIDED_SLICE": 45, "BIDIRECTIONAL_SEQUENCE_RNN": 46,
    "EXP": 47, "SPLIT": 49, "LOG_SOFTMAX": 50, "BIDIRECTIONAL_SEQUENCE_LSTM": 52, "CAST": 53, "PRELU": 54,
    "MAXIMUM": 55, "ARG_MAX": 56, "MINIMUM": 57, "LESS": 58, "NEG": 59, "PADV2": 60, "GREATER": 61,
    "GREATER_EQUAL": 62, "LESS_EQUAL": 63, "EQUAL": 71, "NOT_EQUAL": 72,
    "SELECT": 64, "SLICE": 65, "TRANSPOSE_CONV": 67, "TILE": 69, "EXPAND_DIMS": 70, "LOG": 73, "SUM": 74, "SQRT": 75,
    "RSQRT": 76, "SHAPE": 77, "POW": 78, "REDUCE_MAX": 82, "PACK": 83, "LOGICAL_AND": 86, "LOGICAL_NOT": 87,
    "UNPACK": 88, "REDUCE_MIN": 89, "SQUARE": 92, "FILL": 94, "LEAKY_RELU": 98, "SQUARED_DIFFERENCE": 99,
    "MIRROR_PAD": 100, "ABS": 101, "SPLIT_V": 102, "REVERSE_V2": 105, "ELU": 111, "HARD_SWISH": 117, "IF": 118,
    "WHILE": 119, "SELECT_V2": 123, "CALL_ONCE": 129, "BROADCAST_TO": 130,
    "VAR_HANDLE": 142, "READ_VARIABLE": 143, "ASSIGN_VARIABLE": 144, "BATCH_MATMUL": 126, "GELU": 150, "DYNAMIC_UPDATE_SLICE": 151,
    "RELU_0_TO_1": 152,
}
OPTIONS = {
    "CONV_2D": 1, "DEPTHWISE_CONV_2D": 2, "AVERAGE_POOL_2D": 5, "MAX_POOL_2D": 5, "FULLY_CONNECTED": 8,
    "SOFTMAX": 9, "CONCATENATION": 10, "ADD": 11, "MUL": 21, "GATHER": 23, "MEAN": 27, "SUM": 27,
    "REDUCE_MAX": 27, "REDUCE_MIN": 27, "SUB": 28, "DIV": 29, "SQUEEZE": 30,
    "UNIDIRECTIONAL_SEQUENCE_RNN": 31, "STRIDED_SLICE": 32, "SPLIT": 35, "CAST": 37, "ARG_MAX": 40,
    "TRANSPOSE_CONV": 49, "SHAPE": 55, "PACK": 59, "UNPACK": 64, "BIDIRECTIONAL_SEQUENCE_LSTM": 69,
    "BIDIRECTIONAL_SEQUENCE_RNN": 70, "UNIDIRECTIONAL_SEQUENCE_LSTM": 71, "LEAKY_RELU": 75, "MIRROR_PAD": 77,
    "SPLIT_V": 79, "WHILE": 93, "BATCH_MATMUL": 101, "CALL_ONCE": 103, "VAR_HANDLE": 111, "GELU": 116,
}
# fmt: on
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
        numbers = [(n, BUILTIN.get(n, CUSTOM)) for n in self.codes]
        codes = [{0: ("b", min(127, k)), 3: ("i", k)} | ({1: ("B", n)} if k == CUSTOM else {}) for n, k in numbers]
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


def lstm(x, W, U, b, P=None, clip=0, coupled=False, reverse=False, act=np.tanh, norms=None, project=None, bound=0):
    """Gates in the order i, f, c, o; x is [T, B, I]. `norms` are factors of gates that are normalised before their
    biases are added, and `project` is a matrix and its bias, whose sums are between -`bound` and `bound`."""
    H, O = U[1].shape
    h, c = np.zeros((x.shape[1], O)), np.zeros((x.shape[1], H))
    y = np.zeros((*x.shape[:2], O))

    def gate(k, peep):
        v = x[t] @ W[k].T.astype(float) + h @ U[k].T.astype(float) + peep
        if norms:
            v = v - v.mean(1, keepdims=True)
            v = v / np.sqrt((v**2).mean(1, keepdims=True) + 1e-8) * norms[k]
        return v + b[k]

    for t in range(len(x))[:: -1 if reverse else 1]:
        f = sigmoid(gate(1, P[1] * c if P else 0))
        i = 1 - f if coupled else sigmoid(gate(0, P[0] * c if P else 0))
        c = f * c + i * act(gate(2, 0))
        if clip:
            c = np.clip(c, -clip, clip)
        h = sigmoid(gate(3, P[2] * c if P else 0)) * act(c)
        if project:
            h = h @ project[0].T.astype(float) + project[1]
            h = np.clip(h, -bound, bound) if bound else h
        y[t] = h
    return y


def gru(x, W, U, b, u):
    """Returns the steps of a GRU of one sequence, whose gates are z, r and n, with biases of their own for x and h."""
    H, state, ys = U.shape[1], np.zeros((1, U.shape[1])), []
    for row in x:
        a, c = row @ W.T.astype(float) + b, state @ U.T.astype(float) + u
        z, r = (sigmoid(a[:, k * H : (k + 1) * H] + c[:, k * H : (k + 1) * H]) for k in (0, 1))
        state = z * state + (1 - z) * np.tanh(a[:, 2 * H :] + r * c[:, 2 * H :])
        ys.append(state)
    return np.stack(ys)


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
