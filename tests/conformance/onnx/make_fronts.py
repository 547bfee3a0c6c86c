#!/usr/bin/env python3
"""make_fronts.py DIR: graphs whose meaning is easily guessed wrong, with NumPy's numbers in double precision: states that are cut
out of one input and joined in one output, one step a call, rows as a batch, convolutions over time and over a cache, a Scan whose
body is a recurrence, sequences that are turned round, numbers counted from the end, weights of other types. x is [T,B,I] and y
[T,B,O]; of graphs that are one step, each frame is a call."""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from random_graphs import double, save_safetensors, sigmoid, step_through

N = helper.make_node
random = np.random.default_rng(7)
folder = pathlib.Path(sys.argv[1])
arrays = {}


def weights(*shape):
    return np.float32(random.normal(size=shape) * 0.5)


def integers(*values):
    return np.array(values, np.int64)


def save(name, nodes, inputs, outputs, constants, x, y, opset=14):
    values = [helper.make_tensor_value_info(n, t, s) for n, t, s in inputs]
    tensors = [v if isinstance(v, TensorProto) else numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
    graph = helper.make_graph(nodes, name, values,
                              [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs], tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), folder / f"{name}.onnx")
    arrays[f"{name}.x"], arrays[f"{name}.y"] = np.float32(x), double(y).reshape(x.shape[0], x.shape[1], -1)


F, I64 = TensorProto.FLOAT, TensorProto.INT64


def packed_states():
    W, R, B, K = weights(1, 12, 4), weights(1, 12, 3), weights(1, 24), weights(3, 2)
    x = weights(6, 1, 4)
    y, _ = step_through("LSTM", double(x), *(double(w[0]) for w in (W, R, B)))
    save("packed_states",
         [N("Slice", ["state", "zero", "one", "zero"], ["h"]), N("Slice", ["state", "one", "two", "zero"], ["c"]),
          N("Unsqueeze", ["x", "zero"], ["xt"]), N("LSTM", ["xt", "W", "R", "B", "", "h", "c"], ["", "hn", "cn"], hidden_size=3),
          N("Concat", ["hn", "cn"], ["stateN"], axis=0), N("Squeeze", ["hn", "zero"], ["last"]),
          N("MatMul", ["last", "K"], ["y"])],
         [("x", F, [1, 4]), ("state", F, [2, 1, 3])], ["y", "stateN"],
         dict(W=W, R=R, B=B, K=K, zero=integers(0), one=integers(1), two=integers(2)), x, y @ double(K))


def batch_first_states():
    """Two layers, [layers,B,H], cut by Slice and Split: sequences of one declared step stream."""
    W, R, B = [weights(1, 12, 4), weights(1, 12, 3)], [weights(1, 12, 3) for _ in range(2)], [weights(1, 24) for _ in range(2)]
    x = weights(5, 2, 4)
    below, _ = step_through("LSTM", double(x), *(double(w[0][0]) for w in (W, R, B)))
    y, _ = step_through("LSTM", below, *(double(w[1][0]) for w in (W, R, B)))
    constants = {f"{k}{l}": v[l] for l in range(2) for k, v in (("W", W), ("R", R), ("B", B))}
    save("batch_first_states",
         [N("Transpose", ["x"], ["xt"], perm=[1, 0, 2]), N("Split", ["h"], ["h0", "h1"], axis=0),
          N("Split", ["c"], ["c0", "c1"], axis=0),
          N("LSTM", ["xt", "W0", "R0", "B0", "", "h0", "c0"], ["y0", "hn0", "cn0"], hidden_size=3),
          N("Squeeze", ["y0", "one"], ["x1"]),
          N("LSTM", ["x1", "W1", "R1", "B1", "", "h1", "c1"], ["y1", "hn1", "cn1"], hidden_size=3),
          N("Concat", ["hn0", "hn1"], ["hn"], axis=0), N("Concat", ["cn0", "cn1"], ["cn"], axis=0),
          N("Squeeze", ["y1", "one"], ["yt"]), N("Transpose", ["yt"], ["y"], perm=[1, 0, 2])],
         [("x", F, [1, 1, 4]), ("h", F, [2, 1, 3]), ("c", F, [2, 1, 3])], ["y", "hn", "cn"],
         dict(constants, one=integers(1)), x, y)


def cached_convolution():
    W, b = weights(3, 2, 3), weights(3)
    x = weights(7, 1, 2)
    wide = np.concatenate([np.zeros((2, 1, 2)), double(x)])
    y = sum(wide[j:j + 7] @ double(W[:, :, j]).T for j in range(3)) + double(b)
    save("cached_convolution",
         [N("Concat", ["cache", "x"], ["wide"], axis=2), N("Conv", ["wide", "W", "b"], ["v"]), N("Relu", ["v"], ["y"]),
          N("Slice", ["wide", "minus2", "end", "axis"], ["cache_out"])],
         [("x", F, [1, 2, 1]), ("cache", F, [1, 2, 2])], ["y", "cache_out"],
         dict(W=W, b=b, minus2=integers(-2), end=integers(2**62), axis=integers(2)), x, np.maximum(y, 0))


def rows_as_batch():
    """Three rows of one step run through one GRU as its batch."""
    W, R, B = weights(1, 12, 2), weights(1, 12, 4), weights(1, 24)
    x = weights(5, 1, 6)
    y, _ = step_through("GRU", double(x).reshape(5, 3, 2), *(double(w[0]) for w in (W, R, B)))
    save("rows_as_batch",
         [N("Reshape", ["x", "rows"], ["r"]), N("GRU", ["r", "W", "R", "B", "", "h"], ["v", "h_out"], hidden_size=4),
          N("Squeeze", ["v", "zero"], ["y"])],
         [("x", F, [1, 6]), ("h", F, [1, 3, 4])], ["y", "h_out"],
         dict(W=W, R=R, B=B, zero=integers(0), rows=integers(1, 3, 2)), x, y)


