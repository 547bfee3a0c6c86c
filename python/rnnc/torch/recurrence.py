"""A model whose weights are tensors of PyTorch: its programs, which follow the weights, and its states."""

from __future__ import annotations

import json
from typing import Any, NamedTuple, Sequence

import numpy
import torch

from .. import errors
from ..arrays import integers
from ..program import Program, State, compile

# Programs of so many sets of weights are kept, the last ones first: modules of a fold or an ensemble share one text.
_MOST_PROGRAMS = 8


class Signature(NamedTuple):
    """What a graph must know of a model before it is compiled."""

    text: str | None  # None: the weights are a state_dict, which is a model by itself
    weights: tuple[str, ...]
    states: tuple[tuple[str, int], ...]  # name and floats of one sequence
    output: int
    time: str  # of the output: "T", or "" where it has one value for a sequence
    options: str  # of rnnc.compile, in JSON

    def to_json(self) -> str:
        return json.dumps(self)

    @staticmethod
    def from_json(text: str) -> "Signature":
        given, weights, states, output, time, options = json.loads(text)
        return Signature(given, tuple(weights), tuple((name, size) for name, size in states), output, time, options)


# y and the final states.
Results = tuple[torch.Tensor, Sequence[torch.Tensor]]


class Call(NamedTuple):
    """What a module is called with: x [T, B, I], or one step [B, I], and initial states, or none for new ones.

    With `kinds`, every so many-th final state is in one tensor of the results, as h_n and c_n; without, each is one.
    """

    x: torch.Tensor
    initial: Sequence[torch.Tensor]
    weights: Sequence[torch.Tensor]
    lengths: torch.Tensor | None = None
    kinds: int = 0

    def results(self, y: torch.Tensor, finals: Sequence[torch.Tensor]) -> Results:
        """Makes the results of y and all final states, each in a tensor of its own."""
        if not self.kinds:
            return y, finals
        return y, [torch.stack(finals[kind :: self.kinds]) for kind in range(self.kinds)]


def identities_of(tensors: Sequence[torch.Tensor]) -> list[Any]:
    """Returns what changes whenever the numbers of one of the tensors do: `tensor.data = tensor.data.T` leaves both version
    and place."""
    try:
        return [(tensor.data_ptr(), tensor._version, tensor.shape, tensor.stride()) for tensor in tensors]
    except RuntimeError:
        # A tensor of torch.inference_mode() does not count its changes, so that its numbers themselves are compared.
        return [(tensor.data_ptr(), _version(tensor), tensor.shape, tensor.stride()) for tensor in tensors]


def _version(tensor: torch.Tensor) -> Any:
    return tensor.numpy().tobytes() if tensor.is_inference() else tensor._version


class _Entry:
    """One set of weights, and the program that they gave. It keeps the tensors, so that their memory is nobody else's."""

    def __init__(self, tensors: Sequence[torch.Tensor], program: Program) -> None:
        self.tensors = list(tensors)
        self.identities = identities_of(tensors)
        self.program = program
        self.states: list[State] = []

    def take_state(self, batch: int) -> State:
        # A list gives each of its elements to one thread alone.
        try:
            state = self.states.pop()
        except IndexError:
            return self.program.state(batch)
        if state.batch != batch:
            return self.program.state(batch)
        return state


class Recurrence:
    """Runs a model on tensors of PyTorch, and compiles it again when its weights have changed."""

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self._entries: list[_Entry] = []

    def __getstate__(self) -> Signature:
        return self.signature

    def __setstate__(self, signature: Signature) -> None:
        self.signature, self._entries = Signature(*signature), []

    def __deepcopy__(self, memo: Any) -> "Recurrence":
        return Recurrence(self.signature)

    def _entry(self, weights: Sequence[torch.Tensor]) -> _Entry:
        entries, identities = self._entries, identities_of(weights)
        for index, entry in enumerate(entries):
            if entry.identities == identities:
                if index:
                    self._entries = [entry, *(other for other in entries if other is not entry)]
                return entry
        entry = _Entry(weights, self._compile(weights))
        self._entries = [entry, *entries][:_MOST_PROGRAMS]
        return entry

    def _compile(self, weights: Sequence[torch.Tensor]) -> Program:
        signature = self.signature
        check_count(signature, weights)
        for name, tensor in zip(signature.weights, weights):
            check_tensor(tensor, name)
        named = dict(zip(signature.weights, (tensor.detach() for tensor in weights)))
        options = json.loads(signature.options)
        if signature.text is None:
            return compile(named, keep_weights=False, **options)
        return compile(signature.text, named, keep_weights=False, **options)

    def program(self, weights: Sequence[torch.Tensor]) -> Program:
        """Returns the program of these weights."""
        return self._entry(weights).program

    def run(self, call: Call) -> Results:
        """Runs a call as a program."""
        x, initial, weights, lengths, kinds = call
        entry = self._entry(weights)
        states = self.signature.states
        array = memory_of(x, "x")
        if array.ndim == 2:
            array = array[None]
        steps, batch, _ = array.shape
        state = entry.take_state(batch)
        if not initial:
            state.reset()
        for (name, _), value in zip(states, initial):
            state._set(name, memory_of(value, name))
        y = numpy.empty(
            (steps, batch, self.signature.output) if self.signature.time else (batch, self.signature.output),
            numpy.float32,
        )
        counts = None if lengths is None else integers(lengths, "lengths", batch)
        entry.program._run(state, array, y, steps, counts, (), (), ())
        are_apart, kinds = kinds == 0, kinds or len(states)
        finals = [numpy.empty((len(states) // kinds, batch, states[kind][1]), numpy.float32) for kind in range(kinds)]
        for index, (name, _) in enumerate(states):
            state._get(name, finals[index % kinds][index // kinds])
        entry.states.append(state)
        if are_apart:
            finals = [final[0] for final in finals]
        return torch.from_numpy(y), [torch.from_numpy(final) for final in finals]


def memory_of(tensor: torch.Tensor, what: str, dtype: torch.dtype = torch.float32) -> numpy.ndarray:
    """Returns a tensor's memory as an array, or that of a copy in C order."""
    if tensor.dtype is not dtype or not tensor.is_cpu or tensor.layout is not torch.strided:
        check_tensor(tensor, what, dtype)
    if tensor.requires_grad:
        tensor = tensor.detach()
    return tensor.numpy() if tensor.is_contiguous() else tensor.contiguous().numpy()


def check_tensor(tensor: torch.Tensor, what: str, dtype: torch.dtype = torch.float32) -> None:
    """Refuses in words what rnnc cannot compute with."""
    if tensor.device.type != "cpu":
        raise errors.UsageError(f"{what} is on device {tensor.device}, but rnnc runs on the CPU: pass {what}.cpu()")
    if tensor.dtype != dtype:
        conversion = "float" if dtype == torch.float32 else "double"
        raise TypeError(f"{what} must have dtype {dtype}, not {tensor.dtype}: pass {what}.{conversion}()")
    if tensor.layout != torch.strided:
        raise errors.UsageError(f"{what} has layout {tensor.layout}: pass {what}.to_dense()")


def check_count(signature: Signature, weights: Sequence[torch.Tensor]) -> None:
    """Refuses a module whose parameters are others than those that it was made with."""
    if len(weights) != len(signature.weights):
        raise errors.UnsupportedError(
            f"the module has {len(weights)} parameters and had {len(signature.weights)} when it was made: a "
            "parametrization, such as a weight norm, must be removed before"
        )
