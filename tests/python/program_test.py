"""Programs on NumPy's arrays, against formulas in double precision."""

import copy
import pickle
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy

import rnnc
from models import CLOSE, OTHER_INPUTS, REVERSED, ROOT, TWO_OUTPUTS, environment, lstm, lstm_weights, random_x


def two_directions():
    return {**lstm_weights(5, 6, 3, "a.fwd."), **lstm_weights(5, 6, 4, "a.bwd.")}


def of_two():
    random = numpy.random.default_rng(7)
    return {"a.W": random.uniform(-0.5, 0.5, (6, 5)), "a.U": random.uniform(-0.5, 0.5, (6, 6))}


class ProgramTest(unittest.TestCase):
    def setUp(self):
        self.weights = lstm_weights(5, 7)
        self.program = rnnc.compile("lstm", self.weights)

    def assert_close(self, ours, theirs, close=CLOSE):
        self.assertEqual(ours.dtype, numpy.float32)
        self.assertEqual(ours.shape, theirs.shape)
        if ours.size:
            self.assertLessEqual(numpy.abs(ours - theirs).max(), close)

    def assert_same(self, ours, theirs):
        self.assertEqual(ours.shape, theirs.shape)
        self.assertTrue(numpy.array_equal(ours.view(numpy.int32), theirs.view(numpy.int32)))

    def elsewhere(self, call):
        """Pickles (program, state, x), runs it in another process, and returns y and the program's CPU."""
        code = (
            "import pickle, sys\n"
            "program, state, x = pickle.load(sys.stdin.buffer)\n"
            "sys.stdout.buffer.write(pickle.dumps((program(x, state=state), program.cpu)))"
        )
        command = [sys.executable, "-B", "-c", code]
        done = subprocess.run(command, input=pickle.dumps(call), capture_output=True, env=environment(), check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return pickle.loads(done.stdout)

    def test_a_program_tells_what_it_is(self):
        program = self.program
        self.assertEqual(program.name, "lstm")
        self.assertEqual(program.inputs, {"x": rnnc.Port("x", (5,), "T")})
        self.assertEqual(program.outputs, {"y": rnnc.Port("y", (7,), "T")})
        self.assertEqual(list(program.states), ["h", "c"])
        self.assertEqual(program.states["c"].size, 7)
        self.assertEqual((program.input_size, program.output_size), (5, 7))
        self.assertGreaterEqual(program.weights_bytes, 4 * sum(w.size for w in self.weights.values()))
        self.assertIn(program.backend, ("jit", "portable"))
        self.assertEqual(program.dims, {"I": 5, "H": 7})
        self.assertIn("cell lstm", program.text)
        self.assertIn("lstm", repr(program))
        self.assertEqual(program.not_streaming, "")

    def test_sequences_give_the_formulas(self):
        for steps, batch in ((1, 1), (9, 1), (9, 4), (30, 17), (0, 3), (4, 0), (0, 0)):
            with self.subTest(steps=steps, batch=batch):
                x = random_x(steps, batch, 5)
                self.assert_close(self.program(x), lstm(self.weights, x)[0])

    def test_one_sequence_has_no_dim_of_a_batch(self):
        x = random_x(9, 5)
        self.assert_same(self.program(x), self.program(x[:, None])[:, 0])

    def test_batch_first_is_another_order_of_the_same(self):
        x = random_x(9, 4, 5)
        y = self.program(numpy.ascontiguousarray(x.transpose(1, 0, 2)), batch_first=True)
        self.assert_same(numpy.ascontiguousarray(y.transpose(1, 0, 2)), self.program(x))

    def test_lengths_end_each_sequence(self):
        x, lengths = random_x(9, 4, 5), [9, 0, 4, 1]
        state = self.program.state(batch=4)
        y = self.program(x, lengths, state)
        want, h, c = lstm(self.weights, x, lengths=lengths)
        self.assert_close(y, want)
        self.assert_close(state["h"], h)
        self.assert_close(state["c"], c)
        for kind in (numpy.int64, numpy.int32, numpy.uint8):
            self.assert_same(self.program(x, numpy.array(lengths, kind)), y)

    def test_a_state_carries_a_sequence_on(self):
        x = random_x(12, 3, 5)
        whole = self.program(x)
        state = self.program.state(batch=3)
        self.assert_same(self.program(x[:5], None, state), whole[:5])
        for t in range(5, 9):
            self.assert_same(self.program.step(state, x[t]), whole[t])
        self.assert_same(self.program(x[9:], state=state), whole[9:])
        _, h, c = lstm(self.weights, x)
        self.assert_close(state["h"], h)
        self.assert_close(state["c"], c)
        state.reset()
        self.assert_same(self.program(x, state=state), whole)

    def test_states_are_read_and_set_by_name(self):
        state = self.program.state(batch=2)
        h, c = random_x(2, 7, seed=5), random_x(2, 7, seed=6)
        state["h"], state["c"] = h, c.astype(numpy.float64)
        self.assert_same(state["h"], h)
        self.assertEqual(list(state), ["h", "c"])
        self.assertEqual(len(state), 2)
        x = random_x(4, 2, 5)
        self.assert_close(self.program(x, state=state), lstm(self.weights, x, h, c)[0])
        with self.assertRaisesRegex(rnnc.UnknownNameError, "there are h, c"):
            state["z"]
        with self.assertRaisesRegex(rnnc.ShapeError, r"\(2, 7\)"):
            state["h"] = numpy.zeros((2, 8), numpy.float32)

    def test_states_are_pickled_and_copied(self):
        x = random_x(6, 2, 5)
        whole = self.program(x)
        state = self.program.state(batch=2)
        self.program(x[:3], state=state)
        kept = pickle.dumps(state)
        copied = copy.copy(state)
        self.assert_same(self.program(x[3:], state=state), whole[3:])
        self.assert_same(self.program(x[3:], state=copied), whole[3:])
        again = pickle.loads(kept)
        self.assertIsNone(again.program)
        self.assertEqual(again.batch, 2)
        self.assert_same(self.program(x[3:], state=pickle.loads(pickle.dumps(again))), whole[3:])
        self.assert_same(self.program.step(again, x[3]), whole[3])
        other = rnnc.compile("gru", gru_weights())
        with self.assertRaises(rnnc.DataError):
            other.step(pickle.loads(kept), x[3])

    def test_steps_write_where_the_caller_says(self):
        x, y = random_x(2, 5), numpy.zeros((2, 7), numpy.float32)
        state = self.program.state(batch=2)
        self.assertIs(self.program.step(state, x, y), y)
        self.assert_close(y, lstm(self.weights, x[None])[0][0])
        alone = self.program.state()
        self.assert_same(self.program.step(alone, x[0]), y[0])

    def test_a_bound_step_reads_and_writes_the_same_arrays(self):
        x, y = numpy.zeros((3, 5), numpy.float32), numpy.zeros((3, 7), numpy.float32)
        step = self.program.bind(x, y)
        sequence = random_x(6, 3, 5)
        want = self.program(sequence)
        for t in range(6):
            x[:] = sequence[t]
            self.assertIsNone(step())
            self.assert_same(y, want[t])
        step.state.reset()
        x[:] = sequence[0]
        step()
        self.assert_same(y, want[0])
        shared = self.program.state(batch=3)
        self.program(sequence[:2], state=shared)
        x[:] = sequence[2]
        self.program.bind(x, y, shared)()
        self.assert_same(y, want[2])

    def test_networks_run_both_directions(self):
        weights = two_directions()
        program = rnnc.compile(REVERSED, weights)
        x = random_x(9, 3, 5)
        forwards = lstm(weights, x, prefix="a.fwd.")[0]
        backwards = lstm(weights, x[::-1], prefix="a.bwd.")[0][::-1]
        self.assert_close(program(x), numpy.concatenate([forwards, backwards], axis=2))
        self.assertNotEqual(program.not_streaming, "")
        with self.assertRaises(rnnc.UnsupportedError):
            program.step(program.state(), x[0, :1])
        with self.assertRaises(rnnc.UnsupportedError):
            program.bind(numpy.zeros((1, 5), numpy.float32), numpy.zeros((1, 12), numpy.float32))
        state = program.state(batch=3)
        self.assert_same(program(x, state=state), program(x))
        longer = random_x(40, 3, 5)
        state.reset()
        self.assert_same(program(longer, state=state), program(longer))

    def test_networks_have_several_outputs(self):
        program = rnnc.compile(TWO_OUTPUTS, of_two())
        self.assertEqual(list(program.outputs)[1:], ["doubled", "end"])
        self.assertEqual([port.time for port in program.outputs.values()], ["T", "T", ""])
        x = random_x(4, 2, 5)
        y = program(x)
        found = program(x, outputs=["doubled", "end"])
        self.assertEqual(len(found), 3)
        self.assert_same(found["doubled"], 2 * y)
        self.assert_same(found["end"], y[-1])
        self.assert_same(program(x[:, 0].copy(), outputs=["doubled"])["doubled"], 2 * y[:, 0])
        with self.assertRaisesRegex(rnnc.UnknownNameError, "doubled, end"):
            program(x, outputs=["other"])

    def test_networks_have_other_inputs_and_times(self):
        random = numpy.random.default_rng(7)
        shapes = {"a.W": (6, 5), "a.U": (6, 6), "b.W": (3, 4), "b.U": (3, 3)}
        weights = {name: random.uniform(-0.5, 0.5, shape) for name, shape in shapes.items()}
        program = rnnc.compile(OTHER_INPUTS, weights)
        self.assertEqual(program.named_inputs["z"], rnnc.Port("z", (4,), "S"))
        x, v, z, lengths = random_x(4, 2, 5), random_x(2, 5), random_x(7, 2, 4), [7, 3]

        def tanh_layer(x, W, U, lengths):
            h, rows = numpy.zeros((x.shape[1], W.shape[0])), []
            for t, row in enumerate(x.astype(float)):
                h = numpy.tanh(row @ W.T + h @ U.T)
                rows.append(numpy.where((t < numpy.array(lengths))[:, None], h, 0))
            return numpy.array(rows)

        inputs = {"v": v, "z": z}
        found = program(x, inputs=inputs, times={"S": (7, lengths)}, outputs=["other"])
        self.assert_close(found["y"], tanh_layer(x + v, weights["a.W"], weights["a.U"], [4, 4]))
        self.assert_close(found["other"], tanh_layer(z, weights["b.W"], weights["b.U"], lengths))
        self.assert_same(program(x, inputs=inputs, times={"S": 7}), found["y"])
        for wrong, keywords in (
            ("z is missing", {"inputs": {"v": v}, "times": {"S": 7}}),
            ("runs over time S", {"inputs": inputs}),
            ("24 numbers", {"inputs": {"v": v, "z": z[:3]}, "times": {"S": 7}}),
            ("no input 'q'", {"inputs": {**inputs, "q": z}, "times": {"S": 7}}),
            ("less than 0", {"inputs": inputs, "times": {"S": -1}}),
            ("no time 'Q'", {"inputs": inputs, "times": {"S": 7, "Q": 3}}),
        ):
            with self.subTest(wrong=wrong), self.assertRaisesRegex(rnnc.Error, wrong):
                program(x, **keywords)

    def test_models_of_onnx_come_as_bytes_too(self):
        folder = ROOT / "examples" / "onnx"
        x, y = numpy.load(folder / "x.npy"), numpy.load(folder / "y.npy")
        program = rnnc.compile((folder / "tagger.onnx").read_bytes())
        self.assert_close(program(x), y, 1e-5)
        self.assert_same(rnnc.compile(folder / "tagger.onnx")(x), program(x))

    def test_models_come_from_files_texts_bytes_and_arrays(self):
        folder = ROOT / "examples" / "torch"
        x, want = numpy.load(folder / "lstm.x.npy"), numpy.load(folder / "lstm.y.npy")
        text = (folder / "lstm.rnn").read_text()
        first = rnnc.compile(folder / "lstm.rnn")(x)
        self.assert_close(first, want)
        for model, weights in (
            (str(folder / "lstm.rnn"), None),
            (text, folder / "lstm.safetensors"),
            (folder / "lstm.rnn", str(folder / "lstm.safetensors")),
        ):
            self.assert_same(rnnc.compile(model, weights)(x), first)
        arrays = torch_names(self.weights)
        y = rnnc.compile(arrays)(random_x(4, 2, 5))
        self.assert_close(y, lstm(self.weights, random_x(4, 2, 5))[0])

    @unittest.skipUnless(rnnc._rnnc.has_code_generator, "skipped: built without LLVM")
    def test_artifacts_need_no_compiler(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.rnnc"
            from rnnc import command

            made = command._run(
                "compile", [str(ROOT / "examples/torch/lstm.rnn"), "-o", str(path), "--target", "x86-64-v2"], folder
            )
            self.assertEqual(made[0], 0)
            x = numpy.load(ROOT / "examples/torch/lstm.x.npy")
            program = rnnc.compile(path)
            self.assert_close(program(x), numpy.load(ROOT / "examples/torch/lstm.y.npy"))
            self.assert_same(rnnc.compile(path.read_bytes())(x), program(x))
            with self.assertRaisesRegex(rnnc.UsageError, "weights and sizes inside"):
                rnnc.compile(path, self.weights)
            damaged = bytearray(path.read_bytes())
            damaged[len(damaged) // 2] ^= 1
            with self.assertRaises(rnnc.DataError):
                rnnc.compile(damaged)

    @unittest.skipUnless(rnnc._rnnc.has_code_generator, "skipped: built without LLVM")
    def test_programs_of_artifacts_are_pickled_as_their_bytes(self):
        with tempfile.TemporaryDirectory() as folder:
            path, foreign = Path(folder) / "model.rnnc", Path(folder) / "foreign.rnnc"
            from rnnc import command

            model = str(ROOT / "examples/torch/lstm.rnn")
            # No CPU of Intel's, and none of AMD's since 2017, has the instructions of bdver4.
            for made, levels in (
                (path, ["--target", "x86-64-v2", "--target", "x86-64-v3"]),
                (foreign, ["--target", "bdver4"]),
            ):
                self.assertEqual(command._run("compile", [model, "-o", str(made), *levels], folder)[0], 0)
            programs = [rnnc.compile(path), rnnc.compile(path.read_bytes(), cpu="x86-64-v2", threads=2)]
            unkept = rnnc.compile(path, keep_weights=False)
            foreign = foreign.read_bytes()
            path.unlink()
        x = numpy.load(ROOT / "examples/torch/lstm.x.npy")
        self.assert_close(programs[0](x), numpy.load(ROOT / "examples/torch/lstm.y.npy"))
        for program in programs:
            with self.subTest(cpu=program.cpu):
                state = program.state(batch=3)
                first = program(x[:4], state=state)
                rest, cpu = self.elsewhere((program, state, x[4:]))
                self.assert_same(numpy.concatenate([first, rest]), program(x))
                self.assertEqual(cpu, program.cpu)
                again = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(program))))
                self.assert_same(again(x), program(x))
                self.assertEqual(again._options, program._options)
        self.assertEqual(programs[1].cpu, "x86-64-v2")
        self.assertEqual(programs[1]._options["threads"], 2)
        with self.assertRaisesRegex(TypeError, "keep_weights=False"):
            pickle.dumps(unkept)
        load, (content, options) = programs[0].__reduce__()
        self.assertLess(len(pickle.dumps(programs[0])), len(content) + 1000)
        with self.assertRaisesRegex(
            rnnc.UnsupportedError,
            "^<pickle>: the artifact is for bdver4, and this CPU lacks .*fma4.*; compile the model",
        ):
            load(foreign, options)

    def test_programs_are_pickled_with_their_weights_and_options(self):
        folder = ROOT / "examples"
        weights = {name: value.copy() for name, value in self.weights.items()}
        two_networks = TWO_OUTPUTS + TWO_OUTPUTS[TWO_OUTPUTS.index("network") :].replace("pair", "other")
        programs = [
            (rnnc.compile("lstm", weights, threads=2, backend="portable", sharing="units"), random_x(9, 3, 5)),
            (rnnc.compile("lstm", weights, weights_as="w8", cpu="x86-64-v3"), random_x(9, 3, 5)),
            (rnnc.compile("lstm", {**weights, "bi": weights["bi"].astype(numpy.float64)}), random_x(9, 3, 5)),
            (rnnc.compile(REVERSED, two_directions()), random_x(9, 3, 5)),
            (rnnc.compile(two_networks, of_two(), cell="other"), random_x(9, 3, 5)),
            (rnnc.compile(folder / "torch/lstm.rnn"), numpy.load(folder / "torch/lstm.x.npy")),
            (rnnc.compile((folder / "onnx/tagger.onnx").read_bytes()), numpy.load(folder / "onnx/x.npy")),
            (rnnc.compile(torch_names(weights)), random_x(9, 3, 5)),
            (rnnc.compile("cell sum { input x : f32  state s : f32  s' = s + x  output s' }"), random_x(9, 3, 1)),
        ]
        for program, x in programs:
            with self.subTest(program=program):
                y = program(x)
                for value in weights.values():
                    value *= 2  # the caller's arrays are the caller's
                again = pickle.loads(pickle.dumps(program))
                for value in weights.values():
                    value *= 0.5
                self.assert_same(again(x), y)
                self.assertEqual((again.backend, again.cpu, again.dims), (program.backend, program.cpu, program.dims))
                self.assertEqual(again._options, program._options)
                self.assert_same(pickle.loads(pickle.dumps(again))(x), y)
        options = pickle.loads(pickle.dumps(programs[0][0]))._options
        self.assertEqual((options["threads"], options["sharing"]), (2, "units"))
        self.assertIs(copy.copy(self.program), self.program)
        self.assertIs(copy.deepcopy([self.program])[0], self.program)

    def test_another_process_runs_a_pickled_program(self):
        x = random_x(6, 2, 5)
        state = self.program.state(batch=2)
        first = self.program(x[:3], state=state)
        rest, _ = self.elsewhere((self.program, state, x[3:]))
        self.assert_same(numpy.concatenate([first, rest]), self.program(x))

    def test_formats_of_weights_change_what_is_kept(self):
        x = random_x(20, 2, 5)
        exact = self.program(x)
        for weights_as, close in (("f16", 1e-3), ("bf16", 1e-2), ("w16", 1e-4), ("w8", 0.1)):
            program = rnnc.compile("lstm", self.weights, weights_as=weights_as)
            self.assertLess(numpy.abs(program(x) - exact).max(), close)
            self.assertFalse(numpy.array_equal(program(x), exact))

    def test_backends_and_threads_give_the_same_bits(self):
        x = random_x(20, 6, 5)
        exact = self.program(x)
        for keywords in ({"backend": "portable"}, {"threads": 2}, {"backend": "tiered"}, {"cache": False}):
            program = rnnc.compile("lstm", self.weights, **keywords)
            self.assert_same(program(x), exact)
            program.wait_for_code()
            self.assert_same(program(x), exact)

    def test_denormals_and_specials_are_numbers_like_others(self):
        x = numpy.array([[[0, -0.0, 1e-40, numpy.inf, 3e38]], [[numpy.nan, 0, 0, 0, 0]]], numpy.float32)
        y = self.program(x)
        self.assertTrue(numpy.isnan(y[1]).all())
        self.assert_same(self.program(x), y)


def gru_weights():
    random = numpy.random.default_rng(8)
    shapes = {**{f"W{g}": (7, 5) for g in "rzn"}, **{f"U{g}": (7, 7) for g in "rzn"}}
    shapes.update({name: (7,) for name in ("br", "bz", "bn", "bun")})
    return {name: random.uniform(-0.5, 0.5, shape).astype(numpy.float32) for name, shape in shapes.items()}


def torch_names(weights):
    """Returns the weights as a state_dict of torch.nn.LSTM: the gates i, f, g, o one below the other."""
    stacked = {"weight_ih_l0": "W", "weight_hh_l0": "U", "bias_ih_l0": "b"}
    arrays = {
        name: numpy.concatenate([weights[f"{letter}{gate}"] for gate in "ifgo"]) for name, letter in stacked.items()
    }
    arrays["bias_hh_l0"] = numpy.zeros_like(arrays["bias_ih_l0"])
    return arrays


if __name__ == "__main__":
    unittest.main()
