"""Modules of a text train: their gradients against those of torch's own operations, which share no code with us."""

import gc
import unittest
import warnings

try:
    import torch
except ImportError:
    raise unittest.SkipTest("skipped: there is no PyTorch (package python3-torch)")

import rnnc
import rnnc.torch
from rnnc import errors

CLOSE = 2e-5

LI_GRU = """cell ligru_norm<I, H> {
  input x : f32[I]
  state h : f32[H]
  param Wz, Wn : f32[H, I]
  param Uz, Un : f32[H, H]
  param gamma, beta : f32[H]
  z = sigmoid(layer_norm(Wz @ x + Uz @ h, gamma, beta, 1e-5))
  h' = z * h + (1 - z) * relu(Wn @ x + Un @ h)
  output h'
}
"""

BOTH = """network both {
  input x : seq f32[5]
  a = bidirectional gru<H=6>(x)
  b = lstm<H=4>(a)
  output b
}
"""


def step_of_li_gru(p, x, h):
    norm = torch.nn.functional.layer_norm(x @ p["Wz"].T + h @ p["Uz"].T, p["gamma"].shape, p["gamma"], p["beta"], 1e-5)
    z = torch.sigmoid(norm)
    return z * h + (1 - z) * torch.relu(x @ p["Wn"].T + h @ p["Un"].T)


def doubles(module):
    return {name: p.detach().double().requires_grad_() for name, p in module.named_parameters()}


def run_doubles(parameters, x, h, lengths=None):
    steps = []
    for t in range(x.shape[0]):
        new = step_of_li_gru(parameters, x[t], h)
        if lengths is None:
            h = new
            steps.append(new)
        else:
            is_there = (t < lengths).unsqueeze(1)
            h = torch.where(is_there, new, h)
            steps.append(torch.where(is_there, new, torch.zeros_like(new)))
    return torch.stack(steps), h


