#!/usr/bin/python3
"""Writes what the equations of the papers give for every standard cell, computed in NumPy in double precision:
cells.safetensors beside this script. cells_test.cpp compares. The text of our cells is not read; only the names of
parameters and states are ours. Needs NumPy (Debian: python3-numpy). The seed of a cell is that of its name, so that a new
one changes no other's numbers."""
import json
import pathlib
import struct
import types
import zlib

import numpy as np

STEPS, BATCH = 6, 3
DIMS = {"I": 5, "H": 7, "P": 4, "K": 3}
HEADS = 4  # of sLSTM, of K units each
DIMS.update({"G": 4 * DIMS["H"], "R": 3 * DIMS["H"], "N": HEADS * DIMS["K"]})  # stacked gates and heads
# Scalars, small enough for clips to clip.
SCALARS = {"cell_clip": 0.5, "proj_clip": 0.25, "pc": 0.3, "ph": 0.2, "p": 0.15, "zeta": 0.7, "nu": 0.05, "beta": 1.0}

CELLS = {}


def cell(states, params, inputs="I"):
    """Registers a function (w, x, *states) -> (y, *new states) of rows, one for each sequence. `states` and `params` are
    words like "h:H" or "Wi,Wf:HI": names, and the dims of each."""

    def register(step):
        CELLS[step.__name__] = (step, declared(states), declared(params), inputs)
        return step

    return register


def declared(words):
    pairs = (word.split(":") for word in words.split())
    return [(name, [DIMS[dim] for dim in dims]) for names, dims in pairs for name in names.split(",")]


def gates(names, hidden="H"):
    """W, U and b for each of the gates."""
    return " ".join(",".join(letter + gate for gate in names) + ":" + shape
                    for letter, shape in (("W", "HI"), ("U", "H" + hidden), ("b", "H")))


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def relu(v):
    return np.where(v > 0, v, 0)


def affine(w, gate, x, h):
    """W x + U h + b"""
    return x @ getattr(w, "W" + gate).T + h @ getattr(w, "U" + gate).T + getattr(w, "b" + gate)


def standardised(v, epsilon):
    mean = np.mean(v, axis=1, keepdims=True)
    variance = np.mean((v - mean) ** 2, axis=1, keepdims=True)
    return (v - mean) / np.sqrt(variance + np.float64(np.float32(epsilon)))  # a number of the language is f32


def quarters(v):
    return np.split(v, 4, axis=1)


# --- simple recurrent networks


@cell("h:H", gates([""]))
def rnn(w, x, h):
    h = np.tanh(affine(w, "", x, h))
    return h, h


@cell("h:H", gates([""]))
def rnn_relu(w, x, h):
    h = relu(affine(w, "", x, h))
    return h, h


@cell("h:H", gates([""]))
def rnn_sigmoid(w, x, h):
    h = sigmoid(affine(w, "", x, h))
    return h, h


@cell("h:H", "W:HI u,b:H")
def indrnn(w, x, h):  # Li et al. 2018 (2)
    h = relu(x @ w.W.T + w.u * h + w.b)
    return h, h


# --- LSTM


def memory(w, x, h, c):
    """The gates of an LSTM without peepholes, and the new c (Gers et al. 2000)."""
    i, f, o = (sigmoid(affine(w, gate, x, h)) for gate in "ifo")
    return o, f * c + i * np.tanh(affine(w, "g", x, h))


@cell("h:H c:H", gates("ifgo"))
def lstm(w, x, h, c):
    o, c = memory(w, x, h, c)
    h = o * np.tanh(c)
    return h, h, c


@cell("h:H c:H", gates("ifgo") + " Pi,Pf,Po:H")
def lstm_peephole(w, x, h, c):  # Gers et al. 2002
    i = sigmoid(affine(w, "i", x, h) + w.Pi * c)
    f = sigmoid(affine(w, "f", x, h) + w.Pf * c)
    c = f * c + i * np.tanh(affine(w, "g", x, h))
    h = sigmoid(affine(w, "o", x, h) + w.Po * c) * np.tanh(c)
    return h, h, c


@cell("h:P c:H", gates("ifgo", "P") + " R:PH")
def lstm_projection(w, x, h, c):  # Sak et al. 2014
    o, c = memory(w, x, h, c)
    h = (o * np.tanh(c)) @ w.R.T
    return h, h, c


@cell("h:P c:H", gates("ifgo", "P") + " R:PH br:P cell_clip,proj_clip:")
def lstm_projection_clip(w, x, h, c):  # TensorFlow Lite
    o, c = memory(w, x, h, c)
    c = np.minimum(np.maximum(c, -w.cell_clip), w.cell_clip)
    h = (o * np.tanh(c)) @ w.R.T + w.br
    h = np.minimum(np.maximum(h, -w.proj_clip), w.proj_clip)
    return h, h, c


