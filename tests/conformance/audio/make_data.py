"""Small models in the formats of GuitarML, RTNeural, AIDA-X, NAM, RNNoise and ICU, and what their equations give in NumPy's double precision.

    python3 tests/conformance/audio/make_data.py

writes NAME.json, NAME.nam or NAME.rnnn, NAME.x.npy and NAME.y.npy beside this file. Independent of rnnc: the equations are those of
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


def save(name, model, inputs, step, x=None):
    x = np.float32(random.normal(size=(STEPS, BATCH, inputs))) if x is None else x
    y = np.float64([step(x_t.astype(np.float64)) for x_t in x])
    (FOLDER / name).write_text(model if isinstance(model, str) else json.dumps(model, default=lambda v: v.tolist()) + "\n")
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


def aidax_convolutions():
    """RTNeural's convolutions over time, dense and depthwise, and batch normalisation, in a file of AIDA-X: gains in dB, the
    first input beside the network, a layer that does not say its activation, an example."""
    K, b = weights(3, 2, 4), weights(4)
    depth, depth_b = weights(2, 1, 4), weights(4)
    gamma, beta, mean = weights(4), weights(4), weights(4)
    epsilon = 2**-10
    variance = np.array([0.25, 1, 4, 0.0625]) - epsilon  # so that the root is exact
    W, U, lb, D, d = weights(4, 20), weights(5, 20), weights(20), weights(5, 1), weights(1)
    in_gain, out_gain = float(np.float32(10 ** (-6 / 20))), float(np.float32(10 ** (3 / 20)))

    def begin(batch):
        past, seen, state = [np.zeros((batch, 2))] * 4, [np.zeros((batch, 4))], [np.zeros((batch, 5))] * 2

        def step(x):
            v = np.concatenate([x[:, :1] * in_gain, x[:, 1:]], axis=1)
            first = v[:, :1]
            past.append(v)  # dilation 2: this step, and those two and four before
            v = np.tanh(sum(past[-5 + 2 * k] @ K[k] for k in range(3)) + b)
            seen.append(v)
            v = seen[-2] * depth[0][0] + seen[-1] * depth[1][0] + depth_b
            v = np.maximum(gamma * (v - mean) / np.sqrt(variance + epsilon) + beta, 0)
            state[:] = lstm(W.T, U.T, lb, v, *state)
            return out_gain * (state[0] @ D + d + first)

        return step

    layer = lambda type, activation, n, w, **more: {"type": type, **({} if activation is None else {"activation": activation}),
                                                    "shape": [None, None, n], "weights": w, **more}
    x = np.round(random.uniform(-1, 1, 20) * 4096) / 4096
    example = begin(1)
    y = [float(example(np.array([[v, 0.0]]))[0, 0]) for v in x]
    model = {"in_shape": [None, None, 2], "layers": [
        layer("conv1d", "tanh", 4, [K, b], kernel_size=[3], dilation=[2], groups=1),
        layer("conv1d", "", 4, [depth, depth_b], kernel_size=[2], dilation=[1], groups=4),
        layer("batchnorm", "relu", 4, [gamma, beta, mean, variance], epsilon=epsilon),
        layer("lstm", None, 5, [W, U, lb]), layer("dense", None, 1, [D, d])],
        "in_skip": 1, "in_gain": -6, "out_gain": 3, "samplerate": "48000", "metadata": {"name": "amp", "gain": 7},
        "input_batch": x, "output_batch": y}
    save("aidax_convolutions.json", model, 2, begin(BATCH))


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


def nam_sequential():
    """Models in a row, the first of two outputs and the second in a container of which the last one is meant."""
    cells, models = [], []
    for inputs, hidden, outputs in ((1, 3, 2), (2, 4, 1)):
        W, b, h, c = weights(4 * hidden, inputs + hidden), weights(4 * hidden), weights(hidden), weights(hidden)
        head, bias = weights(outputs, hidden), weights(outputs)
        cells.append([W[:, :inputs], W[:, inputs:], b, np.tile(h, (BATCH, 1)), np.tile(c, (BATCH, 1)), head, bias])
        config = {"input_size": inputs, "hidden_size": hidden, "num_layers": 1, "in_channels": inputs, "out_channels": outputs}
        models.append({"version": "0.7.0", "architecture": "LSTM", "config": config, "sample_rate": 48000,
                       "weights": [*W.ravel(), *b, *h, *c, *head.ravel(), *bias]})

    def step(x):
        for cell in cells:
            W, U, b, h, c, head, bias = cell
            cell[3], cell[4] = lstm(W, U, b, x, h, c)
            x = cell[3] @ head.T + bias
        return x

    other = {"architecture": "WaveNet", "config": {}, "weights": [0.5]}
    container = {"version": "0.7.0", "architecture": "SlimmableContainer", "weights": [], "config": {
        "submodels": [{"max_value": 0.5, "model": other}, {"max_value": 1.0, "model": models[1]}]}}
    save("nam_sequential.nam", {"version": "0.7.0", "architecture": "Sequential", "weights": [], "metadata": {"gain": 0.3},
                                "config": {"models": [models[0], {"model": container}]}}, 1, step)


def rnnoise():
    """RNNoise's six layers in the text of rnnoise-nu: bytes that stand for 1/256, gates z r h, the reset gate before the
    product; small sizes, and one activation of each kind."""
    act = {0: np.tanh, 1: sigmoid, 2: lambda v: np.maximum(v, 0)}
    lines = ["rnnoise-nu model file version 1"]

    def draw(inputs, units, activation, *shapes):
        arrays = [random.integers(-128, 128, shape) for shape in shapes]
        lines.append(f"{inputs} {units} {activation}")
        lines.extend(" ".join(map(str, a.ravel())) for a in arrays)
        return [a / 256 for a in arrays] + [act[activation]]

    def dense(inputs, units, activation):
        return draw(inputs, units, activation, (inputs, units), units)

    def gates(inputs, units, activation):
        return draw(inputs, units, activation, (inputs, 3 * units), (units, 3 * units), 3 * units)

    def advance(layer, x, h):
        W, U, b, f = layer
        (wz, wr, wn), (uz, ur, un) = np.split(x @ W + b, 3, axis=-1), np.split(U, 3, axis=1)
        z, r = sigmoid(wz + h @ uz), sigmoid(wr + h @ ur)
        return z * h + (1 - z) * f(wn + (r * h) @ un)

    inputs, e, v, n, d, bands = 5, 4, 3, 6, 7, 2
    below = dense(inputs, e, 0)
    layers = [gates(e, v, 0), gates(e + v + inputs, n, 2), gates(v + n + inputs, d, 1)]
    gains, speech = dense(d, bands, 1), dense(v, 1, 2)
    h = [np.zeros((BATCH, size)) for size in (v, n, d)]

    def step(x):
        f = below[2](x @ below[0] + below[1])
        h[0] = advance(layers[0], f, h[0])
        h[1] = advance(layers[1], np.concatenate([f, h[0], x], 1), h[1])
        h[2] = advance(layers[2], np.concatenate([h[0], h[1], x], 1), h[2])
        return np.concatenate([g(v @ W + b) for (W, b, g), v in ((gains, h[2]), (speech, h[0]))], 1)

    save("rnnoise_small.rnnn", "\n".join(lines) + "\n", inputs, step)


def word_segmenter():
    """A word segmenter of unicode-org/lstm_word_segmentation: Keras's matrices, and the numbers of tokens as input."""
    tokens, width, hidden, classes = 6, 3, 4, 4
    shapes = [(tokens + 1, width)] + 2 * [(width, 4 * hidden), (hidden, 4 * hidden), (4 * hidden,)] + [
        (2 * hidden, classes), (classes,)]
    mats = [weights(*shape) for shape in shapes]
    model = {"model": "Small_graphclust", "dic": {chr(0xe01 + i): i for i in range(tokens)},
             **{f"mat{i + 1}": {"v": 1, "dim": list(m.shape), "data": m.ravel()} for i, m in enumerate(mats)}}
    x = random.integers(0, tokens + 1, (STEPS, BATCH, 1)).astype(np.float32)
    rows = mats[0][x[..., 0].astype(int)]

    def scan(rows, W, U, b):
        h, c, ys = np.zeros((BATCH, hidden)), np.zeros((BATCH, hidden)), []
        for row in rows:
            h, c = lstm(W.T, U.T, b, row, h, c)
            ys.append(h)
        return np.array(ys)

    a = np.concatenate([scan(rows, *mats[1:4]), scan(rows[::-1], *mats[4:7])[::-1]], 2) @ mats[7] + mats[8]
    y = np.exp(a) / np.exp(a).sum(2, keepdims=True)
    steps = iter(y)
    save("icu_small.json", model, 1, lambda _: next(steps), x)


guitarml("guitarml_lstm.json", "LSTM", 1, 8, 1, 1, 1, True)
guitarml("guitarml_gru.json", "GRU", 2, 5, 1, 2, 0, True)
guitarml("guitarml_rnn.json", "RNN", 2, 7, 2, 1, 2, False)
rtneural_gru_reset_before()
nam(1, 6, 2)
nam_sequential()
aidax_convolutions()
rnnoise()
word_segmenter()