class GradientTest(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(3)

    def assert_near(self, ours, theirs, what):
        distance = (ours.double() - theirs).norm() / max(theirs.norm().item(), 1e-3)
        self.assertLessEqual(distance.item(), CLOSE, what)

    def check_li_gru(self, batch, lengths=None):
        module = rnnc.torch.Recurrent(LI_GRU, dims={"I": 5, "H": 7})
        x = torch.randn(9, batch, 5, requires_grad=True)
        h = torch.randn(batch, 7, requires_grad=True)
        y, state = module(x, {"h": h}, lengths)
        weight_y, weight_h = torch.randn_like(y), torch.randn_like(h)
        ((y * weight_y).sum() + (state["h"] * weight_h).sum()).backward()

        p = doubles(module)
        x2, h2 = x.detach().double().requires_grad_(), h.detach().double().requires_grad_()
        y2, last = run_doubles(p, x2, h2, lengths)
        ((y2 * weight_y.double()).sum() + (last * weight_h.double()).sum()).backward()
        self.assert_near(y.detach(), y2.detach(), "y")
        self.assert_near(x.grad, x2.grad, "x")
        self.assert_near(h.grad, h2.grad, "h")
        for name, parameter in module.named_parameters():
            self.assert_near(parameter.grad, p[name].grad, name)

    def test_cell_of_the_users_own(self):
        self.check_li_gru(4)
        self.check_li_gru(1)
        self.check_li_gru(3, torch.tensor([9, 2, 0]))

    def test_network_against_modules_of_torch(self):
        gru, lstm = torch.nn.GRU(5, 6, bidirectional=True).double(), torch.nn.LSTM(12, 4).double()
        weights = {}
        for side, suffix in (("fwd", ""), ("bwd", "_reverse")):
            w, u = getattr(gru, f"weight_ih_l0{suffix}"), getattr(gru, f"weight_hh_l0{suffix}")
            b, c = getattr(gru, f"bias_ih_l0{suffix}"), getattr(gru, f"bias_hh_l0{suffix}")
            for k, gate in enumerate("rzn"):
                rows = slice(6 * k, 6 * k + 6)
                weights[f"a.{side}.W{gate}"], weights[f"a.{side}.U{gate}"] = w[rows], u[rows]
                weights[f"a.{side}.b{gate}"] = b[rows] if gate == "n" else b[rows] + c[rows]
            weights[f"a.{side}.bun"] = c[12:18]
        for k, gate in enumerate("ifgo"):
            rows = slice(4 * k, 4 * k + 4)
            weights[f"b.W{gate}"], weights[f"b.U{gate}"] = lstm.weight_ih_l0[rows], lstm.weight_hh_l0[rows]
            weights[f"b.b{gate}"] = lstm.bias_ih_l0[rows] + lstm.bias_hh_l0[rows]
        module = rnnc.torch.Recurrent(BOTH, {name: w.detach().float() for name, w in weights.items()})
        x = torch.randn(11, 3, 5, requires_grad=True)
        y, _ = module(x)
        weight = torch.randn_like(y)
        (y * weight).sum().backward()
        x2 = x.detach().double().requires_grad_()
        y2, _ = lstm(gru(x2)[0])
        (y2 * weight.double()).sum().backward()
        self.assert_near(x.grad, x2.grad, "x")
        for k, gate in enumerate("ifgo"):
            rows = slice(4 * k, 4 * k + 4)
            self.assert_near(getattr(module.b, f"U{gate}").grad, lstm.weight_hh_l0.grad[rows], f"b.U{gate}")
        for k, gate in enumerate("rzn"):
            rows = slice(6 * k, 6 * k + 6)
            self.assert_near(getattr(module.a.bwd, f"W{gate}").grad, gru.weight_ih_l0_reverse.grad[rows], gate)

    def test_training_lowers_the_loss_and_inference_follows(self):
        module = rnnc.torch.Recurrent("lstm", dims={"I": 4, "H": 8})
        head = torch.nn.Linear(8, 1)
        optimizer = torch.optim.Adam([*module.parameters(), *head.parameters()], 0.02)
        x = torch.randn(12, 16, 4)
        target = x.cumsum(0)[:, :, :1].tanh()
        losses = []
        for _ in range(60):
            optimizer.zero_grad()
            loss = ((head(module(x)[0]) - target) ** 2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        self.assertLess(losses[-1], losses[0] / 3)
        with torch.no_grad():
            inferred = module(x)[0]
        self.assertTrue(torch.allclose(inferred, module(x)[0].detach(), atol=2e-6))

    def test_passes_wait_for_their_own_backward_pass(self):
        module = rnnc.torch.Recurrent("gru", dims={"I": 3, "H": 5})
        first, second = torch.randn(6, 2, 3), torch.randn(4, 2, 3)
        alone = []
        for x in (first, second):
            module.zero_grad()
            module(x)[0].sum().backward()
            alone.append([p.grad.clone() for p in module.parameters()])
        module.zero_grad()
        (module(first)[0].sum() + module(second)[0].sum()).backward()
        for parameter, one, other in zip(module.parameters(), *alone):
            self.assertTrue(torch.allclose(parameter.grad, one + other, atol=1e-5))

    def test_memory_bounds_what_is_kept_and_changes_no_bit(self):
        gradients = []
        for memory in (0, 120_000):
            torch.manual_seed(1)
            module = rnnc.torch.Recurrent("lstm", dims={"I": 4, "H": 6}, memory_bytes=memory)
            module(torch.randn(900, 1, 4))[0].square().sum().backward()
            gradients.append([p.grad for p in module.parameters()])
        for whole, pieces in zip(*gradients):
            self.assertTrue(torch.equal(whole, pieces))

    def test_refusals(self):
        module = rnnc.torch.Recurrent("gru", dims={"I": 3, "H": 5})
        y = module(torch.randn(4, 2, 3))[0].sum()
        y.backward(retain_graph=True)
        with self.assertRaisesRegex(errors.UsageError, "one backward pass"):
            y.backward()
        x = torch.randn(4, 2, 3, requires_grad=True)
        (d,) = torch.autograd.grad(module(x)[0].square().sum(), x, create_graph=True)
        with self.assertRaisesRegex(RuntimeError, "once_differentiable|does not require grad"):
            d.sum().backward()
        with self.assertRaisesRegex(TypeError, "float32"):
            module(torch.randn(4, 2, 3).double())
        normed = rnnc.torch.Recurrent("gru", dims={"I": 3, "H": 5})
        torch.nn.utils.weight_norm(normed, "Un")
        with self.assertRaisesRegex(errors.UnsupportedError, "no parameter Un any more.*weight norm"):
            normed(torch.randn(4, 2, 3))
        with self.assertRaisesRegex(errors.LimitError, "at least"):
            rnnc.torch.Recurrent("lstm", dims={"I": 4, "H": 6}, memory_bytes=100)(torch.randn(900, 1, 4))

    def test_parameter_without_a_path_is_told_of_once(self):
        text = "cell c<I> { input x : f32[I] state h : f32[I] param w, unused : f32[I] h' = tanh(w * x + h) output h' }"
        module = rnnc.torch.Recurrent(text, dims={"I": 3})
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(2):
                module(torch.randn(4, 2, 3))[0].sum().backward()
        self.assertEqual(len([w for w in caught if "unused" in str(w.message)]), 1)
        self.assertTrue(torch.equal(module.unused.grad, torch.zeros(3)))

    def test_a_loss_of_the_final_state_alone(self):
        module = rnnc.torch.Recurrent("gru", dims={"I": 3, "H": 5})
        x = torch.randn(4, 2, 3, requires_grad=True)
        found = []
        for loss in (lambda y, states: states["h"].square().sum(), lambda y, states: y[-1].square().sum()):
            module.zero_grad()
            (d,) = torch.autograd.grad(loss(*module(x)), x)
            found.append(d)
        self.assertTrue(torch.allclose(*found, atol=1e-6))
        self.assertGreater(found[0].abs().sum().item(), 0)

    def test_frozen_parameters_get_no_gradient(self):
        module = rnnc.torch.Recurrent("gru", dims={"I": 3, "H": 5})
        x, h = torch.randn(4, 2, 3), torch.randn(2, 5, requires_grad=True)
        module(x, {"h": h})[0].square().sum().backward()
        whole = {name: p.grad for name, p in module.named_parameters()}
        d_h, h.grad = h.grad, None
        module.zero_grad(set_to_none=True)
        module.Un.requires_grad_(False)
        module.bz.requires_grad_(False)
        module(x, {"h": h})[0].square().sum().backward()
        self.assertTrue(torch.equal(h.grad, d_h))
        for name, parameter in module.named_parameters():
            if name in ("Un", "bz"):
                self.assertIsNone(parameter.grad)
            else:
                self.assertTrue(torch.equal(parameter.grad, whole[name]), name)

    def test_weights_that_are_turned_in_place_count(self):
        # A new view of the same memory has neither another version nor another place.
        module = rnnc.torch.Recurrent("gru", dims={"I": 5, "H": 5})
        x = torch.randn(4, 2, 5)
        for enabled in (True, False):
            with torch.set_grad_enabled(enabled):
                module(x)
                module.Un.data = module.Un.data.T
                turned = module(x)[0].detach()
                module.Un.data = module.Un.data.contiguous()
                self.assertTrue(torch.allclose(turned, module(x)[0].detach(), atol=1e-6))

    def test_no_steps_and_no_sequences(self):
        module = rnnc.torch.Recurrent("gru", dims={"I": 3, "H": 5})
        for shape in ((0, 2, 3), (4, 0, 3)):
            module.zero_grad()
            module(torch.randn(shape))[0].sum().backward()
            self.assertEqual(module.Un.grad.abs().sum().item(), 0)

    def test_graphs_that_are_dropped_give_their_memory_back(self):
        module = rnnc.torch.Recurrent("gru", dims={"I": 3, "H": 5})
        for _ in range(20):
            module(torch.randn(4, 2, 3))
            gc.collect()
        self.assertEqual(len(module._passes.trainer.kept), 1)


if __name__ == "__main__":
    unittest.main()
