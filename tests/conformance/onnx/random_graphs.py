#!/usr/bin/env python3
"""random_graphs.py --rnnc RNNC [--count N] [--seed S] [--onnxruntime FOLDER]: random ONNX graphs of 3 to 12 nodes around
recurrent nodes, run by rnnc beside a judge: ONNX Runtime, if the folder of npm's onnxruntime-node is given, and else NumPy in
double precision. It says how many were right, wrong and refused, and fails if one is wrong or a tenth is refused.

    random_graphs.py --write DIR --count N     # the graphs with NumPy's numbers, as tests/conformance/onnx/random has them

A graph moves dims, joins and cuts features, multiplies, normalises and reduces, in the order of dims that exporters leave
behind; T and B are numbers in some files and names in others."""
import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SCRIPT = """
const ort = require(process.argv[2]), fs = require("fs"), [model, input, out] = process.argv.slice(3);
const tensor = JSON.parse(fs.readFileSync(input));
(async () => {
  const session = await ort.InferenceSession.create(model, {intraOpNumThreads: 1, logSeverityLevel: 3});
  const result = await session.run({x: new ort.Tensor("float32", Float32Array.from(tensor.data), tensor.dims)});
  fs.writeFileSync(out, JSON.stringify(Array.from(result.y.data, Number)));
})().catch(error => { console.error(String(error)); process.exit(1); });
"""


def double(array):
    return np.asarray(array, np.float64)


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


