"""Gradients of a text: a function of torch.autograd, whose passes rnnc computes."""

from __future__ import annotations

import json
import warnings as python_warnings
from typing import Any, Sequence

import torch
from torch.autograd.function import once_differentiable

from .. import _rnnc, errors
from ..arrays import integers
from ..program import _kind_of
from .recurrence import Call, Results, Signature, check_count, check_tensor, identities_of, memory_of

_ANY_STEPS = 2**63 - 1

# Passes that wait for their backward pass have a training each; so many others are kept for later calls.
_MOST_KEPT = 8


class _Pass:
    """A training, which is lent to one forward pass until its backward pass, or until nobody can ask for that any more.

    Tensors of float64 have a Reference for a training: the interpreter, of which torch.autograd.gradcheck takes differences.
    """

    def __init__(self, trainer: "Trainer", training: Any, dtype: torch.dtype, batch: int, steps: int) -> None:
        self.trainer, self.training, self.dtype, self.batch, self.steps = trainer, training, dtype, batch, steps
        self.states = [name for name, _ in trainer.signature.states]
        self.parameters = list(trainer.signature.weights)
        # The training has the numbers of these. The tensors are kept, so that no others have their memory.
        self.weights: list[torch.Tensor] = []
        self.identities: list[Any] = []
        self.shapes: list[torch.Size] = []

    def follow(self, weights: Sequence[torch.Tensor]) -> None:
        """Copies the weights if they have changed."""
        identities = identities_of(weights)
        # gradcheck changes numbers without a new version.
        if self.identities == identities and self.dtype is torch.float32:
            return
        named = zip(self.parameters, weights)
        self.training.update([(name, memory_of(tensor, name, self.dtype)) for name, tensor in named])
        if [tensor.data_ptr() for tensor in self.weights] != [tensor.data_ptr() for tensor in weights]:
            self.weights = [tensor.detach() for tensor in weights]
        self.identities, self.shapes = identities, [tensor.shape for tensor in weights]

    def forward(self, x: torch.Tensor, initial: Sequence[torch.Tensor], counts: Any) -> tuple[Any, list[Any]]:
        signature, array = self.trainer.signature, memory_of(x, "x", self.dtype)
        steps, batch, _ = array.shape
        shape = (steps, batch, signature.output) if signature.time else (batch, signature.output)
        y = torch.empty(shape, dtype=self.dtype, device="cpu")
        values = [(name, memory_of(value, name, self.dtype)) for name, value in zip(self.states, initial)]
        self.training.forward(array, y.numpy(), steps, counts, values if initial else None)
        finals = [torch.empty((batch, size), dtype=self.dtype, device="cpu") for _, size in signature.states]
        self.training.states(self.states, [final.numpy() for final in finals])
        return y, finals

    def read(self, copy: Any, names: list[str], shapes: Sequence[Any], needs: Sequence[bool]) -> list[Any]:
        """Returns the gradients of these shapes that `copy` gives by name, and None for those that are not needed."""
        if not all(needs):
            names = [name for name, needed in zip(names, needs) if needed]
        found = [
            torch.empty(shape, dtype=self.dtype, device="cpu") if needed else None
            for shape, needed in zip(shapes, needs)
        ]
        copy(names, [gradient.numpy() for gradient in found if gradient is not None])
        return found

    def give_back(self) -> None:
        if len(self.trainer.kept) < _MOST_KEPT:
            self.trainer.kept.append(self)


class _Loan:
    """Gives a pass back when its graph is freed without a backward pass."""

    def __init__(self, taken: _Pass) -> None:
        self.taken: _Pass | None = taken

    def finish(self) -> None:
        taken, self.taken = self.taken, None
        if taken is not None:
            taken.give_back()

    def __del__(self) -> None:
        self.finish()


