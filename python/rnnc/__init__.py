"""Compiled recurrent networks: `program = rnnc.compile("model.rnn")`, then `y = program(x)`. See docs/python.md."""

import atexit
import importlib
import os

try:
    from . import _rnnc
except ImportError as error:
    if "libLLVM" not in str(error):
        raise
    raise ImportError(
        f"{error}. rnnc makes code with LLVM: install the package libllvm19, or the wheel without LLVM"
    ) from None

from .errors import (
    DataError,
    Error,
    FileError,
    LimitError,
    ModelError,
    UnknownNameError,
    ShapeError,
    ModelSyntaxError,
    UnsupportedError,
    UsageError,
)
from .program import Port, Program, State, compile

# What the program rnnc shows is loaded when it is first asked for.
_COMMANDS = ("bench", "explain", "inspect", "svg", "verify")


def __getattr__(name: str):
    if name in _COMMANDS:
        from . import command

        return getattr(command, name)
    if name == "torch":
        return importlib.import_module("rnnc.torch")
    raise AttributeError(f"module 'rnnc' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_COMMANDS])


__version__ = _rnnc.version
standard_cells = _rnnc.standard_cells

# Threads that are in a call when Python ends would be ended in the midst of it, so their calls are waited for. A forked
# child has none of them.
atexit.register(_rnnc.finish)
os.register_at_fork(after_in_child=_rnnc.forget)

__all__ = [
    "DataError",
    "Error",
    "FileError",
    "LimitError",
    "ModelError",
    "Port",
    "Program",
    "ShapeError",
    "State",
    "ModelSyntaxError",
    "UnsupportedError",
    "UsageError",
    "bench",
    "compile",
    "explain",
    "inspect",
    "standard_cells",
    "svg",
    "verify",
]
