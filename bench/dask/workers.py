#!/usr/bin/env python3
"""workers.py BUILD [ROUNDS]: times examples/dask/infer.py with one worker and with two, in turns, over 1,000 utterances.

BUILD is a folder of the build, which has the Python package. The best time of each counts; it begins when all workers have the model.
"""
import os
import re
import subprocess
import sys
import tempfile

import numpy

BUILD = os.path.abspath(sys.argv[1])
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
INFER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "dask", "infer.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.path.join(BUILD, "python")}
IN, HIDDEN = 8, 256
MODELS = {
    "a vector of each utterance": "output mean(b)",  # 2 kB
    "a row of each step": "output b",  # 40 to 250 kB
}
TEXT = (
    "network encoder { input x : seq f32[8]  a = bidirectional lstm<H=256>(x)  b = bidirectional lstm<H=256>(a)  %s }"
)

random = numpy.random.default_rng(1)


def weights():
    tensors = {}
    for layer, size in (("a", IN), ("b", 2 * HIDDEN)):
        for direction in ("fwd", "bwd"):
            for gate in "ifgo":
                for name, shape in (("W", (HIDDEN, size)), ("U", (HIDDEN, HIDDEN)), ("b", (HIDDEN,))):
                    values = random.uniform(-1, 1, shape) / HIDDEN**0.5
                    tensors[f"{layer}.{direction}.{name}{gate}"] = values.astype(numpy.float32)
    return tensors


with tempfile.TemporaryDirectory() as folder:
    utterances = os.path.join(folder, "utterances")
    os.mkdir(utterances)
    for i in range(1000):
        x = random.standard_normal((random.integers(20, 121), IN), dtype=numpy.float32)
        numpy.save(os.path.join(utterances, f"u{i}.npy"), x)
    numpy.savez(os.path.join(folder, "weights.npz"), **weights())
    runs = 0
    for result, output in MODELS.items():
        model = os.path.join(folder, "encoder.rnn")
        with open(model, "w") as file:
            file.write(TEXT % output)
        best = {1: float("inf"), 2: float("inf")}
        for _ in range(ROUNDS):
            for workers in best:
                runs += 1
                command = [sys.executable, INFER, model, utterances, os.path.join(folder, f"results{runs}")]
                command += ["--weights", os.path.join(folder, "weights.npz"), "--workers", str(workers)]
                told = subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout
                best[workers] = min(best[workers], float(re.search(r"written in ([0-9.]+) s", told)[1]))
        print(f"{result}: one worker {best[1]:.2f} s, two {best[2]:.2f} s, {best[1] / best[2]:.2f} times as fast")
