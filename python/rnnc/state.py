"""What a program remembers of sequences from call to call, by the names of the model's states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _rnnc, errors

if TYPE_CHECKING:
    import numpy


class State(_rnnc.State):
    """The states of a batch of sequences. A call advances them; each is for one thread at a time."""

    __slots__ = ()

    def _size(self, name: str) -> int:
        if self.program is None:
            raise errors.UsageError("the state was unpickled and has met no program yet: run it once")
        ports = self.program.states
        if name not in ports:
            raise errors.UnknownNameError(f"there is no state '{name}'; there are {', '.join(ports)}")
        return ports[name].size

    def __getitem__(self, name: str) -> "numpy.ndarray":
        """Returns a copy of one state, [batch, size]."""
        import numpy

        values = numpy.empty((self.batch, self._size(name)), numpy.float32)
        self._get(name, values)
        return values

    def __setitem__(self, name: str, values: Any) -> None:
        from . import arrays

        array, _ = arrays.lend(values, name, copy=True)
        wanted = (self.batch, self._size(name))
        if array.shape != wanted:
            raise errors.ShapeError(f"state {name} has shape {wanted}, not {array.shape}")
        self._set(name, array)

    def keys(self) -> list[str]:
        return [] if self.program is None else list(self.program.states)

    def __iter__(self):
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __reduce__(self):
        return State, (None, self.batch, self.save())

    def __copy__(self) -> "State":
        copied = self.program.state(self.batch)
        copied.restore(self.save())
        return copied

    def __deepcopy__(self, memo: Any) -> "State":
        return self.__copy__()

    def __repr__(self) -> str:
        name = "no program yet" if self.program is None else self.program.name
        return f"<rnnc.State of {name}, {self.batch} sequence{'' if self.batch == 1 else 's'}>"
