#!/usr/bin/env python3
"""make_quantized.py DIR: models that ONNX Runtime's quantize_dynamic and quantize_static have made (1.21.0, beside onnx 1.17.0), and
graphs of integers that they do not make. NumPy's numbers are those of the same model with the floats that the file's integers stand
for, in double precision, without any rounding of activations; the clipping of a QuantizeLinear stays. `.ort` has what ONNX Runtime
gives, which rounds activations to 8 bits or 16. x is [T,B,I] and y [T,B,O]. `.W`, `.R` and their scales are those of the file."""
import pathlib
import sys

import numpy as np
import onnx
import onnx.reference  # before ONNX Runtime, whose operators it does not expect
from onnx import TensorProto, helper, numpy_helper

import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

from random_graphs import double, save_safetensors, step_through

N = helper.make_node
F = TensorProto.FLOAT
random = np.random.default_rng(19)
folder = pathlib.Path(sys.argv[1])
arrays = {}
T, B, I, H, O = 5, 2, 4, 6, 3


def weights(*shape):
    return np.float32(random.normal(size=shape) * 0.5)


def integers(*values):
    return np.array(values, np.int64)


def model_of(nodes, constants, outputs=("y",), opset=17, inputs=(("x", F, ["T", "B", I]),)):
    tensors = [v if isinstance(v, TensorProto) else numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
    graph = helper.make_graph(nodes, "graph", [helper.make_tensor_value_info(*i) for i in inputs],
                              [helper.make_tensor_value_info(n, F, None) for n in outputs], tensors)
    return helper.make_model(graph, ir_version=8 if opset < 21 else 10,
                             opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)])


def keep(name, x, y):
    path = folder / f"{name}.onnx"
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(["y"], {"x": x})[0]
    arrays[f"{name}.x"], arrays[f"{name}.y"], arrays[f"{name}.ort"] = x, double(y), double(found).reshape(y.shape)
    print(f"{name}: {path.stat().st_size} bytes, ONNX Runtime differs by {np.abs(found.reshape(y.shape) - y).max():.1e}")


def layer(kind, directions=1):
    """A recurrent layer, and a dense one on the values of both directions side by side."""
    G = 4 if kind == "LSTM" else 3
    constants = dict(W=weights(directions, G * H, I), R=weights(directions, G * H, H), b=weights(directions, 2 * G * H),
                     K=weights(directions * H, O), k=weights(O), joined=integers(0, 0, -1))
    way = "bidirectional" if directions == 2 else "forward"
    nodes = [N(kind, ["x", "W", "R", "b"], ["v"], name="layer", hidden_size=H, direction=way),
             N("Transpose", ["v"], ["t"], perm=[0, 2, 1, 3]), N("Reshape", ["t", "joined"], ["all"]),
             N("MatMul", ["all", "K"], ["product"], name="product"), N("Add", ["product", "k"], ["y"], name="sum")]
    return model_of(nodes, constants)


class File:
    """The tensors of a file, as the floats that they stand for."""

    def __init__(self, name):
        self.graph = onnx.load(folder / f"{name}.onnx").graph
        self.tensors = {t.name: numpy_helper.to_array(t) for t in self.graph.initializer}

    def __getitem__(self, name):
        if name in self.tensors:
            return double(self.tensors[name])
        q, scale, zero = (double(self.tensors[name + end]) for end in ("_quantized", "_scale", "_zero_point"))
        if name in "WR":  # of DynamicQuantizeLSTM, turned: one scale for each direction, or also for each row of gates
            scale, zero = (v.reshape(v.shape[0], 1, -1) for v in (scale, zero))
            return ((q - zero) * scale).transpose(0, 2, 1)
        return (q - zero) * scale

    def clip(self, name, value):
        scale, zero = self.tensors[name + "_scale"], self.tensors[name + "_zero_point"]
        ends = [(double(end) - double(zero)) * double(scale) for end in (np.iinfo(zero.dtype).min, np.iinfo(zero.dtype).max)]
        return np.clip(value, *ends)

    def rounded(self, name):
        """Weights that are floats in the file, and integers when the model is loaded."""
        scale, zero = self.tensors[name + "_scale"], double(self.tensors[name + "_zero_point"])
        return (np.clip(np.rint(self.tensors[name] / scale) + zero, -128, 127) - zero) * double(scale)

    def layer(self, kind, x):
        ways = [step_through(kind, double(x)[::step], self["W"][d], self["R"][d], self["b"][d])[0][::step]
                for d, step in list(enumerate((1, -1)))[:len(self["b"])]]
        return np.concatenate(ways, -1)


