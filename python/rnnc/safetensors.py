"""Arrays by name become the bytes of a safetensors file, which rnnc reads."""

from __future__ import annotations

import json
from typing import Mapping

import numpy


def to_bytes(arrays: Mapping[str, numpy.ndarray]) -> bytes:
    header, at = {}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header).encode()
    # The format wants the data on a multiple of 8 bytes, with spaces behind the header.
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(array.tobytes() for array in arrays.values())
