"""A module runs as a program, as a training where a result needs a gradient, or as an operator of a graph that is made."""

from __future__ import annotations

import json
from typing import Sequence

import torch

from .. import errors
from .gradient import Trainer
from .operator import call, is_traced
from .recurrence import Recurrence, Signature


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

    def run(
        self,
        x: torch.Tensor,
        initial: Sequence[torch.Tensor],
        weights: Sequence[torch.Tensor],
        lengths: torch.Tensor | None = None,
        kinds: int = 0,
    ) -> tuple[torch.Tensor, Sequence[torch.Tensor]]:
        """Runs x [T, B, I], or one step [B, I], from `initial` states, or from new ones if there are none.

        Returns y and the final states; with `kinds`, every so many-th of them in one tensor, as h_n and c_n.
        """
        if torch.is_grad_enabled() and any([tensor.requires_grad for tensor in (x, *initial, *weights)]):
            return self.train(self.trainer, x, initial, weights, lengths, kinds)
        return call(self.recurrence, self.model, x, initial, weights, lengths, kinds)

    def train(
        self,
        trainer: Trainer,
        x: torch.Tensor,
        initial: Sequence[torch.Tensor],
        weights: Sequence[torch.Tensor],
        lengths: torch.Tensor | None = None,
        kinds: int = 0,
    ) -> tuple[torch.Tensor, Sequence[torch.Tensor]]:
        """Runs as a training in any case."""
        if is_traced():
            raise errors.UnsupportedError(
                "a module of rnnc trains outside of torch.compile: call it uncompiled, or within torch.no_grad()"
            )
        if self.rounds_weights:
            raise errors.UnsupportedError(
                "weights of other formats than f32 do not train: call within torch.no_grad(), or train without weights_as"
            )
        y, finals = trainer.run(x.unsqueeze(0) if x.dim() == 2 else x, initial, weights, lengths)
        return y, [torch.stack(finals[kind::kinds]) for kind in range(kinds)] if kinds else finals
