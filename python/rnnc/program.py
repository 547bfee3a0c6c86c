"""A model becomes a Program, which runs batches of sequences on NumPy's arrays and PyTorch's CPU tensors."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Iterable, Mapping, NamedTuple

from . import _rnnc, errors
from .state import State

if TYPE_CHECKING:
    import numpy


class Port(NamedTuple):
    """An input, output or state of one sequence at one step; `time` is "" where it has one value for a whole sequence."""

    name: str
    shape: tuple[int, ...]
    time: str

    @property
    def size(self) -> int:
        size = 1
        for dim in self.shape:
            size *= dim
        return size


def _ports(tuples: Iterable[tuple[str, tuple[int, ...], str]]) -> dict[str, Port]:
    return {name: Port(name, shape, time) for name, shape, time in tuples}


class Program(_rnnc.Program):
    """A compiled cell or network. It does not change, and threads may share it; each has states of its own."""

    __slots__ = ("_options", "_known", "_artifact")
    _options: dict[str, Any]
    _artifact: bytes | None  # the whole file, if the program is of one
    _known: dict[str, Port] | None

    @property
    def inputs(self) -> dict[str, Port]:
        """The inputs side by side in a row of x."""
        return _ports(self._inputs)

    @property
    def named_inputs(self) -> dict[str, Port]:
        """Inputs of a network that are no part of x; a call gives them by name."""
        return _ports(self._named_inputs)

    @property
    def outputs(self) -> dict[str, Port]:
        """The outputs; the first is y."""
        return dict(self._known_outputs())

    @property
    def states(self) -> dict[str, Port]:
        return _ports(self._states)

    def _known_outputs(self) -> dict[str, Port]:
        if self._known is None:
            self._known = _ports(self._outputs)
        return self._known

    def state(self, batch: int = 1, max_steps: int = 1) -> State:
        """Makes the state of `batch` new sequences. Memory for longer calls than `max_steps` is taken when one comes."""
        return State(self, batch, max_steps)

    def bind(self, x: Any, y: Any, state: State | None = None) -> _rnnc.Bound:
        """Returns a step without arguments: each call reads x, writes y and advances the state, which it keeps."""
        from . import arrays

        taken, _ = arrays.lend(x, "x")
        written, _ = arrays.lend(y, "y")
        if state is None:
            state = self.state(1 if taken.ndim == 1 else taken.shape[0])
        return _rnnc.Bound(self, state, taken, written)

    def __call__(
        self,
        x: Any,
        lengths: Any = None,
        state: State | None = None,
        *,
        batch_first: bool = False,
        inputs: Mapping[str, Any] | None = None,
        times: Mapping[str, Any] | None = None,
        outputs: Iterable[str] | None = None,
        copy: bool = False,
    ) -> Any:
        """Runs whole sequences and returns y.

        x is [T, B, I], or [B, T, I] with `batch_first`, or [T, I] of one sequence; y is like it, or [B, O] where the
        network gives one value for a sequence. `lengths` has the steps of each sequence: y is 0 behind them. `state` is
        advanced; without one, sequences begin anew. `inputs` are a network's other inputs by name, `times` the steps of
        its other times, or pairs of steps and lengths. With `outputs`, names after the first, a dict of all is returned.
        x must be float32 in C order; with `copy` anything else is converted, and with `batch_first` x is copied.
        """
        import numpy

        from . import arrays

        x, wrap = arrays.lend(x, "x", copy or batch_first)
        alone = x.ndim == 2
        if alone:
            x = x[:, None]
        elif batch_first and x.ndim == 3:
            x = numpy.ascontiguousarray(x.transpose(1, 0, 2))
        if x.ndim != 3 or x.shape[2] != self.input_size:
            shape = f"[B, T, {self.input_size}]" if batch_first else f"[T, B, {self.input_size}]"
            raise errors.ShapeError(
                f"x has shape {x.shape}, but {self.name} takes {shape}, or [T, {self.input_size}] of one sequence"
            )
        steps, batch, _ = x.shape
        if state is not None and state.batch != batch:
            raise errors.ShapeError(f"x has {batch} sequences, but the state has {state.batch}")
        if lengths is not None:
            lengths = arrays.integers(lengths, "lengths", batch)
        time_tuples, counts = self._times(times, batch)
        counts["T"] = steps
        names = list(outputs) if outputs is not None else []
        known = self._known_outputs()
        for name in names:
            if name not in known:
                raise errors.UnknownNameError(f"there is no output '{name}'; there are {', '.join(known)}")
        first = next(iter(known))
        made = {name: self._empty(known[name], counts, batch) for name in [first, *names]}
        given = tuple((name, arrays.lend(value, name, copy)[0].ravel()) for name, value in (inputs or {}).items())
        if given or self._named_inputs:
            self._check_inputs(given, counts, batch)
        others = tuple((name, made[name]) for name in made if name != first)
        self._run(state, x, made[first], steps, lengths, given, time_tuples, others)
        for name, array in made.items():
            if array.ndim == 3 and alone:
                array = array[:, 0]
            elif array.ndim == 3 and batch_first:
                array = array.transpose(1, 0, 2)
            made[name] = wrap(array)
        return made if outputs is not None else made[first]

    def _times(self, times: Mapping[str, Any] | None, batch: int):
        from . import arrays

        tuples: list[tuple[str, int, Any]] = []
        counts: dict[str, int] = {}
        if not times:
            return (), counts
        known = {port.time for port in (*self.named_inputs.values(), *self._known_outputs().values())} - {"", "T"}
        for name, value in times.items():
            if name not in known:
                raise errors.UnknownNameError(
                    f"there is no time '{name}' beside T; there is {', '.join(sorted(known)) or 'none'}"
                )
            steps, lengths = value if isinstance(value, tuple) else (value, None)
            if steps < 0:
                raise errors.UsageError(f"time {name} has {steps} steps; they cannot be less than 0")
            if lengths is not None:
                lengths = arrays.integers(lengths, f"lengths of {name}", batch)
            tuples.append((name, int(steps), lengths))
            counts[name] = int(steps)
        return tuple(tuples), counts

    def _empty(self, port: Port, counts: Mapping[str, int], batch: int) -> "numpy.ndarray":
        import numpy

        if port.time and port.time not in counts:
            raise errors.UsageError(
                f"output {port.name} runs over time {port.time}: give times={{'{port.time}': steps}}"
            )
        shape = (counts[port.time], batch, port.size) if port.time else (batch, port.size)
        return numpy.empty(shape, numpy.float32)

    def _check_inputs(self, given, counts: Mapping[str, int], batch: int) -> None:
        known = self.named_inputs
        for name, array in given:
            if name not in known:
                raise errors.UnknownNameError(
                    f"there is no input '{name}' beside x; there are {', '.join(known) or 'none'}"
                )
            port = known[name]
            if port.time and port.time not in counts:
                raise errors.UsageError(f"input {name} runs over time {port.time}: give times={{'{port.time}': steps}}")
            wanted = batch * port.size * (counts[port.time] if port.time else 1)
            if array.size != wanted:
                raise errors.ShapeError(f"input {name} has {array.size} numbers, but the call needs {wanted}")
        missing = [name for name in known if name not in dict(given)]
        if missing:
            raise errors.UsageError(f"input {missing[0]} is missing: give inputs={{'{missing[0]}': array}}")

    def explain(self, steps: int = 100, batch: int = 1) -> str:
        """Tells what runs in the program, from where its weights are read, and the time of a step beside the limit."""
        from . import command

        return command.explain(self, steps=steps, batch=batch)

    def svg(self) -> str:
        """Draws what runs in the program."""
        from . import command

        return command.svg(self)

    def _repr_html_(self) -> str:
        """Shows the drawing in a notebook, as an image, so that its styles stay its own."""
        import base64
        import html

        text = f"<pre>{html.escape(repr(self))}</pre>"
        try:
            drawn = base64.b64encode(self.svg().encode()).decode()
        except (errors.Error, OSError):
            return text
        return f'{text}<img alt="{html.escape(self.name)}" src="data:image/svg+xml;base64,{drawn}">'

    def __reduce__(self):
        if self._artifact is not None:
            return _from_artifact, (self._artifact, self._options)
        weights = self._weights() if self.text else None
        if weights is None:
            raise TypeError(
                "the program was compiled with keep_weights=False and is not pickled: leave that argument out, or "
                "compile the model in each process"
            )
        return _from_pickle, (self.text, weights, self._options)

    def __copy__(self) -> "Program":
        return self

    def __deepcopy__(self, memo: Any) -> "Program":
        return self

    def __repr__(self) -> str:
        return f"<rnnc.Program {self.name}: {self.input_size} -> {self.output_size}, {self.backend} for {self.cpu}>"


def _from_pickle(text: str, weights: list[tuple[str, tuple[int, ...], bytes]], options: dict[str, Any]) -> Program:
    """Compiles the text again: the code cache makes that short where the same machine has done it before."""
    import numpy

    arrays = {name: numpy.frombuffer(content, numpy.float32).reshape(shape) for name, shape, content in weights}
    return compile(text, arrays or None, **options)


def _from_artifact(content: bytes, options: dict[str, Any]) -> Program:
    """Loads the highest level that this CPU can run, as a file of the same bytes would."""
    return _load(content, "<pickle>", options, keeps=True)


def _load(content: bytes, file: str, options: dict[str, Any], keeps: bool) -> Program:
    """Loads an artifact, which is called `file` in errors. A program that keeps its bytes can be pickled."""
    program = Program("bytes", content, None, {**options, "is_artifact": True, "file": file})
    program._known = None
    program._options = options
    program._artifact = content if keeps else None
    return program


def _kind_of(model: Any) -> tuple[str, Any, bool]:
    """Returns the kind of a model, its source, and whether it is an artifact."""
    if isinstance(model, (bytes, bytearray, memoryview)):
        content = bytes(model)
        return "bytes", content, content.startswith(_ARTIFACT)
    if isinstance(model, os.PathLike):
        path = os.fsdecode(model)
        return "path", path, _is_artifact(path)
    if not isinstance(model, str):
        raise TypeError(
            f"a model is a path, text, bytes, a torch.nn.Module or a dict of arrays, not {type(model).__name__}"
        )
    if "\n" in model or "{" in model:
        return "text", model, False
    if model in _rnnc.standard_cells() and not os.path.exists(model):
        return "cell", model, False
    return "path", model, _is_artifact(model)


# Artifacts begin with these bytes, as runtime/artifact_header.cpp writes them.
_ARTIFACT = b"rnncart"


def _is_artifact(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(len(_ARTIFACT)) == _ARTIFACT
    except OSError:
        return False


def _content_of(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def compile(
    model: Any,
    weights: Any = None,
    *,
    cell: str | None = None,
    dims: Mapping[str, int] | None = None,
    threads: int = 1,
    weights_as: str = "f32",
    backend: str = "auto",
    cpu: str | None = None,
    cache: bool = True,
    keep_weights: bool = True,
    **options: Any,
) -> Program:
    """Compiles a model and its weights.

    `model` is a path (.rnn, .onnx, a state_dict in safetensors, an artifact and all others that `rnnc` reads), text of
    rnnc's language, the name of a standard cell, bytes of a file, a torch.nn.Module, or a state_dict as a dict of arrays.
    `weights` are a path or a dict of arrays, where the model has none of its own. `dims` are those that weights do not
    tell. `weights_as` keeps weights in f16, bf16, w16, w8a16 or w8; `backend` is auto, jit, portable or tiered. A program
    keeps its weights as they were given, and an artifact as a whole, so that it can be pickled, unless `keep_weights` is
    false. Further options: prefix, relu, node, take, shapes, carry, constants (of imported models), plan, ranges, sparse,
    sharing.
    """
    from . import arrays

    unknown = set(options) - _OPTIONS
    if unknown:
        raise TypeError(f"compile() has no option {sorted(unknown)[0]!r}; there are {', '.join(sorted(_OPTIONS))}")
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "nn") and isinstance(model, torch.nn.Module):
        from . import torch as of_torch

        model, found = of_torch.model_of(model)
        options = {**found, **options}
    if isinstance(model, Mapping):
        from . import safetensors

        model = safetensors.to_bytes(arrays.weights(model, "the model"))
    kind, source, is_artifact = _kind_of(model)
    if is_artifact:
        if weights is not None or cell is not None or dims is not None:
            raise errors.UsageError(
                "an artifact has its weights and sizes inside; leave out the weights, the cell and the dims"
            )
        content, file = (source, "<memory>") if kind == "bytes" else (_content_of(source), source)
        kept = {"threads": threads, "cpu": cpu, "sharing": options.get("sharing")}
        return _load(content, file, kept, keep_weights)
    if weights is not None and not isinstance(weights, Mapping):
        weights = os.fsdecode(weights)
    elif weights is not None:
        weights = arrays.weights(weights)
    if "constants" in options:
        options["constants"] = arrays.weights(options["constants"], "constants")
    known = dict(
        cell=cell,
        dims=dict(dims) if dims is not None else None,
        threads=threads,
        weights_as=weights_as,
        backend=backend,
        cpu=cpu,
        cache=cache,
    )
    program = Program(kind, source, weights, {**options, **known, "keep_weights": keep_weights})
    program._known = None
    program._artifact = None
    # The options of an import have no meaning for the text that it gave.
    program._options = {**known, **{name: value for name, value in options.items() if name not in _OF_IMPORTS}}
    return program


_OF_IMPORTS = {"prefix", "relu", "node", "take", "like", "shapes", "carry", "constants"}
_OPTIONS = {*_OF_IMPORTS, "plan", "ranges", "sparse", "sharing", "compile_threads"}
