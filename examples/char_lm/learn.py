#!/usr/bin/python3
"""Trains the character model of train.py again, with gradients of rnnc, for a cell that a text describes.

The text of the cell is --cell: own_lstm.rnn, which is the LSTM that train.py trains, or own_cell.rnn, or one of your own
with an input x and a state h. All else is train.py's: the text, the streams, dropout and the choice of the checkpoint.

Written to --output, each by a rename, so that a run that is killed goes on from its last epoch when it is started again,
with the same bits:

    checkpoint.pt   the model, the optimizer, the random numbers and the history
    curve.svg       bits per character of the validation text, epoch by epoch
    weights.pt      the state_dict of the best epoch, when all is done
"""

import argparse
import copy
import io
import math
import os
import pathlib
import sys

import torch
from torch import nn

import rnnc.torch
import train

FOLDER = pathlib.Path(__file__).resolve().parent


class OwnCharLM(nn.Module):
    def __init__(self, characters, cell):
        super().__init__()
        lstm, head = nn.LSTM(characters, train.HIDDEN), nn.Linear(train.HIDDEN, characters)
        # The same random numbers as train.py's begin the training, where the cell has their names.
        weights = {}
        stacked = {"W": "weight_ih_l0", "U": "weight_hh_l0", "b": "bias_ih_l0", "d": "bias_hh_l0"}
        for prefix, name in stacked.items():
            for gate, part in zip("ifgo", getattr(lstm, name).detach().chunk(4)):
                weights[prefix + gate] = part
        with torch.random.fork_rng():
            self.cell = rnnc.torch.Recurrent(cell, dims={"I": characters, "H": train.HIDDEN})
        with torch.no_grad():
            for name, parameter in self.cell.named_parameters():
                if name in weights:
                    parameter.copy_(weights[name])
                elif name == "gamma":
                    parameter.fill_(1)
        self.head = head
        self.input_dropout, self.dropout = nn.Dropout(0.2), nn.Dropout(0.5)
        self.states = None

    def forward(self, x, state=None):
        given = None if state is None else dict(zip(self.states, state))
        h, states = self.cell(self.input_dropout(x), given)
        self.states = list(states)
        return self.head(self.dropout(h)), tuple(states.values())


def write(path, content):
    """Writes a file such that it is there whole or not at all, also if the machine stops in between."""
    beside = path.with_name(path.name + ".new")
    with open(beside, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def curve(history):
    """Draws the history as an SVG picture."""
    width, height, left, top = 640, 320, 48, 16
    low, high = min(history), max(history)
    span = max(high - low, 1e-9)

    def place(i, bits):
        x = left + (width - left - 16) * i / max(len(history) - 1, 1)
        return f"{x:.1f},{top + (height - top - 40) * (high - bits) / span:.1f}"

    points = " ".join(place(i, bits) for i, bits in enumerate(history))
    texts = [(4, top + 8, f"{high:.2f}"), (4, height - 36, f"{low:.2f}"), (left, height - 8, "epoch 1")]
    texts.append((width - 90, height - 8, f"epoch {len(history)}"))
    labels = "".join(
        f'<text x="{x}" y="{y}" font-family="sans-serif" font-size="13">{text}</text>' for x, y, text in texts
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f"<title>bits per character of the validation text</title>"
        f'<path d="M{left},{top}V{height - 40}H{width - 16}" fill="none" stroke="#888"/>'
        f'<polyline points="{points}" fill="none" stroke="#06c" stroke-width="2"/>{labels}</svg>\n'
    ).encode()


def show(epoch, epochs, bits, best):
    if not sys.stderr.isatty():
        print(f"epoch {epoch:3}: {bits:.4f} bits per character of validation text, best {best:.4f}", flush=True)
        return
    filled = 40 * epoch // epochs
    sys.stderr.write(f"\r[{'#' * filled}{'.' * (40 - filled)}] epoch {epoch}/{epochs}  {bits:.4f}  best {best:.4f} ")
    sys.stderr.flush()


def learn(model, optimizer, indices, characters, arguments):
    """Returns the best state_dict, its bits per character on the validation text, and its epoch."""
    begin, end = len(indices) * 45 // 100, len(indices) * 55 // 100
    learned, validation = torch.cat([indices[:begin], indices[end:]]), indices[begin:end]
    history, best = [], (math.inf, 0, None)
    checkpoint = arguments.output / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint)
        if saved["cell"] != arguments.cell.read_text():
            sys.exit(f"learn.py: {checkpoint} is of another cell: give another --output, or remove the file")
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        torch.set_rng_state(saved["random"])
        history, best = saved["history"], saved["best"]
        print(f"goes on after epoch {len(history)}", flush=True)
    while len(history) < arguments.epochs and len(history) - best[1] < train.PATIENCE:
        train.train_epoch(model, optimizer, learned, characters)
        history.append(train.bits_per_character(model, validation, characters))
        if history[-1] < best[0]:
            best = (history[-1], len(history), copy.deepcopy(model.state_dict()))
        content = io.BytesIO()
        states = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "random": torch.get_rng_state()}
        torch.save({"cell": arguments.cell.read_text(), "history": history, "best": best, **states}, content)
        write(checkpoint, content.getvalue())
        write(arguments.output / "curve.svg", curve(history))
        show(len(history), arguments.epochs, history[-1], best[0])
    return best


def parse_arguments():
    parser = argparse.ArgumentParser(description="Train a character model whose cell is a text, with rnnc.")
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="DIR")
    parser.add_argument("--cell", type=pathlib.Path, default=FOLDER / "own_lstm.rnn", metavar="FILE")
    parser.add_argument("--text", type=pathlib.Path, default=pathlib.Path(train.TEXT))
    parser.add_argument("--epochs", type=int, default=train.EPOCHS)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    arguments.output.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(train.SEED)
    torch.set_num_threads(1)
    text = arguments.text.read_bytes()
    cut = len(text) * 9 // 10
    vocabulary = bytes(sorted(set(text[:cut])))
    training, heldout = train.encode(text[:cut], vocabulary), train.encode(text[cut:], vocabulary)
    model = OwnCharLM(len(vocabulary), str(arguments.cell))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.1)
    bits, epoch, weights = learn(model, optimizer, training, len(vocabulary), arguments)
    if weights is None:
        return
    model.load_state_dict(weights)
    content = io.BytesIO()
    torch.save(weights, content)
    write(arguments.output / "weights.pt", content.getvalue())
    held = train.bits_per_character(model, heldout, len(vocabulary))
    print(f"\nbest epoch {epoch}: {bits:.4f} bits per character of validation text, {held:.4f} of held-out text")


if __name__ == "__main__":
    main()
