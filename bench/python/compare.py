#!/usr/bin/env python3
"""compare.py [step] [modules] [ragged] [import]: times the Python package beside PyTorch and ONNX Runtime.

Contestants take turns on one thread, and the best time of each counts. The tables are those of docs/python.md.
"""

import subprocess
import sys
import time

import numpy

import rnnc

ROUNDS = 15


def once(call, number):
    begin = time.perf_counter()
    for _ in range(number):
        call()
    return (time.perf_counter() - begin) / number


def best_times(contestants, seconds=0.05):
    """Returns the best time of a call of each contestant, in microseconds.

    A time is that of enough calls for 100 us, and each contestant has `seconds` for them in a turn: the system takes the
    CPU away from a longer time more often.
    """
    numbers = {}
    for name, call in contestants.items():
        call()
        numbers[name] = max(1, int(100e-6 / max(once(call, 3), 1e-9)))
    best = dict.fromkeys(contestants, float("inf"))
    for _ in range(ROUNDS):
        for name, call in contestants.items():
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                best[name] = min(best[name], once(call, numbers[name]))
    return {name: 1e6 * seconds for name, seconds in best.items()}


def try_import(name):
    try:
        return __import__(name)
    except ImportError:
        print(f"({name} is not here)")
        return None


def random_lstm(size):
    random = numpy.random.default_rng(1)
    bound = size**-0.5
    shapes = {"W": (size, size), "U": (size, size), "b": (size,)}
    return {
        letter + gate: random.uniform(-bound, bound, shape).astype(numpy.float32)
        for letter, shape in shapes.items()
        for gate in "ifgo"
    }


