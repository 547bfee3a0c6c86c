from . import _rnnc as _rnnc
from .command import bench as bench, explain as explain, inspect as inspect, svg as svg, verify as verify
from .errors import (
    DataError as DataError,
    Error as Error,
    FileError as FileError,
    LimitError as LimitError,
    ModelError as ModelError,
    ModelSyntaxError as ModelSyntaxError,
    ShapeError as ShapeError,
    UnknownNameError as UnknownNameError,
    UnsupportedError as UnsupportedError,
    UsageError as UsageError,
)
from .program import Port as Port, Program as Program, State as State, compile as compile

__version__: str

def standard_cells() -> list[str]: ...