class Frames(CalibrationDataReader):
    def __init__(self):
        self.left = [{"x": weights(T, B, I)} for _ in range(4)]

    def get_next(self):
        return self.left.pop() if self.left else None


def dynamic():
    for name, kind, directions, how in (
            ("lstm_dynamic", "LSTM", 2, {}), ("lstm_dynamic_rows", "LSTM", 2, dict(per_channel=True)),
            ("lstm_dynamic_shifted", "LSTM", 1, dict(extra_options=dict(WeightSymmetric=False))),
            ("gru_dynamic", "GRU", 1, dict(per_channel=True)),
            ("gru_dynamic_unsigned", "GRU", 2, dict(per_channel=True, weight_type=QuantType.QUInt8))):
        onnx.save(layer(kind, directions), folder / "float.onnx")
        quantize_dynamic(folder / "float.onnx", folder / f"{name}.onnx", **how)
        x, f = weights(T, B, I), File(name)
        keep(name, x, f.layer(kind, x) @ f["K"] + f["k"])
        for weight in "WR":  # [D,rows,columns] and [D,rows]
            if weight + "_quantized" in f.tensors:
                q = f.tensors[weight + "_quantized"].transpose(0, 2, 1) - f.tensors[weight + "_zero_point"].reshape(directions, -1, 1)
                scales = np.broadcast_to(f.tensors[weight + "_scale"].reshape(directions, -1), q.shape[:2])
                arrays[f"{name}.{weight}"], arrays[f"{name}.{weight}_scale"] = np.float32(q), np.float32(scales)


