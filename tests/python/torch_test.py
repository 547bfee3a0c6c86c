"""Modules of rnnc.torch against those of torch.nn, which share no code with us."""

import copy
import io
import itertools
import pickle
import unittest
from pathlib import Path

try:
    import torch
except ImportError:
    raise unittest.SkipTest("skipped: there is no PyTorch (package python3-torch)")

from torch import nn
from torch.nn.utils.rnn import pack_sequence

import rnnc
import rnnc.torch
from modules import random_layers, random_module, tensors_of

CLOSE = 2e-6


class TorchTest(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)
        self.enterContext(torch.no_grad())

    def assert_same(self, ours, theirs, close=CLOSE):
        ours, theirs = tensors_of(ours), tensors_of(theirs)
        self.assertEqual(len(ours), len(theirs))
        for mine, other in zip(ours, theirs):
            self.assertEqual(mine.shape, other.shape)
            self.assertEqual(mine.dtype, other.dtype)
            self.assertLessEqual((mine - other).abs().max().item() if other.numel() else 0, close)

    def layers(self):
        yield from random_layers()
        yield random_module(nn.LSTM, 5, 7, num_layers=2, dropout=0.5).eval()

    def test_layers_give_what_torch_gives(self):
        for module in self.layers():
            with self.subTest(module=module):
                ours = rnnc.torch.from_module(module)
                x = torch.randn(4, 3, 5)
                self.assert_same(ours(x), module(x))
                _, state = module(x)
                self.assert_same(ours(x, state), module(x, state))

    def test_one_sequence_has_no_dim_of_a_batch(self):
        for module in self.layers():
            with self.subTest(module=module):
                ours = rnnc.torch.from_module(module)
                x = torch.randn(6, 5)
                y, state = module(x)
                self.assert_same(ours(x), (y, state))
                self.assert_same(ours(x, state), module(x, state))

    def test_packed_sequences_come_back_packed(self):
        for module, is_sorted in itertools.product(self.layers(), (False, True)):
            with self.subTest(module=module, is_sorted=is_sorted):
                ours = rnnc.torch.from_module(module)
                lengths = (9, 6, 4, 1) if is_sorted else (4, 9, 1, 6)
                x = pack_sequence([torch.randn(length, 5) for length in lengths], enforce_sorted=is_sorted)
                mine, other = ours(x), module(x)
                self.assert_same(mine, other)
                self.assertTrue(torch.equal(mine[0].batch_sizes, other[0].batch_sizes))
                if not is_sorted:
                    self.assertTrue(torch.equal(mine[0].unsorted_indices, other[0].unsorted_indices))
                state = other[1]
                self.assert_same(ours(x, state), module(x, state))

    def test_cells_give_what_torch_gives(self):
        for kind, bias in itertools.product((nn.RNNCell, nn.LSTMCell, nn.GRUCell), (False, True)):
            with self.subTest(kind=kind, bias=bias):
                module = random_module(kind, 5, 7, bias=bias)
                ours = rnnc.torch.from_module(module)
                x = torch.randn(3, 5)
                state = module(x)
                self.assert_same(ours(x), state)
                self.assert_same(ours(x, state), module(x, state))
                first = tuple(part[0] for part in state) if isinstance(state, tuple) else state[0]
                self.assert_same(ours(x[0], first), module(x[0], first))
        module = random_module(nn.RNNCell, 5, 7, nonlinearity="relu")
        self.assert_same(rnnc.torch.from_module(module)(torch.ones(2, 5)), module(torch.ones(2, 5)))

    def test_weights_that_change_count_in_the_next_call(self):
        module = random_module(nn.GRU, 5, 7)
        ours = rnnc.torch.GRU.from_module(module)
        x = torch.randn(4, 2, 5)
        before = ours(x)[0]
        module.weight_hh_l0.mul_(0.5)
        self.assert_same(ours(x), module(x))
        self.assertGreater((ours(x)[0] - before).abs().max().item(), 1e-3)
        ours.load_state_dict(random_module(nn.GRU, 5, 7).state_dict())
        self.assert_same(ours(x), module(x))

    def test_modules_are_copied_and_saved(self):
        module = random_module(nn.LSTM, 5, 7)
        ours = rnnc.torch.LSTM.from_module(module, threads=1)
        x = torch.randn(4, 2, 5)
        want = module(x)
        self.assert_same(ours(x), want)
        self.assert_same(copy.deepcopy(ours)(x), want)
        self.assert_same(pickle.loads(pickle.dumps(ours))(x), want)
        file = io.BytesIO()
        torch.save(ours.state_dict(), file)
        file.seek(0)
        other = rnnc.torch.LSTM(5, 7)
        other.load_state_dict(torch.load(file))
        self.assert_same(other(x), want)

    def test_a_model_has_its_recurrent_parts_replaced(self):
        class Tagger(nn.Module):
            def __init__(self):
                super().__init__()
                self.embed = nn.Embedding(11, 5)
                self.lstm = nn.LSTM(5, 7, bidirectional=True)
                self.linear = nn.Linear(14, 3)

            def forward(self, words):
                return self.linear(self.lstm(self.embed(words))[0])

        model = Tagger().eval()
        ours = rnnc.torch.from_module(model)
        self.assertIsInstance(ours.lstm, rnnc.torch.LSTM)
        self.assertIsInstance(model.lstm, nn.LSTM)
        words = torch.randint(0, 11, (6, 2))
        self.assert_same(ours(words), model(words))

    def test_compile_takes_a_module(self):
        module = random_module(nn.LSTM, 5, 7, num_layers=2)
        program = rnnc.compile(module)
        x = torch.randn(4, 3, 5)
        y = program(x)
        self.assertIsInstance(y, torch.Tensor)
        self.assert_same(y, module(x)[0])
        self.assert_same(torch.from_numpy(program(x.numpy())), y, 0)
        state = program.state(batch=3)
        steps = torch.stack([program.step(state, x[t]) for t in range(4)])
        self.assert_same(steps, y, 0)

    def test_a_text_is_a_module(self):
        text = (
            "cell leaky<I, H> {\n  input x : f32[I]\n  state h : f32[H]\n  param W : f32[H, I]\n  param U : f32[H, H]\n"
            "  h' = 0.5 * h + 0.5 * tanh(W @ x + U @ h)\n  output h'\n}\n"
        )
        module = rnnc.torch.Recurrent(text, dims={"I": 3, "H": 4})
        self.assertEqual({name: tuple(p.shape) for name, p in module.named_parameters()}, {"W": (4, 3), "U": (4, 4)})
        x = torch.randn(6, 2, 3)
        y, state = module(x)
        h = torch.zeros(2, 4)
        for t in range(6):
            h = 0.5 * h + 0.5 * torch.tanh(x[t] @ module.W.T + h @ module.U.T)
            self.assert_same(y[t], h)
        self.assert_same(state["h"], h)
        self.assert_same(module(x[:3])[0], y[:3], 0)
        self.assert_same(module(x[3:], module(x[:3])[1])[0], y[3:], 0)
        again = rnnc.torch.Recurrent(text, module.state_dict(), dims={"I": 3, "H": 4}, batch_first=True)
        self.assert_same(again(x.transpose(0, 1))[0], y.transpose(0, 1), 0)
        self.assert_same(pickle.loads(pickle.dumps(module))(x)[0], y, 0)

    def test_a_standard_cell_is_a_module(self):
        module = random_module(nn.LSTM, 3, 4)
        W, U = module.weight_ih_l0.chunk(4), module.weight_hh_l0.chunk(4)
        b = (module.bias_ih_l0 + module.bias_hh_l0).chunk(4)
        weights = {
            f"{letter}{gate}": part
            for letter, parts in (("W", W), ("U", U), ("b", b))
            for gate, part in zip("ifgo", parts)
        }
        ours = rnnc.torch.Recurrent("lstm", weights)
        x = torch.randn(5, 2, 3)
        self.assert_same(ours(x)[0], module(x)[0])

    def test_a_program_refuses_a_gradient_in_words(self):
        program = rnnc.compile(nn.LSTM(5, 7))
        with torch.enable_grad(), self.assertRaisesRegex(rnnc.UnsupportedError, "no_grad"):
            program(torch.randn(4, 2, 5, requires_grad=True))

    def test_what_rnnc_cannot_compute_is_refused_in_words(self):
        module = rnnc.torch.from_module(nn.LSTM(5, 7))
        with self.assertRaisesRegex(TypeError, r"float\(\)"):
            module(torch.randn(4, 2, 5, dtype=torch.float64))
        with self.assertRaisesRegex(TypeError, r"float\(\)"):
            rnnc.torch.from_module(nn.LSTM(5, 7).double())(torch.randn(4, 2, 5))
        with self.assertRaisesRegex(rnnc.UsageError, r"cpu\(\)"):
            module(torch.empty(4, 2, 5, device="meta"))
        with self.assertRaisesRegex(rnnc.ShapeError, "6 features"):
            module(torch.randn(4, 2, 6))
        with self.assertRaisesRegex(rnnc.ShapeError, "h_0"):
            module(torch.randn(4, 2, 5), (torch.zeros(1, 3, 7), torch.zeros(1, 2, 7)))
        with self.assertRaisesRegex(rnnc.UnsupportedError, "onnx"):
            rnnc.torch.from_module(nn.Linear(3, 4))
        with self.assertRaisesRegex(rnnc.UnsupportedError, "prefix"):
            rnnc.compile(nn.Linear(3, 4))
        with self.assertRaisesRegex(TypeError, "torch.nn.GRU"):
            rnnc.torch.GRU.from_module(nn.LSTM(5, 7))
        program = rnnc.compile(nn.LSTM(5, 7))
        with self.assertRaisesRegex(TypeError, "float32"):
            program(torch.randn(4, 2, 5).double())
        with self.assertRaisesRegex(ValueError, "copy=True"):
            program(torch.randn(2, 4, 5).transpose(0, 1))
        self.assertEqual(program(torch.randn(2, 4, 5).transpose(0, 1), copy=True).shape, (4, 2, 7))

    def test_empty_tensors_give_empty_tensors(self):
        module = rnnc.torch.from_module(nn.LSTM(5, 7))
        self.assertEqual(module(torch.randn(0, 2, 5))[0].shape, (0, 2, 7))
        self.assertEqual(module(torch.randn(4, 0, 5))[0].shape, (4, 0, 7))
        self.assertEqual(module(torch.randn(4, 0, 5))[1][0].shape, (1, 0, 7))

    def test_weights_count_their_changes_in_inference_mode(self):
        module = random_module(nn.GRU, 5, 7)
        with torch.inference_mode():
            ours = rnnc.torch.GRU.from_module(module)
            self.assertFalse(any(parameter.is_inference() for parameter in ours.parameters()))

    def test_memory_of_tensors_that_is_bound_stays(self):
        module = random_module(nn.LSTM, 5, 7)
        program = rnnc.compile(module)
        x, y = torch.randn(1, 5), torch.zeros(1, 7)
        want = module(x[None])[0][0].clone()
        step = program.bind(x, y)
        with self.assertRaises(RuntimeError):
            x.resize_(10**6)
        x.set_(torch.zeros(3).storage() if not hasattr(x, "untyped_storage") else torch.zeros(3).untyped_storage())
        del x
        step()
        self.assert_same(y, want)

    def test_inference_mode_follows_weights_too(self):
        with torch.inference_mode():
            module = random_module(nn.GRU, 5, 7)
            ours = rnnc.torch.GRU.from_module(module)
            x = torch.randn(4, 2, 5)
            self.assert_same(ours(x), module(x))
            module.weight_ih_l0.mul_(0.5)
            self.assert_same(ours(x), module(x))


