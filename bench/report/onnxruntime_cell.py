#!/usr/bin/env python3
"""onnxruntime_cell.py CELL T B I H THREADS: times a layer in ONNX Runtime; needs its Python module only.

The model is written byte by byte (protobuf's wire format and the field numbers of onnx.proto), as the package onnx may
not be there. Inputs and outputs are bound beforehand; what remains of Python costs a call a microsecond or two.
"""
import sys
import time

FLOAT, INT = 1, 2  # TensorProto.DataType, AttributeProto.AttributeType
GATES = {"lstm": 4, "lstm_peephole": 4, "gru": 3, "gru_cho": 3, "rnn": 1}
OPERATORS = {4: "LSTM", 3: "GRU", 1: "RNN"}
SECONDS, FEWEST = 0.3, 5


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number, content):
    """A field with an integer, a string or bytes, a message (bytes)."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    content = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(content)) + content


def tensor(name, array):
    dims = b"".join(field(1, size) for size in array.shape)
    return dims + field(2, FLOAT) + field(8, name) + field(9, array.tobytes())


def value_info(name, shape):
    dims = b"".join(field(1, field(1, size)) for size in shape)
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, dims)))


def attribute(name, value):
    return field(1, name) + field(3, value) + field(20, INT)


def model(cell, steps, batch, inputs, hidden, uniform):
    gates = GATES[cell]
    weights = {"W": (1, gates * hidden, inputs), "R": (1, gates * hidden, hidden), "B": (1, 2 * gates * hidden)}
    operands = ["X", "W", "R", "B", "", "h0"] + (["c0"] if gates == 4 else [])
    if cell == "lstm_peephole":
        weights["P"] = (1, 3 * hidden)
        operands.append("P")
    results = ["Y", "Yh"] + (["Yc"] if gates == 4 else [])
    attributes = [attribute("hidden_size", hidden)] + ([attribute("linear_before_reset", 1)] if cell == "gru" else [])
    node = (b"".join(field(1, name) for name in operands) + b"".join(field(2, name) for name in results) +
            field(4, OPERATORS[gates]) + b"".join(field(5, one) for one in attributes))
    state = (1, batch, hidden)
    graph = field(1, node) + field(2, cell)
    graph += b"".join(field(5, tensor(name, uniform(shape))) for name, shape in weights.items())
    graph += field(11, value_info("X", (steps, batch, inputs)))
    graph += b"".join(field(11, value_info(name, state)) for name in operands if name in ("h0", "c0"))
    graph += field(12, value_info("Y", (steps, 1, batch, hidden)))
    graph += b"".join(field(12, value_info(name, state)) for name in results[1:])
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 14))


def best_us(call):
    for _ in range(3):
        call()
    best, calls, begin = float("inf"), 0, time.perf_counter()
    while calls < FEWEST or time.perf_counter() - begin < SECONDS:
        start = time.perf_counter()
        call()
        best, calls = min(best, time.perf_counter() - start), calls + 1
    return best * 1e6


def main():
    import numpy as np
    import onnxruntime as ort
    cell, (steps, batch, inputs, hidden, threads) = sys.argv[1], map(int, sys.argv[2:7])
    random = np.random.default_rng(1)
    uniform = lambda shape: (random.uniform(-1, 1, shape) / hidden**0.5).astype(np.float32)
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = ort.InferenceSession(model(cell, steps, batch, inputs, hidden, uniform), options,
                                   providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    for one in session.get_inputs():
        binding.bind_ortvalue_input(one.name, ort.OrtValue.ortvalue_from_numpy(uniform(one.shape)))
    for one in session.get_outputs():
        binding.bind_ortvalue_output(one.name, ort.OrtValue.ortvalue_from_numpy(np.empty(one.shape, np.float32)))
    print(f"ort-{ort.__version__} {cell} min {best_us(lambda: session.run_with_iobinding(binding)):.3f} us")


if __name__ == "__main__":
    main()
