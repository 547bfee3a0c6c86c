"""torch.nn's RNN, LSTM, GRU and their cells, run by rnnc: the same parameters, arguments, results and shapes."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from .. import errors
from .operator import call
from .recurrence import Recurrence, Signature, refuse_gradient

_Base = nn.modules.rnn.RNNBase
_CellBase = nn.modules.rnn.RNNCellBase

_OPTIONS = ("threads", "weights_as", "backend", "cpu")


def _options_of(options: dict[str, Any], module: nn.Module) -> dict[str, Any]:
    unknown = set(options) - set(_OPTIONS)
    if unknown:
        raise TypeError(f"from_module() has no option {sorted(unknown)[0]!r}; there are {', '.join(_OPTIONS)}")
    if getattr(module, "nonlinearity", "tanh") == "relu":
        options = {**options, "relu": True}
    return options


def _share_parameters(to: nn.Module, module: nn.Module) -> None:
    """Gives a module the parameters of another: the same memory, without gradients."""
    # A tensor that is made in inference mode does not count its changes.
    with torch.inference_mode(False):
        for name, parameter in module.named_parameters():
            to._parameters[name] = nn.Parameter(parameter.detach(), requires_grad=False)


def parameters_of(module: nn.Module) -> list[Tensor]:
    """Returns the parameters of a module without parts in their order. Module.parameters() takes as long as ten steps."""
    return [parameter for parameter in module._parameters.values() if parameter is not None]


class _Layers(_Base):
    """The forward pass of RNN, LSTM and GRU. The parameters are those of RNNBase; torch.nn.LSTM itself is no base, since
    torch.compile leaves the graph wherever it meets one."""

    _gives_cell = False  # whether the state is a pair (h, c)
    _torch: Any  # the class of torch.nn that this one stands for
    _mode: str  # its name in RNNBase

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
        **options: Any,
    ) -> None:
        mode = self._mode
        if mode == "RNN_TANH":
            if nonlinearity not in ("tanh", "relu"):
                raise errors.UsageError(f"nonlinearity must be tanh or relu, not {nonlinearity!r}")
            mode = f"RNN_{nonlinearity.upper()}"
        super().__init__(
            mode,
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device=device,
            dtype=dtype,
        )
        self.nonlinearity = nonlinearity
        self._begin(options)

    def _begin(self, options: dict[str, Any]) -> None:
        """Makes what forward() needs, and what a graph that is traced cannot make."""
        self.options = options
        signature = self._signature()
        self._recurrence = Recurrence(signature)
        self._model = signature.to_json()

    def _signature(self) -> Signature:
        projected = self.proj_size or self.hidden_size
        directions = ("fwd.", "bwd.") if self.bidirectional else ("",)
        states = []
        for layer in range(self.num_layers):
            for direction in directions:
                states.append((f"l{layer}.{direction}h", projected))
                if self._gives_cell:
                    states.append((f"l{layer}.{direction}c", self.hidden_size))
        names = tuple(name for name, _ in self.named_parameters())
        options = json.dumps(_options_of(self.options, self))
        return Signature(None, names, tuple(states), projected * len(directions), "T", options)

    @classmethod
    def from_module(cls, module: Any, **options: Any) -> "_Layers":
        """Makes the module that does what `module` does. They share the memory of the parameters, so that a later
        load_state_dict of either changes both; those of the new one need no gradient.

        Options: threads, weights_as, backend, cpu, as of rnnc.compile."""
        if not isinstance(module, cls._torch):
            raise TypeError(f"{cls.__name__}.from_module takes a torch.nn.{cls.__name__}, not {type(module).__name__}")
        _options_of(options, module)
        keywords: dict[str, Any] = {"nonlinearity": module.nonlinearity} if hasattr(module, "nonlinearity") else {}
        if module.proj_size:
            keywords["proj_size"] = module.proj_size
        made = cls(
            module.input_size,
            module.hidden_size,
            module.num_layers,
            bias=module.bias,
            batch_first=module.batch_first,
            dropout=module.dropout,
            bidirectional=module.bidirectional,
            device="meta",
            **keywords,
            **options,
        )
        _share_parameters(made, module)
        made._flat_weights = [getattr(made, name) for name in made._flat_weights_names]
        return made.train(module.training)

    def flatten_parameters(self) -> None:
        """Does nothing: rnnc packs the weights by itself."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        if self.training and self.dropout > 0 and self.num_layers > 1:
            raise errors.UnsupportedError("dropout is for training, which rnnc does not do: call eval() first")
        lengths: Any = None
        packed = isinstance(input, PackedSequence)
        is_alone = False
        if packed:
            x, lengths = pad_packed_sequence(PackedSequence(input.data, input.batch_sizes))
        else:
            if input.dim() not in (2, 3):
                raise errors.ShapeError(f"input has {input.dim()} dims, but must have 3, or 2 of one sequence")
            is_alone = input.dim() == 2
            x = input.unsqueeze(1) if is_alone else input.transpose(0, 1) if self.batch_first else input
        if x.shape[2] != self.input_size:
            raise errors.ShapeError(f"input has {x.shape[2]} features, but the module takes {self.input_size}")
        initial = self._initial(hx, x.shape[1], is_alone, input.sorted_indices if packed else None)
        weights = parameters_of(self)
        refuse_gradient([x, *initial, *weights])
        y, finals = call(self._recurrence, self._model, x, initial, weights, lengths, 2 if self._gives_cell else 1)
        state = self._final(finals, is_alone, input.unsorted_indices if packed else None)
        if packed:
            data = pack_padded_sequence(y, lengths).data
            return PackedSequence(data, input.batch_sizes, input.sorted_indices, input.unsorted_indices), state
        if is_alone:
            return y.squeeze(1), state
        return y.transpose(0, 1) if self.batch_first else y, state

    def _initial(self, hx: Any, batch: int, is_alone: bool, order: Tensor | None) -> list[Tensor]:
        """Returns the initial states in the order of the signature."""
        if hx is None:
            return []
        parts = tuple(hx) if self._gives_cell else (hx,)
        if len(parts) != (2 if self._gives_cell else 1):
            raise errors.UsageError("hx must be the pair (h_0, c_0)")
        rows = self.num_layers * (2 if self.bidirectional else 1)
        sizes = (self.proj_size or self.hidden_size, self.hidden_size)
        taken = []
        for part, size, name in zip(parts, sizes, ("h_0", "c_0")):
            wanted = (rows, size) if is_alone else (rows, batch, size)
            if tuple(part.shape) != wanted:
                raise errors.ShapeError(f"{name} has shape {tuple(part.shape)}, but must have {wanted}")
            part = part.unsqueeze(1) if is_alone else part
            taken.append(part if order is None else part.index_select(1, order))
        return [part[row] for row in range(rows) for part in taken]

    def _final(self, finals: list[Tensor], is_alone: bool, order: Tensor | None) -> Any:
        if order is not None:
            finals = [part.index_select(1, order) for part in finals]
        if is_alone:
            finals = [part.squeeze(1) for part in finals]
        return tuple(finals) if self._gives_cell else finals[0]