def written_out_gru():
    """Gates of one product, cut apart; the state is known by its names alone."""
    W, U, b, u = weights(3, 12), weights(4, 12), weights(12), weights(12)
    x, h, y = weights(6, 1, 3), np.zeros((1, 4)), []
    for row in double(x):
        a, s = row @ double(W) + double(b), h @ double(U) + double(u)
        r, z = sigmoid(a[:, :4] + s[:, :4]), sigmoid(a[:, 4:8] + s[:, 4:8])
        h = (1 - z) * np.tanh(a[:, 8:] + r * s[:, 8:]) + z * h
        y.append(h)
    save("written_out_gru",
         [N("MatMul", ["x", "W"], ["xw"]), N("Add", ["xw", "b"], ["a"]), N("Gemm", ["state_in", "U", "u"], ["s"]),
          N("Split", ["a"], ["ar", "az", "an"], axis=1), N("Split", ["s"], ["sr", "sz", "sn"], axis=1),
          N("Add", ["ar", "sr"], ["r0"]), N("Sigmoid", ["r0"], ["r"]), N("Add", ["az", "sz"], ["z0"]),
          N("Sigmoid", ["z0"], ["z"]), N("Mul", ["r", "sn"], ["rs"]), N("Add", ["an", "rs"], ["n0"]), N("Tanh", ["n0"], ["n"]),
          N("Sub", ["state_in", "n"], ["d"]), N("Mul", ["z", "d"], ["zd"]), N("Add", ["n", "zd"], ["state_out"]),
          N("Identity", ["state_out"], ["y"])],
         [("x", F, [1, 3]), ("state_in", F, [1, 4])], ["y", "state_out"], dict(W=W, U=U, b=b, u=u), x, np.array(y))


def scan_of_a_body():
    K, U, b = weights(3, 4), weights(4, 4), weights(4)
    T, B = 5, 2
    value = lambda name, dims: helper.make_tensor_value_info(name, F, dims)
    body = helper.make_graph(
        [N("MatMul", ["xt", "K"], ["a"]), N("MatMul", ["h", "U"], ["u"]), N("Add", ["a", "u"], ["s"]), N("Add", ["s", "b"], ["t"]),
         N("Tanh", ["t"], ["h2"]), N("Identity", ["h2"], ["out"])], "body",
        [value("h", [B, 4]), value("xt", [B, 3])], [value("h2", [B, 4]), value("out", [B, 4])])
    x, h, y = weights(T, B, 3), np.zeros((B, 4)), [None] * T
    for t in reversed(range(T)):
        h = np.tanh(double(x[t]) @ double(K) + h @ double(U) + double(b))
        y[t] = h
    save("scan_of_a_body",
         [N("Scan", ["z", "x"], ["hn", "y"], body=body, num_scan_inputs=1, scan_input_directions=[1], scan_output_directions=[1])],
         [("x", F, [T, B, 3])], ["y"], dict(K=K, U=U, b=b, z=np.zeros((B, 4), np.float32)), x, np.array(y))


def decoder(name, fixed):
    """What many autoencoders do: the last state of one layer is the input of each step of the next one, in both directions. The
    sizes of the file are fixed, so that the number of steps is a number, or the graph computes it."""
    W, R, B = [weights(1, 16, 3), weights(2, 20, 4)], [weights(1, 16, 4), weights(2, 20, 5)], [weights(1, 32), weights(2, 40)]
    T = 6
    x = weights(T, 2, 3)
    last = step_through("LSTM", double(x), *(double(w[0][0]) for w in (W, R, B)))[1]
    z = np.broadcast_to(last, (T, *last.shape))
    forwards, backwards = (step_through("LSTM", z, *(double(w[1][d]) for w in (W, R, B)))[0] for d in range(2))
    y = np.concatenate([forwards, backwards[::-1]], 2)
    nodes = [N("LSTM", ["x", "W0", "R0", "B0"], ["", "h"], hidden_size=4)]
    if fixed:
        nodes += [N("Transpose", ["h"], ["hb"], perm=[1, 0, 2]), N("Tile", ["hb", "many"], ["zb"]),
                  N("Transpose", ["zb"], ["z"], perm=[1, 0, 2])]
    else:
        nodes += [N("Shape", ["x"], ["dims"]), N("Gather", ["dims", "zero"], ["T"]), N("Concat", ["T", "ones"], ["many"], axis=0),
                  N("Expand", ["h", "many"], ["z"])]
    nodes += [N("LSTM", ["z", "W1", "R1", "B1"], ["d"], hidden_size=5, direction="bidirectional"),
              N("Transpose", ["d"], ["dt"], perm=[0, 2, 1, 3]), N("Reshape", ["dt", "joined"], ["y"])]
    constants = {f"{k}{l}": v[l] for l in range(2) for k, v in (("W", W), ("R", R), ("B", B))}
    constants.update(joined=integers(0, 0, 10), **({"many": integers(1, T, 1)} if fixed else dict(zero=integers(0), ones=integers(1, 1))))
    save(name, nodes, [("x", F, [T, "batch", 3] if fixed else ["time", "batch", 3])], ["y"], constants, x, y)


def loop(name, body, carried, scanned, count="T", opset=14, nodes=(), behind=(), x=None, y=None, constants=None):
    """Writes a graph with a Loop. `carried` has, for each carried value, its beginning, and its names at the begin and the end of a
    step; `scanned` what is stacked. What comes out is out0, out1, ..."""
    typed = lambda one, kind=F: helper.make_tensor_value_info(one, kind, None)
    listed = lambda one: helper.make_tensor_sequence_value_info(one, F, None)
    info = lambda begin, one: listed(one) if begin in ("empty", "begun") else typed(one)
    graph = helper.make_graph(
        [N("Identity", ["goes"], ["goes on"]), *body], "body",
        [typed("t", I64), typed("goes", TensorProto.BOOL), *(info(begin, inside) for begin, inside, _ in carried)],
        [typed("goes on", TensorProto.BOOL), *(info(begin, to) for begin, _, to in carried), *(typed(one) for one in scanned)])
    outputs = [f"out{k}" for k in range(len(carried) + len(scanned))]
    save(name, [*nodes, N("Loop", [count, "", *(begin for begin, _, _ in carried)], outputs, body=graph), *behind],
         [("x", F, list(x.shape))], ["y"], constants, x, y, opset)


def elman(K, U, x, h):
    """The states of h' = tanh(x K + h U)."""
    states = [double(h)]
    for row in double(x):
        states.append(np.tanh(row @ double(K) + states[-1] @ double(U)))
    return np.array(states)


ELMAN = [N("MatMul", ["xt", "K"], ["a"]), N("MatMul", ["h", "U"], ["u"]), N("Add", ["a", "u"], ["s"]), N("Tanh", ["s"], ["h2"])]


