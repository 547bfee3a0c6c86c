"""Modules of from_module train: their gradients against those of torch.nn's modules in double precision."""

import copy
import io
import itertools
import pickle
import unittest

try:
    import torch
except ImportError:
    raise unittest.SkipTest("skipped: there is no PyTorch (package python3-torch)")

from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence

import rnnc
import rnnc.torch
from modules import random_layers, random_module, tensors_of
from rnnc import errors

CLOSE = 1e-5


def double_of(value):
    if isinstance(value, tuple) and not isinstance(value, PackedSequence):
        return tuple(double_of(part) for part in value)
    if isinstance(value, PackedSequence):
        data = value.data.detach().double().requires_grad_()
        return PackedSequence(data, value.batch_sizes, value.sorted_indices, value.unsorted_indices)
    return value.detach().double().requires_grad_()


def state_of(module, *shape):
    """Returns random initial states that need a gradient."""
    h = torch.randn(*shape[:-1], getattr(module, "proj_size", 0) or shape[-1], requires_grad=True)
    is_lstm = isinstance(module, (nn.LSTM, nn.LSTMCell))
    return (h, torch.randn(*shape, requires_grad=True)) if is_lstm else h


class NearTest(unittest.TestCase):
    def assert_near(self, ours, theirs, what):
        distance = (ours.double() - theirs).norm() / max(theirs.norm().item(), 1e-3)
        self.assertLessEqual(distance.item(), CLOSE, what)