@cell("h:H c:H", gates("fgo"))
def lstm_cifg(w, x, h, c):  # TensorFlow Lite
    f = sigmoid(affine(w, "f", x, h))
    i = 1 - f
    c = f * c + i * np.tanh(affine(w, "g", x, h))
    h = sigmoid(affine(w, "o", x, h)) * np.tanh(c)
    return h, h, c


@cell("h:H c:H", gates("igo"))
def lstm_cifg_swapped(w, x, h, c):  # Greff et al. 2017, ONNX
    i = sigmoid(affine(w, "i", x, h))
    f = 1 - i
    c = f * c + i * np.tanh(affine(w, "g", x, h))
    h = sigmoid(affine(w, "o", x, h)) * np.tanh(c)
    return h, h, c


@cell("h:H c:H", "W:GI U:GH gamma_w,bw,gamma_u,bu:G gamma_c,bc:H")
def lstm_layer_norm(w, x, h, c):  # PyTorch, custom_lstms.py
    igates = standardised(x @ w.W.T, 1e-5) * w.gamma_w + w.bw
    hgates = standardised(h @ w.U.T, 1e-5) * w.gamma_u + w.bu
    i, f, g, o = quarters(igates + hgates)
    c = standardised(sigmoid(f) * c + sigmoid(i) * np.tanh(g), 1e-5) * w.gamma_c + w.bc
    h = sigmoid(o) * np.tanh(c)
    return h, h, c


@cell("h:H c:H", "W:GI U:GH gamma_w,gamma_u,b:G gamma_h,beta_h:H")
def lstm_layer_norm_haste(w, x, h, c):  # Ba et al. 2016 (20) to (22), Haste
    i, g, f, o = quarters(w.gamma_w * standardised(x @ w.W.T, 1e-5) + w.gamma_u * standardised(h @ w.U.T, 1e-5) + w.b)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(w.gamma_h * standardised(c, 1e-5) + w.beta_h)
    return h, h, c


@cell("h:H c:H", gates("ifgo") + " Pi,Pf,Po,gamma_i,gamma_f,gamma_g,gamma_o:H")
def lstm_layer_norm_tflite(w, x, h, c):
    i = sigmoid(w.gamma_i * standardised(x @ w.Wi.T + h @ w.Ui.T + w.Pi * c, 1e-8) + w.bi)
    f = sigmoid(w.gamma_f * standardised(x @ w.Wf.T + h @ w.Uf.T + w.Pf * c, 1e-8) + w.bf)
    g = np.tanh(w.gamma_g * standardised(x @ w.Wg.T + h @ w.Ug.T, 1e-8) + w.bg)
    c = f * c + i * g
    o = sigmoid(w.gamma_o * standardised(x @ w.Wo.T + h @ w.Uo.T + w.Po * c, 1e-8) + w.bo)
    h = o * np.tanh(c)
    return h, h, c


@cell("h:H c:H", gates("ifgo") + " pc,ph:")
def lstm_zoneout(w, x, h, c):  # Krueger et al. 2017 (6)
    o, new_c = memory(w, x, h, c)
    new_h = o * np.tanh(new_c)
    h = w.ph * h + (1 - w.ph) * new_h
    return h, h, w.pc * c + (1 - w.pc) * new_c


@cell("h:N c:N n:N m:N", "Wz,Wi,Wf,Wo:NI Uz,Ui,Uf,Uo:NK bz,bi,bf,bo:N")
def slstm(w, x, h, c, n, m):  # Beck et al. 2024 (8) to (17); the bound of n is FlashRNN's, the first step that of xlstm
    def gate(name):
        u, size = getattr(w, "U" + name), DIMS["K"]
        blocks = np.zeros((HEADS * size, HEADS * size))
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            blocks[part, part] = u[part]
        return x @ getattr(w, "W" + name).T + h @ blocks.T + getattr(w, "b" + name)

    kept = np.log(sigmoid(gate("f"))) + m
    m = np.where(n == 0, gate("i"), np.maximum(kept, gate("i")))
    i, f = np.exp(gate("i") - m), np.exp(kept - m)
    c, n = f * c + i * np.tanh(gate("z")), np.maximum(f * n + i, 1)
    h = sigmoid(gate("o")) * (c / n)
    return h, h, c, n, m


# --- GRU