def loop_of_lists():
    """How TorchScript writes x.unbind(0), xs[t], ys += [y] and torch.stack(ys): here for two sequences."""
    K, U, V, h = weights(3, 4), weights(4, 4), weights(2, 4), np.zeros((2, 4), np.float32)
    x = weights(5, 2, 5)
    first, last = x[..., :3], x[..., 3:]
    y = elman(K, U, first, h)[1:] * double(last @ V)
    loop("loop_of_lists",
         [N("SequenceAt", ["as", "t"], ["xt"]), *ELMAN, N("SequenceAt", ["bs", "t"], ["b1"]), N("Squeeze", ["b1", "one"], ["bt"]),
          N("MatMul", ["bt", "V"], ["g"]), N("Mul", ["h2", "g"], ["yt"]), N("SequenceInsert", ["ys", "yt"], ["ys2"])],
         [("h0", "h", "h2"), ("empty", "ys", "ys2")], [],
         nodes=[N("Split", ["x", "sizes"], ["a", "b"], axis=2), N("SplitToSequence", ["a"], ["as"], axis=0, keepdims=0),
                N("Transpose", ["b"], ["turned"], perm=[1, 0, 2]), N("SplitToSequence", ["turned"], ["bs"], axis=1, keepdims=1),
                N("SequenceLength", ["bs"], ["T"]), N("SequenceEmpty", [], ["empty"])],
         behind=[N("ConcatFromSequence", ["out1"], ["y"], axis=0, new_axis=1)],
         x=x, y=y, constants=dict(K=K, U=U, V=V, h0=h, sizes=integers(3, 2), one=integers(1)))


def loop_of_history():
    """Lists and rows that grow: the step reads the last of them, which is its state. Behind the loop, their steps and last ones."""
    K, U, h, g = weights(3, 4), weights(4, 4), weights(1, 4), weights(1, 4)
    x = weights(5, 2, 3)
    hs, gs = elman(K, U, x, h + np.zeros((2, 1))), elman(K, U, -x, g + np.zeros((2, 1)))
    y = np.concatenate([hs[1:], gs[1:], hs[1:] + gs[1:], hs[1:] + hs[-1:], gs[1:] * gs[-1:]], axis=2)
    loop("loop_of_history",
         [N("Gather", ["x", "t"], ["xt"], axis=0), N("SequenceAt", ["hs", "minus"], ["h"]), *ELMAN,
          N("SequenceInsert", ["hs", "h2"], ["hs2"]), N("Gather", ["gs", "t"], ["g"], axis=0), N("Neg", ["a"], ["na"]),
          N("MatMul", ["g", "U"], ["v"]), N("Add", ["na", "v"], ["gsum"]), N("Tanh", ["gsum"], ["g2"]),
          N("Unsqueeze", ["g2", "zero"], ["g3"]), N("Concat", ["gs", "g3"], ["gs2"], axis=0), N("Add", ["h2", "g2"], ["both"]),
          N("Unsqueeze", ["both", "one"], ["b3"]), N("Concat", ["bs", "b3"], ["bs2"], axis=1)],
         [("begun", "hs", "hs2"), ("g1", "gs", "gs2"), ("none", "bs", "bs2")], [],
         nodes=[N("Shape", ["x"], ["dims"]), N("Gather", ["dims", "z"], ["T"]), N("Gather", ["dims", "i"], ["B"]),
                N("Unsqueeze", ["B", "zero"], ["B1"]), N("Concat", ["B1", "four"], ["BH"], axis=0),
                N("Concat", ["B1", "zero", "four"], ["B0H"], axis=0), N("Expand", ["h0", "BH"], ["hb"]),
                N("Expand", ["g0", "BH"], ["gb"]), N("Unsqueeze", ["gb", "zero"], ["g1"]), N("SequenceConstruct", ["hb"], ["begun"]),
                N("ConstantOfShape", ["B0H"], ["none"])],
         behind=[N("ConcatFromSequence", ["out0"], ["all"], axis=0, new_axis=1), N("Slice", ["all", "one", "end", "zero"], ["hy"]),
                 N("Gather", ["all", "minus"], ["hl"], axis=0), N("Slice", ["out1", "one", "end", "zero"], ["gy"]),
                 N("Slice", ["out1", "minus1", "end", "zero"], ["gl"]), N("Transpose", ["out2"], ["by"], perm=[1, 0, 2]),
                 N("Add", ["hy", "hl"], ["hyl"]), N("Mul", ["gy", "gl"], ["gyl"]),
                 N("Concat", ["hy", "gy", "by", "hyl", "gyl"], ["y"], axis=2)],
         x=x, y=y, constants=dict(K=K, U=U, h0=h, g0=g, z=np.int64(0), i=np.int64(1), minus=np.int64(-1), zero=integers(0),
                                  one=integers(1), four=integers(4), minus1=integers(-1), end=integers(2**62)))


def turned_round():
    """A forward recurrence over the steps turned round, which are turned back behind it."""
    W, R, B = weights(1, 4, 3), weights(1, 4, 4), weights(1, 8)
    x = weights(6, 2, 3)
    y, _ = step_through("RNN", double(x)[::-1], *(double(w[0]) for w in (W, R, B)))
    turn = ["minus", "least", "zero", "minus"]
    save("turned_round",
         [N("Slice", ["x", *turn], ["t"]), N("RNN", ["t", "W", "R", "B"], ["v"], hidden_size=4), N("Squeeze", ["v", "one"], ["s"]),
          N("Slice", ["s", *turn], ["y"])],
         [("x", F, ["T", "B", 3])], ["y"],
         dict(W=W, R=R, B=B, one=integers(1), minus=integers(-1), least=integers(-2**62), zero=integers(0)), x, y[::-1])


def negative_tokens():
    E, W, R, B = weights(6, 3), weights(1, 4, 3), weights(1, 4, 4), weights(1, 8)
    tokens = np.array([[0, 3], [5, -1], [2, -6]])
    y, _ = step_through("RNN", double(E[tokens]), *(double(w[0]) for w in (W, R, B)))
    save("negative_tokens",
         [N("Gather", ["E", "x"], ["e"]), N("RNN", ["e", "W", "R", "B"], ["v"], hidden_size=4), N("Squeeze", ["v", "one"], ["y"])],
         [("x", I64, ["T", "B"])], ["y"], dict(E=E, W=W, R=R, B=B, one=integers(1)), tokens[..., None], y)


