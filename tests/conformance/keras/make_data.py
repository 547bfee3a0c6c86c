#!/usr/bin/python3
"""Small models in the files of Keras 2 and 3, and what their equations give in NumPy's double precision.

    python3 tests/conformance/keras/make_data.py

writes NAME.h5 or NAME.keras, NAME.x.npy and NAME.y.npy beside this file (make_graphs.py writes models that are no chain); needs h5py (Debian: python3-h5py). Keras itself is not
needed: the layout of the files, the names in them and the JSON are those that Keras 2.13 and 3.5 write. Weights are multiples of
2^-12, so that f32 holds them exactly.
"""
import io
import json
import pathlib
import zipfile

import h5py
import numpy as np

FOLDER = pathlib.Path(__file__).parent
STEPS, BATCH = 9, 3
random = np.random.default_rng(11)


def F32(value):
    """A number as the language has it."""
    return float(np.float32(value))


def weights(*shape):
    return np.round(random.uniform(-0.7, 0.7, shape) * 4096) / 4096


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def softmax(v):
    e = np.exp(v - v.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def lstm(rows, W, U, b, act=np.tanh, gate=sigmoid):
    """Gates i f c o."""
    h = c = np.zeros((rows.shape[1], U.shape[0]))
    ys = []
    for x in rows:
        i, f, g, o = np.split(x @ W + h @ U + b, 4, axis=-1)
        c = gate(f) * c + gate(i) * act(g)
        h = gate(o) * act(c)
        ys.append(h)
    return np.array(ys)


def gru(rows, W, U, b, act=np.tanh, gate=sigmoid):
    """Gates z r h; two rows of biases where the reset gate stands behind the product."""
    h = np.zeros((rows.shape[1], U.shape[0]))
    ys = []
    for x in rows:
        a = np.split(x @ W + (b[0] if b.ndim == 2 else b), 3, axis=-1)
        u = np.split(U, 3, axis=1)
        bu = np.split(b[1], 3) if b.ndim == 2 else [0, 0, 0]
        z, r = gate(a[0] + h @ u[0] + bu[0]), gate(a[1] + h @ u[1] + bu[1])
        n = act(a[2] + r * (h @ u[2] + bu[2])) if b.ndim == 2 else act(a[2] + (r * h) @ u[2])
        h = z * h + (1 - z) * n
        ys.append(h)
    return np.array(ys)


def backwards(scan, rows, *args, **more):
    return scan(rows[::-1], *args, **more)[::-1]


def save(stem, x, y):
    np.save(FOLDER / f"{stem}.x.npy", x.astype(np.float32))
    np.save(FOLDER / f"{stem}.y.npy", y)


def weights_h5(target, arrays, attributes=()):
    with h5py.File(target, "w") as file:
        for path, array in arrays.items():
            file[path] = array.astype(np.float32) if array.dtype == np.float64 else array
        for name, value in attributes:
            file.attrs[name] = value


def keras3(name, config, arrays):
    data = io.BytesIO()
    weights_h5(data, arrays)
    with zipfile.ZipFile(FOLDER / name, "w") as file:
        stamp = lambda entry: zipfile.ZipInfo(entry, (1980, 1, 1, 0, 0, 0))
        file.writestr(
            stamp("metadata.json"), json.dumps({"keras_version": "3.5.0", "date_saved": "2024-09-01@10:00:00"})
        )
        file.writestr(stamp("config.json"), json.dumps(config))
        file.writestr(stamp("model.weights.h5"), data.getvalue())


def recurrent_config(name, units, **more):
    return {
        "name": name,
        "trainable": True,
        "dtype": "float32",
        "return_sequences": True,
        "return_state": False,
        "go_backwards": False,
        "stateful": False,
        "unroll": False,
        "units": units,
        "activation": "tanh",
        "recurrent_activation": "sigmoid",
        "use_bias": True,
        "kernel_initializer": {"class_name": "GlorotUniform", "config": {}},
        "kernel_regularizer": None,
        "dropout": 0.2,
        "recurrent_dropout": 0.0,
        "implementation": 2,
        **more,
    }


def sequential_2():
    """Keras 2: a bidirectional LSTM whose directions are averaged, a GRU with the reset gate behind the product and the older
    hard_sigmoid, the last step, batch normalisation, a dense layer."""
    I, H, G, O = 3, 4, 5, 2
    f, b = ([weights(I, 4 * H), weights(H, 4 * H), weights(4 * H)] for _ in "fb")
    g = [weights(H, 3 * G), weights(G, 3 * G), weights(2, 3 * G)]
    epsilon = 2**-10
    variance = np.array([0.25, 1, 4, 0.0625, 1]) - epsilon  # so that the root is exact
    bn = [weights(G), weights(G), weights(G), variance]
    d = [weights(G, O), weights(O)]
    x = random.normal(size=(STEPS, BATCH, I)).astype(np.float32).astype(float)
    v = (lstm(x, *f) + backwards(lstm, x, *b)) / 2
    v = gru(v, *g, gate=lambda a: np.clip(F32(0.2) * a + 0.5, 0, 1))[-1]
    v = bn[0] * (v - bn[2]) / np.sqrt(bn[3] + epsilon) + bn[1]
    save("keras2_sequential", x, softmax(v @ d[0] + d[1]))
    layers = [
        {
            "class_name": "InputLayer",
            "config": {
                "batch_input_shape": [None, None, I],
                "dtype": "float32",
                "sparse": False,
                "ragged": False,
                "name": "bidirectional_input",
            },
        },
        {
            "class_name": "Bidirectional",
            "config": {
                "name": "bidirectional",
                "trainable": True,
                "dtype": "float32",
                "batch_input_shape": [None, None, I],
                "layer": {
                    "class_name": "LSTM",
                    "config": recurrent_config("lstm", H, time_major=False, unit_forget_bias=True),
                },
                "merge_mode": "ave",
            },
        },
        {
            "class_name": "Dropout",
            "config": {
                "name": "dropout",
                "trainable": True,
                "dtype": "float32",
                "rate": 0.5,
                "noise_shape": None,
                "seed": None,
            },
        },
        {
            "class_name": "GRU",
            "config": recurrent_config(
                "gru", G, return_sequences=False, reset_after=True, recurrent_activation="hard_sigmoid"
            ),
        },
        {
            "class_name": "BatchNormalization",
            "config": {
                "name": "batch_normalization",
                "axis": [1],
                "momentum": 0.99,
                "epsilon": epsilon,
                "center": True,
                "scale": True,
            },
        },
        {"class_name": "Dense", "config": {"name": "dense", "units": O, "activation": "softmax", "use_bias": True}},
    ]
    config = {"class_name": "Sequential", "config": {"name": "sequential", "layers": layers}}
    names = ["kernel:0", "recurrent_kernel:0", "bias:0"]
    arrays = {}
    for way, found in (("forward", f), ("backward", b)):
        folder = f"model_weights/bidirectional/bidirectional/{way}_lstm/lstm_cell_{'12'[way == 'backward']}/"
        arrays.update({folder + n: a for n, a in zip(names, found)})
    arrays.update({"model_weights/gru/gru/gru_cell/" + n: a for n, a in zip(names, g)})
    arrays.update(
        {
            "model_weights/batch_normalization/batch_normalization/" + n: a
            for n, a in zip(["gamma:0", "beta:0", "moving_mean:0", "moving_variance:0"], bn)
        }
    )
    arrays.update({"model_weights/dense/dense/" + n: a for n, a in zip(["kernel:0", "bias:0"], d)})
    arrays["optimizer_weights/iterations:0"] = np.array(3)
    weights_h5(
        FOLDER / "keras2_sequential.h5",
        arrays,
        [
            ("keras_version", "2.13.1"),
            ("backend", "tensorflow"),
            ("model_config", json.dumps(config)),
            ("training_config", json.dumps({"loss": "mse"})),
        ],
    )


def functional_3():
    """Keras 3: tokens, two layers of one class, other activations, a layer that runs backwards, dense layers step by step."""
    V, D, H, G, O = 7, 3, 4, 5, 3
    table = weights(V, D)
    a, b = [weights(D, 4 * H), weights(H, 4 * H), weights(4 * H)], [
        weights(H, 4 * H),
        weights(H, 4 * H),
        weights(4 * H),
    ]
    t = [weights(H, O), weights(O)]
    g = [weights(O, 3 * G), weights(G, 3 * G), weights(3 * G)]
    ln = [weights(G), weights(G)]
    x = random.integers(0, V, (STEPS, BATCH, 1))
    hard = lambda v: np.clip(v * F32(1 / 6) + 0.5, 0, 1)
    v = lstm(table[x[..., 0]], *a, act=lambda v: np.maximum(v, 0), gate=hard)
    v = lstm(v, *b)
    v = v @ t[0] + t[1]
    v = np.where(v >= 0, v, 0.25 * v)
    v = backwards(gru, v, *g)[0]
    v = (v - v.mean(1, keepdims=True)) / np.sqrt(v.var(1, keepdims=True) + F32(0.001)) * ln[0] + ln[1]
    save("keras3_functional", x, v)
    layers = []

    def layer(kind, config):
        before = layers[-1]["name"] if layers else None
        tensor = {
            "class_name": "__keras_tensor__",
            "config": {"shape": [None, None, 3], "dtype": "float32", "keras_history": [before, 0, 0]},
        }
        nodes = (
            []
            if before is None
            else [{"args": [tensor], "kwargs": {"training": False, "mask": None} if kind == "LSTM" else {}}]
        )
        layers.append(
            {
                "module": "keras.layers",
                "class_name": kind,
                "config": config,
                "registered_name": None,
                "build_config": {"input_shape": [None, None, 3]},
                "name": config["name"],
                "inbound_nodes": nodes,
            }
        )

    dtype = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}
    layer("InputLayer", {"batch_shape": [None, None], "dtype": "int32", "sparse": False, "name": "input_layer"})
    layer(
        "Embedding",
        {
            "name": "embedding",
            "trainable": True,
            "dtype": dtype,
            "input_dim": V,
            "output_dim": D,
            "embeddings_initializer": {"class_name": "RandomUniform"},
            "mask_zero": False,
        },
    )
    layer(
        "LSTM",
        recurrent_config("first", H, activation="relu", recurrent_activation="hard_sigmoid", dtype=dtype, seed=None),
    )
    layer("LSTM", recurrent_config("second", H, dtype=dtype, seed=None))
    inner = {
        "module": "keras.layers",
        "class_name": "Dense",
        "config": {"name": "dense", "units": O, "activation": "linear", "use_bias": True, "lora_rank": None},
    }
    layer("TimeDistributed", {"name": "time_distributed", "trainable": True, "dtype": dtype, "layer": inner})
    layer("LeakyReLU", {"name": "leaky_re_lu", "trainable": True, "dtype": dtype, "negative_slope": 0.25})
    layer(
        "GRU",
        recurrent_config(
            "gru", G, return_sequences=False, go_backwards=True, reset_after=False, dtype=dtype, seed=None
        ),
    )
    layer(
        "LayerNormalization",
        {
            "name": "layer_normalization",
            "axis": -1,
            "epsilon": 0.001,
            "center": True,
            "scale": True,
            "rms_scaling": False,
        },
    )
    config = {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "registered_name": "Functional",
        "config": {
            "name": "functional",
            "trainable": True,
            "layers": layers,
            "input_layers": [["input_layer", 0, 0]],
            "output_layers": [["layer_normalization", 0, 0]],
        },
        "compile_config": {"loss": "mse"},
    }
    arrays = {
        "layers/embedding/vars/0": table,
        "optimizer/vars/0": np.array(3),
        "layers/lstm/cell/seed_generator/vars/0": np.array([0, 1], np.uint32),
    }
    for folder, found in (
        ("lstm/cell", a),
        ("lstm_1/cell", b),
        ("time_distributed/layer", t),
        ("gru/cell", g),
        ("layer_normalization", ln),
    ):
        arrays.update({f"layers/{folder}/vars/{k}": w for k, w in enumerate(found)})
    keras3("keras3_functional.keras", config, arrays)


