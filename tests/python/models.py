"""Models of the tests, and what NumPy computes of them in double precision from the papers' formulas."""

import os
import pathlib

import numpy

ROOT = pathlib.Path(__file__).resolve().parents[2]
# A result of f32 stays so close to one of double precision, for these sizes.
CLOSE = 2e-6

REVERSED = """network both {
  input x : seq f32[5]
  a = bidirectional lstm<H=6>(x)
  output a
}
"""

TWO_OUTPUTS = """cell two<I, H> {
  input x : f32[I]
  state h : f32[H]
  param W : f32[H, I]
  param U : f32[H, H]
  h' = tanh(W @ x + U @ h)
  output h'
}
network pair {
  input x : seq f32[5]
  a = two<H=6>(x)
  output a
  output doubled = 2 * a
  output end = last(a)
}
"""

OTHER_INPUTS = """cell two<I, H> {
  input x : f32[I]
  state h : f32[H]
  param W : f32[H, I]
  param U : f32[H, H]
  h' = tanh(W @ x + U @ h)
  output h'
}
network meeting {
  input x : seq f32[5]
  input v : f32[5]
  input z : seq<S> f32[4]
  a = two<H=6>(x + v)
  b = two<H=3>(z)
  output a
  output other = b
}
"""


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


def lstm_weights(inputs, hidden, seed=1, prefix=""):
    random = numpy.random.default_rng(seed)
    weights = {}
    for gate in "ifgo":
        weights[f"{prefix}W{gate}"] = random.uniform(-0.5, 0.5, (hidden, inputs)).astype(numpy.float32)
        weights[f"{prefix}U{gate}"] = random.uniform(-0.5, 0.5, (hidden, hidden)).astype(numpy.float32)
        weights[f"{prefix}b{gate}"] = random.uniform(-0.5, 0.5, hidden).astype(numpy.float32)
    return weights


def lstm(weights, x, h=None, c=None, prefix="", lengths=None):
    """Runs Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000 over x [T, B, I]."""
    w = {name: value.astype(numpy.float64) for name, value in weights.items()}
    steps, batch, _ = x.shape
    hidden = w[f"{prefix}bi"].shape[0]
    h = numpy.zeros((batch, hidden)) if h is None else h.astype(numpy.float64)
    c = numpy.zeros((batch, hidden)) if c is None else c.astype(numpy.float64)
    y = numpy.zeros((steps, batch, hidden))
    for t in range(steps):
        gate = {g: x[t] @ w[f"{prefix}W{g}"].T + h @ w[f"{prefix}U{g}"].T + w[f"{prefix}b{g}"] for g in "ifgo"}
        new_c = sigmoid(gate["f"]) * c + sigmoid(gate["i"]) * numpy.tanh(gate["g"])
        new_h = sigmoid(gate["o"]) * numpy.tanh(new_c)
        runs = numpy.ones((batch, 1), bool) if lengths is None else (t < numpy.asarray(lengths))[:, None]
        c, h = numpy.where(runs, new_c, c), numpy.where(runs, new_h, h)
        y[t] = numpy.where(runs, new_h, 0)
    return y, h, c


def random_x(*shape, seed=2):
    return numpy.random.default_rng(seed).standard_normal(shape).astype(numpy.float32)


def environment():
    """Returns the environment of a process that imports the same package."""
    import rnnc

    return {**os.environ, "PYTHONPATH": str(pathlib.Path(rnnc.__file__).parents[1])}
