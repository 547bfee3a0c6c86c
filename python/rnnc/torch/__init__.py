"""Modules of PyTorch that rnnc runs: LSTM, GRU, RNN and their cells, and modules whose cell is a text.

They have the parameters, arguments and results of torch.nn's, on the CPU and in float32, and they train as those do.
"""

from .modules import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell, from_module, model_of
from .operator import has_operator
from .text import Recurrent

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "GRUCell",
    "LSTMCell",
    "RNNCell",
    "Recurrent",
    "from_module",
    "has_operator",
    "model_of",
]
