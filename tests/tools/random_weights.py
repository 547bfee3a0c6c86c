"""Random weights for a model, in a file of safetensors, for tests that run without NumPy."""
import json
import math
import random
import re
import struct
import subprocess


def parameters_of(rnnc, path):
    """The names and shapes of the weights that a model needs, as rnnc tells them."""
    told = subprocess.run([rnnc, "describe", path], capture_output=True, text=True, check=True).stdout
    part = told[told.index("\nparameters") :]
    return [(name, [int(n) for n in shape.split(",")]) for name, shape in re.findall(r"(\S+) : f32\[([\d,]+)\]", part)]


def weights_of(rnnc, path):
    """The bytes of the file."""
    head, data = {}, b""
    for name, shape in parameters_of(rnnc, path):
        count = math.prod(shape)
        values = struct.pack(f"<{count}f", *(random.uniform(-0.5, 0.5) for _ in range(count)))
        head[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + data