def sequential_3():
    """Keras 3: the last states of both directions side by side; the newest layout of HDF5's groups."""
    I, H, O = 2, 3, 4
    f, b = ([weights(I, 3 * H), weights(H, 3 * H), weights(2, 3 * H)] for _ in "fb")
    d = [weights(2 * H, O)]
    x = random.normal(size=(STEPS, BATCH, I)).astype(np.float32).astype(float)
    v = np.concatenate([gru(x, *f)[-1], backwards(gru, x, *b)[0]], 1)
    save("keras3_bidirectional", x, np.tanh(v @ d[0]))
    inner = {
        "class_name": "GRU",
        "config": recurrent_config("gru", H, return_sequences=False, reset_after=True, seed=None),
    }
    back = {
        "class_name": "GRU",
        "config": recurrent_config(
            "backward_gru", H, return_sequences=False, reset_after=True, go_backwards=True, seed=None
        ),
    }
    config = {
        "class_name": "Sequential",
        "config": {
            "name": "sequential",
            "trainable": True,
            "dtype": "float32",
            "layers": [
                {"class_name": "InputLayer", "config": {"batch_shape": [None, None, I], "name": "input_layer"}},
                {
                    "class_name": "Bidirectional",
                    "config": {"name": "bidirectional", "layer": inner, "backward_layer": back, "merge_mode": "concat"},
                },
                {
                    "class_name": "Dense",
                    "config": {"name": "dense", "units": O, "activation": "tanh", "use_bias": False},
                },
            ],
            "build_input_shape": [None, None, I],
        },
    }
    arrays = {"layers/dense/vars/0": d[0]}
    for way, found in (("forward", f), ("backward", b)):
        arrays.update({f"layers/bidirectional/{way}_layer/cell/vars/{k}": w for k, w in enumerate(found)})
    data = io.BytesIO()
    with h5py.File(data, "w", libver="latest") as file:
        for path, array in arrays.items():
            file[path] = array.astype(np.float32)
    with zipfile.ZipFile(FOLDER / "keras3_bidirectional.keras", "w", zipfile.ZIP_DEFLATED) as file:
        stamp = lambda entry: zipfile.ZipInfo(entry, (1980, 1, 1, 0, 0, 0))
        file.writestr(stamp("metadata.json"), json.dumps({"keras_version": "3.5.0"}))
        file.writestr(stamp("config.json"), json.dumps(config))
        file.writestr(stamp("model.weights.h5"), data.getvalue())


