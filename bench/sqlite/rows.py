#!/usr/bin/env python3
"""rows.py BUILD: times a row of an LSTM of 16 units in SQLite, beside a sum there and beside reading the rows into Python.

BUILD is a folder of the build, which has the extension and the Python package. Each way goes over 200,000 rows of 1,000 partitions, in
turns with the others; the best of five rounds counts.
"""
import os
import sqlite3
import sys
import time

import numpy

BUILD = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.join(BUILD, "python"))
import rnnc  # noqa: E402, since it lies in BUILD
from rnnc import safetensors

ROWS, PARTITIONS, HIDDEN, ROUNDS = 200_000, 1000, 16, 5

random = numpy.random.default_rng(1)
weights = {}
for gate in "ifgo":
    for name, shape in (("W", (HIDDEN, 1)), ("U", (HIDDEN, HIDDEN)), ("b", (HIDDEN,))):
        weights[name + gate] = random.uniform(-0.25, 0.25, shape).astype(numpy.float32)
with open(os.path.join(os.path.dirname(__file__), "..", "..", "ir", "cells", "lstm.rnn")) as file:
    text = file.read()
program = rnnc.compile(text, weights)

connection = sqlite3.connect(":memory:")
connection.enable_load_extension(True)
connection.load_extension(os.path.join(BUILD, "rnnc_sqlite"))
connection.execute("SELECT rnn_model('lstm', ?, ?)", (text, safetensors.to_bytes(weights)))
connection.execute("CREATE TABLE events(user, t, x REAL)")
values = random.uniform(-1, 1, ROWS)
connection.executemany("INSERT INTO events VALUES (?, ?, ?)", ((i % PARTITIONS, i, v) for i, v in enumerate(values)))
connection.execute("CREATE INDEX order_of_steps ON events(user, t, x)")


def in_sqlite(function):
    # count() reads each result and keeps none.
    connection.execute(
        f"SELECT count(y) FROM (SELECT {function} OVER (PARTITION BY user ORDER BY t) AS y FROM events)"
    ).fetchall()


def step_by_step():
    x, y, last = numpy.empty(1, numpy.float32), numpy.empty(HIDDEN, numpy.float32), None
    for user, value in connection.execute("SELECT user, x FROM events ORDER BY user, t"):
        if user != last:
            step, last = program.bind(x, y), user
        x[0] = value
        step()


def as_one_batch():
    rows = connection.execute("SELECT x FROM events ORDER BY user, t").fetchall()
    x = numpy.array(rows, numpy.float32).reshape(PARTITIONS, -1, 1)
    program(numpy.ascontiguousarray(x.transpose(1, 0, 2)))


WAYS = {
    "sum(x) in SQLite": lambda: in_sqlite("sum(x)"),
    "rnn('lstm', x) in SQLite": lambda: in_sqlite("rnn('lstm', x)"),
    "rows read by Python, a step each": step_by_step,
    "rows read by Python, one batch": as_one_batch,
}
best = dict.fromkeys(WAYS, float("inf"))
for _ in range(ROUNDS):
    for way, run in WAYS.items():
        start = time.perf_counter()
        run()
        best[way] = min(best[way], time.perf_counter() - start)
for way, seconds in best.items():
    print(f"{way:34} {seconds / ROWS * 1e6:.2f} us a row")