def half_precision():
    """Casts around, weights of 16 bits whose bits stand in int32_data."""
    W, R, B = (np.float16(weights(*s)) for s in ((1, 4, 3), (1, 4, 4), (1, 8)))

    def bits(name, array):
        tensor = TensorProto()
        tensor.name, tensor.data_type = name, TensorProto.FLOAT16
        tensor.dims.extend(array.shape)
        tensor.int32_data.extend(int(v) for v in array.view(np.uint16).ravel())
        return tensor

    x = weights(5, 2, 3)
    y, _ = step_through("RNN", double(x), *(double(w[0]) for w in (W, R, B)))
    save("half_precision",
         [N("Cast", ["x"], ["x16"], to=TensorProto.FLOAT16), N("RNN", ["x16", "W", "R", "B"], ["v"], hidden_size=4),
          N("Squeeze", ["v", "one"], ["s"]), N("Cast", ["s"], ["y"], to=F)],
         [("x", F, ["T", "B", 3])], ["y"],
         dict(W=bits("W", W), R=bits("R", R), B=bits("B", B), one=integers(1)), x, y)


def quantized_weights():
    scale, q = np.float32([0.02, 0.01, 0.03, 0.015]), random.integers(-127, 128, (1, 4, 3)).astype(np.int8)
    R, B = weights(1, 4, 4), weights(1, 8)
    W = double(q) * double(scale)[:, None]
    x = weights(5, 2, 3)
    y, _ = step_through("RNN", double(x), W[0], double(R[0]), double(B[0]))
    save("quantized_weights",
         [N("DequantizeLinear", ["q", "scale", "zero"], ["W"], axis=1), N("RNN", ["x", "W", "R", "B"], ["v"], hidden_size=4),
          N("Squeeze", ["v", "one"], ["y"])],
         [("x", F, ["T", "B", 3])], ["y"], dict(q=q, scale=scale, zero=np.zeros(4, np.int8), R=R, B=B, one=integers(1)), x, y)


def image_of_a_step():
    """A step is a picture [1,C,F]: convolutions, pools and norms over F, a state beside."""
    W, D, V, a = weights(4, 2, 3), weights(4, 1, 3), weights(4, 2, 2), np.float32([0.1, 0.2, 0.3, 0.4])
    g, s = weights(2), weights(2)
    x, total, y = weights(4, 1, 16), np.zeros(2 * 8), []
    for row in double(x):
        v = row.reshape(2, 8)
        wide = np.pad(v, [(0, 0), (1, 1)])
        c = np.stack([np.einsum("mck,ck->m", double(W), wide[:, 2 * p:2 * p + 3]) for p in range(4)], 1)  # stride 2
        c = np.where(c < 0, double(a)[:, None] * c, c)
        wide = np.pad(c, [(0, 0), (1, 1)])
        d = np.stack([(double(D)[:, 0] * wide[:, p:p + 3]).sum(1) for p in range(4)], 1)  # each channel alone
        up = np.zeros((2, 8))
        for p in range(4):
            for k in range(2):
                up[:, 2 * p + k] += d[:, p] @ double(V)[:, :, k]
        mean, deviation = up.mean(1, keepdims=True), np.sqrt(up.var(1, keepdims=True) + 1e-5)
        up = (up - mean) / deviation * double(g)[:, None] + double(s)[:, None]
        total = 0.5 * total + up.ravel()
        pooled = np.stack([np.pad(total.reshape(2, 8), [(0, 0), (1, 1)], constant_values=-np.inf)[:, p:p + 3].max(1) for p in range(8)], 1)
        y.append(pooled.ravel())
    save("image_of_a_step",
         [N("Conv", ["x", "W"], ["c"], pads=[1, 1], strides=[2]), N("PRelu", ["c", "a"], ["p"]),
          N("Conv", ["p", "D"], ["d"], pads=[1, 1], group=4), N("ConvTranspose", ["d", "V"], ["u"], strides=[2]),
          N("InstanceNormalization", ["u", "g", "s"], ["n"]), N("Mul", ["state_in", "half"], ["t"]),
          N("Add", ["t", "n"], ["state_out"]), N("MaxPool", ["state_out"], ["y"], kernel_shape=[3], pads=[1, 1])],
         [("x", F, [1, 2, 8]), ("state_in", F, [1, 2, 8])], ["y", "state_out"],
         dict(W=W, D=D, V=V, a=a[:, None], g=g, s=s, half=np.float32(0.5)), x, np.array(y))


def rate_decides():
    """An If whose condition follows from the shape of an input."""
    W, R, B = weights(1, 4, 3), weights(1, 4, 4), weights(1, 8)
    value = lambda name: helper.make_tensor_value_info(name, F, None)
    yes = helper.make_graph([N("Neg", ["x"], ["negative"])], "yes", [], [value("negative")])
    no = helper.make_graph([N("Identity", ["x"], ["same"])], "no", [], [value("same")])
    x = weights(5, 2, 3)
    y, _ = step_through("RNN", -double(x), *(double(w[0]) for w in (W, R, B)))
    save("rate_decides",
         [N("Shape", ["x"], ["shape"]), N("Gather", ["shape", "two"], ["width"]), N("Equal", ["width", "three"], ["is3"]),
          N("If", ["is3"], ["v"], then_branch=yes, else_branch=no), N("RNN", ["v", "W", "R", "B"], ["w"], hidden_size=4),
          N("Squeeze", ["w", "one"], ["y"])],
         [("x", F, ["T", "B", 3])], ["y"],
         dict(W=W, R=R, B=B, one=integers(1), two=np.int64(2), three=np.int64(3)), x, y)


def attention_over_time():
    """A weight for each step by Softmax over the steps, and the sum of the states by these weights."""
    W, R, B, a = weights(1, 4, 3), weights(1, 4, 4), weights(1, 8), weights(4, 1)
    x = weights(6, 2, 3)
    h, _ = step_through("RNN", double(x), *(double(w[0]) for w in (W, R, B)))
    e = np.exp(h @ double(a))
    save("attention_over_time",
         [N("RNN", ["x", "W", "R", "B"], ["v"], hidden_size=4), N("Squeeze", ["v", "one"], ["h"]), N("MatMul", ["h", "a"], ["s"]),
          N("Softmax", ["s"], ["p"], axis=0), N("Mul", ["p", "h"], ["ph"]), N("ReduceSum", ["ph", "zero"], ["y"], keepdims=0)],
         [("x", F, ["T", "B", 3])], ["y"], dict(W=W, R=R, B=B, a=a, one=integers(1), zero=integers(0)), x,
         np.tile((e / e.sum(0) * h).sum(0), (6, 1, 1)))
    arrays["attention_over_time.y"] = (e / e.sum(0) * h).sum(0)


