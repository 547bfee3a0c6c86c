"""A module whose cell or network is a text of rnnc's language."""

from __future__ import annotations

import json
import math
from typing import Any, Mapping

import torch
from torch import Tensor, nn

from .. import _rnnc, errors
from ..program import _kind_of
from .passes import Passes
from .recurrence import Call, Recurrence, Signature


def _shape_of(dims: tuple[str, ...], numbers: Mapping[str, int], parameter: str) -> list[int]:
    """Returns the shape of a parameter, whose dims are sums and products of names and numbers."""
    shape = []
    for dim in dims:
        try:
            shape.append(int(eval(dim, {"__builtins__": {}}, dict(numbers))))
        except NameError as error:
            raise errors.UsageError(
                f"parameter {parameter} needs a number for dim {error.name}: give dims={{'{error.name}': n}}"
            ) from None
    return shape


class Recurrent(nn.Module):
    """Runs a cell or network that is written as text: a file, the text itself, or the name of a standard cell.

    Its parameters have the names of the text, and are what `weights` gives, or random numbers within 1 / sqrt(the last
    dim). forward(x, state=None, lengths=None) takes x as [T, B, I], or [B, T, I] with `batch_first`, or [T, I] of one
    sequence, and returns y and a dict of the states, which a later call takes. It trains as other modules do, between
    the graphs of torch.compile; `memory_bytes`, if it is not 0, bounds what a forward pass keeps for its backward pass.
    """

    def __init__(
        self,
        text: Any,
        weights: Mapping[str, Any] | None = None,
        *,
        cell: str | None = None,
        dims: Mapping[str, int] | None = None,
        batch_first: bool = False,
        memory_bytes: int = 0,
        **options: Any,
    ) -> None:
        super().__init__()
        kind, source, _ = _kind_of(text)
        wanted = _rnnc.parameters(kind, source, cell)
        if kind == "path":
            with open(source, encoding="utf-8") as file:
                kind, source = "text", file.read()
        self.batch_first = batch_first
        # Module.named_parameters() takes as long as ten steps.
        self._places: list[tuple[nn.Module, str]] = []
        for name, dims_of_it in wanted.items():
            if weights is not None:
                if name not in weights:
                    raise errors.DataError(f"weights has no {name}; the text wants {', '.join(wanted)}")
                tensor = torch.as_tensor(weights[name], dtype=torch.float32)
            else:
                shape = _shape_of(dims_of_it, dims or {}, name)
                bound = 1 / math.sqrt(shape[-1]) if shape and shape[-1] else 1.0
                tensor = torch.empty(shape).uniform_(-bound, bound)
            self._add(name, tensor)
        chosen = {"cell": cell, "dims": dict(dims) if dims else None, **options}
        first = Signature(source, tuple(wanted), (), 0, "T", json.dumps(chosen))
        program = Recurrence(first).program(self._weights())
        if program.named_inputs:
            raise errors.UnsupportedError(f"network {program.name} has inputs beside x; rnnc.compile runs it")
        states = tuple((port.name, port.size) for port in program.states.values())
        if program.output_time not in ("", "T"):
            raise errors.UnsupportedError(
                f"the output of {program.name} runs over a time of its own; rnnc.compile runs it"
            )
        self.input_size, self.output_size = program.input_size, program.output_size
        self._signature = first._replace(states=states, output=program.output_size, time=program.output_time)
        self._passes = Passes(self._signature, None, memory_bytes)

    def _add(self, name: str, tensor: Tensor) -> None:
        """Adds a parameter; the dots of its name become modules, so that state_dict() has the names of the text."""
        module: nn.Module = self
        *path, last = name.split(".")
        for part in path:
            if part not in module._modules:
                module.add_module(part, nn.Module())
            module = getattr(module, part)
        module._parameters[last] = nn.Parameter(tensor.detach().contiguous())
        self._places.append((module, last))

    def _weights(self) -> list[Tensor]:
        try:
            return [module._parameters[name] for module, name in self._places]
        except KeyError as error:
            raise errors.UnsupportedError(
                f"the module has no parameter {error.args[0]} any more: a parametrization, such as a weight norm, must be "
                "removed before"
            ) from None

    def forward(
        self, x: Tensor, state: Mapping[str, Tensor] | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        is_alone = x.dim() == 2
        x = x.unsqueeze(1) if is_alone else x.transpose(0, 1) if self.batch_first else x
        if x.dim() != 3 or x.shape[2] != self.input_size:
            raise errors.ShapeError(f"x has shape {tuple(x.shape)}, but its last dim must be {self.input_size}")
        initial = []
        for name, size in self._signature.states:
            if state is None:
                break
            if name not in state:
                raise errors.UnknownNameError(f"the state has no {name}")
            if tuple(state[name].shape) != (x.shape[1], size):
                raise errors.ShapeError(
                    f"state {name} has shape {tuple(state[name].shape)}, but must have {(x.shape[1], size)}"
                )
            initial.append(state[name])
        y, finals = self._passes.run(Call(x, initial, self._weights(), lengths))
        states = {name: final for (name, _), final in zip(self._signature.states, finals)}
        if is_alone:
            return (y.squeeze(1) if self._signature.time else y.squeeze(0)), states
        return y.transpose(0, 1) if self.batch_first and self._signature.time else y, states
