"""Modules of torch.nn for the tests: those of all kinds that rnnc replaces, with random weights."""

import itertools

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence


def random_module(kind, *arguments, **keywords):
    module = kind(*arguments, **keywords)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.uniform_(-0.5, 0.5)
    return module


def random_layers(depths=(1, 2)):
    """Gives each kind of layers from 5 features to 7 units."""
    for kind, layers, both, first, bias in itertools.product(
        (nn.RNN, nn.LSTM, nn.GRU), depths, (False, True), (False, True), (False, True)
    ):
        keywords = {"num_layers": layers, "bidirectional": both, "batch_first": first, "bias": bias}
        yield random_module(kind, 5, 7, **keywords)
    yield random_module(nn.RNN, 5, 7, nonlinearity="relu", num_layers=2)
    yield random_module(nn.LSTM, 5, 7, proj_size=3)
    yield random_module(nn.LSTM, 5, 7, proj_size=3, num_layers=2, bidirectional=True)


def tensors_of(result):
    if isinstance(result, torch.Tensor):
        return [result]
    if isinstance(result, PackedSequence):
        return [result.data]
    return [tensor for part in result for tensor in tensors_of(part)]
