#!/usr/bin/env python3
"""make_models.py: writes TensorFlow Lite models, an input of each, and what their equations give in double precision.

NAME.tflite is a model as TensorFlow's schema.fbs describes it, NAME.x.npy an input [steps, sequences, features] and
NAME.y.npy the output. All but the refused and two_lists, which has operators of TensorFlow, were also run by
TensorFlow Lite's own kernels (npm has them as @tensorflow/tfjs-tflite 0.0.1-alpha.10), which give these values within
2e-7; those of hybrid within 4e-3, if D has one scale: they compute with integers there, and read the first of
several; those of upsampled without the RELU that is part of a TRANSPOSE_CONV, which they do not know yet. Outputs of
a loop change their place in memory when it runs, so that they are read from the model and not from what its predict()
gives.
"""

import sys

import numpy as np
from lists import refused_lists, tokens, two_lists, two_rows
from loops import looped_gru, looped_rnn
from refused import refused
from writer import Model, lstm, gru, softmax, matrix, gates, lstm_inputs, states, save, RELU, TANH


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
    ys = gru(data, W, U, b, u)
    save("stepped", model, data, ys)


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


def compared(random):
    """Each comparison chooses; half of the numbers are equal to the bound."""
    I, H, T = 3, 6, 7
    W, U, b = gates(random, I, H)
    model = Model()
    x, y, kept = (model.tensor(n, (1, T, size)) for n, size in (("x", I), ("y", H), ("kept", H)))
    inputs = [x, *lstm_inputs(model, x, W, U, b, None, H), *states(model, 1, H), -1, -1, -1, -1]
    model.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [y], {0: ("b", TANH)})
    bound = model.constant("bound", np.float32([0, 0.0625, -0.0625, 0, 0, 0]))
    model.op("MAXIMUM", [y, bound], [kept])
    data = random.standard_normal((T, 1, I)).astype(np.float32)
    v, c = lstm(data, W, U, b), np.array([0, 0.0625, -0.0625, 0, 0, 0])
    k, parts, values = np.maximum(v, c), [], []
    pairs = {
        "EQUAL": np.equal,
        "NOT_EQUAL": np.not_equal,
        "GREATER_EQUAL": np.greater_equal,
        "LESS_EQUAL": np.less_equal,
    }
    for op, holds in pairs.items():
        for n, (a, of) in enumerate(((kept, k), (bound, c))):
            truth, chosen = model.tensor(f"{op}{n}", (1, T, H), kind="?"), model.tensor(f"chosen {op}{n}", (1, T, H))
            model.op(op, [a, bound if n == 0 else kept], [truth])
            model.op("SELECT_V2", [truth, y, model.constant(f"else {op}{n}", np.float32([n + 2]))], [chosen])
            parts.append(chosen)
            values.append(np.where(holds(of, c if n == 0 else k), v, n + 2))
    out = model.tensor("out", (1, T, H * len(parts)))
    model.op("CONCATENATION", parts, [out], {0: ("i", 2)})
    model.inputs, model.outputs = [x], [out]
    save("compared", model, data, np.concatenate(values, axis=2))


def projected_gates(random, I, H, O):
    W, _, b = gates(random, I, H)
    return W, [matrix(random, H, O) for _ in range(4)], b


