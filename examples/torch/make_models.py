#!/usr/bin/python3
"""Writes the weights of this folder's networks, inputs, and what PyTorch computes of them: the usual examples of nn.RNN,
nn.LSTM and nn.GRU with seeded weights, and an intent classifier that it trains first (a second). Outputs are computed in
double precision and rounded. Needs PyTorch 1.13 or newer (Debian: python3-torch)."""
import json
import pathlib
import random
import struct

import numpy
import torch

FOLDER = pathlib.Path(__file__).parent
GATES = {"rnn": [""], "lstm": list("ifgo"), "gru": list("rzn")}  # in PyTorch's order, as rnnc names them


def save_safetensors(name, tensors):
    header, data = {}, b""
    for key, tensor in sorted(tensors.items()):
        values = tensor.detach().float().contiguous().numpy().tobytes()
        header[key] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    (FOLDER / f"{name}.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def save_arrays(name, **arrays):
    for key, array in arrays.items():
        array = array.detach().numpy() if torch.is_tensor(array) else array
        numpy.save(FOLDER / f"{name}.{key}.npy", array.astype(numpy.int32 if array.dtype.kind == "i" else numpy.float32))


def weights_of(kind, module, prefix="l"):
    """PyTorch stacks the gates and has two biases: rnnc adds them, but for the candidate of a GRU, whose recurrent bias
    stays inside the product with the reset gate."""
    weights = {}
    for layer in range(module.num_layers):
        for suffix, part in (("", "fwd."), ("_reverse", "bwd.")) if module.bidirectional else (("", ""),):
            tensors = [getattr(module, f"{what}_l{layer}{suffix}") for what in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
            gates = GATES[kind]
            for gate, w, u, b, c in zip(gates, *(tensor.chunk(len(gates)) for tensor in tensors)):
                name = f"{prefix}{layer}.{part}"
                weights |= {f"{name}W{gate}": w, f"{name}U{gate}": u}
                if gate == "n":
                    weights |= {f"{name}bn": b, f"{name}bun": c}
                else:
                    weights[f"{name}b{gate}"] = b + c
    return weights


def in_double(module):
    """Of f32 weights, so that both sides begin with the same numbers."""
    return module.float().double()


def make_layers(name, kind, module, steps, batch):
    in_double(module)
    x = torch.randn(steps, batch, module.input_size).float().double()
    y, final = module(x)
    h_n = final[0] if kind == "lstm" else final
    save_safetensors(name, weights_of(kind, module))
    save_arrays(name, x=x, y=y, h_n=h_n, **({"c_n": final[1]} if kind == "lstm" else {}))


INTENTS = {
    "weather": ["will it {rain} {today}", "how {warm} is it {today}", "is it {warm} outside", "what is the weather {today}"],
    "music": ["play {some} {jazz}", "play the next song", "stop the music", "put {some} {jazz} on"],
    "lights": ["turn the light {on}", "switch {on} all lights", "make it {brighter}", "light {off} please"],
    "time": ["what time is it", "wake me {today} at {seven}", "set a timer for {seven} minutes", "how late is it"],
}
CHOICES = {"rain": "rain snow".split(), "today": "today tomorrow tonight".split(), "warm": "warm cold".split(),
           "some": "some more".split(), "jazz": "jazz rock classics".split(), "on": "on off".split(),
           "brighter": "brighter darker".split(), "seven": "six seven ten".split(), "off": "on off".split()}


class Classifier(torch.nn.Module):
    def __init__(self, words, intents):
        super().__init__()
        self.embedding = torch.nn.Embedding(words, 8)
        self.lstm = torch.nn.LSTM(8, 16)
        self.head = torch.nn.Linear(16, intents)

    def forward(self, tokens, lengths):
        packed = torch.nn.utils.rnn.pack_padded_sequence(self.embedding(tokens), lengths, enforce_sorted=False)
        _, (h_n, _) = self.lstm(packed)
        return self.head(h_n[0])


def sentence(intent):
    words = random.choice(INTENTS[intent]).split()
    return [random.choice(CHOICES[word[1:-1]]) if word.startswith("{") else word for word in words]


def batch_of(sentences, vocabulary):
    lengths = torch.tensor([len(words) for words in sentences])
    tokens = torch.zeros(int(lengths.max()), len(sentences), dtype=torch.long)
    for column, words in enumerate(sentences):
        for row, word in enumerate(words):
            tokens[row, column] = vocabulary.index(word)
    return tokens, lengths


def make_intent():
    names = list(INTENTS)
    vocabulary = sorted({word for texts in INTENTS.values() for text in texts for word in text.split()
                         if not word.startswith("{")} | {word for words in CHOICES.values() for word in words})
    model = Classifier(len(vocabulary), len(names))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(300):
        wanted = [random.randrange(len(names)) for _ in range(32)]
        tokens, lengths = batch_of([sentence(names[intent]) for intent in wanted], vocabulary)
        loss = torch.nn.functional.cross_entropy(model(tokens, lengths), torch.tensor(wanted))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    asked = ["how cold is it tonight".split(), "play the next song".split(), "light off please".split(), "what time is it".split()]
    tokens, lengths = batch_of(asked, vocabulary)
    answer = torch.softmax(in_double(model)(tokens, lengths), 1)
    assert answer.argmax(1).tolist() == [0, 1, 2, 3]
    weights = weights_of("lstm", model.lstm)
    weights |= {"E": model.embedding.weight, "W": model.head.weight, "b": model.head.bias}
    save_safetensors("intent", weights)
    save_arrays("intent", x=tokens.unsqueeze(2).double(), lengths=lengths, y=answer)
    (FOLDER / "intent.words.txt").write_text("\n".join(vocabulary) + "\n")


def main():
    torch.manual_seed(1)
    random.seed(1)
    make_layers("rnn", "rnn", torch.nn.RNN(5, 6, 2), 10, 3)
    make_layers("lstm", "lstm", torch.nn.LSTM(5, 6, 2), 10, 3)
    make_layers("gru", "gru", torch.nn.GRU(5, 6, 2, bidirectional=True), 10, 3)
    make_intent()


if __name__ == "__main__":
    main()
