"""torch.autograd.gradcheck of modules in double precision, which the interpreter computes."""

import itertools
import unittest

try:
    import torch
except ImportError:
    raise unittest.SkipTest("skipped: there is no PyTorch (package python3-torch)")

from torch import nn
from torch.autograd import gradcheck

import rnnc.torch
from modules import random_module, tensors_of

NORMS = """cell mine<I, H> {
  input x : f32[I]
  state h : f32[H]
  param Wz, Wn : f32[H, I]
  param Uz, Un : f32[H, H]
  param gamma, beta : f32[H]
  z = sigmoid(layer_norm(Wz @ x + Uz @ h, gamma, beta, 1e-5))
  h' = z * h + (1 - z) * tanh(Wn @ x + Un @ h) + 0.1 * softmax(h)
  output h'
}
"""

ROWS = """cell taps<I, H> {
  input x : f32[I]
  state h : f32[H]
  param W : f32[2, 3]
  param U : f32[H, 2 * I]
  h' = tanh(U @ flatten(W @ windows(pad(x, 1, 1), 3, 1)) + 0.5 * h[0:H] * mean(h))
  output h'
}
"""

BOTH = """network both {
  input x : seq f32[3]
  a = bidirectional gru<H=4>(x)
  b = lstm<H=2>(a * 0.5)
  output concat(b, mean(a))
}
"""


def doubles(*shape):
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


class GradcheckTest(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(7)

    def check(self, module, *inputs):
        """Checks inputs and all parameters, which gradcheck moves where they lie."""
        run = lambda *given: tuple(tensors_of(module(*given[: len(inputs)])))
        self.assertTrue(gradcheck(run, (*inputs, *module.parameters())))

    def test_texts(self):
        for text in (NORMS, ROWS):
            module = rnnc.torch.Recurrent(text, dims={"I": 3, "H": 4}).double()
            x, h = doubles(5, 2, 3), doubles(2, 4)
            for lengths in (None, torch.tensor([5, 2])):

                def run(x, h, *parameters):
                    y, state = module(x, {"h": h}, lengths)
                    return y, state["h"]

                self.assertTrue(gradcheck(run, (x, h, *module.parameters())))

    def test_networks(self):
        module = rnnc.torch.Recurrent(BOTH).double()
        x = doubles(4, 2, 3)
        self.assertTrue(gradcheck(lambda x, *p: module(x)[0], (x, *module.parameters())))

    def test_standard_cells(self):
        for cell in ("lstm", "gru", "mgu", "mingru", "lstm_peephole", "lstm_layer_norm"):
            with self.subTest(cell=cell):
                module = rnnc.torch.Recurrent(cell, dims={"I": 3, "H": 4}).double()
                self.assertTrue(gradcheck(lambda x, *p: module(x)[0], (doubles(4, 2, 3), *module.parameters())))

    def test_modules_of_torch(self):
        for kind, both, bias in itertools.product((nn.RNN, nn.LSTM, nn.GRU), (False, True), (False, True)):
            with self.subTest(kind=kind, both=both, bias=bias):
                theirs = random_module(kind, 3, 2, num_layers=2, bidirectional=both, bias=bias).double()
                module = rnnc.torch.from_module(theirs)
                x = doubles(4, 2, 3)
                self.check(module, x)
                mine, other = tensors_of(module(x)), tensors_of(theirs(x))
                for ours, wanted in zip(mine, other):
                    self.assertLess((ours - wanted).abs().max().item(), 1e-13)
                gradients = [
                    torch.autograd.grad(sum(part.square().sum() for part in parts), (x, *theirs.parameters()))
                    for parts in (mine, other)
                ]
                for ours, wanted in zip(*gradients):
                    self.assertLess((ours - wanted).abs().max().item(), 1e-12)
        self.check(rnnc.torch.from_module(random_module(nn.LSTM, 3, 3, proj_size=2).double()), doubles(3, 2, 3))

    def test_cells_of_torch(self):
        for kind in (nn.RNNCell, nn.GRUCell):
            module = rnnc.torch.from_module(random_module(kind, 3, 4).double())
            self.check(module, doubles(2, 3), doubles(2, 4))
        module = rnnc.torch.from_module(random_module(nn.LSTMCell, 3, 4).double())
        run = lambda x, h, c, *parameters: module(x, (h, c))
        self.assertTrue(gradcheck(run, (doubles(2, 3), doubles(2, 4), doubles(2, 4), *module.parameters())))

    def test_a_gradient_that_is_missing_is_found(self):
        module = rnnc.torch.Recurrent("gru", dims={"I": 3, "H": 4}).double()
        with self.assertRaisesRegex(RuntimeError, "Jacobian mismatch"):
            gradcheck(lambda x: module(x.detach())[0] + 0 * x.sum(), (doubles(3, 2, 3),))

    def test_doubles_elsewhere_are_refused_in_words(self):
        module = rnnc.torch.LSTM(3, 4)
        x = torch.randn(4, 2, 3, dtype=torch.float64)
        with self.assertRaisesRegex(TypeError, r"x must have dtype torch.float32.*x.float\(\)"):
            module(x)
        module.double()
        with self.assertRaisesRegex(TypeError, "must have dtype torch.float32"):
            module(x.float())
        with torch.no_grad(), self.assertRaisesRegex(TypeError, "must have dtype torch.float32"):
            module(x)
        self.assertEqual(module(x)[0].dtype, torch.float64)
        self.assertEqual(module.float()(x.float())[0].dtype, torch.float32)

    def test_no_steps_and_no_sequences(self):
        module = rnnc.torch.Recurrent("gru", dims={"I": 3, "H": 5}).double()
        for shape in ((0, 2, 3), (4, 0, 3)):
            module.zero_grad()
            module(torch.randn(shape, dtype=torch.float64))[0].sum().backward()
            self.assertEqual(module.Un.grad.abs().sum().item(), 0)


if __name__ == "__main__":
    unittest.main()