class TrainLayersTest(NearTest):
    def setUp(self):
        torch.manual_seed(5)

    def check(self, module, *inputs):
        """Compares results and gradients of everything that has one."""
        ours = rnnc.torch.from_module(module)
        exact, theirs = copy.deepcopy(module).double(), [double_of(part) for part in inputs]
        module.zero_grad()
        mine, other = tensors_of(ours(*inputs)), tensors_of(exact(*theirs))
        self.assertEqual(len(mine), len(other))
        weights = [torch.randn_like(part) for part in mine]
        sum((part * weight).sum() for part, weight in zip(mine, weights)).backward()
        sum((part * weight.double()).sum() for part, weight in zip(other, weights)).backward()
        for index, (part, wanted) in enumerate(zip(mine, other)):
            self.assertEqual(part.shape, wanted.shape)
            self.assert_near(part.detach(), wanted.detach(), f"result {index}")
        for index, (part, wanted) in enumerate(zip(tensors_of(inputs), tensors_of(tuple(theirs)))):
            self.assert_near(part.grad, wanted.grad, f"input {index}")
        wanted = dict(exact.named_parameters())
        self.assertEqual(list(wanted), [name for name, _ in ours.named_parameters()])
        for name, parameter in ours.named_parameters():
            self.assertEqual(parameter.grad.shape, parameter.shape)
            self.assert_near(parameter.grad, wanted[name].grad, name)

    def rows(self, module):
        return module.num_layers * (2 if module.bidirectional else 1)

    def test_layers_have_the_gradients_of_torch(self):
        for module in random_layers((1, 3)):
            with self.subTest(module=module):
                shape = (3, 6, 5) if module.batch_first else (6, 3, 5)
                self.check(module, torch.randn(shape, requires_grad=True))
                x = torch.randn(shape, requires_grad=True)
                self.check(module, x, state_of(module, self.rows(module), 3, 7))

    def test_one_sequence_has_no_dim_of_a_batch(self):
        for module in random_layers((1, 3)):
            with self.subTest(module=module):
                x = torch.randn(6, 5, requires_grad=True)
                self.check(module, x, state_of(module, self.rows(module), 7))

    def test_packed_sequences(self):
        for module, is_sorted in itertools.product(random_layers((1, 3)), (False, True)):
            with self.subTest(module=module, is_sorted=is_sorted):
                lengths = (9, 6, 4, 1) if is_sorted else (4, 9, 1, 6)
                packed = pack_sequence([torch.randn(length, 5) for length in lengths], enforce_sorted=is_sorted)
                x = PackedSequence(
                    packed.data.requires_grad_(), packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices
                )
                self.check(module, x, state_of(module, self.rows(module), 4, 7))

    def test_long_sequences_and_larger_layers(self):
        for kind in (nn.LSTM, nn.GRU):
            module = kind(40, 48, num_layers=2)
            self.check(module, torch.randn(100, 16, 40, requires_grad=True))

    def test_cells(self):
        kinds = ((nn.RNNCell, {}), (nn.RNNCell, {"nonlinearity": "relu"}), (nn.LSTMCell, {}), (nn.GRUCell, {}))
        for (kind, keywords), bias in itertools.product(kinds, (False, True)):
            with self.subTest(kind=kind, bias=bias):
                module = random_module(kind, 5, 7, bias=bias, **keywords)
                self.check(module, torch.randn(3, 5, requires_grad=True))
                self.check(module, torch.randn(3, 5, requires_grad=True), state_of(module, 3, 7))
                self.check(module, torch.randn(5, requires_grad=True), state_of(module, 7))

    def test_a_loop_of_cells_shares_one_training(self):
        class Loop(nn.Module):
            def __init__(self):
                super().__init__()
                self.cell = random_module(nn.LSTMCell, 5, 7)

            def forward(self, x):
                state, steps = None, []
                for row in x:
                    state = self.cell(row, state)
                    steps.append(state[0])
                return torch.stack(steps)

        loop = Loop()
        self.check(loop, torch.randn(30, 2, 5, requires_grad=True))
        ours = rnnc.torch.from_module(loop)
        ours(torch.randn(30, 2, 5)).sum().backward()
        self.assertEqual(len(ours.cell._passes.trainer.kept), 1)

    def test_weights_that_change_before_the_backward_pass_of_a_cell_are_refused(self):
        cell = rnnc.torch.GRUCell(5, 7)
        h = cell(torch.randn(2, 5))
        with torch.no_grad():
            cell.weight_hh.mul_(2)
        with self.assertRaisesRegex(RuntimeError, "modified by an inplace operation"):
            h.sum().backward()

    def test_parameters_are_those_of_the_module(self):
        module = nn.GRU(5, 7)
        ours = rnnc.torch.from_module(module)
        for name, parameter in module.named_parameters():
            self.assertIs(getattr(ours, name), parameter)
        module.weight_ih_l0.requires_grad_(False)
        ours(torch.randn(4, 2, 5))[0].sum().backward()
        self.assertIsNone(module.weight_ih_l0.grad)
        self.assertGreater(module.weight_hh_l0.grad.abs().max().item(), 0)

    def test_parameters_that_are_replaced_count_in_the_next_call(self):
        text = "cell c<I> { input x : f32[I] state h : f32[I] param W : f32[I, I] h' = tanh(W @ x) output h' }"
        module = rnnc.torch.Recurrent(text, dims={"I": 9})
        x = torch.randn(1, 2, 9)
        for round in range(20):
            # The tensor of the last round is freed, and this one may have its memory.
            module.W = None
            module.W = nn.Parameter(torch.full((9, 9), 0.01 * round))
            y = module(x)[0]
            y.sum().backward()
            self.assertTrue(torch.allclose(y, torch.tanh(x @ module.W.T), atol=1e-6))
            y = None

    def test_an_optimizer_learns_what_torch_learns(self):
        for kind in (nn.LSTM, nn.GRU):
            theirs = nn.Sequential(kind(4, 8, 2))
            ours = rnnc.torch.from_module(copy.deepcopy(theirs))
            x = torch.randn(12, 6, 4)
            target = x.cumsum(0)[:, :, :1].tanh()
            curves = []
            for model in (theirs, ours):
                # A larger step, or Adam, makes of the last bits another curve, also between float and double of torch.
                optimizer = torch.optim.SGD(model.parameters(), 0.3)
                losses = []
                for _ in range(40):
                    optimizer.zero_grad()
                    loss = ((model(x)[0] - target) ** 2).mean()
                    loss.backward()
                    optimizer.step()
                    losses.append(loss.item())
                curves.append(losses)
                with torch.no_grad():
                    inferred = model(x)[0]
                self.assertTrue(torch.allclose(inferred, model(x)[0].detach(), atol=2e-6))
            self.assertLess(curves[1][-1], curves[1][0] - 0.04)
            for mine, other in zip(*curves):
                self.assertAlmostEqual(mine, other, delta=1e-5)

    def test_modules_are_copied_and_saved_while_they_train(self):
        module = rnnc.torch.LSTM(5, 7, 2, dropout=0.5)
        x = torch.randn(4, 2, 5)
        module(x)[0].sum().backward()
        again = pickle.loads(pickle.dumps(module))
        copied = copy.deepcopy(module)
        file = io.BytesIO()
        torch.save(module.state_dict(), file)
        file.seek(0)
        plain = nn.LSTM(5, 7, 2)
        plain.load_state_dict(torch.load(file))
        for other in (again, copied, rnnc.torch.from_module(plain)):
            module.eval(), other.eval(), module.zero_grad(), other.zero_grad()
            module(x)[0].square().sum().backward()
            other(x)[0].square().sum().backward()
            for mine, theirs in zip(module.parameters(), other.parameters()):
                self.assertTrue(torch.equal(mine.grad, theirs.grad))

    def test_memory_bounds_what_is_kept_and_changes_no_bit(self):
        module = random_module(nn.LSTM, 4, 6)
        x, gradients = torch.randn(900, 1, 4), []
        for memory in (0, 120_000):
            module.zero_grad()
            rnnc.torch.LSTM.from_module(module, memory_bytes=memory)(x)[0].square().sum().backward()
            gradients.append([p.grad.clone() for p in module.parameters()])
        for whole, pieces in zip(*gradients):
            self.assertTrue(torch.equal(whole, pieces))

    def test_refusals(self):
        for module, x in ((rnnc.torch.LSTM(3, 5), torch.randn(4, 2, 3)), (rnnc.torch.GRUCell(3, 5), torch.randn(2, 3))):
            y = tensors_of(module(x))[0].sum()
            y.backward(retain_graph=True)
            with self.assertRaisesRegex(errors.UsageError, "one backward pass"):
                y.backward()
            x.requires_grad_()
            (d,) = torch.autograd.grad(tensors_of(module(x))[0].square().sum(), x, create_graph=True)
            with self.assertRaisesRegex(RuntimeError, "once_differentiable|does not require grad"):
                d.sum().backward()
        with self.assertRaisesRegex(TypeError, "float32"):
            rnnc.torch.LSTM(3, 5)(torch.randn(4, 2, 3).double())
        text = rnnc.torch.Recurrent("gru", dims={"I": 3, "H": 5}, weights_as="w8")
        for module in (rnnc.torch.LSTM(3, 5, weights_as="f16"), text):
            with self.assertRaisesRegex(errors.UnsupportedError, "no_grad"):
                module(torch.randn(4, 2, 3))
            with torch.no_grad():
                self.assertEqual(module(torch.randn(4, 2, 3))[0].shape, (4, 2, 5))
        for kind in (rnnc.torch.RNN, rnnc.torch.RNNCell):
            with self.assertRaisesRegex(errors.UsageError, "tanh or relu"):
                kind(3, 5, nonlinearity="sigmoid")
        normed = nn.utils.weight_norm(nn.LSTM(3, 5), "weight_hh_l0")
        with self.assertRaisesRegex(errors.UnsupportedError, "weight norm"):
            rnnc.torch.from_module(normed)(torch.randn(4, 2, 3))

    @unittest.skipUnless(rnnc.torch.has_operator, "skipped: torch.library.custom_op came with PyTorch 2.4")
    def test_compiled_graphs_train_in_two_parts(self):
        for module, x in (
            (rnnc.torch.LSTM(3, 5), torch.randn(4, 2, 3)),
            (rnnc.torch.Recurrent("gru", dims={"I": 3, "H": 5}), torch.randn(4, 2, 3)),
            (rnnc.torch.GRUCell(3, 5), torch.randn(2, 3)),
        ):
            model = nn.Sequential(nn.Linear(3, 3), First(module))
            gradients = []
            for run in (model, torch.compile(model, backend="eager")):
                for parameter in model.parameters():
                    parameter.grad = None
                run(x).square().sum().backward()
                gradients.append([parameter.grad for parameter in model.parameters()])
            for one, other in zip(*gradients):
                self.assertTrue(torch.equal(one, other))
            torch.compiler.reset()  # torch would take the two graphs that it has
            with self.assertRaisesRegex(Exception, "outside_of_graphs"):
                torch.compile(model, backend="eager", fullgraph=True)(x)
            with torch.no_grad():
                whole = torch.compile(model, backend="eager", fullgraph=True)(x)
            self.assertTrue(torch.allclose(whole, model(x).detach(), atol=1e-6))


