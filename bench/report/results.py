"""The data file: facts about machine and run as comment lines, then a CSV table with a row for each shape."""
import csv
import io
import math
import os
import tempfile
from dataclasses import dataclass, field
from typing import Dict, List, Optional

from .shapes import Shape

OURS = "rnnc"
NOISY = 0.10  # a best time that other rounds miss by more


@dataclass
class Time:
    best_us: float
    spread: Optional[float] = None  # how much longer the slowest round took; None where there was one


@dataclass
class Row:
    shape: Shape
    flops: float           # of a call
    bytes_per_step: float  # recurrent weights
    limit_us: float
    times: Dict[str, Time] = field(default_factory=dict)

    @property
    def ours(self):
        return self.times[OURS]

    @property
    def fastest_peer_us(self):
        return min((t.best_us for name, t in self.times.items() if name != OURS), default=None)

    @property
    def ratio(self):
        """Fastest peer's time over ours; None where nobody else was timed."""
        return self.fastest_peer_us / self.ours.best_us if self.fastest_peer_us else None

    @property
    def gflops(self):
        return self.flops / self.ours.best_us * 1e-3

    @property
    def limit_fraction(self):
        return self.limit_us / self.ours.best_us

    @property
    def intensity(self):
        """Floating-point operations for each byte of recurrent weights that a step reads."""
        return self.flops / self.shape.steps / self.bytes_per_step


@dataclass
class Results:
    facts: Dict[str, str] = field(default_factory=dict)
    rows: List[Row] = field(default_factory=list)

    def contestants(self):
        """Ours first, then in the order in which they appear."""
        names = dict.fromkeys([OURS])
        for row in self.rows:
            names.update(dict.fromkeys(row.times))
        return list(names)

    def spreads(self):
        return sorted(t.spread for row in self.rows for t in row.times.values() if t.spread is not None)

    def reads(self):
        """(level, GB/s) of one core, fastest first."""
        return [(key[len("read "):], float(value)) for key, value in self.facts.items() if key.startswith("read ")]


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


FIXED = list(Shape._fields) + ["flops", "bytes_per_step", "limit_us"]


def to_text(results):
    out = io.StringIO()
    for key, value in results.facts.items():
        out.write(f"# {key}: {' '.join(str(value).split())}\n")
    names = results.contestants()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(FIXED + [f"{name} {what}" for name in names for what in ("us", "spread")])
    for row in results.rows:
        cells = list(row.shape) + [f"{row.flops:.0f}", f"{row.bytes_per_step:.0f}", f"{row.limit_us:.4f}"]
        for name in names:
            time = row.times.get(name)
            cells.append(f"{time.best_us:.4f}" if time else "")
            cells.append(f"{time.spread:.4f}" if time and time.spread is not None else "")
        table.writerow(cells)
    return out.getvalue()


def from_text(text):
    """What to_text wrote. Raises ValueError that names the line."""
    results, lines = Results(), text.splitlines()
    head = [line for line in lines if line.startswith("#")]
    for line in head:
        key, _, value = line[1:].partition(":")
        results.facts[key.strip()] = value.strip()
    for number, record in enumerate(csv.DictReader(lines[len(head):]), len(head) + 2):
        try:
            results.rows.append(_row(record))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"line {number}: {error!r}") from error
    return results


def _row(record):
    if None in record or None in record.values():
        raise ValueError("it has more or fewer columns than the table's head")
    sizes = [int(record[name]) for name in Shape._fields[1:]]
    row = Row(Shape(record["cell"], *sizes), *(float(record[name]) for name in FIXED[len(Shape._fields):]))
    for column, value in record.items():
        if column.endswith(" us") and value:
            name = column[:-len(" us")]
            spread = record[f"{name} spread"]
            row.times[name] = Time(float(value), float(spread) if spread else None)
    if OURS not in row.times:
        raise ValueError(f"no time of {OURS}")
    return row


def write_atomically(path, text):
    """Readers see the old file or the new one."""
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".bench-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
