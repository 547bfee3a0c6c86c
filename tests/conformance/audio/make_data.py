"""Small models in the JSON of GuitarML, RTNeural and NAM, and what their equations give in NumPy's double precision.

    python3 tests/conformance/audio/make_data.py

writes NAME.json or NAME.nam, NAME.x.npy and NAME.y.npy beside this file. Independent of rnnc: the equations are those of
torch.nn, of Keras and of NAM's own lstm.cpp. Weights are multiples of 2^-12, so that text and f32 hold them exactly.
"""
import json
import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).parent
STEPS, BATCH = 40, 2
random = np.random.default_rng(5)


def weights(*shape):
    return np.round(random.uniform(-0.7, 0.7, shape) * 4096) / 4096


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def lstm(W, U, b, x, h, c):
    """Rows of gates i, f, g, o."""
    i, f, g, o = np.split(x @ W.T + h @ U.T + b, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru(gates, W, U, bw, bu, x, h, reset_after=True):
    """`gates` are the rows in their order, of r, z and n."""
    a = dict(zip(gates, np.split(x @ W.T + bw, 3, axis=-1)))
    rows = dict(zip(gates, np.split(U, 3, axis=0)))
    biases = dict(zip(gates, np.split(bu, 3, axis=-1)))
    r, z = (sigmoid(a[k] + h @ rows[k].T + biases[k]) for k in "rz")
    if reset_after:
        n = np.tanh(a["n"] + r * (h @ rows["n"].T + biases["n"]))
    else:
        n = np.tanh(a["n"] + (r * h) @ rows["n"].T)
    return z * h + (1 - z) * n


def save(name, model, inputs, step):
    x = np.float32(random.normal(size=(STEPS, BATCH, inputs)))
    y = np.float64([step(x_t.astype(np.float64)) for x_t in x])
    (FOLDER / name).write_text(json.dumps(model, default=lambda v: v.tolist()) + "\n")
    stem = name.split(".")[0]
    np.save(FOLDER / f"{stem}.x.npy", x)
    np.save(FOLDER / f"{stem}.y.npy", y)


def guitarml(name, unit, inputs, hidden, outputs, layers, skip, bias):
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[unit]
    state_dict, h = {}, [np.zeros((BATCH, hidden)) for _ in range(layers)]
    c = [np.zeros((BATCH, hidden)) for _ in range(layers)]
    for k in range(layers):
        state_dict[f"rec.weight_ih_l{k}"] = weights(gates * hidden, inputs if k == 0 else hidden)
        state_dict[f"rec.weight_hh_l{k}"] = weights(gates * hidden, hidden)
        state_dict[f"rec.bias_ih_l{k}"] = weights(gates * hidden)
        state_dict[f"rec.bias_hh_l{k}"] = weights(gates * hidden)
    state_dict["lin.weight"] = weights(outputs, hidden)
    if bias:
        state_dict["lin.bias"] = weights(outputs)

    def step(x):
        v = x
        for k in range(layers):
            W, U, bw, bu = (state_dict[f"rec.{n}_l{k}"] for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            if unit == "LSTM":
                h[k], c[k] = lstm(W, U, bw + bu, v, h[k], c[k])
            elif unit == "GRU":
                h[k] = gru("rzn", W, U, bw, bu, v, h[k])
            else:
                h[k] = np.tanh(v @ W.T + h[k] @ U.T + bw + bu)
            v = h[k]
        y = v @ state_dict["lin.weight"].T + (state_dict["lin.bias"] if bias else 0)
        return y + x[:, :skip] if skip else y

    data = {"model": "SimpleRNN", "input_size": inputs, "skip": skip, "output_size": outputs, "unit_type": unit,
            "num_layers": layers, "hidden_size": hidden, "bias_fl": bias}
    save(name, {"model_data": data, "state_dict": state_dict}, inputs, step)


def rtneural_gru_reset_before():
    """Keras's GRU with reset_after=False has one row of biases, and prelu and elu stand around it."""
    W, U, b, slopes, D, d = weights(2, 15), weights(5, 15), weights(15), weights(5), weights(5, 3), weights(3)
    h = [np.zeros((BATCH, 5))]

    def step(x):
        h[0] = gru("zrn", W.T, U.T, b, np.zeros(15), x, h[0], reset_after=False)
        v = np.where(h[0] > 0, h[0], slopes * h[0]) @ D + d
        return np.where(v > 0, v, np.exp(v) - 1)

    layer = lambda type, activation, n, w: {"type": type, "activation": activation, "shape": [None, None, n], "weights": w}
    model = {"in_shape": [None, None, 2], "layers": [
        layer("gru", "tanh", 5, [W, U, b]), layer("prelu", "", 5, [slopes]), layer("dense", "elu", 3, [D, d])]}
    save("rtneural_gru_reset_before.json", model, 2, step)


def nam(inputs, hidden, layers):
    flat, cells = [], []
    for k in range(layers):
        below = inputs if k == 0 else hidden
        W, b, h, c = weights(4 * hidden, below + hidden), weights(4 * hidden), weights(hidden), weights(hidden)
        flat += [*W.ravel(), *b, *h, *c]
        cells.append([W[:, :below], W[:, below:], b, np.tile(h, (BATCH, 1)), np.tile(c, (BATCH, 1))])
    head, bias = weights(1, hidden), weights(1)
    flat += [*head.ravel(), *bias]

    def step(x):
        for cell in cells:
            W, U, b, h, c = cell
            x, cell[4] = lstm(W, U, b, x, h, c)
            cell[3] = x
        return x @ head.T + bias

    config = {"input_size": inputs, "hidden_size": hidden, "num_layers": layers}
    save("nam_two_layers.nam", {"version": "0.5.4", "metadata": None, "architecture": "LSTM", "config": config,
                                "weights": flat, "sample_rate": 48000}, inputs, step)


guitarml("guitarml_lstm.json", "LSTM", 1, 8, 1, 1, 1, True)
guitarml("guitarml_gru.json", "GRU", 2, 5, 1, 2, 0, True)
guitarml("guitarml_rnn.json", "RNN", 2, 7, 2, 1, 2, False)
rtneural_gru_reset_before()
nam(1, 6, 2)