def lengths_then_dense():
    """Behind the ends, where the recurrent node gives zeros, the graph gives the bias through its function."""
    W, R, B, K, k = weights(1, 4, 3), weights(1, 4, 4), weights(1, 8), weights(4, 2), weights(2)
    graph = helper.make_graph(
        [N("RNN", ["x", "W", "R", "B", "n"], ["v"], hidden_size=4), N("Squeeze", ["v", "one"], ["h"]), N("MatMul", ["h", "K"], ["p"]),
         N("Add", ["p", "k"], ["s"]), N("Softmax", ["s"], ["y"], axis=2)], "lengths",
        [helper.make_tensor_value_info("x", F, ["T", "B", 3]), helper.make_tensor_value_info("n", TensorProto.INT32, ["B"])],
        [helper.make_tensor_value_info("y", F, None)],
        [numpy_helper.from_array(v, n) for n, v in dict(W=W, R=R, B=B, K=K, k=k, one=integers(1)).items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.save(model, folder / "lengths_then_dense.onnx")
    arrays["lengths_then_dense.row"] = np.exp(double(k)) / np.exp(double(k)).sum()


def frames_by_name():
    """frame_in and frame_out are named like a state, and are none; h and hn are one."""
    W, R, B, K, P = weights(1, 12, 3), weights(1, 12, 4), weights(1, 24), weights(4, 3), weights(4, 1)
    x = weights(6, 1, 3)
    h, _ = step_through("GRU", double(x), *(double(w[0]) for w in (W, R, B)))
    save("frames_by_name",
         [N("Unsqueeze", ["frame_in", "zero"], ["x"]), N("GRU", ["x", "W", "R", "B", "", "h"], ["", "hn"], hidden_size=4),
          N("Squeeze", ["hn", "zero"], ["s"]), N("MatMul", ["s", "K"], ["m"]), N("Mul", ["m", "frame_in"], ["frame_out"]),
          N("MatMul", ["s", "P"], ["vad"])],
         [("frame_in", F, [1, 3]), ("h", F, [1, 1, 4])], ["vad", "frame_out", "hn"],
         dict(W=W, R=R, B=B, K=K, P=P, zero=integers(0)), x, h @ double(P))


def quantized_both_ways():
    """ONNX Runtime's operator, with a scale for each direction, and for each direction and row of gates."""
    I, H, x = 3, 4, weights(5, 2, 3)
    q = [random.integers(-127, 128, s).astype(np.int8) for s in ((2, I, 4 * H), (2, H, 4 * H))]
    for name, scales in (("quantized_directions", [np.float32([0.01, 0.02]), np.float32([0.015, 0.005])]),
                         ("quantized_rows", [np.float32(random.uniform(0.003, 0.02, (2, 4 * H))) for _ in range(2)])):
        real = [double(a) * double(s).reshape(2, 1, -1) for a, s in zip(q, scales)]
        B = weights(2, 8 * H)
        ways = [step_through("LSTM", double(x)[::step], real[0][d].T, real[1][d].T, double(B[d]))[0][::step]
                for d, step in ((0, 1), (1, -1))]
        node = N("DynamicQuantizeLSTM", ["x", "qw", "qr", "B", "", "", "", "", "sw", "z", "sr", "z"], ["v", "", ""],
                 domain="com.microsoft", hidden_size=H, direction="bidirectional")
        graph = helper.make_graph(
            [node, N("Transpose", ["v"], ["t"], perm=[0, 2, 1, 3]), N("Reshape", ["t", "joined"], ["y"])], name,
            [helper.make_tensor_value_info("x", F, ["T", "B", 3])], [helper.make_tensor_value_info("y", F, None)],
            [numpy_helper.from_array(v, n) for n, v in dict(
                qw=q[0], qr=q[1], B=B, sw=scales[0], sr=scales[1], joined=integers(0, 0, -1),
                z=np.zeros(scales[0].shape, np.int8)).items()])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14), helper.make_opsetid("com.microsoft", 1)],
                                    ir_version=8), folder / f"{name}.onnx")
        arrays[f"{name}.x"], arrays[f"{name}.y"] = x, np.concatenate(ways, -1)


def two_scales_of_one_matrix():
    """Two Gemm nodes with one matrix and factors that look alike in six digits."""
    W, R, B, K = weights(1, 4, 3), weights(1, 4, 4), weights(1, 8), weights(4, 2)
    x = weights(5, 2, 3)
    _, h = step_through("RNN", double(x), *(double(w[0]) for w in (W, R, B)))
    a, b = (h @ double(K) * double(np.float32(alpha)) for alpha in (1e-7, 3e-7))
    save("two_scales_of_one_matrix",
         [N("RNN", ["x", "W", "R", "B"], ["", "hn"], hidden_size=4), N("Squeeze", ["hn", "zero"], ["h"]),
          N("Gemm", ["h", "K"], ["a"], alpha=1e-7), N("Gemm", ["h", "K"], ["b"], alpha=3e-7), N("Div", ["b", "a"], ["y"])],
         [("x", F, ["T", "B", 3])], ["y"], dict(W=W, R=R, B=B, K=K, zero=integers(0)), x, np.tile(b / a, (5, 1, 1)))
    arrays["two_scales_of_one_matrix.y"] = b / a


def average_beside_a_state():
    """One declared step, an LSTM's states, and beside them an average that goes on from call to call by its name alone."""
    W, R, B = weights(1, 12, 3), weights(1, 12, 4), weights(1, 24)
    x, average, means = weights(6, 1, 3), np.zeros((1, 3)), []
    for row in double(x):
        average = 0.75 * average + 0.25 * row
        means.append(row - average)
    y, _ = step_through("GRU", np.array(means), *(double(w[0]) for w in (W, R, B)))
    save("average_beside_a_state",
         [N("Mul", ["average_state", "old"], ["o"]), N("Mul", ["x", "new"], ["n"]), N("Add", ["o", "n"], ["average_state_out"]),
          N("Sub", ["x", "average_state_out"], ["d"]),
          N("GRU", ["d", "W", "R", "B", "", "h"], ["v", "hn"], hidden_size=4), N("Squeeze", ["v", "one"], ["y"])],
         [("x", F, [1, 1, 3]), ("average_state", F, [1, 1, 3]), ("h", F, [1, 1, 4])], ["y", "average_state_out", "hn"],
         dict(W=W, R=R, B=B, old=np.float32(0.75), new=np.float32(0.25), one=integers(1)), x, y)