def dynamic_fused():
    """What ONNX Runtime itself makes of such a model: DynamicQuantizeMatMul."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "gru_dynamic_fused.onnx")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    onnxruntime.InferenceSession(str(folder / "gru_dynamic.onnx"), options, providers=["CPUExecutionProvider"])
    model = onnx.load(folder / "gru_dynamic_fused.onnx")
    print([n.op_type for n in model.graph.node])
    x = arrays["gru_dynamic.x"]
    keep("gru_dynamic_fused", x, arrays["gru_dynamic.y"])


def static():
    for name, kind, how in (
            ("lstm_static", "LSTM", {}), ("gru_static_rows", "GRU", dict(per_channel=True)),
            ("gru_static_pairs", "GRU", dict(extra_options=dict(AddQDQPairToWeight=True))),
            ("lstm_static_16", "LSTM", dict(activation_type=QuantType.QUInt16, weight_type=QuantType.QInt16))):
        onnx.save(layer(kind), folder / "float.onnx")
        quantize_static(folder / "float.onnx", folder / f"{name}.onnx", Frames(), **how)
        x, f = weights(T, B, I), File(name)
        K, k = (f.rounded(v) if "pairs" in name else f[v] for v in "Kk")
        product = f.clip("product", f.clip("all", f.layer(kind, x)) @ K)
        keep(name, x, f.clip("y", product + k))


def static_operators():
    """QLinearMatMul."""
    name, graph = "lstm_operators", layer("LSTM")
    del graph.graph.node[4:]
    graph.graph.node[3].output[0] = "y"
    onnx.save(graph, folder / "float.onnx")
    quantize_static(folder / "float.onnx", folder / f"{name}.onnx", Frames(), quant_format=QuantFormat.QOperator)
    x, f = weights(T, B, I), File(name)
    keep(name, x, f.clip("y", f.clip("all", f.layer("LSTM", x)) @ f["K"]))


def dynamic_convolution():
    """ConvInteger over features, in front of a GRU."""
    name = "convolution_dynamic"
    constants = dict(C=weights(2, 1, 3), c=weights(2), W=weights(1, 3 * H, 2 * I), R=weights(1, 3 * H, H), b=weights(1, 6 * H),
                     rows=integers(-1, 1, I), steps=integers(-1, B, 2 * I), one=integers(1))
    nodes = [N("Reshape", ["x", "rows"], ["row"]), N("Conv", ["row", "C", "c"], ["wide"], name="conv", pads=[1, 1]),
             N("Reshape", ["wide", "steps"], ["in"]), N("GRU", ["in", "W", "R", "b"], ["v"], hidden_size=H),
             N("Squeeze", ["v", "one"], ["y"])]
    onnx.save(model_of(nodes, constants, inputs=(("x", F, ["T", B, I]),)), folder / "float.onnx")
    quantize_dynamic(folder / "float.onnx", folder / f"{name}.onnx", op_types_to_quantize=["Conv"],
                     weight_type=QuantType.QUInt8)  # it runs no ConvInteger of int8
    x, f = weights(T, B, I), File(name)
    padded = np.pad(double(x), ((0, 0), (0, 0), (1, 1)))
    windows = np.stack([padded[..., k:k + I] for k in range(3)], -1)
    wide = np.einsum("tbik,ok->tboi", windows, f["C"][:, 0]) + f["c"].reshape(-1)[:, None]
    keep(name, x, step_through("GRU", wide.reshape(T, B, -1), f["W"][0], f["R"][0], f["b"][0])[0])


def dynamic_table():
    """A table of tokens whose rows are integers, in front of an LSTM."""
    name = "tokens_dynamic"
    constants = dict(E=weights(7, I), W=weights(1, 4 * H, I), R=weights(1, 4 * H, H), b=weights(1, 8 * H), one=integers(1))
    nodes = [N("Gather", ["E", "x"], ["e"], name="table"), N("LSTM", ["e", "W", "R", "b"], ["v"], hidden_size=H, name="layer"),
             N("Squeeze", ["v", "one"], ["y"])]
    onnx.save(model_of(nodes, constants, inputs=(("x", TensorProto.INT64, ["T", "B"]),)), folder / "float.onnx")
    quantize_dynamic(folder / "float.onnx", folder / f"{name}.onnx")
    tokens, f = random.integers(0, 7, (T, B)), File(name)
    keep(name, tokens, step_through("LSTM", f["E"][tokens], f["W"][0], f["R"][0], f["b"][0])[0])
    arrays[f"{name}.x"] = np.float32(tokens)[:, :, None]


def four_bits():
    """Blocks of int4 and uint4 along the inputs (opset 21), the last block shorter."""
    name, block = "blocks_of_four_bits", 4
    W, R = random.integers(-8, 8, (1, 4 * H, I + 2)), random.integers(0, 16, (1, 4 * H, H))
    Ws, Rs = np.float32(random.uniform(0.02, 0.1, (1, 4 * H, 2))), np.float32(random.uniform(0.02, 0.1, (1, 4 * H, 2)))
    Rz, b = random.integers(6, 10, Rs.shape), weights(1, 8 * H)
    four = lambda key, kind, values: helper.make_tensor(key, kind, values.shape, values.flatten())
    nodes = [N("DequantizeLinear", ["Wq", "Ws"], ["W"], axis=-1, block_size=block),
             N("DequantizeLinear", ["Rq", "Rs", "Rz"], ["R"], axis=2, block_size=block),
             N("LSTM", ["x", "W", "R", "b"], ["v"], hidden_size=H), N("Squeeze", ["v", "one"], ["y"])]
    constants = dict(Wq=four("Wq", TensorProto.INT4, W), Ws=Ws, Rq=four("Rq", TensorProto.UINT4, R), Rs=Rs,
                     Rz=four("Rz", TensorProto.UINT4, Rz), b=b, one=integers(1))
    onnx.save(model_of(nodes, constants, opset=21, inputs=(("x", F, ["T", "B", I + 2]),)), folder / f"{name}.onnx")
    wide = lambda v, size: np.repeat(double(v), block, 2)[..., :size]
    x = weights(T, B, I + 2)
    keep(name, x, step_through("LSTM", double(x), (W * wide(Ws, I + 2))[0], ((R - wide(Rz, H)) * wide(Rs, H))[0], double(b[0]))[0])


def shifted_between():
    """Integers that are moved before they are floats again, and made floats by another scale than made them."""
    name = "integers_between"
    W, R, b = weights(1, H, I), weights(1, H, H), weights(1, 2 * H)
    s, z, t = np.float32(0.02), np.uint8(100), np.float32([0.01, 0.03, 0.02, 0.04, 0.05, 0.01])
    nodes = [N("RNN", ["x", "W", "R", "b"], ["v"], hidden_size=H), N("QuantizeLinear", ["v", "s", "z"], ["q"]),
             N("Squeeze", ["q", "one"], ["moved"]), N("DequantizeLinear", ["moved", "s", "z"], ["a"]),
             N("DequantizeLinear", ["moved", "t", "zs"], ["c"], axis=-1), N("Add", ["a", "c"], ["y"])]
    onnx.save(model_of(nodes, dict(W=W, R=R, b=b, s=s, z=z, t=t, zs=np.full(H, z), one=integers(1)), opset=17),
              folder / f"{name}.onnx")
    x = weights(T, B, I)
    q = np.clip(step_through("RNN", double(x), *(double(v[0]) for v in (W, R, b)))[0] / double(s) + z, 0, 255)
    keep(name, x, (q - z) * double(s) + (q - z) * double(t))


def static_convolution():
    """QLinearConv over the time, whose bias is of int32."""
    name = "convolution_operators"
    constants = dict(C=weights(3, I, 3), c=weights(3), W=weights(1, 3 * H, 3), R=weights(1, 3 * H, H), b=weights(1, 6 * H),
                     one=integers(1))
    nodes = [N("Transpose", ["x"], ["in"], perm=[1, 2, 0]), N("Conv", ["in", "C", "c"], ["wide"], name="conv", pads=[2, 0]),
             N("Transpose", ["wide"], ["rows"], perm=[2, 0, 1]), N("GRU", ["rows", "W", "R", "b"], ["v"], hidden_size=H),
             N("Squeeze", ["v", "one"], ["y"])]
    onnx.save(model_of(nodes, constants), folder / "float.onnx")
    quantize_static(folder / "float.onnx", folder / f"{name}.onnx", Frames(), quant_format=QuantFormat.QOperator,
                    op_types_to_quantize=["Conv"])
    x, f = weights(T, B, I), File(name)
    past = np.concatenate([np.zeros((2, B, I)), f.clip("in", double(x))])
    windows = np.stack([past[k:k + T] for k in range(3)], -1)
    bias = double(f.tensors["c_quantized"]) * double(f.tensors["in_scale"]) * double(f.tensors["C_scale"])
    rows = f.clip("wide", np.einsum("tbik,oik->tbo", windows, f["C"]) + bias)
    keep(name, x, step_through("GRU", rows, f["W"][0], f["R"][0], f["b"][0])[0])


for make in (dynamic, dynamic_fused, static, static_operators, dynamic_convolution, dynamic_table, four_bits, shifted_between,
             static_convolution):
    make()
(folder / "float.onnx").unlink()
save_safetensors(folder / "data.safetensors", arrays)
