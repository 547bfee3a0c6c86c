"""ONNX files for what the node tests of ONNX miss, and what the operators' definitions give in NumPy's double precision.

    python3 tests/conformance/onnx/make_data.py        (needs numpy and onnx)

writes NAME.onnx with its weights inside, and data.safetensors with NAME.x [T,B,I], NAME.y [T,B,D*H] and NAME.h [D,B,H], all
F64 but x. Independent of rnnc: the equations are those of the ONNX operator pages, one time step after the other.
"""
import json
import pathlib
import struct

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FOLDER = pathlib.Path(__file__).parent
T, B, I, H = 7, 3, 4, 5
LENGTHS = np.int32([7, 1, 4])
random = np.random.default_rng(7)
tensors = {}

FUNCTIONS = {
    "Relu": lambda v, a, b: np.maximum(v, 0),
    "Tanh": lambda v, a, b: np.tanh(v),
    "Sigmoid": lambda v, a, b: 1 / (1 + np.exp(-v)),
    "Affine": lambda v, a, b: a * v + b,
    "LeakyRelu": lambda v, a, b: np.where(v < 0, a * v, v),
    "ThresholdedRelu": lambda v, a, b: np.where(v > a, v, 0),
    "ScaledTanh": lambda v, a, b: a * np.tanh(b * v),
    "HardSigmoid": lambda v, a, b: np.clip(a * v + b, 0, 1),
    "Elu": lambda v, a, b: np.where(v < 0, a * (np.exp(v) - 1), v),
    "Softsign": lambda v, a, b: v / (1 + np.abs(v)),
    "Softplus": lambda v, a, b: np.log1p(np.exp(v)),
}
ALPHA = {"Affine": 0.6, "LeakyRelu": 0.1, "ThresholdedRelu": 0.2, "ScaledTanh": 1.2, "HardSigmoid": 0.3, "Elu": 0.7}
BETA = {"Affine": 0.1, "ScaledTanh": 0.7, "HardSigmoid": 0.4}
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
DEFAULT = {"RNN": ["Tanh"], "GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}


def f32(*shape):
    return np.float32(random.uniform(-0.8, 0.8, shape))


def step(op, act, at, W, R, Wb, Rb, P, x, h, c):
    parts = lambda v, axis=0: np.split(v, GATES[op], axis=axis)
    if op == "RNN":
        return act[0](x @ W.T + h @ R.T + Wb + Rb), c
    w, r, wb, rb = parts(W), parts(R), parts(Wb), parts(Rb)
    sums = [x @ w[k].T + h @ r[k].T + wb[k] + rb[k] for k in range(GATES[op])]
    if op == "GRU":
        z, reset = act[0](sums[0]), act[0](sums[1])
        if at.get("linear_before_reset"):
            n = act[1](x @ w[2].T + reset * (h @ r[2].T + rb[2]) + wb[2])
        else:
            n = act[1](x @ w[2].T + (reset * h) @ r[2].T + rb[2] + wb[2])
        return (1 - z) * n + z * h, c
    pi, po, pf = np.split(P, 3)
    i = act[0](sums[0] + pi * c)
    f = 1 - i if at.get("input_forget") else act[0](sums[2] + pf * c)
    c = f * c + i * act[1](sums[3])
    o = act[0](sums[1] + po * c)
    return o * act[2](c), c


def case(name, op, opset=14, direction="forward", bias=True, peephole=False, states=False, lengths=False, **at):
    D, G = 2 if direction == "bidirectional" else 1, GATES[op]
    W, R = f32(D, G * H, I), f32(D, G * H, H)
    Bias, P = f32(D, 2 * G * H), f32(D, 3 * H)
    start = {"initial_h": np.repeat(f32(D, 1, H), B, axis=1), "initial_c": np.repeat(f32(D, 1, H), B, axis=1)}
    x = np.float32(random.normal(size=(T, B, I)))
    names = at.get("activations", DEFAULT[op] * D)
    if "activations" in at:
        alphas, betas = ([t[n] for n in names if n in t] for t in (ALPHA, BETA))
        if alphas: at["activation_alpha"] = alphas
        if betas: at["activation_beta"] = betas
    clip = np.float32(at["clip"]).astype(np.float64) if "clip" in at else np.inf
    wide = lambda n, table: np.float64(np.float32(table.get(n, 0)))

    def function(n):
        return lambda v: FUNCTIONS[n](np.clip(v, -clip, clip), wide(n, ALPHA), wide(n, BETA))

    y, last = np.zeros((T, B, D, H)), np.zeros((D, B, H))
    per = len(DEFAULT[op])
    for d in range(D):
        act = [function(n) for n in names[d * per:(d + 1) * per]]
        back = direction == "reverse" or d == 1
        wb, rb = np.split(Bias[d] if bias else np.zeros(2 * G * H), 2)
        for b in range(B):
            h, c = (start[k][d, b].astype(np.float64) if states else np.zeros(H) for k in ("initial_h", "initial_c"))
            n = LENGTHS[b] if lengths else T
            for t in reversed(range(n)) if back else range(n):
                h, c = step(op, act, at, *(np.float64(v) for v in (W[d], R[d], wb, rb)),
                            np.float64(P[d]) if peephole else np.zeros(3 * H), np.float64(x[t, b]), h, c)
                y[t, b, d] = h
            last[d, b] = h
    initializers = {"W": W, "R": R}
    inputs = ["X", "W", "R", "B" if bias else "", "lens" if lengths else ""]
    if bias: initializers["B"] = Bias
    if lengths: initializers["lens"] = LENGTHS
    if states:
        initializers["initial_h"] = start["initial_h"]
        inputs.append("initial_h")
    if op == "LSTM":
        inputs += ["initial_c" if states else ""] if states else ["", ""]
        if states: initializers["initial_c"] = start["initial_c"]
        inputs.append("P" if peephole else "")
        if peephole: initializers["P"] = P
    while not inputs[-1]:
        inputs.pop()
    batch_first = at.get("layout") == 1
    if batch_first and states:
        for k in ("initial_h", "initial_c"):
            if k in initializers: initializers[k] = initializers[k].transpose(1, 0, 2).copy()
    node = helper.make_node(op, inputs, ["Y", "Y_h"], name=name, hidden_size=H, direction=direction, **at)
    shape = [B, T, I] if batch_first else [T, B, I]
    graph = helper.make_graph([node], name, [helper.make_tensor_value_info("X", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in ("Y", "Y_h")],
                              [numpy_helper.from_array(v, k) for k, v in initializers.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], producer_name="make_data")
    (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString())
    tensors[f"{name}.x"], tensors[f"{name}.y"], tensors[f"{name}.h"] = x, y.reshape(T, B, D * H), last


def save(path, tensors):
    header, data = {}, b""
    for name, value in tensors.items():
        raw = value.tobytes()
        header[name] = {"dtype": "F32" if value.dtype == np.float32 else "F64", "shape": list(value.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def nest(name, then_name, else_name):
    """The nodes of two cases in the branches of an If that reads X of the graph around it; the first one's W and R are made
    in its branch of what lies outside, as PyTorch's exporter does."""
    first, second = (onnx.load(FOLDER / f"{each}.onnx").graph for each in (then_name, else_name))
    outer, inner = [], []
    for tensor in first.initializer:
        if tensor.name in ("W", "R"):
            outer.append(numpy_helper.from_array(numpy_helper.to_array(tensor)[0].copy(), f"{tensor.name}_outside"))
        else:
            inner.append(tensor)
    outer.append(numpy_helper.from_array(np.int64([0]), "axes"))
    unsqueezes = [helper.make_node("Unsqueeze", [f"{each}_outside", "axes"], [each]) for each in ("W", "R")]
    value = lambda each: helper.make_tensor_value_info(each, TensorProto.FLOAT, None)
    branches = {"then_branch": helper.make_graph([*unsqueezes, *first.node], "then", [], [value("Y")], inner),
                "else_branch": helper.make_graph(second.node, "else", [], [value("Y")], second.initializer)}
    node = helper.make_node("If", ["condition"], ["out"], name="choice", **branches)
    condition = helper.make_tensor_value_info("condition", TensorProto.BOOL, [])
    graph = helper.make_graph([node], name, [condition, *first.input], [value("out")], outer)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], producer_name="make_data")
    (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString())


if __name__ == "__main__":
    for op in GATES:
        for direction in ("forward", "reverse", "bidirectional"):
            case(f"{op.lower()}_{direction}", op, direction=direction, states=True, lengths=True)
        case(f"{op.lower()}_clip", op, clip=0.4)
        case(f"{op.lower()}_no_bias", op, opset=7, bias=False)
        case(f"{op.lower()}_batch_first", op, direction="bidirectional", layout=1, states=True)
    for direction in ("forward", "bidirectional"):
        case(f"gru_linear_before_reset_{direction}", "GRU", direction=direction, linear_before_reset=1, states=True)
    case("lstm_peephole_states", "LSTM", peephole=True, states=True, direction="bidirectional")
    case("lstm_input_forget", "LSTM", input_forget=1, peephole=True, states=True)
    case("lstm_opset1", "LSTM", opset=1, output_sequence=1)
    for name in FUNCTIONS:
        case(f"rnn_{name.lower()}", "RNN", activations=[name])
        case(f"lstm_{name.lower()}", "LSTM", activations=["Sigmoid", name, "Tanh"])
    case("gru_activations_differ", "GRU", direction="bidirectional",
         activations=["HardSigmoid", "ScaledTanh", "Sigmoid", "LeakyRelu"])
    nest("nested_in_if", "lstm_forward", "lstm_reverse")
    save(FOLDER / "data.safetensors", tensors)