def einsum_attention():
    """Scores of each step with the last state, softmax over the steps, and what is summed by them: all by Einsum."""
    W, R, B, K = weights(1, 12, 3), weights(1, 12, 4), weights(1, 24), weights(4, 2)
    x = weights(5, 2, 3)
    v, h = step_through("GRU", double(x), *(double(w[0]) for w in (W, R, B)))
    scores = np.einsum("tbh,bh->bt", v, h)
    powers = np.exp(scores - scores.max(1, keepdims=True))
    y = np.einsum("bt,tbh,ho->bo", powers / powers.sum(1, keepdims=True), v, double(K))
    save("einsum_attention",
         [N("GRU", ["x", "W", "R", "B"], ["vd", "hd"], hidden_size=4), N("Squeeze", ["vd", "one"], ["v"]),
          N("Squeeze", ["hd", "zero"], ["h"]), N("Einsum", ["v", "h"], ["s"], equation="tbh,bh->bt"),
          N("Softmax", ["s"], ["p"], axis=1), N("Einsum", ["p", "v"], ["c"], equation="bt,tbh->bh"),
          N("Einsum", ["c", "K"], ["y"], equation="bh, ho -> bo")],
         [("x", F, ["T", "B", 3])], ["y"], dict(W=W, R=R, B=B, K=K, one=integers(1), zero=integers(0)), x, np.tile(y, (5, 1, 1)))
    arrays["einsum_attention.y"] = y


def einsum_of_heads():
    """A matrix for each of two heads, its output before the heads, beside one of both and a sum; a letter stands twice in none."""
    W, R, B = weights(1, 18, 3), weights(1, 18, 6), weights(1, 36)
    heads, square, factors, x = weights(2, 3, 4), weights(3, 3), weights(2), weights(5, 2, 3)
    v, _ = step_through("GRU", double(x), *(double(w[0]) for w in (W, R, B)))
    v = v.reshape(5, 2, 2, 3)
    parts = ("tbnd,ndk->tbkn", heads), ("ed,tbnd->tbne", square), ("tbnd,de", square), ("tbnd,n->tbdn", factors), ("tbnd,xe->tbn", square)
    y = [np.einsum(equation, v, double(w)) if equation[0] == "t" else np.einsum(equation, double(w), v) for equation, w in parts]
    nodes = [N("Einsum", ["v", f"w{k}"] if equation[0] == "t" else [f"w{k}", "v"], [f"e{k}"], equation=equation)
             for k, (equation, _) in enumerate(parts)]
    nodes += [N("Transpose", ["e2"], ["e2t"], perm=[3, 0, 1, 2])] + [
        N("Reshape", ["e2t" if k == 2 else f"e{k}", "flat"], [f"f{k}"]) for k in range(len(parts))]
    y[2] = y[2].transpose(3, 0, 1, 2)  # without an arrow the letters are in the order of the alphabet: b e n t
    save("einsum_of_heads",
         [N("GRU", ["x", "W", "R", "B"], ["vd"], hidden_size=6), N("Reshape", ["vd", "split"], ["v"])] + nodes +
         [N("Concat", [f"f{k}" for k in range(len(parts))], ["y"], axis=2)],
         [("x", F, ["T", "B", 3])], ["y"],
         dict(W=W, R=R, B=B, split=np.array([0, -1, 2, 3], np.int64), flat=np.array([0, 0, -1], np.int64),
              **{f"w{k}": w for k, (_, w) in enumerate(parts)}),
         x, np.concatenate([part.reshape(5, 2, -1) for part in y], 2))


def tokens_of_a_byte():
    """Numbers of 8 bits are tokens once they are cast; of the 256 rows of the table the last stands for 255, not for -1."""
    E, W, R, B = weights(256, 3), weights(1, 4, 3), weights(1, 4, 4), weights(1, 8)
    tokens = np.array([[0, 127], [128, 255], [254, 1]])
    y, _ = step_through("RNN", double(E[tokens]), *(double(w[0]) for w in (W, R, B)))
    save("tokens_of_a_byte",
         [N("Cast", ["x"], ["n"], to=I64), N("Gather", ["E", "n"], ["e"]), N("RNN", ["e", "W", "R", "B"], ["yd"], hidden_size=4),
          N("Squeeze", ["yd", "one"], ["y"])],
         [("x", TensorProto.UINT8, ["T", "B"])], ["y"], dict(E=E, W=W, R=R, B=B, one=integers(1)), tokens[..., None], y)


def places_that_are_computed():
    """Windows of three features, two apart: their places are a matrix that Range and sums make of the input's shape, as exporters
    write torch.nn.Unfold. Where, Equal and a product of whole numbers decide the factor of each tap."""
    W, R, B, K, x = weights(1, 18, 7), weights(1, 18, 6), weights(1, 36), weights(9, 2), weights(4, 2, 7)
    h, _ = step_through("GRU", double(x), *(double(w[0]) for w in (W, R, B)))
    h = np.concatenate([h, double(x[..., :1])], 2)
    windows = np.stack([h[..., [2 * i + k for i in range(3)]] for k in range(3)], 2) * np.array([-1.0, 2, 4])[:, None]
    save("places_that_are_computed",
         [N("GRU", ["x", "W", "R", "B"], ["yd"], hidden_size=6), N("Squeeze", ["yd", "one"], ["g"]),
          N("Slice", ["x", "zero", "one", "two"], ["x0"]), N("Concat", ["g", "x0"], ["h"], axis=2), N("Shape", ["h"], ["sizes"]),
          N("Gather", ["sizes", "two0"], ["size"]), N("Sub", ["size", "two0"], ["end"]), N("Range", ["zero0", "end", "two0"], ["at"]),
          N("Unsqueeze", ["at", "zero"], ["row"]), N("Range", ["zero0", "three0", "one0"], ["taps"]),
          N("Unsqueeze", ["taps", "one"], ["column"]), N("Add", ["row", "column"], ["places"]),
          N("Gather", ["h", "places"], ["windows"], axis=2),
          N("Mul", ["column", "two0"], ["twice"]), N("Equal", ["twice", "zero0"], ["first"]), N("Sub", ["zero0", "one0"], ["minus"]),
          N("Where", ["first", "minus", "twice"], ["whole"]), N("Cast", ["whole"], ["factors"], to=F),
          N("Mul", ["windows", "factors"], ["scaled"]), N("Reshape", ["scaled", "flat"], ["rows"]), N("MatMul", ["rows", "K"], ["y"])],
         [("x", F, ["T", "B", 7])], ["y"],
         dict(W=W, R=R, B=B, K=K, zero=integers(0), one=integers(1), two=integers(2), flat=integers(0, 0, -1),
              **{name: np.array(v, np.int64) for name, v in (("zero0", 0), ("one0", 1), ("two0", 2), ("three0", 3))}),
         x, windows.reshape(4, 2, 9) @ double(K))


