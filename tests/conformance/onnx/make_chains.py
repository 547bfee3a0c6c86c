"""ONNX graphs of several nodes: what exporters put before, between and behind recurrent nodes, and weights made of others.

    python3 tests/conformance/onnx/make_chains.py        (needs numpy and onnx)

writes chains/NAME.onnx, and chains/data.safetensors with NAME.x [T,B,I] and NAME.y, [T,B,F] or [B,F], F64 but x. Each operator is
evaluated by its definition in NumPy's double precision; nothing here is rnnc's.
"""
import math

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from make_data import DEFAULT, FOLDER, FUNCTIONS, GATES, save, step

T, B, I, H = 6, 3, 4, 5
random = np.random.default_rng(11)
tensors = {}


def f32(*shape):
    return np.float32(random.uniform(-0.8, 0.8, shape))


def recurrent(node, at, X, W, R, bias=None, lens=None, h0=None, c0=None, P=None):
    op, D, hidden = node.op_type, W.shape[0], R.shape[2]
    batch_first = at.get("layout", 0) == 1
    X = X.transpose(1, 0, 2) if batch_first else X
    steps, batch = X.shape[:2]
    Y, last, cells = np.zeros((steps, D, batch, hidden)), np.zeros((D, batch, hidden)), np.zeros((D, batch, hidden))
    act = [lambda v, n=n: FUNCTIONS[n](v, 0, 0) for n in DEFAULT[op]]
    for d in range(D):
        back = at.get("direction") == b"reverse" or d == 1
        wb, rb = np.split(bias[d] if bias is not None else np.zeros(2 * GATES[op] * hidden), 2)
        for b in range(batch):
            h, c = (v[d, b] if v is not None else np.zeros(hidden) for v in (h0, c0))
            for t in reversed(range(steps)) if back else range(steps):
                h, c = step(op, act, at, W[d], R[d], wb, rb, np.zeros(3 * hidden), X[t, b], h, c)
                Y[t, d, b] = h
            last[d, b], cells[d, b] = h, c
    if batch_first:
        return Y.transpose(2, 0, 1, 3), last.transpose(1, 0, 2), cells.transpose(1, 0, 2)
    return Y, last, cells


def squeeze(v, axes):
    return np.squeeze(v, tuple(int(a) for a in axes))


def unsqueeze(v, axes):
    return np.expand_dims(v, tuple(int(a) for a in axes))


def take_slice(v, starts, ends, axes, steps):
    at = [slice(None)] * v.ndim
    for k, start in enumerate(starts):
        axis = int(axes[k]) if axes is not None else k
        at[axis] = slice(int(start), int(ends[k]), int(steps[k]) if steps is not None else 1)
    return v[tuple(at)]


