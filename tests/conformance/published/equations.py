"""What models of GuitarML, RTNeural, RNNoise and ICU compute by the equations of torch.nn, Keras, RNNoise's rnn.c and Keras, from
their files alone: run(path, x) gives y [T,B,O] and the final states by the names that rnnc gives them, all in the type of x."""
import json

import numpy as np


def sigmoid(v):
    return 0.5 * (1 + np.tanh(v / 2))


def relu(v):
    return np.maximum(v, 0)


def lstm(x, W, U, b):
    """Gates i f g o side by side, W [I,4H]; gives the outputs of all steps and the last states."""
    h = c = np.zeros((x.shape[1], U.shape[0]), x.dtype)
    y = []
    for row in x:
        i, f, g, o = np.split(row @ W + h @ U + b, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        y.append(h)
    return np.array(y), h, c


def gru(x, W, U, b, reset_after=True, activation=np.tanh):
    """Gates z r n side by side; Keras has biases [2,3H] where the reset gate stands behind the product, and else one row."""
    h, y = np.zeros((x.shape[1], U.shape[0]), x.dtype), []
    own, recurrent = b if reset_after else (b, np.zeros_like(b))
    (uz, ur, un), (bz, br, bn) = np.split(U, 3, axis=1), np.split(recurrent, 3)
    for row in x:
        z, r, n = np.split(row @ W + own, 3, axis=-1)
        z, r = sigmoid(z + h @ uz + bz), sigmoid(r + h @ ur + br)
        n = activation(n + r * (h @ un + bn) if reset_after else n + (r * h) @ un)
        h = z * h + (1 - z) * n
        y.append(h)
    return np.array(y)


def guitarml(model, x):
    """An LSTM of one layer behind which a linear layer and, with `skip`, the first inputs stand."""
    data = model["model_data"]
    if data["unit_type"] != "LSTM" or data["num_layers"] != 1 or not data["bias_fl"]:
        raise SystemExit(f"equations.py does not know {data}")
    weights = {name: np.array(value, x.dtype) for name, value in model["state_dict"].items()}
    bias = weights["rec.bias_ih_l0"] + weights["rec.bias_hh_l0"]
    y, h, c = lstm(x, weights["rec.weight_ih_l0"].T, weights["rec.weight_hh_l0"].T, bias)
    return y @ weights["lin.weight"].T + weights["lin.bias"] + x[..., : data["skip"]].sum(-1, keepdims=True), {
        "h": h,
        "c": c,
    }


def rtneural(model, x):
    states = {}
    for layer in model["layers"]:
        weights = [np.array(each, x.dtype) for each in layer["weights"]]
        if layer.get("activation"):
            raise SystemExit(f"equations.py does not know the activation {layer['activation']} of a layer")
        if layer["type"] == "lstm":
            x, states["h"], states["c"] = lstm(x, *weights)
        elif layer["type"] == "gru":
            x = gru(x, *weights)
            states["h"] = x[-1]
        elif layer["type"] == "dense":
            x = x @ weights[0] + weights[1]
        else:
            raise SystemExit(f"equations.py does not know a layer {layer['type']}")
    return x, states


def rnnoise(text, x):
    """Lines of bytes that stand for 1/256, behind a line for each layer of its sizes and its activation."""
    lines = iter(text.splitlines()[1:])
    activations = np.tanh, sigmoid, relu

    def layer(rows):
        inputs, units, activation = map(int, next(lines).split())
        gates = 3 if rows == 3 else 1
        shapes = [(inputs, gates * units), (units, gates * units)][: rows - 1] + [(gates * units,)]
        return [np.array(next(lines).split(), x.dtype).reshape(shape) / 256 for shape in shapes], activations[
            activation
        ]

    def dense(v, weights, activation):
        return activation(v @ weights[0] + weights[1])

    def recurrent(v, weights, activation):
        return gru(v, *weights, reset_after=False, activation=activation)

    below = dense(x, *layer(2))
    vad = recurrent(below, *layer(3))
    noise = recurrent(np.concatenate([below, vad, x], -1), *layer(3))
    denoise = recurrent(np.concatenate([vad, noise, x], -1), *layer(3))
    y = np.concatenate([dense(denoise, *layer(2)), dense(vad, *layer(2))], -1)
    return y, {"vad_gru": vad[-1], "noise_gru": noise[-1], "denoise_gru": denoise[-1]}


def icu(model, x):
    """Rows of tokens, an LSTM in both directions, and the probabilities of four classes; the state that it ends in is no one's business."""
    mats = [np.array(model[f"mat{k}"]["data"], x.dtype).reshape(model[f"mat{k}"]["dim"]) for k in range(1, 10)]
    rows = mats[0][x[..., 0].astype(int)]
    forth, back = lstm(rows, *mats[1:4])[0], lstm(rows[::-1], *mats[4:7])[0][::-1]
    a = np.concatenate([forth, back], -1) @ mats[7] + mats[8]
    e = np.exp(a - a.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True), {}


def run(path, x):
    text = path.read_text()
    if path.suffix == ".rnnn":
        return rnnoise(text, x)
    model = json.loads(text)
    return (guitarml if "model_data" in model else icu if "mat1" in model else rtneural)(model, x)
