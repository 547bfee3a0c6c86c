"""What the program rnnc shows of a model: verify, bench, inspect and explain, with the arguments of compile.

The program runs in a process of its own. It lies in the package, or is the one in PATH of the same version; a package
that was built without LLVM has none.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Iterable, Mapping

from . import _rnnc, errors
from .program import Program, _kind_of

# The exit codes of the program, and the kinds of errors that they stand for.
_KINDS = {2: "usage", 3: "model", 4: "unsupported"}
_MISMATCH = 1


def _program() -> str:
    beside = Path(__file__).parent / "rnnc"
    if beside.is_file():
        return str(beside)
    found = shutil.which("rnnc")
    if found is None:
        raise errors.UnsupportedError(
            "the program rnnc is not here: this package was built without LLVM. Build rnnc with LLVM, or put its "
            "program into PATH"
        )
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout.split("\n")[0]
    if version != f"rnnc {_rnnc.version}":
        raise errors.UnsupportedError(
            f"{found} is {version or 'no program that runs'}, but this package is rnnc {_rnnc.version}"
        )
    return found


def _run(verb: str, arguments: Iterable[str], folder: str) -> tuple[int, str]:
    """Runs the program and returns its exit code and what it printed; a mistake is the exception of its kind."""
    done = subprocess.run(
        [_program(), verb, *arguments], cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode in (0, _MISMATCH):
        return done.returncode, done.stdout
    text = done.stderr.strip() or f"rnnc {verb} ended with {done.returncode}"
    raise errors.make(_KINDS.get(done.returncode, "unsupported"), text.removeprefix("rnnc: "))


# Arguments of compile with the flags that say the same; True stands for a flag without a value.
_FLAGS = {
    "cell": "--cell",
    "prefix": "--prefix",
    "relu": "--relu",
    "node": "--node",
    "take": "--take",
    "like": "--like",
    "plan": "--plan",
    "cpu": "--isa",
    "sparse": "--sparse",
    "weights_as": "--weights-as",
    "backend": "--backend",
}


class _Model:
    """A model as the program takes it: files in a folder, and flags."""

    def __init__(self, folder: str, model: Any, weights: Any, options: Mapping[str, Any]) -> None:
        self._folder = folder
        self.arguments: list[str] = []
        options = dict(options)
        if isinstance(model, Program):
            if not model.text:
                raise errors.UnsupportedError("an artifact does not hold its text: pass the model that it was made of")
            known = {name: model._options[name] for name in ("cell", "weights_as")}
            options = {**known, "dims": model.dims, **options}
            self._add_text(model.text)
        else:
            self._add(model, options)
        if weights is not None:
            self.arguments += ["--weights", self._tensors(weights, "weights.safetensors")]
        for name, number in (options.pop("dims", None) or {}).items():
            self.arguments += ["--dim", f"{name}={int(number)}"]
        for name, value in options.items():
            if value is None or value is False:
                continue
            if name not in _FLAGS:
                raise TypeError(f"there is no option {name!r} here; there are {', '.join(['dims', *_FLAGS])}")
            self.arguments += [_FLAGS[name]] if value is True else [_FLAGS[name], str(value)]

    def _add(self, model: Any, options: dict[str, Any]) -> None:
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(model, torch.nn.Module):
            from . import torch as of_torch

            model, found = of_torch.model_of(model)
            options.update({**found, **options})
        if isinstance(model, Mapping):
            self.arguments.append(self._tensors(model, "model.safetensors"))
            return
        kind, source, _ = _kind_of(model)
        if kind == "cell":
            options["cell"] = source
        elif kind == "text":
            self._add_text(source)
        elif kind == "bytes":
            self.arguments.append(self.file("model", source))
        else:
            self.arguments.append(os.path.abspath(source))

    def _add_text(self, text: str) -> None:
        self.arguments.append(self.file("model.rnn", text.encode()))

    def _tensors(self, tensors: Any, name: str) -> str:
        if not isinstance(tensors, Mapping):
            return os.path.abspath(os.fsdecode(tensors))
        from . import arrays, safetensors

        return self.file(name, safetensors.to_bytes(arrays.weights(tensors)))

    def file(self, name: str, content: bytes) -> str:
        path = Path(self._folder) / name
        path.write_bytes(content)
        return str(path)

    def array(self, name: str, value: Any) -> str:
        import numpy

        from . import arrays

        path = Path(self._folder) / f"{name}.npy"
        numpy.save(path, arrays.lend(value, name, copy=True)[0])
        return str(path)


def verify(
    model: Any,
    weights: Any = None,
    *,
    x: Any = None,
    expected: Any = None,
    steps: int | None = None,
    times: Mapping[str, int] | None = None,
    batch: int | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Compares compiled code with the interpreter, which shares none of its code, on x or on random sequences.

    `steps` are those of all times of random sequences, and `times` those of single ones, as {"S": 20}. With `expected`, y of another program for x, it compares with that too. The dict has `ok`, `max_error`, `limit` and
    the place of the largest error.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = _Model(folder, model, weights, options)
        arguments = ["--json"]
        if x is not None:
            arguments += ["--input", made.array("x", x)]
        if expected is not None:
            arguments += ["--expect", made.array("expected", expected)]
        for flag, number in (("--steps", steps), ("--batch", batch)):
            if number is not None:
                arguments += [flag, str(number)]
        for name, number in (times or {}).items():
            arguments += ["--steps", f"{name}={number}"]
        _, printed = _run("verify", made.arguments + arguments, folder)
    return json.loads(printed.strip().splitlines()[-1])


class Table(list):
    """The rows of a measurement, a dict each. It prints as a table."""

    _COLUMNS = (
        ("model", lambda row: row["cell"]),
        ("steps", lambda row: str(row["steps"])),
        ("batch", lambda row: str(row["batch"])),
        ("weights", lambda row: row["weights_as"]),
        ("best us", lambda row: f"{row['time_us_min']:.3g}"),
        ("median us", lambda row: f"{row['time_us_median']:.3g}"),
        ("step us", lambda row: f"{row['per_step_us']:.3g}"),
        ("of the limit", lambda row: f"{100 * row['limit_fraction']:.0f} %" if row.get("limit_fraction") else ""),
    )

    def _cells(self) -> list[list[str]]:
        return [[name for name, _ in self._COLUMNS]] + [[of(row) for _, of in self._COLUMNS] for row in self]

    def __str__(self) -> str:
        cells = self._cells()
        widths = [max(len(row[i]) for row in cells) for i in range(len(self._COLUMNS))]
        return "\n".join("  ".join(text.rjust(width) for text, width in zip(row, widths)) for row in cells)

    def _repr_html_(self) -> str:
        head, *rows = self._cells()
        lines = ["<tr>" + "".join(f"<th>{text}</th>" for text in head) + "</tr>"]
        lines += ["<tr>" + "".join(f"<td>{text}</td>" for text in row) + "</tr>" for row in rows]
        return "<table>" + "".join(lines) + "</table>"


def bench(
    model: Any,
    weights: Any = None,
    *,
    steps: Any = 100,
    batch: Any = 1,
    threads: Any = 1,
    rounds: int = 5,
    **options: Any,
) -> Table:
    """Times a model on this machine, beside the limit of the machine. Several steps, batches or threads give a row each."""
    with tempfile.TemporaryDirectory() as folder:
        made = _Model(folder, model, weights, options)
        sizes = []
        for flag, numbers in (("--steps", steps), ("--batch", batch), ("--threads", threads)):
            sizes += [flag, ",".join(map(str, numbers)) if isinstance(numbers, (list, tuple, range)) else str(numbers)]
        _, printed = _run("bench", [*made.arguments, *sizes, "--rounds", str(rounds), "--json"], folder)
    return Table(json.loads(line) for line in printed.splitlines() if line.startswith("{"))


def inspect(model: Any, emit: str = "text", *, after: str | None = None, weights: Any = None, **options: Any) -> str:
    """Shows a model as text (after a pass, too), calls, plan, llvm or asm."""
    with tempfile.TemporaryDirectory() as folder:
        made = _Model(folder, model, weights, options)
        flags = ["--emit", emit] if after is None else ["--after", after]
        return _run("inspect", made.arguments + flags, folder)[1]


def explain(model: Any, weights: Any = None, *, steps: int = 100, batch: int = 1, **options: Any) -> str:
    """Tells what runs in a model, from where its weights are read, and the time of a step beside the machine's limit."""
    with tempfile.TemporaryDirectory() as folder:
        made = _Model(folder, model, weights, options)
        return _run("explain", [*made.arguments, "--steps", str(steps), "--batch", str(batch)], folder)[1]


def svg(model: Any, weights: Any = None, **options: Any) -> str:
    """Draws what runs in a model, as SVG that needs nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        made = _Model(folder, model, weights, options)
        _run("explain", [*made.arguments, "--html", "drawn.html"], folder)
        page = (Path(folder) / "drawn.html").read_text(encoding="utf-8")
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    drawing = re.search(r"<svg (viewBox=\"[\d.]+ [\d.]+ ([\d.]+) ([\d.]+)\".*?</svg>)", page, re.DOTALL)
    if style is None or drawing is None:
        raise errors.UnsupportedError("rnnc explain made no drawing of the model")
    rest = drawing.group(1)
    head, body = rest[: rest.index(">") + 1], rest[rest.index(">") + 1 :]
    size = f'width="{drawing.group(2)}" height="{drawing.group(3)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {head}<style>{style.group(1)}</style>{body}'


def main() -> int:
    """Runs the program rnnc with the arguments of the process: the command `rnnc` of an installed package."""
    try:
        program = _program()
    except errors.Error as error:
        print(f"rnnc: {error}", file=sys.stderr)
        return 4
    os.execv(program, [program, *sys.argv[1:]])