class Graph:
    """A graph while it grows: the name of the current value, its dims by letters, its array in double precision."""

    def __init__(self, random, batch_first):
        self.batch_first = batch_first  # whether recurrent nodes may have layout 1, which ONNX Runtime 1.30 does not run
        self.random, self.nodes, self.constants, self.count = random, [], {}, 0
        self.T, self.B, self.I = (int(random.integers(2, 7)), int(random.integers(1, 4)), int(random.integers(2, 7)))
        self.layout = random.choice(["TBF", "BTF"])
        self.x = random.normal(size=[{"T": self.T, "B": self.B, "F": self.I}[d] for d in self.layout])
        self.fixed = bool(random.integers(2))
        self.name, self.dims, self.array = "x", self.layout, double(np.float32(self.x))
        self.x = np.float32(self.x)
        self.recurrent = 0

    def fresh(self, wish):
        self.count += 1
        return f"{wish}{self.count}"

    def constant(self, array, dtype=np.float32):
        name = self.fresh("c")
        self.constants[name] = np.asarray(array, dtype)
        return name

    def integers(self, *values):
        return self.constant(values, np.int64)

    def weights(self, *shape):
        return np.float32(self.random.normal(size=shape) * 0.5)

    def add(self, op, inputs, outputs=1, **attributes):
        names = [self.fresh("v") for _ in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=f"n{len(self.nodes)}", **attributes))
        return names[0] if outputs == 1 else names

    def become(self, name, dims, array):
        self.name, self.dims, self.array = name, dims, array

    def at(self, letter):
        return self.dims.index(letter)

    # Operators. Each returns False where the dims do not allow it.
    def transpose(self):
        order = [int(k) for k in self.random.permutation(len(self.dims))]
        self.become(self.add("Transpose", [self.name], perm=order), "".join(self.dims[k] for k in order),
                    self.array.transpose(order))

    def activation(self):
        op, function = [("Tanh", np.tanh), ("Relu", lambda v: np.maximum(v, 0)), ("Sigmoid", sigmoid),
                        ("Neg", np.negative), ("Softplus", lambda v: np.log1p(np.exp(v))),
                        ("Abs", np.abs)][self.random.integers(6)]
        self.become(self.add(op, [self.name]), self.dims, function(self.array))

    def features(self):
        """Moves the features to the last place."""
        if self.dims[-1] == "F":
            return
        order = [k for k in range(len(self.dims)) if self.dims[k] != "F"] + [self.at("F")]
        self.become(self.add("Transpose", [self.name], perm=order), "".join(self.dims[k] for k in order),
                    self.array.transpose(order))

    def matmul(self):
        self.features()
        W = self.weights(self.array.shape[-1], int(self.random.integers(1, 6)))
        self.become(self.add("MatMul", [self.name, self.constant(W)]), self.dims, self.array @ double(W))

    def arithmetic(self):
        at, op = self.at("F"), self.random.choice(["Add", "Mul", "Sub"])
        size = self.array.shape[at] if self.random.integers(3) else 1
        c = self.weights(size, *[1] * (len(self.dims) - 1 - at))
        function = {"Add": np.add, "Mul": np.multiply, "Sub": np.subtract}[op]
        swapped = bool(self.random.integers(2))
        names = [self.constant(c), self.name] if swapped else [self.name, self.constant(c)]
        arrays = [double(c), self.array] if swapped else [self.array, double(c)]
        self.become(self.add(op, names), self.dims, function(*arrays))

    def cut(self):
        at, size = self.at("F"), self.array.shape[self.at("F")]
        if size < 2:
            return False
        step = int(self.random.choice([1, 1, 2, -1]))
        begin = int(self.random.integers(0, size - 1))
        start, end = (begin, 2**40) if step > 0 else (-1, -2**40)
        cut = [slice(None)] * len(self.dims)
        cut[at] = slice(begin, None, step) if step > 0 else slice(None, None, -1)
        inputs = [self.name] + [self.integers(v) for v in (start, end, at, step)]
        self.become(self.add("Slice", inputs), self.dims, self.array[tuple(cut)])
        return True

    def split(self):
        at, size = self.at("F"), self.array.shape[self.at("F")]
        if size < 2:
            return False
        first = int(self.random.integers(1, size))
        a, b = self.add("Split", [self.name, self.integers(first, size - first)], 2, axis=at)
        joined = self.add("Concat", [b, a], axis=at)
        self.become(joined, self.dims, np.roll(self.array, -first, at))
        return True

    def concat(self):
        at = self.at("F")
        other = self.add("Tanh", [self.name])
        self.become(self.add("Concat", [self.name, other], axis=at - len(self.dims)), self.dims,
                    np.concatenate([self.array, np.tanh(self.array)], at))

    def unsqueeze(self):
        if len(self.dims) > 4:
            return False
        at = int(self.random.integers(0, len(self.dims) + 1))
        self.become(self.add("Unsqueeze", [self.name, self.integers(at)]), self.dims[:at] + "1" + self.dims[at:],
                    np.expand_dims(self.array, at))
        return True

    def squeeze(self):
        if "1" not in self.dims:
            return False
        at = self.at("1")
        self.become(self.add("Squeeze", [self.name, self.integers(at)]), self.dims[:at] + self.dims[at + 1:],
                    np.squeeze(self.array, at))
        return True

    def through_rows(self):
        """[T,B,F] to [T*B,F] and back, with a product between, as PyTorch's users write it."""
        self.features()
        if len(self.dims) != 3:
            return False
        W = self.weights(self.array.shape[-1], int(self.random.integers(1, 5)))
        rows = self.add("Reshape", [self.name, self.integers(-1, W.shape[0])])
        product = self.add("Gemm", [rows, self.constant(W)])
        shape = self.add("Shape", [self.name])
        front = self.add("Slice", [shape, self.integers(0), self.integers(2), self.integers(0)])
        wanted = self.add("Concat", [front, self.integers(W.shape[1])], axis=0)
        self.become(self.add("Reshape", [product, wanted]), self.dims, self.array @ double(W))
        return True

    def heads(self):
        """Features to two dims, these turned, and joined again: another order of the features."""
        self.features()
        size = self.array.shape[-1]
        if len(self.dims) != 3 or size % 2 != 0:
            return False
        apart = self.add("Reshape", [self.name, self.integers(0, 0, 2, size // 2)])
        turned = self.add("Transpose", [apart], perm=[0, 1, 3, 2])
        self.become(self.add("Reshape", [turned, self.integers(0, 0, size)]), self.dims,
                    self.array.reshape(*self.array.shape[:2], 2, -1).swapaxes(2, 3).reshape(self.array.shape))
        return True

    def softmax(self):
        at = self.at("F")
        e = np.exp(self.array - self.array.max(at, keepdims=True))
        self.become(self.add("Softmax", [self.name], axis=at), self.dims, e / e.sum(at, keepdims=True))

    def pad(self):
        at = self.at("F")
        pads = [0] * (2 * len(self.dims))
        pads[at], pads[at + len(self.dims)] = 1, 2
        around = [(0, 0)] * len(self.dims)
        around[at] = (1, 2)
        self.become(self.add("Pad", [self.name, self.integers(*pads)]), self.dims, np.pad(self.array, around))

    def convolution(self):
        """Over the time, with zeros around it: [B,F,T]."""
        if "1" in self.dims:
            return False
        order = [self.at(d) for d in "BFT"]
        moved, array = self.add("Transpose", [self.name], perm=order), self.array.transpose(order)
        k, d = int(self.random.choice([1, 2, 3])), int(self.random.choice([1, 2]))
        reach = (k - 1) * d
        before = int(self.random.integers(0, reach + 1))
        W, b = self.weights(int(self.random.integers(1, 5)), array.shape[1], k), None
        b = self.weights(W.shape[0])
        name = self.add("Conv", [moved, self.constant(W), self.constant(b)], dilations=[d], pads=[before, reach - before])
        wide = np.pad(array, [(0, 0), (0, 0), (before, reach - before)])
        T = array.shape[2]
        y = sum(np.einsum("mc,bct->bmt", double(W[:, :, j]), wide[:, :, j * d:j * d + T]) for j in range(k))
        self.become(name, "BFT", y + double(b)[:, None])
        return True

    def recur(self):
        while "1" in self.dims:
            self.squeeze()
        layout = int(self.random.integers(2)) if self.batch_first else 0
        wanted = "BTF" if layout else "TBF"
        if self.dims != wanted:
            order = [self.at(d) for d in wanted]
            self.become(self.add("Transpose", [self.name], perm=order), wanted, self.array.transpose(order))
        kind = self.random.choice(["RNN", "GRU", "LSTM"])
        direction = self.random.choice(["forward", "reverse", "bidirectional"])
        D, G, H, I = (2 if direction == "bidirectional" else 1, {"RNN": 1, "GRU": 3, "LSTM": 4}[kind],
                      int(self.random.integers(1, 5)), self.array.shape[-1])
        W, R, B = self.weights(D, G * H, I), self.weights(D, G * H, H), self.weights(D, 2 * G * H)
        x = self.array.transpose(1, 0, 2) if layout else self.array
        outputs, finals = [], []
        for k in range(D):
            reverse = direction == "reverse" or k == 1
            y, h = step_through(kind, x[::-1] if reverse else x, *(double(w[k]) for w in (W, R, B)))
            outputs.append(y[::-1] if reverse else y)
            finals.append(h)
        names = self.add(kind, [self.name] + [self.constant(w) for w in (W, R, B)], 2, hidden_size=H,
                         direction=direction, layout=layout)
        self.recurrent += 1
        if self.random.integers(6) == 0 and self.recurrent > 1:  # the final state ends the graph
            h = np.stack(finals, 1 if layout else 0)
            self.become(names[1], "BDF" if layout else "DBF", h)
            return True
        y = np.stack(outputs, 1)  # [T, D, B, H]
        name = names[0]
        if layout:  # [B, T, D, H]
            self.become(self.add("Reshape", [name, self.integers(0, 0, -1)]), "BTF",
                        y.transpose(2, 0, 1, 3).reshape(x.shape[1], x.shape[0], -1))
        elif D == 1:
            self.become(self.add("Squeeze", [name, self.integers(1)]), "TBF", y[:, 0])
        else:
            moved = self.add("Transpose", [name], perm=[0, 2, 1, 3])
            self.become(self.add("Reshape", [moved, self.integers(0, 0, -1)]), "TBF",
                        y.transpose(0, 2, 1, 3).reshape(x.shape[0], x.shape[1], -1))
        return True

    def end(self):
        """Sequences leave as [T,B,F], vectors as [B,F]: what rnnc gives."""
        if "D" in self.dims:
            order = [self.at(d) for d in "BDF"]
            self.become(self.add("Transpose", [self.name], perm=order), "BDF", self.array.transpose(order))
            self.array = self.array.reshape(self.array.shape[0], -1)
            return
        while "1" in self.dims:
            self.squeeze()
        choice = self.random.integers(4)
        if choice == 0:
            self.become(self.add("ReduceMean", [self.name], axes=[self.at("T")], keepdims=0),
                        self.dims.replace("T", ""), self.array.mean(self.at("T")))
        elif choice == 1:
            at, index = self.at("T"), self.constant(-1, np.int64)
            self.become(self.add("Gather", [self.name, index], axis=at), self.dims.replace("T", ""),
                        np.take(self.array, -1, at))
        self.array = self.array.transpose([self.dims.index(d) for d in ("TBF" if "T" in self.dims else "BF")])

    def model(self):
        sizes = [{"T": self.T, "B": self.B, "F": self.I}[d] if self.fixed or d == "F" else d for d in self.layout]
        nodes = self.nodes + [helper.make_node("Identity", [self.name], ["y"])]
        graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, sizes)],
                                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
                                  [numpy_helper.from_array(v, k) for k, v in self.constants.items()])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)