def candidate_before(w, x, h):
    """Cho et al. 2014 (8): the reset gate before the product."""
    return np.tanh(x @ w.Wn.T + (sigmoid(affine(w, "r", x, h)) * h) @ w.Un.T + w.bn)


def candidate_after(w, x, h):
    """torch.nn.GRU: behind it."""
    return np.tanh(x @ w.Wn.T + w.bn + sigmoid(affine(w, "r", x, h)) * (h @ w.Un.T + w.bun))


@cell("h:H", gates("rzn"))
def gru_cho(w, x, h):  # Cho et al. 2014 (7)
    z = sigmoid(affine(w, "z", x, h))
    h = z * h + (1 - z) * candidate_before(w, x, h)
    return h, h


@cell("h:H", gates("rzn"))
def gru_cho_swapped(w, x, h):  # Chung et al. 2014
    z = sigmoid(affine(w, "z", x, h))
    h = (1 - z) * h + z * candidate_before(w, x, h)
    return h, h


@cell("h:H", gates("rzn") + " bun:H")
def gru(w, x, h):
    z = sigmoid(affine(w, "z", x, h))
    h = (1 - z) * candidate_after(w, x, h) + z * h
    return h, h


@cell("h:H", gates("rzn") + " bun:H")
def gru_swapped(w, x, h):
    z = sigmoid(affine(w, "z", x, h))
    h = (1 - z) * h + z * candidate_after(w, x, h)
    return h, h


@cell("h:H", gates("rzn"), inputs="Ia")
def augru(w, xa, h):  # oneDNN, vanilla_augru
    x, a = xa[:, :-1], xa[:, -1:]
    u = (1 - a) * sigmoid(affine(w, "z", x, h))
    h = u * h + (1 - u) * candidate_before(w, x, h)
    return h, h


@cell("h:H", gates("rzn") + " bun:H", inputs="Ia")
def augru_lbr(w, xa, h):  # oneDNN, lbr_augru
    x, a = xa[:, :-1], xa[:, -1:]
    u = (1 - a) * sigmoid(affine(w, "z", x, h))
    h = u * h + (1 - u) * candidate_after(w, x, h)
    return h, h


@cell("h:H", "W:RI U:RH gamma_w,bw,gamma_u,bu:R")
def gru_layer_norm(w, x, h):  # Haste
    vx = np.split(standardised(x @ w.W.T, 1e-5) * w.gamma_w + w.bw, 3, axis=1)
    vh = np.split(standardised(h @ w.U.T, 1e-5) * w.gamma_u + w.bu, 3, axis=1)
    z, r = sigmoid(vx[0] + vh[0]), sigmoid(vx[1] + vh[1])
    h = z * h + (1 - z) * np.tanh(vx[2] + r * vh[2])
    return h, h


@cell("h:H", gates("rzn") + " bun:H p:")
def gru_zoneout(w, x, h):  # Krueger et al. 2017
    z = sigmoid(affine(w, "z", x, h))
    new = (1 - z) * candidate_after(w, x, h) + z * h
    h = w.p * h + (1 - w.p) * new
    return h, h


@cell("h:H", gates("rzn") + " dr,dz,dn,bun:H")
def gru_rnnoise(w, x, h):  # RNNoise, nnet.c: a diagonal is a matrix too
    for gate in "rzn":
        setattr(w, "U" + gate, getattr(w, "U" + gate) + np.diag(getattr(w, "d" + gate)))
    z = sigmoid(affine(w, "z", x, h))
    h = z * h + (1 - z) * candidate_after(w, x, h)
    return h, h


@cell("h:H", gates("zn"))
def ligru(w, x, h):  # Ravanelli et al. 2018
    z = sigmoid(affine(w, "z", x, h))
    h = z * h + (1 - z) * relu(affine(w, "n", x, h))
    return h, h


@cell("h:H", gates("fn"))
def mgu(w, x, h):  # Zhou et al. 2016
    f = sigmoid(affine(w, "f", x, h))
    h = (1 - f) * h + f * np.tanh(affine(w, "n", x, f * h))
    return h, h


@cell("h:H", gates("fg") + " beta:")
def janet(w, x, h):  # van der Westhuizen & Lasenby 2018
    s = affine(w, "f", x, h)
    h = sigmoid(s) * h + (1 - sigmoid(s - w.beta)) * np.tanh(affine(w, "g", x, h))
    return h, h


@cell("h:H", gates("zn"))
def ugrnn(w, x, h):  # Collins et al. 2017
    g = sigmoid(affine(w, "z", x, h))
    h = g * h + (1 - g) * np.tanh(affine(w, "n", x, h))
    return h, h


