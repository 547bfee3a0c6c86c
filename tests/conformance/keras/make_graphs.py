#!/usr/bin/python3
"""Small functional models of Keras 2 and 3, with branches, masks and states, and what their equations give in NumPy.

    python3 tests/conformance/keras/make_graphs.py

writes NAME.keras or NAME.h5, and NAME.VALUE.npy for each input and output by its name in the model, in the layout of rnnc.
Keras itself is not needed: the JSON is what Keras 2.4, 2.13, 3.5 and 3.16 write, and the equations follow the source of Keras 3.16,
where a masked step keeps the states and gives the output of the step before (zeros before the first), or zeros within Bidirectional.
"""
import json
import pathlib

import numpy as np

from make_data import F32, keras3, recurrent_config, sigmoid, softmax, weights, weights_h5

FOLDER = pathlib.Path(__file__).parent
STEPS, BATCH = 8, 3
random = np.random.default_rng(29)


def masked(step, states, rows, mask, back=False, zeros=False):
    """The outputs of all steps and the last states. `step` gives the next states, of which the first is the output."""
    y = np.zeros_like(states[0])
    ys = [None] * len(rows)
    for t in reversed(range(len(rows))) if back else range(len(rows)):
        new, keep = step(rows[t], states), mask[t][:, None]
        y = np.where(keep, new[0], 0 if zeros else y)
        states = [np.where(keep, a, b) for a, b in zip(new, states)]
        ys[t] = y
    return np.array(ys), states


