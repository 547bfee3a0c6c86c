"""Shapes of sequences, and the regimes they are judged in: each is bound by something else."""
import re
from typing import Callable, NamedTuple


class Shape(NamedTuple):
    cell: str
    steps: int
    batch: int
    input: int
    hidden: int
    threads: int

    def __str__(self):
        return ":".join(map(str, self))


class Regime(NamedTuple):
    name: str
    about: str
    holds: Callable[[Shape], bool]


TINY, MIDDLE, SMALL_BATCH = 20, 256, 8

# The first that holds is a shape's regime.
REGIMES = (
    Regime("two threads", "More than one thread. Ours share the sequences of a batch, or the units of each step.",
           lambda s: s.threads > 1),
    Regime("one call a step", "One step a call with 1 or 4 inputs, as audio and control do it.",
           lambda s: s.steps == 1 and s.input <= 4),
    Regime("one step", "A single step: nothing can be taken out of the recurrence, and a call's own cost shows.",
           lambda s: s.steps == 1),
    Regime("batch 1, tiny", f"At most {TINY} units: a step is a chain of latencies.",
           lambda s: s.batch == 1 and s.hidden <= TINY),
    Regime("batch 1, middle", f"Up to {MIDDLE} units: weights come from L1 or L2.",
           lambda s: s.batch == 1 and s.hidden <= MIDDLE),
    Regime("batch 1, large", f"More than {MIDDLE} units: weights come from beyond L2 at every step.",
           lambda s: s.batch == 1),
    Regime("small batch", f"2 to {SMALL_BATCH} sequences share the weights.",
           lambda s: s.batch <= SMALL_BATCH),
    Regime("large batch", f"More than {SMALL_BATCH} sequences: multiply-adds are the limit.",
           lambda s: True),
)


def regime_of(shape):
    return next(regime for regime in REGIMES if regime.holds(shape))


def parse(text):
    """CELL:T:B:I:H:THREADS. Raises ValueError."""
    match = re.fullmatch(r"(\w+):" + ":".join([r"([1-9]\d*)"] * 5), text)
    if not match:
        raise ValueError(f"'{text}' is not CELL:T:B:I:H:THREADS, such as lstm:100:1:64:64:1")
    return Shape(match[1], *map(int, match.groups()[1:]))


def from_benchmark_names(lines):
    """The shapes that bench_cells --benchmark_list_tests names."""
    pattern = re.compile(r"(\w+)/T:(\d+)/B:(\d+)/I:(\d+)/H:(\d+)/threads:(\d+)/rnnc\b")
    return [Shape(m[1], *map(int, m.groups()[1:])) for m in map(pattern.match, lines) if m]