def comparisons():
    """Every comparison, of numbers that are often equal, and of the NaNs and infinities that logarithms and quotients of them are."""
    W, R, B, K = weights(1, 4, 6), weights(1, 4, 4), weights(1, 8), weights(6, 4)
    x, edges = np.float32(random.integers(-2, 3, (9, 2, 6))), np.float32([-1, 0, 1, 2, -2, 0])
    h, _ = step_through("RNN", double(x), *(double(w[0]) for w in (W, R, B)))
    turned, below = x[..., ::-1], np.abs(x[..., [1, 2, 3, 4, 5, 0]])
    with np.errstate(all="ignore"):
        a, b = np.log(x), turned / below
    operands = (("x", x), ("turned", turned)), (("edges", edges), ("x", x)), (("a", a), ("b", b))
    holds = dict(Greater=np.greater, Less=np.less, GreaterOrEqual=np.greater_equal, LessOrEqual=np.less_equal, Equal=np.equal)
    nodes, parts, y = [], [], []
    for (left, l), (right, r) in operands:
        for op, hold in holds.items():
            k = len(parts)
            nodes += [N(op, [left, right], [f"t{k}"]), N("Cast", [f"t{k}"], [f"f{k}"], to=F), N("MatMul", [f"f{k}", "K"], [f"k{k}"]),
                      N("Add", [f"k{k}", "h"], [f"y{k}"])]
            parts.append(f"y{k}")
            y.append(double(hold(l, r)) @ double(K) + h)
    odd = (x >= turned) ^ (edges == x)
    save("comparisons",
         [N("RNN", ["x", "W", "R", "B"], ["yd"], hidden_size=4), N("Squeeze", ["yd", "one"], ["h"]), N("Log", ["x"], ["a"]),
          N("Slice", ["x", "minus", "none", "two", "minus"], ["turned"]), N("Abs", ["x"], ["sizes"]),
          N("Gather", ["sizes", "next"], ["below"], axis=2), N("Div", ["turned", "below"], ["b"])] + nodes +
         [N("Xor", ["t2", "t9"], ["odd"]), N("Where", ["odd", "turned", "x"], ["chosen"]), N("Sign", ["chosen"], ["sign"]),
          N("Concat", [*parts, "sign"], ["y"], axis=2)],
         [("x", F, ["T", "B", 6])], ["y"],
         dict(W=W, R=R, B=B, K=K, one=integers(1), two=integers(2), minus=integers(-1), none=integers(-1000),
              next=integers(1, 2, 3, 4, 5, 0), edges=edges),
         x, np.concatenate([*y, np.sign(np.where(odd, turned, x))], 2))


def places_of_elements():
    """GatherElements, GatherND, and blocks of channels that become places of an image, in both orders, and back: one step a call."""
    W, R, B, x = weights(1, 36, 3), weights(1, 36, 12), weights(1, 72), weights(5, 1, 3)
    h, _ = step_through("GRU", double(x), *(double(w[0]) for w in (W, R, B)))
    at, pairs = random.integers(-6, 6, (1, 2, 4)), np.stack([random.integers(-2, 2, 7), random.integers(-6, 6, 7)], 1)
    grid, image = h.reshape(5, 2, 6), h.reshape(5, 12, 1, 1)
    elements = np.take_along_axis(grid, np.where(at < 0, at + 6, at).repeat(5, 0), 2)
    dcr = image.reshape(5, 2, 2, 3, 1, 1).transpose(0, 3, 4, 1, 5, 2).reshape(5, 3, 2, 2)
    crd = image.reshape(5, 3, 2, 2, 1, 1).transpose(0, 1, 4, 2, 5, 3).reshape(5, 3, 2, 2)
    scales = np.float32([[1, 2], [3, 4]])
    back = (dcr * scales).reshape(5, 3, 1, 2, 1, 2).transpose(0, 3, 5, 1, 2, 4)
    y = elements, grid[:, pairs[:, 0], pairs[:, 1]], dcr, crd, back
    save("places_of_elements",
         [N("Unsqueeze", ["x", "zero"], ["xt"]), N("GRU", ["xt", "W", "R", "B", "", "h"], ["", "hn"], hidden_size=12),
          N("Reshape", ["hn", "grids"], ["grid"]), N("Reshape", ["hn", "images"], ["image"]),
          N("GatherElements", ["grid", "at"], ["p0"], axis=2), N("Transpose", ["grid"], ["g1"], perm=[1, 2, 0]),
          N("GatherND", ["g1", "pairs"], ["n1"]), N("Transpose", ["n1"], ["p1"], perm=[1, 0]),
          N("DepthToSpace", ["image"], ["p2"], blocksize=2), N("DepthToSpace", ["image"], ["p3"], blocksize=2, mode="CRD"),
          N("Mul", ["p2", "scales"], ["scaled"]), N("SpaceToDepth", ["scaled"], ["p4"], blocksize=2)] +
         [N("Reshape", [f"p{k}", "flat"], [f"y{k}"]) for k in range(5)] + [N("Concat", [f"y{k}" for k in range(5)], ["y"], axis=1)],
         [("x", F, [1, 3]), ("h", F, [1, 1, 12])], ["y", "hn"],
         dict(W=W, R=R, B=B, zero=integers(0), grids=integers(1, 2, 6), images=integers(1, 12, 1, 1), flat=integers(1, -1), at=at,
              pairs=pairs, scales=scales),
         x, np.concatenate([part.reshape(5, 1, -1) for part in y], 2))


def norm_of_groups(opset):
    """GroupNormalization: a factor for each group before opset 21, for each channel since."""
    W, R, B, x = weights(1, 36, 3), weights(1, 36, 12), weights(1, 72), weights(4, 2, 3)
    h, _ = step_through("GRU", double(x), *(double(w[0]) for w in (W, R, B)))
    factors, summands = weights(2 if opset < 21 else 4), weights(2 if opset < 21 else 4)
    groups = h.reshape(4, 2, 2, 6)
    centred = groups - groups.mean(3, keepdims=True)
    normal = (centred / np.sqrt((centred**2).mean(3, keepdims=True) + 1e-3)).reshape(4, 2, 4, 3)
    each = 2 if opset < 21 else 1
    y = normal * double(factors).repeat(each)[:, None] + double(summands).repeat(each)[:, None]
    save(f"norm_of_groups_{opset}",
         [N("GRU", ["x", "W", "R", "B"], ["yd"], hidden_size=12), N("Squeeze", ["yd", "one"], ["h"]),
          N("Reshape", ["h", "split"], ["channels"]),
          N("GroupNormalization", ["channels", "factors", "summands"], ["normal"], num_groups=2, epsilon=1e-3),
          N("Reshape", ["normal", "joined"], ["y"])],
         [("x", F, ["T", 2, 3])], ["y"],
         dict(W=W, R=R, B=B, one=integers(1), split=integers(-1, 4, 3), joined=integers(-1, 2, 12), factors=factors, summands=summands),
         x, y, opset)


