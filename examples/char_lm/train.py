#!/usr/bin/python3
"""Trains the character model of char_lm.rnn with PyTorch and writes what the example and its tests read.

The text is the GNU GPL, version 3, which Debian's base-files installs on every machine. Its first 90 % are for
training, except a tenth from their middle that chooses the checkpoint (their end, in capitals, is like no other part);
the last 10 % are held out and looked at once, when all is chosen.

Written to --output:

    char_lm.safetensors   the weights, f32, named as in char_lm.rnn
    vocabulary.txt        the characters in the order of their indices, nothing else
    heldout.txt           the held-out text
    inputs.npy            f32 [T, B, V], one-hot: the first T characters of B texts, to be read from a zero state
    logits.npy            f32 [T, B, V], PyTorch's answer to inputs.npy
    expected.json         bits per character on the held-out text, and how it was measured

The same machine writes the same files again; another CPU or PyTorch may round differently and end elsewhere.
"""

import argparse
import copy
import hashlib
import json
import math
import pathlib
import struct

import numpy as np
import torch
from torch import nn

TEXT = "/usr/share/common-licenses/GPL-3"
SEED = 1
HIDDEN = 128
STREAMS = 16  # pieces of the text that are read side by side
STEPS = 64  # characters between two updates; gradients do not reach further back
EPOCHS = 200
PATIENCE = 40  # epochs without a better checkpoint before training ends
EXAMPLE_STEPS = 40


class CharLM(nn.Module):
    def __init__(self, characters):
        super().__init__()
        self.lstm = nn.LSTM(characters, HIDDEN)
        self.head = nn.Linear(HIDDEN, characters)
        self.input_dropout = nn.Dropout(0.2)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x, state=None):
        h, state = self.lstm(self.input_dropout(x), state)
        return self.head(self.dropout(h)), state


def parse_arguments():
    parser = argparse.ArgumentParser(description="Train the character model and write its files.")
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="DIR")
    parser.add_argument("--text", type=pathlib.Path, default=pathlib.Path(TEXT))
    return parser.parse_args()


def encode(text, vocabulary):
    """Indices of the characters; one that the vocabulary lacks counts as a space."""
    index = {character: i for i, character in enumerate(vocabulary)}
    return torch.tensor([index.get(character, index[ord(" ")]) for character in text])


def one_hot(indices, characters):
    return nn.functional.one_hot(indices, characters).float()


def bits_per_character(model, indices, characters):
    """Mean of -log2 p(next character) over one pass from a zero state; the first character is given, not predicted."""
    model.eval()
    with torch.no_grad():
        logits, _ = model(one_hot(indices[:-1], characters).unsqueeze(1))
    log_p = torch.log_softmax(logits.squeeze(1).double(), dim=1)
    nats = -log_p[torch.arange(len(indices) - 1), indices[1:]].mean().item()
    return nats / math.log(2)


def train_epoch(model, optimizer, indices, characters):
    # Each epoch cuts the text at other places, so that no character always opens a stream.
    model.train()
    offset = int(torch.randint(STEPS, ()))
    length = (len(indices) - offset - 1) // STREAMS
    span = STREAMS * length
    x = indices[offset : offset + span].view(STREAMS, length).t()
    y = indices[offset + 1 : offset + 1 + span].view(STREAMS, length).t()
    state = None
    for begin in range(0, length, STEPS):
        logits, state = model(one_hot(x[begin : begin + STEPS], characters), state)
        state = tuple(s.detach() for s in state)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), y[begin : begin + STEPS].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


def train(indices, characters):
    """The checkpoint that does best on a tenth of the training text, which it does not learn from."""
    begin, end = len(indices) * 45 // 100, len(indices) * 55 // 100
    learned, validation = torch.cat([indices[:begin], indices[end:]]), indices[begin:end]
    model = CharLM(characters)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.1)
    best = (math.inf, 0, None)
    for epoch in range(1, EPOCHS + 1):
        train_epoch(model, optimizer, learned, characters)
        bits = bits_per_character(model, validation, characters)
        print(f"epoch {epoch:3}: {bits:.4f} bits per character of validation text", flush=True)
        if bits < best[0]:
            best = (bits, epoch, copy.deepcopy(model.state_dict()))
        elif epoch - best[1] >= PATIENCE:
            break
    model.load_state_dict(best[2])
    return model, best[0], best[1]


def export(model):
    """The weights under the names of char_lm.rnn: PyTorch stacks the gates i, f, g, o and keeps two biases."""
    lstm = model.lstm
    weights = {"Wy": model.head.weight, "by": model.head.bias}
    stacked = {"W": lstm.weight_ih_l0, "U": lstm.weight_hh_l0, "b": lstm.bias_ih_l0 + lstm.bias_hh_l0}
    for prefix, tensor in stacked.items():
        for gate, part in zip("ifgo", tensor.chunk(4)):
            weights[prefix + gate] = part
    return {name: tensor.detach().numpy().astype("<f4") for name, tensor in weights.items()}


def save_safetensors(path, tensors):
    header, end = {}, 0
    for name in sorted(tensors):
        begin, end = end, end + tensors[name].nbytes
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the data begins at a multiple of 8, as the format advises
    data = b"".join(tensors[name].tobytes() for name in sorted(tensors))
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def save_examples(output, model, texts, characters):
    """One-hot inputs and PyTorch's logits, from a zero state."""
    inputs = one_hot(torch.stack(texts, dim=1), characters)
    model.eval()
    with torch.no_grad():
        logits, _ = model(inputs)
    np.save(output / "inputs.npy", inputs.numpy())
    np.save(output / "logits.npy", logits.numpy())


def main():
    arguments = parse_arguments()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    text = arguments.text.read_bytes()
    cut = len(text) * 9 // 10
    vocabulary = bytes(sorted(set(text[:cut])))
    characters = len(vocabulary)
    training, heldout = encode(text[:cut], vocabulary), encode(text[cut:], vocabulary)
    model, validation_bits, epoch = train(training, characters)

    output = arguments.output
    output.mkdir(parents=True, exist_ok=True)
    save_safetensors(output / "char_lm.safetensors", export(model))
    (output / "vocabulary.txt").write_bytes(vocabulary)
    (output / "heldout.txt").write_bytes(text[cut:])
    begins = [0, len(heldout) // 3, 2 * len(heldout) // 3]
    save_examples(output, model, [heldout[b : b + EXAMPLE_STEPS] for b in begins], characters)

    expected = {
        "text": arguments.text.name,
        "text_sha256": hashlib.sha256(text).hexdigest(),
        "torch": torch.__version__,
        "seed": SEED,
        "epoch": epoch,
        "vocabulary": characters,
        "hidden": HIDDEN,
        "heldout_characters": len(heldout),
        "heldout_predictions": len(heldout) - 1,
        "heldout_bits_per_character": bits_per_character(model, heldout, characters),
        "validation_bits_per_character": validation_bits,
        "training_bits_per_character": bits_per_character(model, training, characters),
        "example_begins": begins,
    }
    (output / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")
    print(json.dumps(expected, indent=2))


if __name__ == "__main__":
    main()
