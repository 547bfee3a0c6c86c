#!/usr/bin/env python3
"""train.py [CELL:H:B ...]: times a forward and a backward pass of 100 steps beside PyTorch's, on one thread.

PyTorch runs nn.LSTM and nn.GRU, and other cells as a loop of its operations. rnnc runs the cell as text; for nn.LSTM,
nn.GRU, LSTMCell and GRUCell it runs what from_module makes of the module, for the last two in the same loop. Contestants
take turns, and the best time of each counts; `weights` is what rnnc needs to take over changed weights. Malloc's
thresholds are pinned, since PyTorch's time depends on them.
"""

import os
import sys

if "GLIBC_TUNABLES" not in os.environ:
    os.environ["GLIBC_TUNABLES"] = "glibc.malloc.trim_threshold=4294967295:glibc.malloc.mmap_threshold=4294967295"
    os.execv(sys.executable, [sys.executable, *sys.argv])

import time

import torch

import rnnc.torch

STEPS = 100
SHAPES = "lstm:64:1 lstm:64:16 lstm:128:16 lstm:256:64 gru:64:1 gru:128:16 ligru:64:1 ligru:128:16 lstm_layer_norm:64:1"


class Loop(torch.nn.Module):
    """A cell as a loop over the steps, as its user would write it."""

    def __init__(self, size, names):
        super().__init__()
        for name in names:
            shape = (size,) if name[0] in "bg" else (size, size)
            setattr(self, name, torch.nn.Parameter(torch.empty(shape).uniform_(-(size**-0.5), size**-0.5)))


class LiGRU(Loop):
    def __init__(self, size):
        super().__init__(size, ("Wz", "Wn", "Uz", "Un", "bz", "bn"))

    def forward(self, x):
        h, steps = x.new_zeros(x.shape[1:]), []
        wz, wn = x @ self.Wz.T + self.bz, x @ self.Wn.T + self.bn
        for t in range(x.shape[0]):
            z = torch.sigmoid(wz[t] + h @ self.Uz.T)
            h = z * h + (1 - z) * torch.relu(wn[t] + h @ self.Un.T)
            steps.append(h)
        return torch.stack(steps), h


class LayerNormLSTM(Loop):
    def __init__(self, size):
        super().__init__(size, ())
        self.W, self.U = (
            torch.nn.Parameter(torch.empty(4 * size, size).uniform_(-(size**-0.5), size**-0.5)) for _ in "WU"
        )
        self.of_x, self.of_h, self.of_c = (torch.nn.LayerNorm(n) for n in (4 * size, 4 * size, size))

    def forward(self, x):
        h = c = x.new_zeros(x.shape[1:])
        wx, steps = self.of_x(x @ self.W.T), []
        for t in range(x.shape[0]):
            i, f, g, o = (wx[t] + self.of_h(h @ self.U.T)).chunk(4, 1)
            c = self.of_c(torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g))
            h = torch.sigmoid(o) * torch.tanh(c)
            steps.append(h)
        return torch.stack(steps), h


class Steps(torch.nn.Module):
    """A cell of torch.nn in a loop."""

    def __init__(self, cell):
        super().__init__()
        self.cell = cell

    def forward(self, x):
        state, steps = None, []
        for row in x:
            state = self.cell(row, state)
            steps.append(state[0] if isinstance(state, tuple) else state)
        return torch.stack(steps), state


MODULES = {
    "lstm": lambda size: torch.nn.LSTM(size, size),
    "gru": lambda size: torch.nn.GRU(size, size),
    "nn.LSTM": lambda size: torch.nn.LSTM(size, size),
    "nn.GRU": lambda size: torch.nn.GRU(size, size),
    "LSTMCell": lambda size: Steps(torch.nn.LSTMCell(size, size)),
    "GRUCell": lambda size: Steps(torch.nn.GRUCell(size, size)),
    "ligru": LiGRU,
    "lstm_layer_norm": LayerNormLSTM,
}


def train_once(module, x, changes):
    """Returns the seconds of a forward and a backward pass; with `changes`, as if an optimizer had run before."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.grad = None
            if changes:
                parameter.add_(0)
    x.grad = None
    begin = time.perf_counter()
    y = module(x)[0]
    y.backward(torch.ones_like(y))
    return time.perf_counter() - begin


def main():
    torch.set_num_threads(1)
    print(f"PyTorch {torch.__version__}, {STEPS} steps, forward and backward, ms")
    print(f"{'cell:H:B':24}{'PyTorch':>10}{'rnnc':>10}{'weights':>10}{'times':>8}")
    for shape in sys.argv[1:] or SHAPES.split():
        cell, size, batch = shape.split(":")
        size, batch = int(size), int(batch)
        x = torch.randn(STEPS, batch, size, requires_grad=True)
        theirs = MODULES[cell](size)
        if cell in rnnc.standard_cells():
            ours = rnnc.torch.Recurrent(cell, dims={"I": size, "H": size})
        else:
            ours = rnnc.torch.from_module(theirs)
        contestants = {"theirs": (theirs, False), "ours": (ours, False), "changed": (ours, True)}
        best = dict.fromkeys(contestants, float("inf"))
        for _ in range(8):
            for name, (module, changes) in contestants.items():
                # The first calls of a turn find caches and pages that another contestant has used.
                end, calls = time.perf_counter() + 0.3, 0
                while calls < 3 or time.perf_counter() < end:
                    best[name] = min(best[name], train_once(module, x, changes))
                    calls += 1
        ms = {name: 1e3 * seconds for name, seconds in best.items()}
        weights = ms["changed"] - ms["ours"]
        print(f"{shape:24}{ms['theirs']:10.3f}{ms['ours']:10.3f}{weights:10.3f}{ms['theirs'] / ms['changed']:8.1f}")


main()