class First(nn.Module):
    """The first result of a module, doubled."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        result = self.module(x)
        return 2 * (result[0] if isinstance(result, tuple) else result)


def splitmix_masks(rate, seed, count):
    """Computes masks as Steele, Lea & Flood 2014 have the numbers: 53 bits of splitmix64 of the seed's stream."""
    mask64 = 2**64 - 1

    def mix(z):
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask64
        return z ^ (z >> 31)

    stream = mix((seed + 0x9E3779B97F4A7C15) & mask64)
    drawn = [mix((stream + (i + 1) * 0x9E3779B97F4A7C15) & mask64) for i in range(count)]
    return torch.tensor([0.0 if (z >> 11) * 2.0**-53 < rate else 1 / (1 - rate) for z in drawn], dtype=torch.float64)


class DropoutTest(NearTest):
    def alone(self, module, layer):
        """Returns one layer of a module in double precision."""
        both = 2 if module.bidirectional else 1
        size = module.input_size if layer == 0 else module.hidden_size * both
        alone = type(module)(size, module.hidden_size, bidirectional=module.bidirectional).double()
        with torch.no_grad():
            for name, parameter in alone.named_parameters():
                parameter.copy_(getattr(module, name.replace("_l0", f"_l{layer}")))
        return alone

    def test_gradients_are_those_of_the_masked_layers(self):
        for kind, both in itertools.product((nn.LSTM, nn.GRU), (False, True)):
            with self.subTest(kind=kind, both=both):
                torch.manual_seed(11)
                module = random_module(kind, 5, 4, num_layers=3, dropout=0.3, bidirectional=both)
                ours = rnnc.torch.from_module(module)
                x = torch.randn(6, 3, 5, requires_grad=True)
                torch.manual_seed(12)
                y, _ = ours(x)
                weight = torch.randn_like(y)
                (y * weight).sum().backward()

                torch.manual_seed(12)
                width = 4 * (2 if both else 1)
                masks = splitmix_masks(0.3, int(torch.randint(2**63 - 1, ())), 6 * 3 * 2 * width).view(
                    6, 3, 2 * width
                )
                layers = [self.alone(module, layer) for layer in range(3)]
                exact = x.detach().double().requires_grad_()
                below = exact
                for index, layer in enumerate(layers):
                    if index:
                        below = below * masks[:, :, (index - 1) * width : index * width]
                    below = layer(below)[0]
                (below * weight.double()).sum().backward()
                self.assert_near(y.detach(), below.detach(), "y")
                self.assert_near(x.grad, exact.grad, "x")
                for index, layer in enumerate(layers):
                    for name, parameter in layer.named_parameters():
                        mine = getattr(module, name.replace("_l0", f"_l{index}")).grad
                        self.assert_near(mine, parameter.grad, name)

    def test_a_seed_repeats_it_and_eval_ends_it(self):
        module = rnnc.torch.LSTM(5, 7, 2, dropout=0.5)
        x = torch.randn(6, 3, 5)
        results = []
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            results.append(module(x)[0].detach())
        self.assertTrue(torch.equal(results[0], results[1]))
        self.assertFalse(torch.equal(results[0], results[2]))
        with torch.no_grad():
            self.assertFalse(torch.equal(module(x)[0], module(x)[0]))
            module.eval()
            self.assertTrue(torch.equal(module(x)[0], module(x)[0]))
        packed = pack_sequence([torch.randn(n, 5) for n in (5, 3)])
        module.train()(packed)[0].data.sum().backward()
        self.assertGreater(module.weight_ih_l0.grad.abs().max().item(), 0)

    def test_a_rate_of_one_leaves_nothing(self):
        module = rnnc.torch.LSTM(5, 7, 2, dropout=1.0)
        top = nn.LSTM(7, 7)
        top.load_state_dict({name.replace("_l1", "_l0"): p for name, p in module.state_dict().items() if "_l1" in name})
        y, _ = module(torch.randn(6, 3, 5))
        self.assertTrue(torch.allclose(y, top(torch.zeros(6, 3, 7))[0], atol=1e-6))


if __name__ == "__main__":
    unittest.main()