class RNN(_Layers):
    """torch.nn.RNN, with tanh or relu."""

    _torch, _mode = nn.RNN, "RNN_TANH"


class LSTM(_Layers):
    """torch.nn.LSTM, with proj_size too."""

    _gives_cell = True
    _torch, _mode = nn.LSTM, "LSTM"


class GRU(_Layers):
    """torch.nn.GRU."""

    _torch, _mode = nn.GRU, "GRU"


class _Step(_CellBase):
    """The forward pass of RNNCell, LSTMCell and GRUCell."""

    _gives_cell = False
    _torch: Any
    _gates: int

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, self._gates, device=device, dtype=dtype)
        self.nonlinearity = nonlinearity
        self.options = options
        signature = self._signature()
        self._recurrence = Recurrence(signature)
        self._model = signature.to_json()

    def _signature(self) -> Signature:
        states = [("l0.h", self.hidden_size)] + ([("l0.c", self.hidden_size)] if self._gives_cell else [])
        names = tuple(name for name, _ in self.named_parameters())
        return Signature(None, names, tuple(states), self.hidden_size, "T", json.dumps(_options_of(self.options, self)))

    @classmethod
    def from_module(cls, module: Any, **options: Any) -> "_Step":
        """Makes the cell that does what `module` does, as LSTM.from_module does."""
        if not isinstance(module, cls._torch):
            raise TypeError(f"{cls.__name__}.from_module takes a torch.nn.{cls.__name__}, not {type(module).__name__}")
        _options_of(options, module)
        keywords = {"nonlinearity": module.nonlinearity} if hasattr(module, "nonlinearity") else {}
        made = cls(module.input_size, module.hidden_size, bias=module.bias, device="meta", **keywords, **options)
        _share_parameters(made, module)
        return made.train(module.training)

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        if input.dim() not in (1, 2) or input.shape[-1] != self.input_size:
            raise errors.ShapeError(
                f"input has shape {tuple(input.shape)}, but must have [B, {self.input_size}] or [{self.input_size}]"
            )
        is_alone = input.dim() == 1
        x = input.unsqueeze(0) if is_alone else input
        initial = [] if hx is None else list(hx) if self._gives_cell else [hx]
        for part in initial:
            wanted = (*input.shape[:-1], self.hidden_size)
            if tuple(part.shape) != wanted:
                raise errors.ShapeError(f"hx has shape {tuple(part.shape)}, but must have {wanted}")
        if is_alone:
            initial = [part.unsqueeze(0) for part in initial]
        weights = parameters_of(self)
        refuse_gradient([x, *initial, *weights])
        _, finals = call(self._recurrence, self._model, x, initial, weights)
        states = tuple(part.squeeze(0) if is_alone else part for part in finals)
        return states if self._gives_cell else states[0]