def alone_3():
    """Keras 3: a file of model.save_weights, of which the caller names the layers bidirectional, gru and dense; others beside."""
    I, H, G, O = 2, 3, 4, 2
    f, b = ([weights(I, 4 * H), weights(H, 4 * H), weights(4 * H)] for _ in "fb")
    g = [weights(2 * H, 3 * G), weights(G, 3 * G), weights(2, 3 * G)]
    d = [weights(G, O), weights(O)]
    x = random.normal(size=(STEPS, BATCH, I)).astype(np.float32).astype(float)
    v = np.concatenate([lstm(x, *f), backwards(lstm, x, *b)], 2)
    save("keras3_alone", x, gru(v, *g) @ d[0] + d[1])
    arrays = {"layers/prelu/vars/0": weights(3)}
    for folder, found in (
        ("bidirectional/forward_layer/cell", f),
        ("bidirectional/backward_layer/cell", b),
        ("gru/cell", g),
        ("dense", d),
        ("gru_1/cell", g[:2]),
    ):
        arrays.update({f"layers/{folder}/vars/{k}": w for k, w in enumerate(found)})
    weights_h5(FOLDER / "keras3_alone.weights.h5", arrays)


if __name__ == "__main__":
    sequential_2()
    functional_3()
    sequential_3()
    alone_3()
