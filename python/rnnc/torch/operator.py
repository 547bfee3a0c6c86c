"""The operator rnnc::recurrent, by which graphs of torch.compile and torch.export hold a recurrence.

Text and weights are its arguments, so that a graph that was exported runs in another process, which imports rnnc.torch.
"""

from __future__ import annotations

import functools
from typing import Callable, Sequence

import torch

from .recurrence import Call, Recurrence, Results, Signature

# torch.library.custom_op came with PyTorch 2.4. Older versions run the modules all the same, outside of graphs.
has_operator = hasattr(getattr(torch, "library", None), "custom_op")


@functools.lru_cache(maxsize=64)
def _recurrence(model: str) -> Recurrence:
    return Recurrence(Signature.from_json(model))


def _run(
    x: torch.Tensor,
    initial: Sequence[torch.Tensor],
    weights: Sequence[torch.Tensor],
    lengths: torch.Tensor | None,
    model: str,
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    return _recurrence(model).run(Call(x, initial, weights, lengths))


def _shapes(x, initial, weights, lengths, model):
    """Tells the shapes of the results, of tensors without numbers."""
    signature = Signature.from_json(model)
    steps, batch, _ = x.shape
    y = x.new_empty((steps, batch, signature.output) if signature.time else (batch, signature.output))
    return y, [x.new_empty((batch, size)) for _, size in signature.states]


if has_operator:
    _operator = torch.library.custom_op(
        "rnnc::recurrent",
        _run,
        mutates_args=(),
        device_types="cpu",
        schema="(Tensor x, Tensor[] initial, Tensor[] weights, Tensor? lengths, str model) -> (Tensor, Tensor[])",
    )
    _operator.register_fake(_shapes)


def is_traced() -> bool:
    """Tells whether a graph is being made of the call, in which the operator stands for it."""
    return has_operator and torch.compiler.is_compiling()


def outside_of_graphs(function: Callable[[Call], Results], call: Call) -> Results:
    """Calls the function between two graphs: the one that is being made ends here. A graph that must be whole is refused by
    torch."""
    return function(call)


if has_operator:
    outside_of_graphs = torch.compiler.disable(outside_of_graphs)


def run_traced(model: str, call: Call) -> Results:
    """Puts the operator into the graph that is being made; `model` is the signature in JSON."""
    rows = call.x.unsqueeze(0) if call.x.dim() == 2 else call.x
    return call.results(*torch.ops.rnnc.recurrent(rows.contiguous(), call.initial, call.weights, call.lengths, model))