class RNNCell(_Step):
    """torch.nn.RNNCell, with tanh or relu."""

    _torch, _gates = nn.RNNCell, 1


class LSTMCell(_Step):
    """torch.nn.LSTMCell."""

    _gives_cell = True
    _torch, _gates = nn.LSTMCell, 4


class GRUCell(_Step):
    """torch.nn.GRUCell."""

    _torch, _gates = nn.GRUCell, 3


_KINDS: dict[type, Any] = {
    nn.RNN: RNN,
    nn.LSTM: LSTM,
    nn.GRU: GRU,
    nn.RNNCell: RNNCell,
    nn.LSTMCell: LSTMCell,
    nn.GRUCell: GRUCell,
}


def from_module(module: nn.Module, **options: Any) -> nn.Module:
    """Returns rnnc's module for one of torch.nn, or a copy of a model in which each of them is replaced."""
    for kind, ours in _KINDS.items():
        if type(module) is kind:
            return ours.from_module(module, **options)
    found = [(name, part) for name, part in module.named_modules() if type(part) in _KINDS]
    if not found:
        raise errors.UnsupportedError(
            f"{type(module).__name__} has no torch.nn.RNN, LSTM, GRU or cell of them; write the recurrence as text for "
            "rnnc.torch.Recurrent, or export the model by torch.onnx.export and compile the file"
        )
    # The memo of a copy gives our module wherever the copied one would stand, and shares all parameters.
    import copy

    memo: dict[int, Any] = {id(part): from_module(part, **options) for _, part in found}
    memo.update((id(tensor), tensor) for tensor in module.parameters() if id(tensor) not in memo)
    return copy.deepcopy(module, memo)


def model_of(module: nn.Module) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Returns the state_dict of a module as a model for rnnc.compile, and the options that it needs."""
    if isinstance(module, (_Base, _CellBase)):
        return dict(module.state_dict()), _options_of({}, module)
    raise errors.UnsupportedError(
        f"{type(module).__name__} does not tell in which order its parts run: compile(module.state_dict(), "
        "prefix='lstm,fc') names them, torch.onnx.export writes all of it, and rnnc.torch.from_module(module) replaces "
        "its recurrent parts"
    )