def lstm(rows, w, mask=None, state=None, back=False, zeros=False):
    W, U, b = w

    def step(x, states):
        h, c = states
        i, f, g, o = np.split(x @ W + h @ U + b, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return [sigmoid(o) * np.tanh(c), c]

    mask = np.ones(rows.shape[:2], bool) if mask is None else mask
    return masked(step, state or [np.zeros((rows.shape[1], len(U)))] * 2, rows, mask, back, zeros)


def gru(rows, w, mask=None, back=False, zeros=False):
    W, U, b = w

    def step(x, states):
        h = states[0]
        a, u = np.split(x @ W + b[0], 3, axis=-1), np.split(h @ U + b[1], 3, axis=-1)
        z, r = sigmoid(a[0] + u[0]), sigmoid(a[1] + u[1])
        n = np.tanh(a[2] + r * u[2])
        return [z * h + (1 - z) * n]

    mask = np.ones(rows.shape[:2], bool) if mask is None else mask
    return masked(step, [np.zeros((rows.shape[1], len(U)))], rows, mask, back, zeros)


def rnn(rows, w, mask=None, back=False):
    W, U, b = w
    mask = np.ones(rows.shape[:2], bool) if mask is None else mask
    return masked(lambda x, s: [np.tanh(x @ W + s[0] @ U + b)], [np.zeros((rows.shape[1], len(U)))], rows, mask, back)


def gates(I, H, count, biases=1):
    return [weights(I, count * H), weights(H, count * H), weights(*((2, count * H) if biases == 2 else (count * H,)))]


def real(*shape):
    return random.normal(size=shape).astype(np.float32).astype(float)


def dense(units, name, **more):
    return {"name": name, "units": units, "activation": "linear", "use_bias": True, **more}


class Model:
    """A functional model while it is written; tensors are (layer, node, output)."""

    def __init__(self, version):
        self.version, self.layers = version, []

    def tensor(self, of):
        if self.version == 2:
            return [*of, {}]
        return {
            "class_name": "__keras_tensor__",
            "config": {"shape": [None], "dtype": "float32", "keras_history": list(of)},
        }

    def layer(self, kind, config, inputs=(), numbers=(), function=False, as_list=False, first=False, **kwargs):
        name = config["name"]
        known = [layer for layer in self.layers if layer["name"] == name]
        if not known:
            entry = {"class_name": kind, "config": config, "name": name, "inbound_nodes": []}
            if function:
                entry = {"module": "keras.src.ops.numpy", **entry, "registered_name": kind}
            self.layers.append(entry)
            known = self.layers[-1:]
        nodes = known[0]["inbound_nodes"]
        if self.version == 2 and inputs:
            nodes.append([self.tensor(each) for each in inputs])
        elif inputs:
            tensors = [self.tensor(each) for each in inputs]
            args = [tensors] if as_list or (len(tensors) > 1 and not function) else tensors
            args = list(numbers) + args if first else args + list(numbers)
            named = {
                k: [self.tensor(t) for t in v] if isinstance(v, list) else self.tensor(v) if isinstance(v, tuple) else v
                for k, v in kwargs.items()
            }
            nodes.append({"args": args, "kwargs": named})
        return (name, max(len(nodes) - 1, 0), 0)

    def input(self, name, *shape, dtype="float32"):
        key = "batch_input_shape" if self.version == 2 else "batch_shape"
        return self.layer("InputLayer", {key: [None, *shape], "dtype": dtype, "sparse": False, "name": name})

    def config(self, inputs, outputs):
        return {
            "class_name": "Functional",
            "config": {
                "name": "functional",
                "trainable": True,
                "layers": self.layers,
                "input_layers": [list(i) for i in inputs],
                "output_layers": [list(o) for o in outputs],
            },
        }


def save(stem, inputs, outputs):
    for name, value in inputs.items():
        np.save(FOLDER / f"{stem}.{name}.npy", value.astype(np.float32))
    for name, value in outputs.items():
        np.save(FOLDER / f"{stem}.{name}.npy", value.astype(np.float64))


def output(of, index):
    return (of[0], of[1], index)


def masked_tokens():
    """Keras 3.5: a mask from tokens goes through recurrent layers, one of them bidirectional, to a mean over the steps."""
    V, D, H, G, O = 6, 3, 3, 4, 2
    table, f, b, g = weights(V, D), gates(D, H, 4), gates(D, H, 4), gates(2 * H, G, 3, 2)
    t, last = [weights(G, O), weights(O)], [weights(O, O), weights(O)]
    x = random.integers(0, V, (STEPS, BATCH, 1))
    x[:2, 0], x[3, 1], x[5:, 2] = 0, 0, 0
    mask = x[..., 0] != 0
    v = table[x[..., 0]]
    v = np.concatenate([lstm(v, f, mask, zeros=True)[0], lstm(v, b, mask, back=True, zeros=True)[0]], 2)
    v = gru(v, g, mask)[0]
    v = np.maximum(v @ t[0] + t[1], 0)
    v = (v * mask[..., None]).sum(0) / mask.sum(0)[:, None]
    m = Model(3)
    x_ = m.input("tokens", None, dtype="int32")
    y = m.layer("Embedding", {"name": "embedding", "input_dim": V, "output_dim": D, "mask_zero": True}, [x_])
    y = m.layer(
        "Bidirectional",
        {
            "name": "bidirectional",
            "merge_mode": "concat",
            "layer": {"class_name": "LSTM", "config": recurrent_config("lstm", H, zero_output_for_mask=False)},
        },
        [y],
    )
    y = m.layer("GRU", recurrent_config("gru", G, reset_after=True), [y], training=False, mask=None)
    inner = {"class_name": "Dense", "config": dense(O, "dense", activation="relu")}
    y = m.layer("TimeDistributed", {"name": "time_distributed", "layer": inner}, [y])
    y = m.layer("GlobalAveragePooling1D", {"name": "mean", "data_format": "channels_last", "keepdims": False}, [y])
    y = m.layer("Dense", dense(O, "dense_1", activation="softmax"), [y])
    arrays = {"layers/embedding/vars/0": table}
    for folder, found in (
        ("bidirectional/forward_layer/cell", f),
        ("bidirectional/backward_layer/cell", b),
        ("gru/cell", g),
        ("time_distributed/layer", t),
        ("dense", last),
    ):
        arrays.update({f"layers/{folder}/vars/{k}": w for k, w in enumerate(found)})
    keras3("keras3_masked.keras", m.config([x_], [y]), arrays)
    save("keras3_masked", {"tokens": x}, {"dense_1": softmax(v @ last[0] + last[1])})


def branches():
    """Keras 3.16: two inputs, two outputs, a mask that the file writes out, a convolution beside, a layer used twice, functions, and
    two layers that go backwards, of which the second turns the steps again."""
    I, J, H = 3, 2, 4
    conv, g, d, two = [weights(3, J, H), weights(H)], gates(I, H, 3, 2), [weights(H, H), weights(H)], gates(H, H, 1)
    again, alpha, end = gates(H, H, 1), weights(1, H), gates(H, H, 1)
    x, u = real(STEPS, BATCH, I), real(STEPS, BATCH, J)
    x[1, 0], x[4:6, 1], x[6:, 2] = 0.5, 0.5, 0.5
    x[2, 0, 1] = 0.5  # one feature alone
    mask = (x != 0.5).any(-1)
    first = gru(np.where(mask[..., None], x, 0), g, mask)
    wide = np.concatenate([np.zeros((4, BATCH, J)), u])
    beside = np.tanh(sum(wide[2 * k : 2 * k + STEPS] @ conv[0][k] for k in range(3)) + conv[1])
    gate = sigmoid(beside @ d[0] + d[1])
    joined = first[0] - gate * beside + 0.5 * beside
    joined = np.where(joined >= 0, joined, alpha[0] * joined)
    v = rnn(joined, two, back=True)[0]  # gives its steps in reverse
    v = rnn(v, again)[0]  # reads them in reverse, and gives them in order
    shared = sigmoid(v @ d[0] + d[1])
    turned = rnn(shared, end, back=True)[0][::-1]  # a layer that goes backwards gives its last step first
    m = Model(3)
    x_, u_ = m.input("x", 10, I), m.input("u", None, J)
    y = m.layer("Masking", {"name": "masking", "mask_value": 0.5}, [x_])
    n = m.layer("NotEqual", {"name": "not_equal"}, [x_], [0.5], function=True)
    n = m.layer("Any", {"name": "any"}, [n], function=True, axis=-1, keepdims=False)
    y = m.layer("GRU", recurrent_config("gru", H, reset_after=True, return_state=True), [y], mask=n)
    c = m.layer(
        "Conv1D",
        {
            "name": "conv1d",
            "filters": H,
            "kernel_size": [3],
            "strides": [1],
            "padding": "causal",
            "groups": 1,
            "data_format": "channels_last",
            "dilation_rate": [2],
            "activation": "tanh",
            "use_bias": True,
        },
        [u_],
    )
    s = m.layer("Dense", dense(H, "dense", activation="sigmoid"), [c])
    s = m.layer("Multiply", {"name": "multiply"}, [s, c])
    y2 = m.layer("Subtract", {"name": "subtract"}, [y, s])
    half = m.layer("Multiply", {"name": "half"}, [c], [0.5], function=True)
    y2 = m.layer("Add", {"name": "add"}, [y2, half])
    y2 = m.layer("PReLU", {"name": "prelu", "shared_axes": [1]}, [y2])
    y2 = m.layer("SimpleRNN", recurrent_config("backwards", H, go_backwards=True), [y2])
    y2 = m.layer("SimpleRNN", recurrent_config("again", H, go_backwards=True), [y2])
    y2 = m.layer("Dense", m.layers[7]["config"], [y2])
    last = m.layer("SimpleRNN", recurrent_config("last", H, go_backwards=True), [y2])
    arrays = {"layers/p_re_lu/vars/0": alpha}
    for folder, found in (
        ("gru/cell", g),
        ("conv1d", conv),
        ("dense", d),
        ("simple_rnn/cell", two),
        ("simple_rnn_1/cell", again),
        ("simple_rnn_2/cell", end),
    ):
        arrays.update({f"layers/{folder}/vars/{k}": w for k, w in enumerate(found)})
    keras3("keras3_branches.keras", m.config([x_, u_], [y2, output(y, 1), last]), arrays)
    save("keras3_branches", {"x": x, "u": u}, {"dense": shared, "gru": first[1][0], "last": turned})


def translation():
    """Keras 2: the states of one LSTM are those that another begins with, both bidirectional and not; sums, means and differences."""
    I, H = 3, 4
    e, d, f, b = gates(I, H, 4), gates(2, H, 4), gates(H, 2, 4), gates(H, 2, 4)
    depth, point = weights(3, H, 2), [weights(1, 2 * H, 3), weights(3)]
    x, u = real(STEPS, BATCH, I), real(STEPS, BATCH, 2)
    _, states = lstm(x, e)
    y = lstm(u, d, state=states)[0]
    back = lstm(y, b, back=True)[0]
    both = lstm(y, f)[0] + back
    wide = np.concatenate([np.zeros((1, BATCH, H)), y, np.zeros((1, BATCH, H))])
    deep = sum(wide[k : k + STEPS][..., None] * depth[k] for k in range(3)).reshape(STEPS, BATCH, 2 * H)
    apart = deep @ point[0][0] + point[1]
    m = Model(2)
    x_, u_ = m.input("source", None, I), m.input("target", None, 2)
    s = m.layer(
        "LSTM", recurrent_config("encoder", H, return_sequences=False, return_state=True, time_major=False), [x_]
    )
    y_ = m.layer("LSTM", recurrent_config("decoder", H, time_major=False), [u_, output(s, 1), output(s, 2)])
    v = m.layer(
        "Bidirectional",
        {
            "name": "both",
            "merge_mode": "sum",
            "layer": {"class_name": "LSTM", "config": recurrent_config("lstm", 2, time_major=False)},
        },
        [y_],
    )
    p = m.layer(
        "SeparableConv1D",
        {
            "name": "separable",
            "filters": 3,
            "kernel_size": [3],
            "strides": [1],
            "padding": "same",
            "data_format": "channels_last",
            "dilation_rate": [1],
            "groups": 1,
            "depth_multiplier": 2,
            "activation": "linear",
            "use_bias": True,
        },
        [y_],
    )
    v = m.layer("Concatenate", {"name": "concatenate", "axis": -1}, [v, p])
    low = m.layer("GlobalMaxPooling1D", {"name": "top", "data_format": "channels_last"}, [v])
    states_ = m.layer("Average", {"name": "average"}, [output(s, 1), output(s, 2)])
    arrays = {}
    names = ["kernel:0", "recurrent_kernel:0", "bias:0"]
    for folder, found in (
        ("encoder/encoder/lstm_cell", e),
        ("decoder/decoder/lstm_cell_1", d),
        ("both/both/forward_lstm/lstm_cell_3", f),
        ("both/both/backward_lstm/lstm_cell_4", b),
    ):
        arrays.update({f"model_weights/{folder}/{n}": a for n, a in zip(names, found)})
    names = ["depthwise_kernel:0", "pointwise_kernel:0", "bias:0"]
    arrays.update({f"model_weights/separable/separable/{n}": a for n, a in zip(names, [depth, *point])})
    config = m.config([x_, u_], [v, low, states_])
    weights_h5(
        FOLDER / "keras2_translation.h5",
        arrays,
        [("keras_version", "2.13.1"), ("backend", "tensorflow"), ("model_config", json.dumps(config))],
    )
    joined = np.concatenate([both, apart], 2)
    save(
        "keras2_translation",
        {"source": x, "target": u},
        {"concatenate": joined, "top": joined.max(0), "average": (states[0] + states[1]) / 2},
    )


def residual():
    """Keras 3.5: functions. Those know no masks: a sum with + has none, so that the layers behind it read all steps. The last layer of
    the decoder takes a step, and features, of what it reads; a vector of one sequence is added to each of its steps. Inputs and outputs have names.
    """
    I, H = 3, 4
    a, g, b, n = gates(I, H, 4), gates(H, H, 3, 2), gates(H, 2, 1), [weights(I), random.uniform(0.1, 2, I)]
    scale, norm = weights(2 * H), [weights(H), weights(H), weights(H), np.array([0.25, 1, 4, 0.0625]) - 2**-10]
    n[1] = n[1].astype(np.float32).astype(float)
    x, u = real(STEPS, BATCH, I), real(STEPS, BATCH, H)
    x[1, 0], x[4:6, 1], x[6:, 2] = 0, 0, 0
    mask = (x != 0).any(-1)
    v = (x - n[0]) / np.sqrt(n[1])
    v = lstm(v, a, mask)[0]
    v = v + v  # no mask
    v = gru(v, g)[0]
    last = v[-1]
    flat = v + u[-1]  # the vector u[-1] at each step
    v = np.concatenate([flat, 1 - v], -1)
    v = v / np.sqrt((v * v).mean(-1, keepdims=True) + F32(1e-6)) * scale
    v = norm[0] * (v[..., 1 : H + 1] - norm[2]) / np.sqrt(norm[3] + 2**-10) + norm[1]
    v = np.tanh(np.where(v >= 0, np.minimum(v, 0.5), 0.25 * v))
    end = rnn(v, b, back=True)[0][0]
    m = Model(3)
    part = lambda *of: {"class_name": "__slice__", "config": dict(zip(("start", "stop", "step"), of))}
    all_ = part(None, None, None)
    x_, u_ = m.input("x", None, I), m.input("u", None, H)
    y = m.layer("Masking", {"name": "masking", "mask_value": 0.0}, [x_])
    y = m.layer("Normalization", {"name": "normalization", "axis": [-1], "invert": False, "mean": None}, [y])
    y = m.layer("LSTM", recurrent_config("lstm", H), [y], mask=None)
    y = m.layer("Add", {"name": "add"}, [y, y], function=True)
    y = m.layer("GRU", recurrent_config("gru", H, reset_after=True), [y], mask=None)
    last_ = m.layer("GetItem", {"name": "get_item"}, [y], [[all_, -1]], function=True)
    w = m.layer("GetItem", {"name": "get_item_1"}, [u_], [[all_, -1, all_]], function=True)
    w = m.layer("Add", {"name": "add_1", "trainable": True}, [y, w])
    z = m.layer("Subtract", {"name": "subtract"}, [y], [1], first=True, function=True)
    y = m.layer("Concatenate", {"name": "concatenate", "axis": 2}, [w, z], function=True, as_list=True)
    y = m.layer("RMSNormalization", {"name": "rms_normalization", "axis": -1, "epsilon": 1e-6}, [y])
    y = m.layer(
        "GetItem",
        {"name": "get_item_2"},
        [y],
        [[{"class_name": "__ellipsis__", "config": {}}, part(1, H + 1, None)]],
        function=True,
    )
    inner = {"name": "batch_normalization", "axis": [1], "epsilon": 2**-10, "center": True, "scale": True}
    inner = {"class_name": "BatchNormalization", "config": inner}
    y = m.layer("TimeDistributed", {"name": "time_distributed", "layer": inner}, [y])
    y = m.layer("ReLU", {"name": "re_lu", "max_value": 0.5, "negative_slope": 0.25, "threshold": 0.0}, [y])
    y = m.layer("Tanh", {"name": "tanh"}, [y], function=True)
    y = m.layer(
        "SimpleRNN", recurrent_config("end", 2, go_backwards=True, return_sequences=False, activation="tanh"), [y]
    )
    arrays = {"layers/rms_normalization/vars/0": scale, "layers/normalization/vars/2": np.array(9)}
    for folder, found in (
        ("normalization", n),
        ("lstm/cell", a),
        ("gru/cell", g),
        ("time_distributed/layer", norm),
        ("simple_rnn/cell", b),
    ):
        arrays.update({f"layers/{folder}/vars/{k}": w for k, w in enumerate(found)})
    config = m.config([x_, u_], [y, last_])
    config["config"]["input_layers"] = {"x": list(x_), "u": list(u_)}
    config["config"]["output_layers"] = {"end": list(y), "last": list(last_)}
    keras3("keras3_residual.keras", config, arrays)
    save("keras3_residual", {"x": x, "u": u}, {"end": end, "get_item": last})


def dropped():
    """Keras 2: Rescaling, Normalization and a convolution have no mask behind them, and a bidirectional layer has the name of its half."""
    I, H = 3, 2
    f, b, a, c = gates(I, H, 4), gates(I, H, 4), gates(I, H, 1), [weights(2, I, I), weights(I)]
    p = gates(I, H, 1)
    x = real(STEPS, BATCH, I)
    x[1, 0], x[4:6, 1], x[6:, 2] = 0, 0, 0
    scaled = x * 0.5 + 0.25
    v = np.concatenate([lstm(scaled, f)[0], lstm(scaled, b, back=True)[0]], 2)
    wide = np.concatenate([np.zeros((1, BATCH, I)), x])
    mean, variance = [0.5, -0.25, 0.125], [4.0, 0.25, 1.0]
    plain = rnn((x - mean) / np.sqrt(variance), p)[0]
    beside = rnn(wide[:STEPS] @ c[0][0] + wide[1:] @ c[0][1] + c[1], a)[0]
    m = Model(2)
    x_ = m.input("x", None, I)
    y = m.layer("Masking", {"name": "masking", "mask_value": 0.0}, [x_])
    s = m.layer("Rescaling", {"name": "rescaling", "scale": 0.5, "offset": 0.25}, [y])
    inner = {"class_name": "LSTM", "config": recurrent_config("backward", H, time_major=False)}
    v_ = m.layer("Bidirectional", {"name": "forward_lstm", "merge_mode": "concat", "layer": inner}, [s])
    causal = {"filters": I, "kernel_size": [2], "padding": "causal", "activation": "linear", "use_bias": True}
    k = m.layer("Conv1D", {"name": "conv1d", **causal}, [y])
    k = m.layer("SimpleRNN", recurrent_config("beside", H, time_major=False), [k])
    n = m.layer("Normalization", {"name": "normalization", "axis": [-1], "mean": mean, "variance": variance}, [y])
    n = m.layer("SimpleRNN", recurrent_config("plain", H, time_major=False), [n])
    arrays = {}
    names = ["kernel:0", "recurrent_kernel:0", "bias:0"]
    for folder, found in (
        ("forward_lstm/forward_lstm/forward_backward/lstm_cell_1", f),
        ("forward_lstm/forward_lstm/backward_backward/lstm_cell_2", b),
        ("beside/beside/simple_rnn_cell", a),
        ("plain/plain/simple_rnn_cell", p),
    ):
        arrays.update({f"model_weights/{folder}/{n}": w for n, w in zip(names, found)})
    arrays.update({f"model_weights/conv1d/conv1d/{n}": w for n, w in zip(["kernel:0", "bias:0"], c)})
    weights_h5(
        FOLDER / "keras2_dropped.h5",
        arrays,
        [
            ("keras_version", "2.4.0"),
            ("backend", "tensorflow"),
            ("model_config", json.dumps(m.config([x_], [v_, k, n]))),
        ],
    )
    save("keras2_dropped", {"x": x}, {"forward_lstm": v, "beside": beside, "plain": plain})


def inside(m, name, inputs, outputs, sequential=False):
    """The configuration of a model that stands within another one."""
    if sequential:
        return {"name": name, "layers": [{k: v for k, v in e.items() if k != "inbound_nodes"} for e in m.layers]}
    return {**m.config(inputs, outputs)["config"], "name": name}


def later(of):
    """A call of a functional model as Keras counts it where its call with its own inputs is the first."""
    return (of[0], of[1] + 1, of[2])


def autoencoder():
    """Keras 3.5: models within a model. The encoder is called twice, the decoder repeats what it reads as often as the
    inputs have steps. Calls of functional models are counted from 0 where layers read them, and from 1 as outputs."""
    I, H = 3, 4
    e, c, d, o = gates(I, H, 4), [weights(H, 2), weights(2)], gates(4, H, 3, 2), [weights(H, I), weights(I)]
    x, u = real(STEPS, BATCH, I), real(STEPS, BATCH, I)
    code_x, code_u = (np.tanh(lstm(v, e)[0][-1] @ c[0] + c[1]) for v in (x, u))
    z = np.broadcast_to(np.concatenate([code_u, code_x], -1), (STEPS, BATCH, 4))
    y = gru(z, d)[0] @ o[0] + o[1]
    inner = Model(3)
    i_ = inner.input("frames", STEPS, I)
    v = inner.layer("LSTM", recurrent_config("lstm", H, return_sequences=False), [i_])
    v = inner.layer("Dense", dense(2, "code", activation="tanh"), [v])
    encoder = inside(inner, "encoder", [i_], [v])
    inner = Model(3)
    v = inner.input("codes", 4)
    v = inner.layer("RepeatVector", {"name": "repeat_vector", "n": STEPS}, [v])
    v = inner.layer("GRU", recurrent_config("gru", H, reset_after=True), [v])
    config = {"name": "frame", "layer": {"class_name": "Dense", "config": dense(I, "dense")}}
    v = inner.layer("TimeDistributed", config, [v])
    decoder = inside(inner, "decoder", [], [], sequential=True)
    m = Model(3)
    x_, u_ = m.input("x", STEPS, I), m.input("u", STEPS, I)
    a = m.layer("Functional", encoder, [x_], training=False)
    b = m.layer("Functional", encoder, [u_])
    v = m.layer("Concatenate", {"name": "both", "axis": -1}, [b, a])
    v = m.layer("Sequential", decoder, [v], mask=None)
    arrays = {}
    for folder, found in (
        ("functional/layers/lstm/cell", e),
        ("functional/layers/dense", c),
        ("sequential/layers/gru/cell", d),
        ("sequential/layers/time_distributed/layer", o),
    ):
        arrays.update({f"layers/{folder}/vars/{k}": w for k, w in enumerate(found)})
    keras3("keras3_autoencoder.keras", m.config([x_, u_], [v, later(b)]), arrays)
    save("keras3_autoencoder", {"x": x, "u": u}, {"decoder": y, "encoder": code_u})


def nested():
    """Keras 2: a model within a model within a model, which is called twice; its calls are counted from 1 everywhere. Weights of all
    its layers stand in the folder of the outermost."""
    I, H = 3, 4
    a, b, t = gates(I, H, 1), gates(H, H, 4), [weights(2 * H, 2), weights(2)]
    x, u = real(STEPS, BATCH, I), real(STEPS, BATCH, I)
    one, two = (lstm(rnn(v, a)[0], b)[0] for v in (x, u))
    y = np.concatenate([two, one], -1) @ t[0] + t[1]
    inner = Model(2)
    i_ = inner.input("frames", None, I)
    v = inner.layer("SimpleRNN", recurrent_config("low", H, time_major=False), [i_])
    low = inside(inner, "front", [i_], [v])
    inner = Model(2)
    i_ = inner.input("frames", None, I)
    v = later(inner.layer("Functional", low, [i_]))
    v = inner.layer("LSTM", recurrent_config("high", H, time_major=False), [v])
    body = inside(inner, "body", [i_], [v])
    m = Model(2)
    x_, u_ = m.input("x", None, I), m.input("u", None, I)
    one_ = later(m.layer("Functional", body, [x_]))
    two_ = later(m.layer("Functional", body, [u_]))
    v = m.layer("Concatenate", {"name": "both", "axis": -1}, [two_, one_])
    v = m.layer("Dense", dense(2, "top"), [v])
    names = ["kernel:0", "recurrent_kernel:0", "bias:0"]
    arrays = {f"model_weights/body/low/simple_rnn_cell/{n}": w for n, w in zip(names, a)}
    arrays.update({f"model_weights/body/high/lstm_cell/{n}": w for n, w in zip(names, b)})
    arrays.update({f"model_weights/top/top/{n}": w for n, w in zip(["kernel:0", "bias:0"], t)})
    weights_h5(
        FOLDER / "keras2_nested.h5",
        arrays,
        [
            ("keras_version", "2.13.1"),
            ("backend", "tensorflow"),
            ("model_config", json.dumps(m.config([x_, u_], [v, one_]))),
        ],
    )
    save("keras2_nested", {"x": x, "u": u}, {"top": y, "body": one})


masked_tokens()
branches()
translation()
residual()
dropped()
autoencoder()
nested()