class Trainer:
    """Trains a text on tensors of PyTorch.

    A forward pass keeps a training until its backward pass. With `repeats` it does not: the backward pass runs forwards
    again. So the steps of a cell, of which a loop has many that wait, share one training.
    """

    def __init__(self, signature: Signature, memory_bytes: int = 0, repeats: bool = False) -> None:
        self.signature, self.memory_bytes, self.repeats = signature, memory_bytes, repeats
        self.kept: list[_Pass] = []
        self._has_warned = False

    def __reduce__(self) -> Any:
        return Trainer, (self.signature, self.memory_bytes, self.repeats)

    def __deepcopy__(self, memo: Any) -> "Trainer":
        return Trainer(self.signature, self.memory_bytes, self.repeats)

    def take(self, weights: Sequence[torch.Tensor], dtype: torch.dtype, batch: int, steps: int) -> _Pass:
        check_count(self.signature, weights)
        for index, kept in enumerate(self.kept):
            if kept.dtype is dtype and kept.batch == batch and steps <= kept.steps:
                taken = self.kept.pop(index)
                break
        else:
            taken = self._make(weights, dtype, batch, steps)
        taken.follow(weights)
        return taken

    def _make(self, weights: Sequence[torch.Tensor], dtype: torch.dtype, batch: int, steps: int) -> _Pass:
        named = {name: memory_of(tensor, name, dtype) for name, tensor in zip(self.signature.weights, weights)}
        kind, source, _ = _kind_of(self.signature.text)
        options = json.loads(self.signature.options)
        if dtype is torch.float64:
            return _Pass(self, _rnnc.Reference(kind, source, named, options, batch), dtype, batch, _ANY_STEPS)
        # Calls of other lengths find a training too, without one for each length.
        most = 1 << max(steps - 1, 0).bit_length() if self.memory_bytes == 0 else steps
        training = _rnnc.Training(kind, source, named, options, batch, most, self.memory_bytes)
        if not self._has_warned:
            self._has_warned = True
            for text in training.warnings():
                python_warnings.warn(text, stacklevel=7)
        return _Pass(self, training, dtype, batch, most)

    def run(self, call: Call) -> Results:
        """Runs a call, and keeps what its gradients need."""
        x = call.x.unsqueeze(0) if call.x.dim() == 2 else call.x
        y, *finals = _Recurrence.apply(self, call.lengths, len(call.initial), x, *call.initial, *call.weights)
        return call.results(y, finals)


class _Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, trainer: Trainer, lengths: torch.Tensor | None, count: int, x: torch.Tensor, *tensors: Any):
        # The passes read x again, so that a copy in C order is what the graph keeps.
        x = x if x.is_contiguous() else x.contiguous()
        are_doubles = x.dtype is torch.float64 and all([tensor.dtype is torch.float64 for tensor in tensors])
        dtype = torch.float64 if are_doubles else torch.float32
        check_tensor(x, "x", dtype)
        counts = None if lengths is None else integers(lengths, "lengths", x.shape[1])
        loan = _Loan(trainer.take(tensors[count:], dtype, x.shape[1], x.shape[0]))
        y, finals = loan.taken.forward(x, tensors[:count], counts)
        repeats = trainer.repeats or are_doubles
        if repeats:
            loan.finish()
            ctx.save_for_backward(x, *tensors)
        else:
            # The training has its own copy of the weights, so that x alone must be as it was.
            ctx.save_for_backward(x)
        ctx.trainer, ctx.loan, ctx.count, ctx.counts = trainer, loan, count, counts
        ctx.shapes = [tensor.shape for tensor in tensors[:count]]
        ctx.repeats, ctx.are_doubles, ctx.is_done = repeats, are_doubles, False
        ctx.set_materialize_grads(False)  # results that the loss does not depend on have no gradient
        return (y, *finals)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: torch.Tensor | None, *d_finals: torch.Tensor | None):
        # gradcheck asks for a backward pass for each element of y.
        if ctx.is_done and not ctx.are_doubles:
            raise errors.UsageError(
                "a forward pass of rnnc has one backward pass: call the module again instead of retain_graph=True"
            )
        x, *tensors = ctx.saved_tensors  # torch refuses a tensor that has changed since
        trainer, signature = ctx.trainer, ctx.trainer.signature
        if ctx.repeats:
            ctx.loan = _Loan(trainer.take(tensors[ctx.count :], x.dtype, x.shape[1], x.shape[0]))
            ctx.loan.taken.forward(x, tensors[: ctx.count], ctx.counts)
        taken = ctx.loan.taken
        training, dtype = taken.training, taken.dtype
        dx = torch.empty(x.shape, dtype=dtype, device="cpu") if ctx.needs_input_grad[3] else None
        cotangents = [(name, memory_of(d, name, dtype)) for name, d in zip(taken.states, d_finals) if d is not None]
        training.backward(
            None if dy is None else memory_of(dy, "dy", dtype), None if dx is None else dx.numpy(), cotangents
        )
        needs, count = ctx.needs_input_grad[4:], ctx.count
        gradients: list[Any] = [dx]
        if count:
            gradients += taken.read(training.state_gradients, taken.states[:count], ctx.shapes, needs[:count])
        gradients += taken.read(training.gradients, taken.parameters, taken.shapes, needs[count:])
        ctx.is_done = True
        ctx.loan.finish()
        return (None, None, None, *gradients)
