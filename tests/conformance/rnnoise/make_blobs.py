#!/usr/bin/env python3
"""make_blobs.py RNNOISE DIR: small networks of the shape of RNNoise 0.2, written by RNNoise's own programs from its sources in the folder
RNNOISE: torch/weight-exchange quantises and lays out random weights with blocks left out, src/write_weights.c writes the blob, once
with the floats beside the integers (floats.bin) and once as a release is built, with integers alone (integers.bin). data.safetensors
has x [T,1,F], what src/rnn.c computes of both with exact tanh and sigmoid (`.c`), and NumPy's numbers of the floats that the
integers stand for, in double precision and without rounding of activations (`.y`). Needs a C compiler."""
import pathlib
import subprocess
import sys

import numpy as np

source, folder = (pathlib.Path(p).resolve() for p in sys.argv[1:])
sys.path += [str(source / "torch/weight-exchange"), str(folder.parent / "onnx"), str(pathlib.Path(__file__).parent.parent / "onnx")]
import wexchange.c_export.common as export
from random_graphs import double, save_safetensors, sigmoid
from wexchange.c_export.c_writer import CWriter

MAIN = """
#include <stdio.h>
#include <stdlib.h>
#include "rnn.h"
int main(int argc, char** argv) {
  static char blob[1 << 20];
  FILE* file = fopen(argv[1], "rb");
  int size = fread(blob, 1, sizeof blob, file);
  WeightArray* list;
  RNNoise model;
  static RNNState state;
  float x[CONV1_IN_SIZE], gains[DENSE_OUT_OUT_SIZE], vad[1];
  if (parse_weights(&list, blob, size) < 0 || init_rnnoise(&model, list)) return 1;
  while (fread(x, sizeof(float), CONV1_IN_SIZE, stdin) == CONV1_IN_SIZE) {
    compute_rnn(&model, &state, gains, vad, x, 0);
    fwrite(gains, sizeof(float), DENSE_OUT_OUT_SIZE, stdout);
    fwrite(vad, sizeof(float), 1, stdout);
  }
  return 0;
}
"""
FEATURES, FIRST, UNITS, BANDS, STEPS = 6, 8, 16, 5, 7
random = np.random.default_rng(2)
build = folder / "build"
build.mkdir(parents=True, exist_ok=True)


def weights(*shape):
    return np.float32(random.normal(size=shape) * 0.3)


def pruned(matrix):
    """Blocks of 8 outputs and 4 inputs are left out; the diagonal stays, as where RNNoise trains. matrix is [outputs, inputs]."""
    for o in range(0, matrix.shape[0], 8):
        for i in range(0, matrix.shape[1], 4):
            if random.random() < 0.5:
                block = matrix[o:o + 8, i:i + 4]
                block *= (np.add.outer(np.arange(o, o + 8) % UNITS, -np.arange(i, i + 4)) == 0) * (matrix.shape[1] == UNITS)
    return matrix


names = ["gru1", "gru2", "gru3"]
convolutions = {"conv1": (weights(FIRST, FEATURES, 3), weights(FIRST)), "conv2": (weights(UNITS, FIRST, 3), weights(UNITS))}
grus = {name: (pruned(weights(3 * UNITS, UNITS)), pruned(weights(3 * UNITS, UNITS)), weights(3 * UNITS), weights(3 * UNITS)) for name in names}
dense = {"dense_out": (weights(BANDS, 4 * UNITS), weights(BANDS)), "vad_dense": (weights(1, 4 * UNITS), weights(1))}

writer = CWriter(str(build / "rnnoise_data"), model_struct_name="RNNoise", add_typedef=True)
for name, (W, b) in convolutions.items():
    quantize = name == "conv2"
    export.print_conv1d_layer(writer, name, W.copy(), b.copy(), scale=None if quantize else 1 / 128, quantize=quantize)
for name, parts in grus.items():
    export.print_gru_layer(writer, name, *(part.copy() for part in parts), quantize=True, input_sparse=True, recurrent_sparse=True,
                           scale=None, recurrent_scale=None)