@unittest.skipUnless(rnnc.torch.has_operator, "skipped: torch.library.custom_op came with PyTorch 2.4")
class OperatorTest(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(2)
        self.enterContext(torch.no_grad())

    def test_the_operator_keeps_the_rules_of_torch(self):
        ours = rnnc.torch.from_module(random_module(nn.LSTM, 5, 7, bidirectional=True))
        arguments = (torch.randn(4, 3, 5), [], list(ours.parameters()), None, ours._passes.model)
        torch.library.opcheck(torch.ops.rnnc.recurrent, arguments)

    def test_exported_graphs_give_the_same(self):
        for kind in (nn.RNN, nn.LSTM, nn.GRU):
            with self.subTest(kind=kind):
                ours = rnnc.torch.from_module(random_module(kind, 5, 7, num_layers=2))
                x = torch.randn(4, 3, 5)
                exported = torch.export.export(ours, (x,))
                self.assertIn("rnnc.recurrent", str(exported.graph))
                file = io.BytesIO()
                torch.export.save(exported, file)
                file.seek(0)
                loaded = torch.export.load(file).module()
                for mine, other in zip(tensors_of(loaded(x)), tensors_of(ours(x))):
                    self.assertTrue(torch.equal(mine, other))

    def test_exported_graphs_take_any_steps_and_batch(self):
        ours = rnnc.torch.from_module(random_module(nn.GRU, 5, 7, bidirectional=True))
        free = {0: torch.export.Dim("steps", min=2), 1: torch.export.Dim("batch", min=2)}
        exported = torch.export.export(ours, (torch.randn(4, 3, 5),), dynamic_shapes={"input": free}).module()
        for shape in ((4, 3, 5), (9, 2, 5), (50, 17, 5)):
            x = torch.randn(shape)
            self.assertTrue(torch.equal(exported(x)[0], ours(x)[0]))

    def test_compiled_graphs_give_the_same_without_a_break(self):
        for backend in ("eager", "aot_eager", "inductor"):
            with self.subTest(backend=backend):
                # Inductor compiles C++, and the headers of PyTorch are a package of their own.
                if backend == "inductor" and not (Path(torch.__file__).parent / "include/ATen/NumericUtils.h").exists():
                    self.skipTest("skipped: Inductor needs the headers of PyTorch (package libtorch-dev)")
                ours = rnnc.torch.from_module(random_module(nn.LSTM, 5, 7))
                compiled = torch.compile(lambda x: ours(x * 2)[0] + 1, backend=backend, fullgraph=True)
                x = torch.randn(4, 3, 5)
                self.assertTrue(torch.allclose(compiled(x), ours(x * 2)[0] + 1, atol=1e-6))

    def test_cells_and_texts_stand_in_graphs(self):
        cell = rnnc.torch.from_module(random_module(nn.LSTMCell, 5, 7))
        compiled = torch.compile(lambda x, h, c: cell(x, (h, c))[0] + 1, backend="aot_eager", fullgraph=True)
        x, h, c = torch.randn(3, 5), torch.randn(3, 7), torch.randn(3, 7)
        self.assertTrue(torch.equal(compiled(x, h, c), cell(x, (h, c))[0] + 1))
        text = rnnc.torch.Recurrent("gru", dims={"I": 5, "H": 7}, batch_first=True)
        compiled = torch.compile(lambda x: text(x)[0] * 2, backend="aot_eager", fullgraph=True)
        x = torch.randn(3, 6, 5)
        self.assertTrue(torch.equal(compiled(x), text(x)[0] * 2))


if __name__ == "__main__":
    unittest.main()