def convolutions_in_a_row():
    """Two convolutions over the places of a step, with zeros around them: places at the edges take columns of one matrix."""
    W, R, B, x = weights(1, 12, 3), weights(1, 12, 12), weights(1, 24), weights(5, 2, 3)
    K, k, L = weights(5, 3, 3), weights(5), weights(2, 5, 5)
    h, _ = step_through("RNN", double(x), *(double(w[0]) for w in (W, R, B)))
    image = h.reshape(10, 3, 4)

    def convolved(v, kernel, before, after):
        around = np.pad(v, ((0, 0), (0, 0), (before, after)))
        places = around.shape[2] - kernel.shape[2] + 1
        return np.stack([np.einsum("bct,oct->bo", around[:, :, p : p + kernel.shape[2]], double(kernel)) for p in range(places)], 2)

    y = convolved(np.maximum(convolved(image, K, 1, 1) + double(k)[:, None], 0), L, 3, 1)
    save("convolutions_in_a_row",
         [N("RNN", ["x", "W", "R", "B"], ["yd"], hidden_size=12), N("Reshape", ["yd", "images"], ["image"]),
          N("Conv", ["image", "K", "k"], ["first"], pads=[1, 1]), N("Relu", ["first"], ["kept"]),
          N("Conv", ["kept", "L"], ["second"], pads=[3, 1]), N("Reshape", ["second", "rows"], ["y"])],
         [("x", F, ["T", 2, 3])], ["y"],
         dict(W=W, R=R, B=B, K=K, k=k, L=L, images=integers(-1, 3, 4), rows=integers(-1, 2, 8)), x, y.reshape(5, 2, -1))


def channels_apart():
    """A transposed convolution of each channel by itself, and functions of two channels at many places."""
    W, R, B, x = weights(1, 16, 3), weights(1, 16, 16), weights(1, 32), weights(5, 2, 3)
    V, v, K, scales = weights(4, 2, 3), weights(8), weights(2, 8, 1), weights(2, 1)
    h, _ = step_through("RNN", double(x), *(double(w[0]) for w in (W, R, B)))
    image = h.reshape(10, 4, 4)
    wide = np.zeros((10, 8, 11))
    for place in range(4):
        for tap in range(3):
            for channel in range(8):
                wide[:, channel, 2 * place + tap] += image[:, channel // 2, place] * double(V)[channel // 2, channel % 2, tap]
    wide = wide[:, :, 1:9] + double(v)[:, None]
    y = np.tanh(np.einsum("bcp,oc->bop", wide, double(K)[:, :, 0])) * double(scales)
    save("channels_apart",
         [N("RNN", ["x", "W", "R", "B"], ["yd"], hidden_size=16), N("Reshape", ["yd", "images"], ["image"]),
          N("ConvTranspose", ["image", "V", "v"], ["wide"], group=4, strides=[2], pads=[1, 1], output_padding=[1]),
          N("Conv", ["wide", "K"], ["pair"]), N("Tanh", ["pair"], ["t"]), N("Mul", ["t", "scales"], ["scaled"]),
          N("Reshape", ["scaled", "rows"], ["y"])],
         [("x", F, ["T", 2, 3])], ["y"],
         dict(W=W, R=R, B=B, V=V, v=v, K=K, scales=scales, images=integers(-1, 4, 4), rows=integers(-1, 2, 16)),
         x, y.reshape(5, 2, -1))


def both_orders():
    """Steps that are turned round meet steps in order, element by element and side by side, and the output is turned."""
    W, R, B, K, x = weights(2, 4, 3), weights(2, 4, 4), weights(2, 8), weights(1, 4, 8), weights(6, 2, 3)
    runs = [[double(w[d]) for w in (W, R, B)] for d in range(2)]
    ahead, back = step_through("RNN", double(x), *runs[0])[0], step_through("RNN", double(x)[::-1], *runs[1])[0]
    sides = np.concatenate([ahead - back, back, ahead[::-1]], 2)  # back stands as it was computed, from the last step on
    y, _ = step_through("RNN", sides, double(K[0, :, :4]).repeat(3, 1), double(K[0, :, 4:]), np.zeros(8))
    turn = ["minus", "least", "zero", "minus"]
    save("both_orders",
         [N("RNN", ["x", "W", "R", "B"], ["v"], hidden_size=4, direction="bidirectional"), N("Split", ["v", "halves"], ["a4", "b4"], axis=1),
          N("Squeeze", ["a4", "one"], ["a"]), N("Squeeze", ["b4", "one"], ["b"]), N("Slice", ["b", *turn], ["t"]),
          N("Sub", ["a", "t"], ["d"]), N("Slice", ["a", *turn], ["u"]), N("Concat", ["d", "t", "u"], ["sides"], axis=2),
          N("RNN", ["sides", "Q", "S"], ["w"], hidden_size=4), N("Squeeze", ["w", "one"], ["z"]), N("Slice", ["z", *turn], ["y"])],
         [("x", F, ["T", "B", 3])], ["y"],
         dict(W=W, R=R, B=B, Q=K[:, :, :4].repeat(3, 2), S=np.ascontiguousarray(K[:, :, 4:]), halves=integers(1, 1), one=integers(1),
              minus=integers(-1), least=integers(-2**62), zero=integers(0)), x, y[::-1])


lengths_then_dense()
for make in (attention_over_time, packed_states, batch_first_states, cached_convolution, rows_as_batch, written_out_gru, scan_of_a_body, turned_round,
             negative_tokens, half_precision, quantized_weights, image_of_a_step, rate_decides, frames_by_name,
             quantized_both_ways, two_scales_of_one_matrix, average_beside_a_state, einsum_attention,
             einsum_of_heads, tokens_of_a_byte, places_that_are_computed, comparisons, places_of_elements):
    make()
for opset in (18, 21):
    norm_of_groups(opset)
convolutions_in_a_row()
channels_apart()
both_orders()
loop_of_lists()
loop_of_history()
decoder("decoder", False)
decoder("decoder_of_six_steps", True)
save_safetensors(folder / "data.safetensors", arrays)
