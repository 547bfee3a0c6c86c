#!/usr/bin/env python3
"""infer.py MODEL INPUT OUTPUT: runs a model over a folder of utterances, one process a core, with Dask.

Each INPUT/name.npy is f32 [T, I], and becomes OUTPUT/name.npy with y of the model, [T, O], or [O] where the model gives one value for
a sequence. A result is whole or not there, so that a run goes on where another one ended, and a worker that dies is replaced.
"""
import argparse
import fcntl
import os
import sys
import tempfile
import time

import dask
import numpy
import rnnc
from distributed import Client, LocalCluster, WorkerPlugin, as_completed, get_worker
from distributed.scheduler import KilledWorker

PART = ".part"  # ends the name of a result that is being written
MOST_BYTES = 4 << 20  # of the inputs of a batch, where all are as long as the longest


class Model(WorkerPlugin):
    """Compiles the model once in each worker, also in one that replaces another."""

    name = "model"

    def __init__(self, model, weights):
        self.model, self.weights = model, weights

    def setup(self, worker):
        self.program = rnnc.compile(self.model, self.weights)


def load(path, size):
    x = numpy.load(path, allow_pickle=False)
    if x.ndim != 2 or x.shape[1] != size or x.dtype != numpy.float32:
        raise ValueError(f"holds {x.dtype} {list(x.shape)}; the model takes float32 [T, {size}]")
    return x


def save(path, array):
    """Writes under another name first: whoever dies meanwhile leaves no half of a result behind."""
    folder, name = os.path.split(path)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{name}.", suffix=PART, delete=False) as file:
        numpy.save(file, array)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def is_whole(path):
    """Tells whether a result is as long as its beginning says; after a power cut it may not be."""
    try:
        numpy.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    return True


def infer(names, source, target):
    """Runs some utterances as one batch and returns what is wrong with those that have no result, by their names.

    A batch gives each sequence the bits that it has alone. Results that are there already come from a worker that died after it had
    written them.
    """
    program = get_worker().plugins["model"].program
    inputs, mistakes = {}, {}
    for name in names:
        if os.path.exists(os.path.join(target, name)):
            continue
        try:
            inputs[name] = load(os.path.join(source, name), program.input_size)
        except (OSError, ValueError, EOFError) as mistake:
            mistakes[name] = str(mistake)
    if not inputs:
        return mistakes
    lengths = numpy.array([len(x) for x in inputs.values()], numpy.int32)
    batch = numpy.zeros((lengths.max(), len(inputs), program.input_size), numpy.float32)
    for place, x in enumerate(inputs.values()):
        batch[: len(x), place] = x
    y = program(batch, lengths=lengths)
    for place, (name, length) in enumerate(zip(inputs, lengths)):
        save(os.path.join(target, name), y[:length, place] if y.ndim == 3 else y[place])
    return mistakes


def remove_parts(target):
    """Removes what workers that died have left half written."""
    for name in os.listdir(target):
        if name.startswith(".") and name.endswith(PART):
            os.remove(os.path.join(target, name))


def begin(target):
    """Makes the folder of results this run's alone. Returns the lock."""
    os.makedirs(target, exist_ok=True)
    lock = os.open(target, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"infer.py: another run writes to {target}; wait for its end, or name another folder")
    remove_parts(target)
    return lock


def batches_of(source, target, size):
    """Returns how many utterances have a result, and the names of the others, some of about the same length together."""
    entries = {entry.name: entry.stat().st_size for entry in os.scandir(source) if entry.name.endswith(".npy")}
    there = 0
    for name in entries.keys() & set(os.listdir(target)):
        path = os.path.join(target, name)
        if is_whole(path):
            there += 1
            del entries[name]
        else:
            os.remove(path)
    waiting = sorted(entries, key=lambda name: (-entries[name], name))  # the longest first
    batches = []
    for name in waiting:
        longest = entries[batches[-1][0]] if batches else 0
        if not batches or len(batches[-1]) == size or longest * (len(batches[-1]) + 1) > MOST_BYTES:
            batches.append([])
        batches[-1].append(name)
    return there, batches


def run(client, batches, source, target):
    """Runs all batches and returns what is wrong with utterances, by their names."""
    mistakes = {}
    submit = lambda names: client.submit(infer, names, source, target, pure=False)
    names_of = {submit(names): names for names in batches}
    finished = as_completed(list(names_of))
    for future in finished:
        names = names_of.pop(future)
        try:
            mistakes.update(future.result())
        except KilledWorker:
            # Several workers died of the batch, so that one utterance of it may kill whoever takes it: it is found alone.
            if len(names) == 1:
                mistakes[names[0]] = "every worker that took it has died"
                continue
            for name in names:
                alone = submit([name])
                names_of[alone] = [name]
                finished.add(alone)
    return mistakes


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is less than 1")
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="a model, or an artifact of rnnc compile, which needs no time to compile")
    parser.add_argument("input", help="the folder of utterances")
    parser.add_argument("output", help="the folder of results")
    parser.add_argument("--weights", help="the weights of a model that is text (default: beside it)")
    parser.add_argument(
        "--workers", type=positive, default=os.cpu_count(), help="processes (default: one for each core)"
    )
    parser.add_argument("--batch", type=positive, default=64, help="the most utterances of a task (default: 64)")
    parser.add_argument("--scheduler", help="the address of a cluster that runs, which sees the same folders")
    flags = parser.parse_args()
    if not os.path.isdir(flags.input):
        parser.error(f"there is no folder {flags.input}")
    model, source, target = (os.path.abspath(path) for path in (flags.model, flags.input, flags.output))
    weights = flags.weights and os.path.abspath(flags.weights)
    try:
        rnnc.compile(model, weights)  # a mistake is told here, once
    except rnnc.Error as error:
        sys.exit(f"infer.py: {error}")
    lock = begin(target)
    there, batches = batches_of(source, target, flags.batch)
    with tempfile.TemporaryDirectory() as folder, dask.config.set({"temporary-directory": folder}):
        cluster = flags.scheduler or LocalCluster(
            n_workers=flags.workers, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs="CRITICAL"
        )
        with Client(cluster) as client:
            register = getattr(client, "register_plugin", None) or client.register_worker_plugin
            register(Model(model, weights))
            start = time.monotonic()
            mistakes = run(client, batches, source, target)
            seconds = time.monotonic() - start
        if not flags.scheduler:
            cluster.close()
    remove_parts(target)
    os.sync()  # once, since a file at a time costs more than a small model does
    os.close(lock)
    for name, mistake in sorted(mistakes.items()):
        print(f"infer.py: {name}: {mistake}", file=sys.stderr)
    count = sum(map(len, batches)) - len(mistakes)
    print(f"{count} written in {seconds:.2f} s, {there} there already, {len(mistakes)} failed")
    sys.exit(1 if mistakes else 0)


if __name__ == "__main__":
    main()