def onnx_session(weights, size):
    """Makes a session of ONNX Runtime for one step of an LSTM, whose states are inputs and outputs."""
    onnx, onnxruntime = try_import("onnx"), try_import("onnxruntime")
    if not onnx or not onnxruntime:
        return None
    from onnx import TensorProto, helper, numpy_helper

    def stack(letter):
        return numpy.concatenate([weights[letter + gate] for gate in "iofg"])[None]

    bias = numpy.concatenate([stack("b"), numpy.zeros_like(stack("b"))], axis=1)
    constants = [numpy_helper.from_array(a, n) for n, a in (("W", stack("W")), ("R", stack("U")), ("B", bias))]
    node = helper.make_node("LSTM", ["x", "W", "R", "B", "", "h", "c"], ["y", "h2", "c2"], hidden_size=size)
    f32 = TensorProto.FLOAT
    inputs = [helper.make_tensor_value_info(n, f32, [1, 1, size]) for n in ("x", "h", "c")]
    outputs = [helper.make_tensor_value_info(n, f32, [1, 1, size]) for n in ("h2", "c2")]
    graph = helper.make_graph([node], "step", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def step_table(size=16):
    weights = random_lstm(size)
    program = rnnc.compile("lstm", weights)
    state = program.state()
    x, y = numpy.random.default_rng(2).standard_normal((1, size)).astype(numpy.float32), numpy.empty(
        (1, size), numpy.float32
    )
    contestants = {
        "rnnc, bound()": program.bind(x, y),
        "rnnc, program.step(state, x, y)": lambda step=program.step: step(state, x, y),
        "rnnc, program.step(state, x)": lambda step=program.step: step(state, x),
    }
    session = onnx_session(weights, size)
    if session:
        fed = {
            "x": x[None],
            "h": numpy.zeros((1, 1, size), numpy.float32),
            "c": numpy.zeros((1, 1, size), numpy.float32),
        }

        def run_onnx():
            fed["h"], fed["c"] = session.run(None, fed)

        contestants["ONNX Runtime, session.run"] = run_onnx
    torch = try_import("torch")
    if torch:
        from torch import nn

        torch.set_num_threads(1)
        module, cell = nn.LSTM(size, size).eval(), nn.LSTMCell(size, size).eval()
        mine = from_module(module)
        tensor = torch.from_numpy(x[None].copy())

        def stepper(of, row):
            held = [None]

            def run():
                with torch.inference_mode():
                    result = of(row, held[0])
                    held[0] = result[1] if isinstance(result[1], tuple) else result

            return run

        contestants["nn.LSTM"] = stepper(module, tensor)
        contestants["nn.LSTMCell"] = stepper(cell, tensor[0])
        contestants["rnnc.torch.LSTM"] = stepper(mine, tensor)
        contestants["rnnc.torch.LSTMCell"] = stepper(from_module(cell), tensor[0])
    print(f"\n| a step of an LSTM of {size} units | us |\n|---|---|")
    for name, us in best_times(contestants).items():
        print(f"| {name} | {us:.3f} |")


def from_module(module):
    import rnnc.torch

    return rnnc.torch.from_module(module)


def tensors_of(result):
    return [result] if not isinstance(result, tuple) else [tensor for part in result for tensor in tensors_of(part)]


def modules_table(steps=100):
    torch = try_import("torch")
    if not torch:
        return
    from torch import nn

    torch.set_num_threads(1)
    print(
        f"\nPyTorch {torch.__version__}\n\n| module, I = H | batch | torch.nn, us | rnnc.torch, us "
        "| times | largest difference |\n|---|---|---|---|---|---|"
    )
    for kind in (nn.LSTM, nn.GRU, nn.RNN):
        for batch in (1, 16):
            for size in (64, 128, 256):
                torch.manual_seed(1)
                module = kind(size, size).eval()
                mine = from_module(module)
                x = torch.randn(steps, batch, size)
                with torch.inference_mode():
                    error = max((a - b).abs().max().item() for a, b in zip(tensors_of(module(x)), tensors_of(mine(x))))
                    best = best_times({"torch": lambda: module(x), "rnnc": lambda: mine(x)})
                row = f"{best['torch']:.0f} | {best['rnnc']:.0f} | {best['torch'] / best['rnnc']:.2f} | {error:.1e}"
                print(f"| {kind.__name__.lower()} {size} | {batch} | {row} |", flush=True)


def ragged_table(count=1000, features=40, hidden=32):
    torch = try_import("torch")
    if not torch:
        return
    from torch import nn
    from torch.nn.utils.rnn import pack_sequence

    torch.set_num_threads(1)
    torch.manual_seed(1)
    lengths = torch.randint(20, 121, (count,)).tolist()
    sequences = [torch.randn(length, features) for length in lengths]
    module = nn.LSTM(features, hidden, num_layers=2, bidirectional=True).eval()
    mine = from_module(module)
    program = rnnc.compile(module)
    print(f"\n| {count} utterances of 20 to 120 frames, 2 x bi-LSTM {hidden} | ms | times |\n|---|---|---|")
    with torch.inference_mode():
        for size in (count, 50):
            groups = [sequences[i : i + size] for i in range(0, count, size)]
            packed = [pack_sequence(group, enforce_sorted=False) for group in groups]
            padded = [(nn.utils.rnn.pad_sequence(group), [len(s) for s in group]) for group in groups]
            error = max(
                (a - b).abs().max().item()
                for p in packed
                for a, b in zip(tensors_of((module(p)[0].data,)), tensors_of((mine(p)[0].data,)))
            )
            best = best_times(
                {
                    "nn.LSTM, packed": lambda: [module(p) for p in packed],
                    "rnnc.torch.LSTM, packed": lambda: [mine(p) for p in packed],
                    "rnnc.compile(module), padded with lengths": lambda: [program(x, n) for x, n in padded],
                }
            )
            for name, us in best.items():
                print(
                    f"| {name}, {size} at a time | {us / 1000:.1f} | {best['nn.LSTM, packed'] / us:.2f} |", flush=True
                )
            print(f"largest difference {error:.1e}", file=sys.stderr)


def import_table():
    print("\n| import in a new process | ms |\n|---|---|")
    for name, code in (
        ("rnnc", "import rnnc"),
        ("numpy", "import numpy"),
        ("onnxruntime", "import onnxruntime"),
        ("torch", "import torch"),
    ):
        timed = f"import time; t = time.perf_counter(); {code}; print(time.perf_counter() - t)"
        times = []
        for _ in range(ROUNDS if name != "torch" else 5):
            done = subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                times.append(float(done.stdout))
        print(f"| {name} | {1e3 * min(times):.0f} |" if times else f"| {name} | is not here |")


TABLES = {"step": step_table, "modules": modules_table, "ragged": ragged_table, "import": import_table}

if __name__ == "__main__":
    for table in sys.argv[1:] or TABLES:
        TABLES[table]()
