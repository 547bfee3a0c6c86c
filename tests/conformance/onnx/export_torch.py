"""What PyTorch's exporter writes: initial states that the batch size decides, layers, heads, embeddings and norms.

    python3 tests/conformance/onnx/export_torch.py        (needs numpy, torch and its ONNX exporter)

writes exported/NAME.onnx, and exported/data.safetensors with NAME.x [T,B,I] and NAME.y, [T,B,F] or [B,F], F64 but x. The numbers
are those of the modules in double precision.
"""
import copy
import pathlib
import warnings
from typing import List

import numpy as np
import torch
from torch import nn

from make_data import save

T, B, I, H = 7, 2, 5, 6
FOLDER = pathlib.Path(__file__).parent / "exported"
tensors = {}


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.head = nn.LSTM(I, H, 2, bidirectional=True), nn.Linear(2 * H, 3)

    def forward(self, x):
        return self.head(self.rnn(x)[0])


class LastStep(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.head = nn.GRU(I, H, batch_first=True), nn.Linear(H, 3)

    def forward(self, x):
        return torch.log_softmax(self.head(self.rnn(x)[0][:, -1]), 1)


class FinalStates(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.head = nn.GRU(I, H, batch_first=True, bidirectional=True), nn.Linear(2 * H, 3)

    def forward(self, x):
        h = self.rnn(x)[1]
        return torch.softmax(self.head(torch.cat([h[0], h[1]], 1)), 1)


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.rnn, self.head = nn.Embedding(11, I), nn.RNN(I, H, nonlinearity="relu"), nn.Linear(H, 11)

    def forward(self, x):
        return self.head(self.rnn(self.table(x))[0])


class NormAndMean(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.below, self.rnn, self.head = nn.LayerNorm(I), nn.Linear(I, 8), nn.LSTM(8, H), nn.Linear(H, 2)
        with torch.no_grad():
            self.norm.weight.uniform_(0.5, 1.5), self.norm.bias.uniform_(-0.5, 0.5)

    def forward(self, x):
        return torch.sigmoid(self.head(torch.tanh(self.rnn(torch.relu(self.below(self.norm(x))))[0].mean(0))))


class OwnCell(nn.Module):
    """A cell of one's own; scripted, its loop over the steps becomes the operator Loop."""

    def __init__(self):
        super().__init__()
        self.W, self.U, self.V = nn.Linear(I, H), nn.Linear(H, H, bias=False), nn.Linear(H, H)

    def forward(self, x, h):
        z = torch.sigmoid(self.W(x) + self.U(h))
        return z * h + (1 - z) * torch.tanh(self.V(h * z))


class LoopOfSteps(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.head = OwnCell(), nn.Linear(H, 3)

    def forward(self, x):
        h = torch.zeros(x.size(1), 6, dtype=x.dtype)
        steps: List[torch.Tensor] = []
        for t in range(x.size(0)):
            h = self.cell(x[t], h)
            steps.append(h)
        return self.head(torch.stack(steps))


class LoopOfBatch(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.other = OwnCell(), OwnCell()

    def forward(self, x):
        h, g = torch.zeros(x.size(0), 6, dtype=x.dtype), torch.ones(x.size(0), 6, dtype=x.dtype)
        steps: List[torch.Tensor] = []
        for t in range(x.size(1)):
            g = self.other(x[:, t], h + g)
            h = self.cell(x[:, t], g)
            steps.append((h - g).unsqueeze(1))
        return torch.cat(steps, 1)


class LoopToTheEnd(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = OwnCell()

    def forward(self, x):
        h = torch.zeros(x.size(1), 6, dtype=x.dtype)
        for t in range(x.size(0)):
            h = self.cell(x[t], h)
        return torch.relu(h)


def case(name, module, batch_first=False, tokens=False):
    x = torch.randint(0, 11, (T, B)) if tokens else torch.randn((B, T, I) if batch_first else (T, B, I))
    module.eval()
    exact = copy.deepcopy(module).double()(x if tokens else x.double())
    y = (exact[0] if isinstance(exact, tuple) else exact).detach().numpy()
    if batch_first and y.ndim == 3: y = y.transpose(1, 0, 2).copy()
    for suffix, dims in (("", None), ("_any_batch", {"x": {0: "B", 1: "T"} if batch_first else {0: "T", 1: "B"}})):
        torch.onnx.export(module, x, FOLDER / f"{name}{suffix}.onnx", input_names=["x"], dynamic_axes=dims, opset_version=13)
        seen = np.float32(x.numpy())
        if tokens: seen = seen[:, :, None]
        tensors[f"{name}{suffix}.x"] = seen.transpose(1, 0, 2).copy() if batch_first else seen
        tensors[f"{name}{suffix}.y"] = y


def main():
    warnings.filterwarnings("ignore")
    torch.manual_seed(1)
    FOLDER.mkdir(exist_ok=True)
    case("tagger", Tagger())
    case("last_step", LastStep(), batch_first=True)
    case("final_states", FinalStates(), batch_first=True)
    case("tokens", Tokens(), tokens=True)
    case("norm_and_mean", NormAndMean())
    case("two_layers", nn.LSTM(I, H, 2, dropout=0.3))  # h_n and c_n are outputs too
    for name, module in (("loop", LoopOfSteps()), ("loop_to_the_end", LoopToTheEnd())):
        case(name, torch.jit.script(module))
    case("loop_batch_first", torch.jit.script(LoopOfBatch()), batch_first=True)
    save(FOLDER / "data.safetensors", tensors)


if __name__ == "__main__":
    main()
