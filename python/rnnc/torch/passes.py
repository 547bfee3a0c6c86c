"""A module runs as a program, as a training where a result needs a gradient, or as an operator of a graph that is made."""

from __future__ import annotations

import json

import torch

from .. import errors
from .gradient import Trainer
from .operator import is_traced, outside_of_graphs, run_traced
from .recurrence import Call, Recurrence, Results, Signature


class Passes:
    """The ways in which a module runs. `trained` is the text that trains, if it is not that of the program; both have the
    same weights and states in the same order."""

    def __init__(
        self, signature: Signature, trained: Signature | None = None, memory_bytes: int = 0, repeats: bool = False
    ) -> None:
        self.recurrence = Recurrence(signature)
        self.trainer = Trainer(trained or signature, memory_bytes, repeats)
        self.rounds_weights = json.loads(signature.options).get("weights_as", "f32") != "f32"
        # A graph that is traced cannot make it.
        self.model = signature.to_json()

    def run(self, call: Call) -> Results:
        """Runs a call as a training if a result needs a gradient, and else as a program or an operator."""
        if torch.is_grad_enabled() and any([t.requires_grad for t in (call.x, *call.initial, *call.weights)]):
            return self.train(self.trainer, call)
        if is_traced():
            return run_traced(self.model, call)
        return self.recurrence.run(call)

    def train(self, trainer: Trainer, call: Call) -> Results:
        """Runs a call as a training in any case."""
        if self.rounds_weights:
            raise errors.UnsupportedError(
                "weights of other formats than f32 do not train: call within torch.no_grad(), or train without weights_as"
            )
        return outside_of_graphs(trainer.run, call) if is_traced() else trainer.run(call)
