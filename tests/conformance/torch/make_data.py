#!/usr/bin/python3
"""Writes what torch.nn.LSTM, GRU and RNN compute for small stacks of layers, in one and two directions, with sequences
of different lengths: one safetensors file for each kind beside this script. torch_test.cpp compares. Needs PyTorch 1.13
or newer (Debian: python3-torch); the seeds fix the numbers."""
import json
import pathlib
import struct

import torch

STEPS, BATCH, INPUT, HIDDEN = 6, 4, 3, 5
LENGTHS = torch.tensor([6, 1, 4, 3])
KINDS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}


def save(path, tensors):
    header, data = {}, b""
    for name, tensor in sorted(tensors.items()):
        values = tensor.detach().to(torch.float32).contiguous().numpy().tobytes()
        offsets = [len(data), len(data) + len(values)]
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": offsets}
        data += values
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def case(kind, layers, directions):
    """The weights as torch names them, and x, initial states, outputs and final states; all names begin with the case."""
    torch.manual_seed(100 * layers + directions)
    module = KINDS[kind](INPUT, HIDDEN, layers, bidirectional=directions == 2).double()
    return {f"{layers}x{directions}.{name}": tensor for name, tensor in run(kind, module).items()}


def run(kind, module):
    for parameter in module.parameters():  # f32 values, so that both sides start from the same numbers
        parameter.data = parameter.data.float().double()
    state = (module.num_layers * (2 if module.bidirectional else 1), BATCH, HIDDEN)
    of_h = (*state[:2], module.proj_size or HIDDEN)
    x, h, c = (torch.randn(shape).float().double() for shape in ((STEPS, BATCH, INPUT), of_h, state))
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, LENGTHS, enforce_sorted=False)
    y, final = module(packed, (h, c) if kind == "lstm" else h)
    y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, total_length=STEPS)
    tensors = dict(module.state_dict(), x=x, h=h, y=y, hn=final[0] if kind == "lstm" else final)
    if kind == "lstm":
        tensors.update(c=c, cn=final[1])
    return tensors


def variants():
    """What the stacks above lack, under prefixes as modules within others have."""
    torch.manual_seed(7)
    modules = {
        "encoder.projected.": ("lstm", torch.nn.LSTM(INPUT, HIDDEN, 2, bidirectional=True, proj_size=2)),
        "without_bias.": ("gru", torch.nn.GRU(INPUT, HIDDEN, 2, bias=False)),
        "relu.": ("rnn", torch.nn.RNN(INPUT, HIDDEN, 1, nonlinearity="relu")),
    }
    return {prefix + name: tensor for prefix, (kind, module) in modules.items()
            for name, tensor in run(kind, module.double()).items()}


def main():
    folder = pathlib.Path(__file__).parent
    for kind in KINDS:
        tensors = {}
        for layers in (1, 2, 3):
            for directions in (1, 2):
                tensors.update(case(kind, layers, directions))
        save(folder / f"{kind}.safetensors", tensors)
    save(folder / "variants.safetensors", variants())


if __name__ == "__main__":
    main()
