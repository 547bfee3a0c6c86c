"""The layers of torch.nn as text of rnnc's language, with the parameters that torch.nn has: gates stacked in one matrix, and
two biases. A state_dict, which a program is made of, becomes other text: its importer takes matrices apart and adds the
biases up."""

from __future__ import annotations

import re
from typing import Sequence

# The gates of each kind, and the lines of its step, in which "{b}" and "{c}" stand for the two biases.
_STEPS = {
    "RNN_TANH": (1, "  h' = tanh(weight_ih @ x{b} + weight_hh @ h{c})\n"),
    "RNN_RELU": (1, "  h' = relu(weight_ih @ x{b} + weight_hh @ h{c})\n"),
    "LSTM": (
        4,
        "  a = weight_ih @ x{b} + weight_hh @ h{c}\n"
        "  c' = sigmoid(a[H:2*H]) * c + sigmoid(a[0:H]) * tanh(a[2*H:3*H])\n"
        "  h' = {project}(sigmoid(a[3*H:4*H]) * tanh(c'))\n",
    ),
    "GRU": (
        3,
        "  a = weight_ih @ x{b}\n"
        "  b = weight_hh @ h{c}\n"
        "  r = sigmoid(a[0:H] + b[0:H])\n"
        "  z = sigmoid(a[H:2*H] + b[H:2*H])\n"
        "  n = tanh(a[2*H:3*H] + r * b[2*H:3*H])\n"
        "  h' = (1 - z) * n + z * h\n",
    ),
}


def _cell(mode: str, bias: bool, is_projected: bool) -> str:
    gates, step = _STEPS[mode]
    state = "P" if is_projected else "H"
    lines = [f"cell layer<I, H{', P' if is_projected else ''}> {{", "  input x : f32[I]", f"  state h : f32[{state}]"]
    if mode == "LSTM":
        lines.append("  state c : f32[H]")
    lines += [f"  param weight_ih : f32[{gates}*H, I]", f"  param weight_hh : f32[{gates}*H, {state}]"]
    if bias:
        lines.append(f"  param bias_ih, bias_hh : f32[{gates}*H]")
    if is_projected:
        lines.append("  param weight_hr : f32[P, H]")
    added = {"b": " + bias_ih", "c": " + bias_hh"} if bias else {"b": "", "c": ""}
    return (
        "\n".join(lines)
        + "\n"
        + step.format(project="weight_hr @ " if is_projected else "", **added)
        + "  output h'\n}\n"
    )


def text_of(
    mode: str,
    input_size: int,
    hidden_size: int,
    layers: int = 1,
    bias: bool = True,
    is_bidirectional: bool = False,
    projected: int = 0,
    has_masks: bool = False,
) -> str:
    """Returns the network of layers l0, l1, ... With masks it has an input more, by which what a layer gives to the next one
    is multiplied: the masks of all layers but the last, side by side."""
    size = (projected or hidden_size) * (2 if is_bidirectional else 1)
    dims = f"H={hidden_size}" + (f", P={projected}" if projected else "")
    scan = f"{'bidirectional ' if is_bidirectional else ''}layer<{dims}>"
    lines = ["network layers {", f"  input x : seq f32[{input_size}]"]
    if has_masks:
        lines.append(f"  input masks : seq f32[{(layers - 1) * size}]")
    for layer in range(layers):
        below = f"l{layer - 1}" if layer else "x"
        if has_masks and layer:
            below += f" * masks[{(layer - 1) * size}:{layer * size}]"
        lines.append(f"  l{layer} = {scan}({below})")
    return "\n".join([*lines, f"  output l{layers - 1}", "}", _cell(mode, bias, projected > 0)])


_NAME = re.compile(r"(\w+?)_l(\d+)(_reverse)?")


def names_of(parameters: Sequence[str], is_bidirectional: bool = False) -> tuple[str, ...]:
    """Returns the names in the text for torch's: `weight_ih_l0_reverse` is `l0.bwd.weight_ih`, and `weight_ih` of a cell is
    `l0.weight_ih`."""
    names = []
    for parameter in parameters:
        found = _NAME.fullmatch(parameter)
        kind, layer, reverse = found.groups() if found else (parameter, "0", None)
        side = ("bwd." if reverse else "fwd.") if is_bidirectional else ""
        names.append(f"l{layer}.{side}{kind}")
    return tuple(names)
