#!/usr/bin/env python3
"""make_quantized.py FILE: the integers that torch.ao.quantization.quantize_dynamic makes of an LSTM, a GRU and a Linear (PyTorch
2.6), in safetensors with their scales beside them, since it saves them as objects that safetensors does not take. `rows` has a scale
for each row, in the naming of compressed-tensors, `groups` two, and `fc` is as optimum-quanto saves it. `.x` and `.y` are those of the
floats that the integers stand for, in double precision and without rounding of activations."""
import sys

import safetensors.torch
import torch

torch.manual_seed(19)
torch.backends.quantized.engine = "qnnpack"
tensors = {}


def save(prefix, name, integers, scale, zero=None):
    tensors[f"{prefix}.{name}"], tensors[f"{prefix}.{name}_scale"] = integers, scale
    if zero is not None:
        tensors[f"{prefix}.{name}_zero_point"] = zero


def run(prefix, kind, weights, biases, heads=()):
    layer = kind(weights["weight_ih_l0"].shape[1], weights["weight_hh_l0"].shape[1]).double()
    layer.load_state_dict({**weights, **{name: bias.double() for name, bias in biases.items()}})
    x = torch.randn(5, 2, layer.input_size)
    y = layer(x.double())[0]
    for head in heads:
        y = head(y)
    tensors[f"{prefix}.x"], tensors[f"{prefix}.y"] = x, y.detach().contiguous()


def floats(integers, scale, zero):
    return (integers.double() - zero.double()) * scale.double()


def dynamic(prefix, kind):
    layer = torch.nn.Sequential(kind(3, 5))
    made = torch.ao.quantization.quantize_dynamic(layer, {kind}, dtype=torch.qint8)[0]
    weights = {}
    for name, weight in made.get_weight().items():
        saved = weight.int_repr(), torch.tensor(weight.q_scale()), torch.tensor(weight.q_zero_point())
        save(prefix, name, *saved)
        weights[name] = floats(*saved)
    biases = made.get_bias()
    tensors.update({f"{prefix}.{name}": bias.detach() for name, bias in biases.items()})
    run(prefix, kind, weights, biases)


def rows(prefix, groups):
    """Scales [rows, groups], some of them for a zero point that is not 0."""
    layer, weights = torch.nn.GRU(4, 6), {}
    for name in ("weight_ih_l0", "weight_hh_l0"):
        value = getattr(layer, name).detach()
        integers = torch.randint(-127, 128, value.shape, dtype=torch.int8)
        scale = torch.rand(value.shape[0], groups) * 0.004 + 0.0005
        zero = torch.randint(-20, 20, scale.shape, dtype=torch.int8) if groups > 1 else torch.zeros_like(scale, dtype=torch.int8)
        save(prefix, name, integers, scale, zero if groups > 1 else None)
        wide = value.shape[1] // groups
        weights[name] = floats(integers, scale.repeat_interleave(wide, 1), zero.repeat_interleave(wide, 1))
    biases = {name: getattr(layer, name).detach() for name in ("bias_ih_l0", "bias_hh_l0")}
    tensors.update({f"{prefix}.{name}": bias for name, bias in biases.items()})
    head = torch.randint(-127, 128, (2, 6), dtype=torch.int8), torch.rand(2, 1) * 0.01
    if groups == 1:
        tensors.update({"fc.weight._data": head[0], "fc.weight._scale": head[1], "fc.input_scale": torch.ones(()),
                        "fc.output_scale": torch.ones(()), "fc.bias": torch.randn(2)})
        fc = lambda y: y @ (head[0].double() * head[1].double()).T + tensors["fc.bias"].double()
    run(prefix, torch.nn.GRU, weights, biases, [fc] if groups == 1 else [])


dynamic("lstm", torch.nn.LSTM)
dynamic("gru", torch.nn.GRU)
rows("rows", 1)
rows("groups", 2)
safetensors.torch.save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, sys.argv[1])