for name, (W, b) in dense.items():
    export.print_dense_layer(writer, name, W.copy(), b.copy())
writer.close()
(build / "main.c").write_text(MAIN)


def compiled(program, sources, *flags):
    sources = [str(source / "src" / s) if (source / "src" / s).exists() else str(build / s) for s in sources]
    subprocess.run(["cc", "-O1", "-w", "-DHIGH_ACCURACY", f"-I{build}", f"-I{source}/src", f"-I{source}/include", *flags, *sources,
                    "-o", str(build / program), "-lm"], check=True)


x = np.float32(random.normal(size=(STEPS, FEATURES)))
arrays = {"x": x[:, None]}
compiled("run", ["main.c", "rnn.c", "nnet.c", "nnet_default.c", "parse_lpcnet_weights.c", "rnnoise_data.c"])
for name, flags in (("floats", []), ("integers", ["-DDISABLE_DEBUG_FLOAT"])):
    compiled("write", ["write_weights.c"], "-DDUMP_BINARY_WEIGHTS", *flags)
    subprocess.run([str(build / "write")], cwd=folder, check=True)
    (folder / "weights_blob.bin").rename(folder / f"{name}.bin")
    out = subprocess.run([str(build / "run"), str(folder / f"{name}.bin")], input=x.tobytes(), stdout=subprocess.PIPE, check=True).stdout
    arrays[f"{name}.c"] = double(np.frombuffer(out, np.float32)).reshape(STEPS, 1, -1)


def as_integers(W, diagonal=False):
    """[outputs, inputs] as RNNoise rounds it, a scale for each output."""
    W = double(W)
    apart = np.zeros_like(W)
    if diagonal:
        apart[np.arange(3 * UNITS), np.arange(3 * UNITS) % UNITS] = W[np.arange(3 * UNITS), np.arange(3 * UNITS) % UNITS]
    scale = export.compute_scaling(np.float32(W).T)  # of the whole matrix, with its diagonal
    q = np.round(np.float32(W - apart).T / (scale + 1e-30)).T
    written = np.float32(scale / 127)
    return q * (double(written) * 127)[:, None] + apart, q


def run(quantise):
    def convolve(name, x):
        W, b = convolutions[name]
        W = double(W.transpose(0, 2, 1).reshape(len(W), -1))
        if quantise and name == "conv2":
            W = as_integers(W)[0]
        past = np.concatenate([np.zeros((2, x.shape[1])), x])
        return np.tanh(np.concatenate([past[:-2], past[1:-1], past[2:]], 1) @ W.T + b)

    below = convolve("conv2", convolve("conv1", double(x)))
    seen = [below]
    for name in names:
        W, U, b, bu = (double(part) for part in grus[name])
        if quantise:
            W, U = as_integers(W)[0], as_integers(U, True)[0]
        h, rows = np.zeros(UNITS), []
        for row in below:
            (r, z, n), (ru, zu, nu) = np.split(W @ row + b, 3), np.split(U @ h + bu, 3)
            z, r = sigmoid(z + zu), sigmoid(r + ru)
            h = z * h + (1 - z) * np.tanh(n + r * nu)
            rows.append(h)
        below = np.array(rows)
        seen.append(below)
    seen = np.concatenate(seen, 1)
    return np.concatenate([sigmoid(seen @ double(W).T + b) for W, b in dense.values()], 1)[:, None]


arrays["floats.y"], arrays["integers.y"] = run(False), run(True)
for gate, order in zip("zrn", (1, 0, 2)):  # the file has z r n, and these weights are as PyTorch has them
    rows = slice(order * UNITS, (order + 1) * UNITS)
    arrays[f"integers.gru1.U{gate}"] = np.float32(as_integers(grus["gru1"][1], True)[1][rows])
    arrays[f"integers.gru1.U{gate}_scale"] = np.float32(export.compute_scaling(grus["gru1"][1].T)[rows])
for name in ("floats", "integers"):
    print(name, np.abs(arrays[f"{name}.c"] - arrays[f"{name}.y"]).max())
save_safetensors(folder / "data.safetensors", arrays)
subprocess.run(["rm", "-r", str(build)], check=True)