def softmax(v, axis):
    e = np.exp(v - v.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def evaluate(node, inputs):
    at = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    op = node.op_type
    at_or = lambda name, k: at[name] if name in at else inputs[k] if k < len(inputs) else None
    one = {"Add": lambda a, b: a + b, "Sub": lambda a, b: a - b, "Mul": lambda a, b: a * b, "Div": lambda a, b: a / b,
           "MatMul": lambda a, b: a @ b, "Identity": lambda a: a, "Abs": np.abs, "Exp": np.exp, "Log": np.log,
           "Sqrt": np.sqrt, "Neg": lambda a: -a, "Erf": np.vectorize(math.erf)}
    if op in GATES: return recurrent(node, at, *inputs)
    if op in one: return [one[op](*inputs)]
    if op in FUNCTIONS:
        default = {"Elu": (1, 0), "LeakyRelu": (0.01, 0), "HardSigmoid": (0.2, 0.5), "ThresholdedRelu": (1, 0)}
        alpha, beta = default.get(op, (0, 0))
        wide = lambda v: np.float64(np.float32(v))
        return [FUNCTIONS[op](inputs[0], wide(at.get("alpha", alpha)), wide(at.get("beta", beta)))]
    if op == "Gemm":
        b = inputs[1].T if at.get("transB") else inputs[1]
        sum_ = at.get("alpha", 1.0) * (inputs[0] @ b)
        return [sum_ + at.get("beta", 1.0) * inputs[2] if len(inputs) > 2 else sum_]
    if op == "Transpose": return [np.transpose(inputs[0], at.get("perm"))]
    if op == "Squeeze": return [squeeze(inputs[0], at_or("axes", 1))]
    if op == "Unsqueeze": return [unsqueeze(inputs[0], at_or("axes", 1))]
    if op == "Slice": return [take_slice(inputs[0], at_or("starts", 1), at_or("ends", 2), at_or("axes", 3), at_or("steps", 4))]
    if op == "Concat": return [np.concatenate(inputs, at["axis"])]
    if op == "Softmax": return [softmax(inputs[0], at["axis"])]
    if op == "LogSoftmax": return [np.log(softmax(inputs[0], at["axis"]))]
    if op == "LayerNormalization":
        v, eps = inputs[0], np.float64(np.float32(at.get("epsilon", 1e-5)))
        centred = v - v.mean(axis=-1, keepdims=True)
        return [centred / np.sqrt((centred ** 2).mean(axis=-1, keepdims=True) + eps) * inputs[1] + inputs[2]]
    if op in ("ReduceMean", "ReduceMax", "ReduceSum"):
        over = {"ReduceMean": np.mean, "ReduceMax": np.max, "ReduceSum": np.sum}[op]
        return [over(inputs[0], axis=tuple(int(a) for a in at_or("axes", 1)), keepdims=bool(at.get("keepdims", 1)))]
    if op == "Shape": return [np.array(inputs[0].shape, np.float64)]
    if op == "Cast": return [inputs[0]]  # of whole numbers
    if op == "ConstantOfShape": return [np.full(inputs[0].astype(int), np.float64(numpy_helper.to_array(at["value"])[0]))]
    if op == "Pow": return [inputs[0] ** inputs[1]]
    if op == "Flatten": return [inputs[0].reshape(inputs[0].shape[0], -1)]
    if op == "Gather": return [np.take(inputs[0], inputs[1].astype(int), at.get("axis", 0))]
    if op == "Constant": return [np.float64(numpy_helper.to_array(at["value"]))]
    if op == "Reshape":
        shape = [int(d) for d in at_or("shape", 1)]
        return [inputs[0].reshape([inputs[0].shape[k] if d == 0 else d for k, d in enumerate(shape)])]
    raise ValueError(op)


def case(name, nodes, constants, opset=14, batch_first=False, features=I, as_numbers=()):
    """`nodes` read X and end in Y."""
    x = np.float32(random.normal(size=(T, B, features)))
    values = {key: np.asarray(value, np.float64) for key, value in constants.items()}
    values["X"] = np.float64(x.transpose(1, 0, 2) if batch_first else x)
    for node in nodes:
        for key, value in zip(node.output, evaluate(node, [values[i] if i else None for i in node.input])):
            values[key] = value

    def proto(key, value):
        if key not in as_numbers: return numpy_helper.from_array(value, key)
        kind = helper.np_dtype_to_tensor_dtype(value.dtype) if hasattr(helper, "np_dtype_to_tensor_dtype") else \
            {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "int32": TensorProto.INT32}[str(value.dtype)]
        return helper.make_tensor(key, kind, value.shape, value.flatten())

    shape = ["B", "T", features] if batch_first else ["T", "B", features]
    graph = helper.make_graph(nodes, name, [helper.make_tensor_value_info("X", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info("Y", TensorProto.FLOAT, None)],
                              [proto(key, value) for key, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], producer_name="make_chains")
    (FOLDER / "chains" / f"{name}.onnx").write_bytes(model.SerializeToString())
    y = values["Y"]
    if y.ndim == 3 and batch_first: y = y.transpose(1, 0, 2)
    tensors[f"{name}.x"], tensors[f"{name}.y"] = x, np.ascontiguousarray(y)


def node(op, inputs, outputs, **at):
    return helper.make_node(op, inputs.split(","), outputs.split(","), **at)


def weights(op, inputs, hidden=H, D=1, suffix=""):
    G = GATES[op]
    return {"W" + suffix: f32(D, G * hidden, inputs), "R" + suffix: f32(D, G * hidden, hidden), "B" + suffix: f32(D, 2 * G * hidden)}


i64 = lambda *v: np.array(v, np.int64)

# tf2onnx of a Keras classifier: batch first around, time first within.
case("keras_classifier",
     [node("Transpose", "X", "xt", perm=[1, 0, 2]), node("LSTM", "xt,W,R,B", "y,h,c", hidden_size=H),
      node("Squeeze", "h,zero", "hs"), node("MatMul", "hs,K", "m"), node("Add", "m,k", "a"),
      node("Softmax", "a", "Y", axis=-1)],
     {**weights("LSTM", I), "zero": i64(0), "K": f32(H, 7), "k": f32(7)}, batch_first=True)
# The same at every step, before the axes of Squeeze became an input.
case("keras_tagger_opset11",
     [node("Transpose", "X", "xt", perm=[1, 0, 2]), node("GRU", "xt,W,R,B", "y", hidden_size=H, linear_before_reset=1),
      node("Squeeze", "y", "ys", axes=[1]), node("Transpose", "ys", "yt", perm=[1, 0, 2]), node("MatMul", "yt,K", "m"),
      node("Add", "k,m", "a"), node("Sigmoid", "a", "Y")],
     {**weights("GRU", I), "K": f32(H, 7), "k": f32(7)}, opset=11, batch_first=True)
# PyTorch's exporter: two bidirectional layers.
case("torch_two_layers",
     [node("LSTM", "X,W,R,B", "y1", hidden_size=H, direction="bidirectional"),
      node("Transpose", "y1", "t1", perm=[0, 2, 1, 3]), node("Reshape", "t1,join", "r1"),
      node("LSTM", "r1,W2,R2,B2", "y2", hidden_size=3, direction="bidirectional"),
      node("Transpose", "y2", "t2", perm=[0, 2, 1, 3]), node("Reshape", "t2,join", "Y")],
     {**weights("LSTM", I, D=2), **weights("LSTM", 2 * H, 3, 2, "2"), "join": i64(0, 0, -1)})
# A regression on the last step.
case("gemm_of_last_step",
     [node("RNN", "X,W,R,B", "y", hidden_size=H), node("Squeeze", "y,one", "ys"), node("Gather", "ys,last", "h", axis=0),
      node("Gemm", "h,K,k", "Y", transB=1, alpha=0.5, beta=2.0)],
     {**weights("RNN", I), "one": i64(1), "last": np.int64(-1), "K": f32(3, H), "k": f32(3)})
case("gemm_of_first_step_scalar_bias",
     [node("RNN", "X,W,R,B", "y", hidden_size=H, direction="reverse"), node("Squeeze", "y,one", "ys"),
      node("Gather", "ys,first", "h", axis=0), node("Gemm", "h,K,k", "Y")],
     {**weights("RNN", I), "one": i64(1), "first": np.int64(0), "K": f32(H, 3), "k": f32(1)})
# Weights as tf2onnx leaves them: pieces in another order, transposed.
pieces = {k: f32(H, H) for k in ("Ki", "Kf", "Kc", "Ko")}
case("folded_weights",
     [node("Concat", "Ki,Ko,Kf,Kc", "k4", axis=1), node("Transpose", "k4", "k4t"), node("Unsqueeze", "k4t,zero", "R"),
      node("Constant", "", "w", value=numpy_helper.from_array(f32(I, 8 * H), "w")),
      node("Slice", "w,s0,e0,a1,two", "half"), node("Transpose", "half", "wt", perm=[1, 0]),
      node("Reshape", "wt,shape", "W"), node("Identity", "bias", "b1"), node("Slice", "b1,sb,eb", "b2"),
      node("Squeeze", "b2,m1", "b3"), node("Unsqueeze", "b3,zero", "B"),
      node("LSTM", "X,W,R,B", "y", hidden_size=H), node("Squeeze", "y,one", "Y")],
     {**pieces, "zero": i64(0), "one": i64(1), "m1": i64(-1), "two": i64(2), "s0": i64(1), "e0": i64(1 << 40),
      "a1": i64(-1), "shape": i64(1, -1, I), "bias": f32(9 * H, 1), "sb": i64(-8 * H), "eb": i64(9 * H)})
case("folded_weights_opset9",
     [node("Slice", "all", "w", starts=[0, 0], ends=[3 * H, I], axes=[0, 1]),
      node("Slice", "all", "r", starts=[0, I], ends=[3 * H, 99]), node("Unsqueeze", "w", "W", axes=[0]),
      node("Unsqueeze", "r", "R", axes=[0]), node("GRU", "X,W,R", "y", hidden_size=H), node("Squeeze", "y", "Y", axes=[1])],
     {"all": f32(3 * H, I + H)}, opset=9)
# Weights that two nodes share.
case("shared_weights",
     [node("RNN", "X,W,R,B", "y1", hidden_size=I), node("Squeeze", "y1,one", "s1"),
      node("RNN", "s1,W,R,B", "y2", hidden_size=I), node("Squeeze", "y2,one", "s2"), node("Add", "s1,s2", "Y")],
     {**weights("RNN", I, I), "one": i64(1)})
# Around: features joined, added, and what is before the first recurrent node.
case("projection_before",
     [node("MatMul", "X,K", "m"), node("Add", "m,k", "a"), node("Relu", "a", "r"), node("LSTM", "r,W,R,B", "y", hidden_size=H),
      node("Squeeze", "y,one", "s"), node("Concat", "s,r", "j", axis=2), node("MatMul", "j,L", "Y")],
     {**weights("LSTM", 6), "K": f32(I, 6), "k": f32(6), "one": i64(1), "L": f32(H + 6, 3)})
case("residual_layout1",
     [node("GRU", "X,W,R,B", "y", hidden_size=I, layout=1), node("Squeeze", "y,two", "s"), node("Add", "X,s", "a"),
      node("Unsqueeze", "a,two", "u"), node("Mul", "u,scale", "m"), node("Squeeze", "m,two", "q"),
      node("Sub", "one_,q", "Y")],
     {**weights("GRU", I, I), "two": i64(2), "scale": f32(1), "one_": np.float32(1)}, batch_first=True)
case("encoder_to_decoder",
     [node("LSTM", "X,W,R,B", "y1,h1,c1", hidden_size=H), node("LSTM", "X,W2,R2,B2,,h1,c1", "y2", hidden_size=H),
      node("Squeeze", "y2,one", "Y")],
     {**weights("LSTM", I), **weights("LSTM", I, suffix="2"), "one": i64(1)})
case("one_direction_of_two",
     [node("LSTM", "X,W,R,B", "y", hidden_size=H, direction="bidirectional"), node("Gather", "y,which", "Y", axis=1)],
     {**weights("LSTM", I, D=2), "which": np.int64(1)})
# Elements as numbers, not as raw bytes, and as doubles.
case("numbers_not_bytes",
     [node("RNN", "X,W,R,B", "y", hidden_size=H), node("Squeeze", "y,one", "Y")],
     {**weights("RNN", I), "one": i64(1)}, as_numbers=("W", "R", "B", "one"))
case("double_weights",
     [node("RNN", "X,W,R,B", "y", hidden_size=H), node("Squeeze", "y,one", "Y")],
     {**{k: np.float64(v) for k, v in weights("RNN", I).items()}, "one": i64(1)})
case("half_weights",
     [node("RNN", "X,W,R,B", "y", hidden_size=H), node("Squeeze", "y,one", "Y")],
     {**{k: np.float16(v) for k, v in weights("RNN", I).items()}, "one": i64(1)})
# Each function between two layers.
for op, at in {"Relu": {}, "Tanh": {}, "Sigmoid": {}, "Softsign": {}, "Softplus": {}, "Abs": {}, "Exp": {}, "Erf": {}, "Neg": {},
               "Elu": {"alpha": 0.7}, "LeakyRelu": {"alpha": 0.2}, "HardSigmoid": {"alpha": 0.3, "beta": 0.4},
               "ThresholdedRelu": {"alpha": 0.1}}.items():
    case(f"between_{op.lower()}",
         [node("RNN", "X,W,R,B", "y", hidden_size=H), node("Squeeze", "y,one", "s"), node(op, "s", "f", **at),
          node("Div", "f,k", "d"), node("RNN", "d,W2,R2,B2", "y2", hidden_size=3), node("Squeeze", "y2,one", "Y")],
         {**weights("RNN", I), **weights("RNN", H, 3, suffix="2"), "one": i64(1), "k": np.float32(random.uniform(1, 2, H))})
for op in ("Log", "Sqrt"):
    case(f"between_{op.lower()}",
         [node("RNN", "X,W,R,B", "y", hidden_size=H), node("Squeeze", "y,one", "s"), node("Add", "s,k", "a"), node(op, "a", "Y")],
         {**weights("RNN", I), "one": i64(1), "k": np.float32(random.uniform(1.5, 2, H))})
# A normalisation, in one node and in many.
case("layer_normalization_opset17",
     [node("LayerNormalization", "X,g,b", "n", epsilon=1e-3), node("GRU", "n,W,R,B", "y", hidden_size=H),
      node("Squeeze", "y,one", "Y")],
     {**weights("GRU", I), "g": f32(I), "b": f32(I), "one": i64(1)}, opset=17)
case("normalised_by_max_and_sum",
     [node("RNN", "X,W,R,B", "y", hidden_size=H), node("Squeeze", "y,one", "s"), node("ReduceMax", "s", "m", axes=[2]),
      node("Sub", "s,m", "d"), node("Pow", "d,two_", "p"), node("ReduceSum", "p,axis", "t"), node("Add", "t,eps", "e"),
      node("Pow", "e,half", "r"), node("Div", "d,r", "Y")],
     {**weights("RNN", I), "one": i64(1), "two_": np.float32(2), "axis": i64(2), "eps": np.float32(0.5), "half": np.float32(0.5)})
# The last step and some features by Slice, log probabilities of a vector.
case("slice_of_last_step",
     [node("GRU", "X,W,R,B", "y", hidden_size=H), node("Squeeze", "y,one", "s"), node("Slice", "s,m1,all,zero", "l"),
      node("Slice", "l,one,m1,m1", "f"), node("Squeeze", "f,zero", "q"), node("MatMul", "q,K", "m"),
      node("LogSoftmax", "m", "Y", axis=-1)],
     {**weights("GRU", I), "one": i64(1), "m1": i64(-1), "zero": i64(0), "all": i64(2**31 - 1), "K": f32(H - 2, 4)})
case("log_softmax_of_each_step",
     [node("LSTM", "X,W,R,B", "y", hidden_size=H), node("Squeeze", "y,one", "s"), node("LogSoftmax", "s", "Y", axis=2)],
     {**weights("LSTM", I), "one": i64(1)})
# Both directions' final states side by side, and what is largest over time.
case("flattened_states",
     [node("LSTM", "X,W,R,B", "y,h", hidden_size=H, direction="bidirectional"), node("Transpose", "h", "t", perm=[1, 0, 2]),
      node("Flatten", "t", "f"), node("MatMul", "f,K", "Y")],
     {**weights("LSTM", I, D=2), "K": f32(2 * H, 3)})
case("largest_over_time",
     [node("GRU", "X,W,R,B", "y", hidden_size=H), node("Squeeze", "y,one", "s"), node("ReduceMax", "s", "Y", axes=[0], keepdims=0)],
     {**weights("GRU", I), "one": i64(1)})
# An initial state as large as the batch, which a piece of X's shape tells.
case("state_of_a_slice_of_the_shape",
     [node("Shape", "X", "s"), node("Slice", "s,one,two", "list"), node("Squeeze", "list,zero", "b"),
      node("Cast", "b", "b32", to=TensorProto.INT32), node("Cast", "b32", "b64", to=TensorProto.INT64),
      node("Unsqueeze", "b64,zero", "b1"), node("Concat", "one,b1,H", "dims", axis=0),
      node("ConstantOfShape", "dims", "h0", value=numpy_helper.from_array(np.float32([0.25]))),
      node("GRU", "X,W,R,B,,h0", "y", hidden_size=H), node("Squeeze", "y,one", "Y")],
     {**weights("GRU", I), "zero": i64(0), "one": i64(1), "two": i64(2), "H": i64(H)})
save(FOLDER / "chains" / "data.safetensors", tensors)