@cell("h:H", "W:HI U:HH bz,bh:H zeta,nu:")
def fastgrnn(w, x, h):  # Kusupati et al. 2018
    z = sigmoid(x @ w.W.T + h @ w.U.T + w.bz)
    new = np.tanh(x @ w.W.T + h @ w.U.T + w.bh)
    h = (w.zeta * (1 - z) + w.nu) * new + z * h
    return h, h


# --- products of the input only


@cell("c:H", "W,Wf,Wr:HH vf,vr,bf,br:H", inputs="H")
def sru(w, x, c):  # Lei et al. 2018 (1) to (4)
    f = sigmoid(x @ w.Wf.T + w.vf * c + w.bf)
    r = sigmoid(x @ w.Wr.T + w.vr * c + w.br)
    c = f * c + (1 - f) * (x @ w.W.T)
    return r * c + (1 - r) * x, c


@cell("c:H vz:H vf:H vo:H", "Vz,Vf,Vo:HI Wz,Wf,Wo:HI bz,bf,bo:H")
def qrnn(w, x, c, vz, vf, vo):  # Bradbury et al. 2017 (3) and (4); v is V times the input before
    z = np.tanh(vz + x @ w.Wz.T + w.bz)
    f = sigmoid(vf + x @ w.Wf.T + w.bf)
    o = sigmoid(vo + x @ w.Wo.T + w.bo)
    c = f * c + (1 - f) * z
    return o * c, c, x @ w.Vz.T, x @ w.Vf.T, x @ w.Vo.T


@cell("h:H", "Wz,Wh:HI bz,bh:H")
def mingru(w, x, h):  # Feng et al. 2024, 3.1
    z = sigmoid(x @ w.Wz.T + w.bz)
    h = (1 - z) * h + z * (x @ w.Wh.T + w.bh)
    return h, h


@cell("h:H", "Wf,Wi,Wh:HI bf,bi,bh:H")
def minlstm(w, x, h):  # Feng et al. 2024, 3.2
    f, i = sigmoid(x @ w.Wf.T + w.bf), sigmoid(x @ w.Wi.T + w.bi)
    h = f / (f + i) * h + i / (f + i) * (x @ w.Wh.T + w.bh)
    return h, h


# --- data


def draw_params(random, params):
    found = {}
    for name, shape in params:
        low, high = (0.5, 1.5) if name.startswith("gamma") else (-0.8, 0.8)
        found[name] = random.uniform(low, high, shape) if shape else np.array(SCALARS[name])
    return {name: value.astype(np.float32) for name, value in found.items()}


def draw_inputs(random, inputs):
    """The inputs of a step side by side; `a` is one attention score in [0, 1]."""
    parts = [random.uniform(0, 1, (STEPS, BATCH, 1)) if name == "a" else
             random.uniform(-1, 1, (STEPS, BATCH, DIMS[name])) for name in inputs]
    return np.concatenate(parts, axis=2).astype(np.float32)


def draw_states(random, states):
    found = {name: random.uniform(-1, 1, (BATCH, *shape)).astype(np.float32) for name, shape in states}
    if "n" in found:  # a sum of positive numbers
        found["n"] = np.abs(found["n"])
    for value in found.values():  # the first sequence starts as a new one does
        value[0] = 0
    return found


def case(name):
    """Parameters, inputs and initial states in single precision; outputs and final states in double."""
    step, states, params, inputs = CELLS[name]
    random = np.random.RandomState(zlib.crc32(name.encode()))
    weights, x = draw_params(random, params), draw_inputs(random, inputs)
    before = draw_states(random, states)
    values = [value.astype(np.float64) for value in before.values()]
    rows = []
    for t in range(STEPS):
        w = types.SimpleNamespace(**{key: value.astype(np.float64) for key, value in weights.items()})
        y, *values = step(w, x[t].astype(np.float64), *values)
        rows.append(y)
    tensors = {**weights, "x": x, "y": np.stack(rows)}
    for (state, _), first, last in zip(states, before.values(), values):
        tensors.update({state + ".before": first, state + ".after": last})
    return {name + "." + key: value for key, value in tensors.items()}


def save(path, tensors):
    header, data = {}, b""
    for name, tensor in sorted(tensors.items(), key=lambda item: (-item[1].itemsize, item[0])):
        values = np.ascontiguousarray(tensor).tobytes()
        kind = {np.dtype(np.float32): "F32", np.dtype(np.float64): "F64"}[tensor.dtype]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    tensors = {}
    for name in sorted(CELLS):
        tensors.update(case(name))
    save(pathlib.Path(__file__).parent / "cells.safetensors", tensors)


if __name__ == "__main__":
    main()