def step_through(kind, x, W, R, B):
    """The equations of ONNX's operator pages; gates z r n, and i o f c."""
    H = R.shape[1]
    h = c = np.zeros((x.shape[1], H))
    own, recurrent = np.split(B, 2)
    y = []
    for row in x:
        a, u = row @ W.T + own, h @ R.T + recurrent
        if kind == "RNN":
            h = np.tanh(a + u)
        elif kind == "GRU":
            z, r = sigmoid(a[:, :H] + u[:, :H]), sigmoid(a[:, H:2 * H] + u[:, H:2 * H])
            n = np.tanh(a[:, 2 * H:] + (r * h) @ R[2 * H:].T + recurrent[2 * H:])
            h = (1 - z) * n + z * h
        else:
            i, o, f, g = np.split(a + u, 4, 1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        y.append(h)
    return np.array(y), h


def make(seed, batch_first=True):
    graph = Graph(np.random.default_rng(seed), batch_first)
    random = graph.random
    operators = [graph.transpose, graph.activation, graph.matmul, graph.arithmetic, graph.cut, graph.split, graph.concat,
                 graph.unsqueeze, graph.squeeze, graph.through_rows, graph.heads, graph.softmax, graph.pad,
                 graph.convolution]
    wanted = int(random.integers(3, 13))
    while len(graph.nodes) < wanted and "D" not in graph.dims:
        if random.integers(4) == 0:
            graph.recur()
        else:
            operators[random.integers(len(operators))]()
    if graph.recurrent == 0:
        graph.recur()
    graph.end()
    return graph


def time_first(graph):
    return np.ascontiguousarray(graph.x if graph.layout == "TBF" else graph.x.transpose(1, 0, 2))


def by_onnxruntime(graph, module, folder):
    (folder / "run.js").write_text(SCRIPT)
    (folder / "in.json").write_text(json.dumps({"data": graph.x.ravel().tolist(), "dims": list(graph.x.shape)}))
    command = ["node", folder / "run.js", module, folder / "m.onnx", folder / "in.json", folder / "out.json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"ONNX Runtime: {done.stderr}")
    y = np.array(json.loads((folder / "out.json").read_text()))
    dims = graph.dims if "D" not in graph.dims else "BF"
    shape = {d: n for d, n in zip("TBF" if "T" in graph.dims else "BF", graph.array.shape)}
    y = y.reshape([shape[d] for d in dims])
    return y.transpose([dims.index(d) for d in ("TBF" if "T" in dims else "BF")])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rnnc")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--onnxruntime")
    parser.add_argument("--write", type=pathlib.Path)
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.count)
    if options.write:
        arrays = {}
        for seed in seeds:
            graph = make(seed)
            onnx.save(graph.model(), options.write / f"g{seed}.onnx")
            arrays[f"g{seed}.x"], arrays[f"g{seed}.y"] = time_first(graph), np.ascontiguousarray(graph.array)
        save_safetensors(options.write / "data.safetensors", arrays)
        return
    counts, refusals = collections.Counter(), collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for seed in seeds:
            graph = make(seed, not options.onnxruntime)
            onnx.save(graph.model(), folder / "m.onnx")
            np.save(folder / "x.npy", time_first(graph))
            want = by_onnxruntime(graph, options.onnxruntime, folder) if options.onnxruntime else graph.array
            command = [os.path.abspath(options.rnnc), "run", "m.onnx", "--input", "x.npy", "--output", "y.npy"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            if done.returncode != 0:
                counts["refused"] += 1
                refusals[done.stderr.splitlines()[0]] += 1
                continue
            y = np.load(folder / "y.npy")
            error = np.abs(y.reshape(want.shape) - want).max() if y.size == want.size else np.inf
            right = error <= 1e-5 * max(1, np.abs(want).max())
            counts["right" if right else "wrong"] += 1
            if not right:
                print(f"seed {seed}: largest error {error:.1e}")
    print(", ".join(f"{counts[k]} {k}" for k in ("right", "wrong", "refused")))
    for text, count in refusals.most_common():
        print(f"  {count} {text}")
    sys.exit(1 if counts["wrong"] or counts["refused"] * 10 > options.count else 0)


def save_safetensors(path, arrays):
    header, offset, blob = {}, 0, b""
    for name, array in sorted(arrays.items()):
        data = array.tobytes()
        kind = {"float32": "F32", "float64": "F64"}[str(array.dtype)]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [offset, offset + len(data)]}
        offset, blob = offset + len(data), blob + data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + blob)


if __name__ == "__main__":
    main()
