"""Arrays of the caller's become float32 arrays in C order, without a copy unless the caller allows one."""

from __future__ import annotations

import sys
from typing import Any, Callable

import numpy

from . import errors

_Wrap = Callable[[numpy.ndarray], Any]


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _of_tensor(value: Any, what: str) -> numpy.ndarray:
    torch = sys.modules["torch"]
    if value.device.type != "cpu":
        raise errors.UsageError(f"{what} is on device {value.device}, but rnnc runs on the CPU: pass {what}.cpu()")
    if value.layout != torch.strided:
        raise errors.UsageError(f"{what} has layout {value.layout}: pass {what}.to_dense()")
    if value.requires_grad and torch.is_grad_enabled():
        raise errors.UnsupportedError(
            f"{what} requires a gradient, and a program computes none: call within torch.no_grad(), or pass {what}.detach()"
        )
    if value.dtype == torch.bfloat16:
        raise TypeError(f"{what} must have dtype float32, not bfloat16: pass {what}.float()")
    return value.detach().numpy()


def _from_numpy(array: numpy.ndarray) -> Any:
    return sys.modules["torch"].from_numpy(array)


def _same(array: numpy.ndarray) -> numpy.ndarray:
    return array


def lend(value: Any, what: str, copy: bool = False) -> tuple[numpy.ndarray, _Wrap]:
    """Returns the caller's memory as an array of float32 in C order, and what makes an array of the same kind.

    Another dtype or order is an error; with `copy` it is converted, which takes one copy.
    """
    wrap = _same
    if isinstance(value, numpy.ndarray):
        if hasattr(value, "mask"):
            raise TypeError(
                f"{what} is masked, and rnnc would read what the mask hides: pass {what}.filled(0), or lengths"
            )
        array = value
    elif _is_tensor(value):
        array, wrap = _of_tensor(value, what), _from_numpy
    else:
        array = numpy.asarray(value)
    if array.dtype != numpy.float32:
        if not copy or array.dtype.kind not in "fiub":
            raise TypeError(
                f"{what} must have dtype float32, not {array.dtype}; convert it"
                + (", or pass copy=True" if array.dtype.kind in "fiub" else "")
            )
        array = array.astype(numpy.float32, order="C")
    elif not (array.flags.c_contiguous and array.flags.aligned):
        if not copy and array.flags.c_contiguous:
            # Arrays that come from another process may begin anywhere in what was received.
            raise ValueError(f"{what} is not aligned to 4 bytes: pass numpy.array({what}), or copy=True")
        if not copy:
            raise ValueError(
                f"{what} does not lie row after row in memory (strides {array.strides}): "
                f"pass numpy.ascontiguousarray({what}), or copy=True"
            )
        array = numpy.array(array, order="C")
    return array, wrap


def integers(value: Any, what: str, count: int) -> numpy.ndarray:
    """Returns `count` whole numbers as int32."""
    array = _of_tensor(value, what) if _is_tensor(value) else numpy.asarray(value)
    if array.dtype.kind not in "iu":
        if array.size:
            raise TypeError(f"{what} must be whole numbers, not {array.dtype}")
        array = array.astype(numpy.int32)
    if array.shape != (count,):
        raise errors.ShapeError(f"{what} must have shape ({count},), one number for each sequence, not {array.shape}")
    if count and not (-(2**31) <= int(array.min()) and int(array.max()) < 2**31):
        raise errors.UsageError(f"{what} must fit into 32 bits")
    return numpy.ascontiguousarray(array, dtype=numpy.int32)


def weights(tensors: Any, what: str = "weights") -> dict[str, numpy.ndarray]:
    """Returns the tensors of a state_dict or dict of arrays as float32 arrays by name."""
    taken = {}
    for name, value in tensors.items():
        if _is_tensor(value):
            array = value.detach().cpu().float().numpy()
        else:
            array = numpy.asarray(value)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"{what}: {name} must be numbers, not {array.dtype}")
        taken[str(name)] = numpy.ascontiguousarray(array, dtype=numpy.float32).reshape(array.shape)
    return taken


def step(program: Any, state: Any, x: Any, y: Any) -> Any:
    """Runs a step of arrays that have no buffer of their own, such as tensors of PyTorch."""
    array, wrap = lend(x, "x")
    if y is None:
        return wrap(program.step(state, array))
    program.step(state, array, lend(y, "y")[0])
    return y
