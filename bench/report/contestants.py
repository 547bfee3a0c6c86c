"""Who is timed, and how: rnnc and oneDNN by `rnnc bench`, others by commands that print a line with `min X us`."""
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from typing import NamedTuple, Optional, Tuple

SECONDS_AT_MOST = 900
UNSUPPORTED = 4  # rnnc's exit code
# What most RNN libraries have; others only where a peer names them.
USUAL_CELLS = ("lstm", "gru", "rnn")
# Threads of peers stay awake between their parallel regions. Not for `rnnc bench`, where they would disturb ours.
OPENMP = {"OMP_PROC_BIND": "close", "OMP_WAIT_POLICY": "active"}


class Failed(Exception):
    pass


class Peer(NamedTuple):
    name: str
    command: str  # for the shell
    cells: Tuple[str, ...] = USUAL_CELLS

    def command_for(self, shape):
        """Only {cell} {T} {B} {I} {H} {threads} are replaced: the shell has braces too."""
        values = dict(zip(("cell", "T", "B", "I", "H", "threads"), shape))
        return re.sub(r"\{(cell|T|B|I|H|threads)\}", lambda m: str(values[m[1]]), self.command)


def parse_peer(text):
    """NAME[:CELL,...]=COMMAND. Raises ValueError."""
    match = re.fullmatch(r"([\w.-]+)(?::([\w,]+))?=(.*\S.*)", text, re.DOTALL)
    if not match or match[1] in ("rnnc", "onednn"):
        raise ValueError(f"'{text}' is not NAME[:CELL,...]=COMMAND with a name other than rnnc and onednn")
    return Peer(match[1], match[3], tuple(match[2].split(",")) if match[2] else USUAL_CELLS)


def onnxruntime_peer():
    """ONNX Runtime through its Python module, where that is installed."""
    if not importlib.util.find_spec("onnxruntime"):
        return None
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "onnxruntime_cell.py")
    command = f"{shlex.quote(sys.executable)} {shlex.quote(program)} {{cell}} {{T}} {{B}} {{I}} {{H}} {{threads}}"
    return Peer("ort", command, ("lstm", "gru", "gru_cho", "rnn", "lstm_peephole"))


def parse_peer_line(output):
    """(best time in microseconds, version) of a line such as `ort-1.20 lstm T=1 ... min 3.5 us`; None if there is none.
    The version is what the line's first word holds of digits and points."""
    for line in reversed(output.splitlines()):
        best = re.search(r"\bmin ([\d.]+(?:[eE][+-]?\d+)?) us\b", line)
        if best:
            version = re.search(r"\d+(\.\d+)*", line.split()[0])
            return float(best[1]), version[0] if version else None
    return None


def pin(threads):
    """What a command begins with so that its one thread stays on the last CPU we may use."""
    if threads != 1 or not shutil.which("taskset"):
        return []
    return ["taskset", "-c", str(max(os.sched_getaffinity(0)))]


def finished(command, environment=None):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_AT_MOST, check=False,
                              env={**os.environ, **(environment or {})})
    except subprocess.TimeoutExpired as error:
        raise Failed(f"took more than {SECONDS_AT_MOST} s") from error


def time_ours(rnnc, shape):
    """The JSON object of `rnnc bench`, with oneDNN where it has the cell. Raises Failed."""
    command = [*pin(shape.threads), rnnc, "bench", "--cell", shape.cell, "--steps", str(shape.steps), "--batch",
               str(shape.batch), "--input-size", str(shape.input), "--hidden-size", str(shape.hidden), "--threads",
               str(shape.threads), "--json"]
    run = finished(command + ["--against", "onednn"])
    if run.returncode == UNSUPPORTED and "--against onednn:" not in run.stderr:  # which says that there is no plug-in
        run = finished(command)
    if run.returncode != 0:
        raise Failed((run.stderr.strip().splitlines() or [f"exit code {run.returncode}"])[-1])
    return json.loads(run.stdout.strip().splitlines()[-1])


def time_peer(peer, shape) -> Optional[Tuple[float, Optional[str]]]:
    """Nothing where the peer lacks the cell. Raises Failed."""
    if shape.cell not in peer.cells:
        return None
    run = finished([*pin(shape.threads), "sh", "-c", peer.command_for(shape)], OPENMP)
    found = parse_peer_line(run.stdout) if run.returncode == 0 else None
    if not found:
        raise Failed((run.stderr.strip().splitlines() or [f"no line with `min X us`, exit code {run.returncode}"])[-1])
    return found
