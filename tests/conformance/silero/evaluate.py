"""Evaluates the graph of a voice activity detector in double precision, node by node, by the text of ONNX's operator pages. It
knows the operators that these graphs have."""
import numpy as np
from onnx import helper, numpy_helper


def attributes(node):
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def as_double(array):
    return np.asarray(array, np.float64) if np.asarray(array).dtype in (np.float32, np.float16) else np.asarray(array)


def sigmoid(v):
    return 0.5 * (1 + np.tanh(v / 2))


def conv(at, x, W, b=None):
    strides, pads, groups = at.get("strides", [1])[0], at.get("pads", [0, 0]), at.get("group", 1)
    x = np.pad(x, [(0, 0), (0, 0), tuple(pads)])
    k, outputs = W.shape[2], (x.shape[2] - W.shape[2]) // strides + 1
    windows = np.stack([x[:, :, p * strides:p * strides + k] for p in range(outputs)], 2)  # [B, C, P, k]
    parts = [np.einsum("bcpk,mck->bmp", w, m) for w, m in zip(np.split(windows, groups, 1), np.split(W, groups))]
    return np.concatenate(parts, 1) + (0 if b is None else b[:, None])


def lstm(at, x, W, R, B, lengths=None, h=None, c=None):
    h, c, ys = h[0], c[0], []
    w_bias, r_bias = np.split(B[0], 2)
    for row in x:
        i, o, f, g = np.split(row @ W[0].T + h @ R[0].T + w_bias + r_bias, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        ys.append(h)
    return np.array(ys)[:, None], h[None], c[None]


def pad(at, x, pads, value=None):
    pads = np.asarray(pads).reshape(2, -1).T
    mode = at.get("mode", b"constant").decode()
    return np.pad(x, pads, mode) if mode != "constant" else np.pad(x, pads, constant_values=0 if value is None else value)


def cut(at, x, starts, ends, axes=None, steps=None):
    places = [slice(None)] * x.ndim
    for k, (start, end) in enumerate(zip(starts, ends)):
        places[axes[k] if axes is not None else k] = slice(start, end, None if steps is None else steps[k])
    return x[tuple(places)]


def axes_of(at, given):
    return tuple(at["axes"] if "axes" in at else given[0])


OPERATORS = {
    "Add": lambda at, a, b: a + b, "Sub": lambda at, a, b: a - b, "Mul": lambda at, a, b: a * b,
    "Div": lambda at, a, b: a / b if a.dtype.kind == "f" else a // b, "Pow": lambda at, a, b: a ** b,
    "Sqrt": lambda at, a: np.sqrt(a), "Relu": lambda at, a: np.maximum(a, 0), "Sigmoid": lambda at, a: sigmoid(a),
    "Log": lambda at, a: np.log(a), "Neg": lambda at, a: -a, "Abs": lambda at, a: np.abs(a),
    "Equal": lambda at, a, b: a == b, "Not": lambda at, a: ~a, "Identity": lambda at, a: a,
    "Shape": lambda at, a: np.array(a.shape), "Size": lambda at, a: np.array(a.size), "Conv": conv, "LSTM": lstm, "Pad": pad, "Slice": cut,
    "Transpose": lambda at, a: a.transpose(at["perm"]), "Concat": lambda at, *a: np.concatenate(a, at["axis"]),
    "Gather": lambda at, a, i: np.take(a, i, at.get("axis", 0)),
    "Unsqueeze": lambda at, a, *axes: np.expand_dims(a, axes_of(at, axes)),
    "Squeeze": lambda at, a, *axes: np.squeeze(a, axes_of(at, axes) if axes or "axes" in at else None),
    "Reshape": lambda at, a, s: a.reshape([a.shape[k] if v == 0 else v for k, v in enumerate(s)]),
    "ReduceMean": lambda at, a, *axes: a.mean(axes_of(at, axes), keepdims=bool(at.get("keepdims", 1))),
    "Cast": lambda at, a: a.astype({1: np.float64, 6: np.int32, 7: np.int64, 9: bool}[at["to"]]),
    "ConstantOfShape": lambda at, s: np.full(s, as_double(numpy_helper.to_array(at["value"]))[0] if "value" in at else 0.0),
}


def run(graph, values):
    """Computes all values of a graph; `values` has its inputs, and what is around it."""
    values = dict(values)
    for tensor in graph.initializer:
        values[tensor.name] = as_double(numpy_helper.to_array(tensor))
    for node in graph.node:
        at = attributes(node)
        if node.op_type == "Constant":
            results = [as_double(numpy_helper.to_array(at["value"]))]
        elif node.op_type == "If":
            branch = at["then_branch" if bool(values[node.input[0]]) else "else_branch"]
            inner = run(branch, values)
            results = [inner[output.name] for output in branch.output]
        else:
            result = OPERATORS[node.op_type](at, *(values[name] if name else None for name in node.input))
            results = list(result) if isinstance(result, tuple) else [result]
        values.update((name, result) for name, result in zip(node.output, results) if name)
    return values