def normalised(random):
    """An LSTM that normalises its gates and projects, and one of two directions that projects with a bias and bounds."""
    I, H, O, T = 4, 6, 3, 6
    one = projected_gates(random, I, H, O)
    P = [matrix(random, H) for _ in range(3)]
    N, R = [matrix(random, H) + np.float32(1) for _ in range(4)], matrix(random, O, H)
    model = Model()
    x, y = model.tensor("x", (1, T, I), open_dim=1), model.tensor("y", (1, T, O), open_dim=1)
    out = model.tensor("out", (1, T, 2 * O), open_dim=1)
    inputs = [x, *lstm_inputs(model, x, *one, P, H)[:15], model.constant("R", R), -1]
    inputs += [model.tensor("h", (1, O), variable=True), model.tensor("c", (1, H), variable=True)]
    inputs += [model.constant(f"N{k}", N[k]) for k in range(4)]
    model.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [y], {0: ("b", TANH), 1: ("f", 0.6)})
    data = random.standard_normal((T, 1, I)).astype(np.float32)
    v = lstm(data, *one, P, clip=0.6, norms=N, project=(R, 0))
    inputs, kept, parts = [y], [], []
    for suffix, reverse in (("f", False), ("b", True)):
        each, S, s = projected_gates(random, O, H, O), matrix(random, O, H), matrix(random, O)
        inputs += lstm_inputs(model, y, *each, None, H, suffix)[:15]
        inputs += [model.constant("S" + suffix, S), model.constant("s" + suffix, s)]
        kept += [model.tensor("h" + suffix, (1, O), variable=True), model.tensor("c" + suffix, (1, H), variable=True)]
        parts.append(lstm(v, *each, reverse=reverse, project=(S, s), bound=0.5))
    options = {0: ("b", TANH), 2: ("f", 0.5), 3: ("B", 1), 4: ("B", 0)}
    model.op("BIDIRECTIONAL_SEQUENCE_LSTM", inputs + kept + [-1] * 9, [out], options)
    model.inputs, model.outputs = [x], [out]
    save("normalised", model, data, np.concatenate(parts, axis=2))


def repeated(random):
    """An autoencoder: the last step of one LSTM is repeated by TILE for each step of the next one, and joined with the input."""
    I, H, T = 3, 4, 6
    one, two = gates(random, I, H), gates(random, H + I, 2)
    model = Model()
    x, y, out = model.tensor("x", (1, T, I)), model.tensor("y", (1, T, H)), model.tensor("out", (1, T, 2))
    last, row, rows = model.tensor("last", (1, H)), model.tensor("row", (1, 1, H)), model.tensor("rows", (1, T, H))
    wide, sized = model.tensor("wide", (1, T, H + I)), model.tensor("sized", (1, T, H))
    numbers = lambda name, *values: model.constant(name, np.array(values, np.int32))
    inputs = [x, *lstm_inputs(model, x, *one, None, H, "1"), *states(model, 1, H, "1"), -1, -1, -1, -1]
    model.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [y], {0: ("b", TANH)})
    ends = [numbers("begin", 0, -1, 0), numbers("end", 0, 0, 0), numbers("stride", 1, 1, 1)]
    model.op("STRIDED_SLICE", [y, *ends], [last], {0: ("i", 7), 1: ("i", 7), 4: ("i", 2)})
    model.op("EXPAND_DIMS", [last, numbers("dim", 1)], [row])
    model.op("TILE", [row, numbers("many", 1, T, 1)], [rows])
    model.op("BROADCAST_TO", [rows, numbers("size", 1, T, H)], [sized])
    model.op("CONCATENATION", [sized, x], [wide], {0: ("i", 2)})
    inputs = [wide, *lstm_inputs(model, wide, *two, None, 2, "2"), *states(model, 1, 2, "2"), -1, -1, -1, -1]
    model.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [out], {0: ("b", TANH)})
    model.inputs, model.outputs = [x], [out]
    data = random.standard_normal((T, 1, I)).astype(np.float32)
    z = np.broadcast_to(lstm(data, *one)[-1], (T, 1, H))
    save("repeated", model, data, lstm(np.concatenate([z, data], 2), *two))


makers = (clipped, coupled, both_ways, hybrid, convolved, stepped, operators, refused)
makers += (looped_gru, looped_rnn, upsampled, apart, labelled, compared, normalised)
makers += (two_rows, two_lists, tokens, refused_lists, repeated)

if __name__ == "__main__":
    for number, make in enumerate(makers):
        make(np.random.default_rng(number))
    sys.exit(0)
