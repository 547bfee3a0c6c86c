"""torch.nn's RNN, LSTM, GRU and their cells, run by rnnc: the same parameters, arguments, results and shapes."""

from __future__ import annotations

import json
from typing import Any, Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from .. import _rnnc, errors
from . import layers
from .gradient import Trainer
from .passes import Passes
from .recurrence import Call, Signature

_Base = nn.modules.rnn.RNNBase
_CellBase = nn.modules.rnn.RNNCellBase

_OPTIONS = ("threads", "weights_as", "backend", "cpu", "memory_bytes")


def _check_options(options: dict[str, Any]) -> None:
    unknown = set(options) - set(_OPTIONS)
    if unknown:
        raise TypeError(f"from_module() has no option {sorted(unknown)[0]!r}; there are {', '.join(_OPTIONS)}")


def _share_parameters(to: nn.Module, module: nn.Module) -> None:
    """Gives a module the parameters of another: they are the same objects."""
    for name, parameter in module.named_parameters():
        to._parameters[name] = parameter


def _state_dict_options(module: nn.Module) -> dict[str, Any]:
    """Returns what a state_dict does not tell of its module."""
    return {"relu": True} if getattr(module, "nonlinearity", "tanh") == "relu" else {}


def _mode_of(nonlinearity: str) -> str:
    if nonlinearity not in ("tanh", "relu"):
        raise errors.UsageError(f"nonlinearity must be tanh or relu, not {nonlinearity!r}")
    return f"RNN_{nonlinearity.upper()}"


def _passes_of(module: Any, text: str, states: Sequence[tuple[str, int]], output: int, repeats: bool) -> Passes:
    """A program is made of the state_dict; `text` trains with the parameters as they are."""
    _check_options(module.options)
    options = {name: value for name, value in module.options.items() if name != "memory_bytes"}
    names = tuple(name for name, _ in module.named_parameters())
    runs = Signature(None, names, tuple(states), output, "T", json.dumps({**options, **_state_dict_options(module)}))
    own = layers.names_of(names, getattr(module, "bidirectional", False))
    trains = runs._replace(text=text, weights=own, options=json.dumps(options))
    return Passes(runs, trains, module.options.get("memory_bytes", 0), repeats)


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
            mode = _mode_of(nonlinearity)
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
        self.options = options
        projected = self.proj_size or self.hidden_size
        directions = ("fwd.", "bwd.") if self.bidirectional else ("",)
        states = []
        for layer in range(self.num_layers):
            for direction in directions:
                states.append((f"l{layer}.{direction}h", projected))
                if self._gives_cell:
                    states.append((f"l{layer}.{direction}c", self.hidden_size))
        self._passes = _passes_of(self, self._text(False), states, projected * len(directions), False)
        # Masks of dropout are columns of x, so that the layers are another network then.
        signature = self._passes.trainer.signature._replace(text=self._text(True))
        self._dropping = Trainer(signature, options.get("memory_bytes", 0)) if self.num_layers > 1 else None

    def _text(self, has_masks: bool) -> str:
        sizes = (self.input_size, self.hidden_size, self.num_layers)
        return layers.text_of(self.mode, *sizes, self.bias, self.bidirectional, self.proj_size, has_masks)

    @classmethod
    def from_module(cls, module: Any, **options: Any) -> "_Layers":
        """Makes the module that does what `module` does. They share the parameters, so that an optimizer or a later
        load_state_dict of either changes both.

        Options: threads, weights_as, backend, cpu, as of rnnc.compile, and memory_bytes, as of Recurrent."""
        if not isinstance(module, cls._torch):
            raise TypeError(f"{cls.__name__}.from_module takes a torch.nn.{cls.__name__}, not {type(module).__name__}")
        _check_options(options)
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
        call = Call(x, initial, parameters_of(self), lengths, 2 if self._gives_cell else 1)
        if self._dropping and self.training and self.dropout > 0:
            call = call._replace(x=torch.cat([x, self._masks(x)], 2))
            y, finals = self._passes.train(self._dropping, call)
        else:
            y, finals = self._passes.run(call)
        state = self._final(finals, is_alone, input.unsorted_indices if packed else None)
        if packed:
            data = pack_padded_sequence(y, lengths).data
            return PackedSequence(data, input.batch_sizes, input.sorted_indices, input.unsorted_indices), state
        if is_alone:
            return y.squeeze(1), state
        return y.transpose(0, 1) if self.batch_first else y, state

    def _masks(self, x: Tensor) -> Tensor:
        """Returns new masks, which depend on one number that torch's generator gives: so torch.manual_seed repeats a run, with
        the same bits for any threads."""
        width = (self.num_layers - 1) * self._passes.trainer.signature.output
        masks = torch.empty((*x.shape[:2], width), dtype=torch.float32, device="cpu")
        seed = torch.randint(2**63 - 1, (), device="cpu")
        _rnnc.fill_dropout(masks.numpy(), float(self.dropout), int(seed))
        return masks.to(x.dtype)

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
    _mode: str

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
        states = [("l0.h", self.hidden_size)] + ([("l0.c", self.hidden_size)] if self._gives_cell else [])
        mode = _mode_of(nonlinearity) if self._mode == "RNN_TANH" else self._mode
        text = layers.text_of(mode, input_size, hidden_size, bias=bias)
        self._passes = _passes_of(self, text, states, hidden_size, True)

    @classmethod
    def from_module(cls, module: Any, **options: Any) -> "_Step":
        """Makes the cell that does what `module` does, as LSTM.from_module does."""
        if not isinstance(module, cls._torch):
            raise TypeError(f"{cls.__name__}.from_module takes a torch.nn.{cls.__name__}, not {type(module).__name__}")
        _check_options(options)
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
        _, finals = self._passes.run(Call(x, initial, parameters_of(self)))
        states = tuple(part.squeeze(0) if is_alone else part for part in finals)
        return states if self._gives_cell else states[0]


class RNNCell(_Step):
    """torch.nn.RNNCell, with tanh or relu."""

    _torch, _gates, _mode = nn.RNNCell, 1, "RNN_TANH"


class LSTMCell(_Step):
    """torch.nn.LSTMCell."""

    _gives_cell = True
    _torch, _gates, _mode = nn.LSTMCell, 4, "LSTM"


class GRUCell(_Step):
    """torch.nn.GRUCell."""

    _torch, _gates, _mode = nn.GRUCell, 3, "GRU"


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
        return dict(module.state_dict()), _state_dict_options(module)
    raise errors.UnsupportedError(
        f"{type(module).__name__} does not tell in which order its parts run: compile(module.state_dict(), "
        "prefix='lstm,fc') names them, torch.onnx.export writes all of it, and rnnc.torch.from_module(module) replaces "
        "its recurrent parts"
    )
