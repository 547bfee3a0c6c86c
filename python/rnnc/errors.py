"""The exceptions of rnnc. Each has the text with its place, the line that it is about, and a caret below the column."""


class Error(Exception):
    """A mistake of the caller's, or something that this machine or version cannot do.

    `code` names the kind; `file`, `line` and `column` are the place, 0 where it is unknown; `excerpt` shows the line.
    """

    code = "error"
    file = ""
    line = 0
    column = 0
    excerpt = ""


class UsageError(Error, ValueError):
    """An argument that makes no sense."""

    code = "usage"


class ModelSyntaxError(Error, ValueError):
    """Text that is not a model."""

    code = "syntax"


class UnknownNameError(Error, LookupError):
    """A name that is unknown, or declared twice."""

    code = "name"


class ShapeError(Error, ValueError):
    """Shapes that do not fit each other."""

    code = "shape"


class ModelError(Error, ValueError):
    """A model that has the right syntax but no meaning."""

    code = "model"


class DataError(Error, ValueError):
    """A file or tensor that is malformed, missing or left over."""

    code = "data"


class LimitError(Error, MemoryError):
    """More than a limit or the memory allows."""

    code = "limit"


class UnsupportedError(Error, NotImplementedError):
    """Right, but not on this machine or in this version."""

    code = "unsupported"


class FileError(Error, OSError):
    """The file system reports an error."""

    code = "file"


_CLASSES = {
    kind.code: kind
    for kind in (
        UsageError,
        ModelSyntaxError,
        UnknownNameError,
        ShapeError,
        ModelError,
        DataError,
        LimitError,
        UnsupportedError,
        FileError,
    )
}


def make(code: str, text: str, file: str = "", line: int = 0, column: int = 0, excerpt: str = "") -> Error:
    """Makes the exception of a code; the compiled module calls it."""
    error = _CLASSES[code](text)
    error.file, error.line, error.column, error.excerpt = file, line, column, excerpt
    return error
