"""Whatever is wrong is an exception that says how to mend it, and the next call is right."""

import array
import unittest

import numpy

import rnnc
from models import lstm, lstm_weights, random_x


class RefusalsTest(unittest.TestCase):
    def setUp(self):
        self.weights = lstm_weights(5, 7)
        self.program = rnnc.compile("lstm", self.weights)
        self.x = random_x(6, 3, 5)

    def tearDown(self):
        # A refused call leaves the program as it was.
        self.assertLess(numpy.abs(self.program(self.x) - lstm(self.weights, self.x)[0]).max(), 2e-6)

    def test_texts_show_the_line_with_a_caret(self):
        text = "cell a<H> {\n  state h : f32[H]\n  param U : f32[H, H]\n  h' = tanh(V @ h)\n  output h'\n}\n"
        with self.assertRaises(rnnc.UnknownNameError) as caught:
            rnnc.compile(text, {}, dims={"H": 3})
        error = caught.exception
        self.assertEqual((error.file, error.line, error.column), ("<text>", 4, 13))
        self.assertIn("V", str(error))
        line, caret = error.excerpt.split("\n")
        self.assertIn("tanh(V @ h)", line)
        self.assertEqual(line[caret.index("^")], "V")
        self.assertIn(error.excerpt, str(error))
        self.assertIsInstance(error, rnnc.Error)
        self.assertIsInstance(error, LookupError)

    def test_models_that_are_none(self):
        for model, kind in (
            ("cell {\n", rnnc.ModelSyntaxError),
            ("no/such/file.onnx", rnnc.FileError),
            (b"neither", rnnc.Error),
            (b"", rnnc.Error),
            (b"rnncart\x01", rnnc.Error),
            ({"weight": numpy.zeros((3, 4))}, rnnc.UnsupportedError),
            ({}, rnnc.Error),
            (7, TypeError),
            (None, TypeError),
        ):
            with self.subTest(model=model), self.assertRaises(kind):
                rnnc.compile(model)

    def test_weights_that_do_not_fit(self):
        missing = {name: value for name, value in self.weights.items() if name != "Wi"}
        with self.assertRaisesRegex(rnnc.DataError, "Wi"):
            rnnc.compile("lstm", missing)
        with self.assertRaisesRegex(rnnc.DataError, "Wz"):
            rnnc.compile("lstm", {**self.weights, "Wz": self.weights["Wi"]})
        with self.assertRaises(rnnc.ShapeError):
            rnnc.compile("lstm", {**self.weights, "Wi": self.weights["Wi"][:3]})
        with self.assertRaises(rnnc.Error):
            rnnc.compile("lstm")
        with self.assertRaisesRegex(TypeError, "numbers"):
            rnnc.compile("lstm", {**self.weights, "bi": numpy.array(["a"] * 7)})
        with self.assertRaises(rnnc.Error):
            rnnc.compile("lstm", "no/such/file.safetensors")

    def test_options_that_make_no_sense(self):
        for options in (
            {"backend": "gpu"},
            {"weights_as": "f8"},
            {"threads": -1},
            {"threads": 100000},
            {"cpu": "i386"},
            {"cell": "other"},
            {"dims": {"Q": 3}},
            {"plan": "nonsense"},
            {"ranges": "nonsense", "weights_as": "w8"},
        ):
            with self.subTest(options=options), self.assertRaises(rnnc.Error):
                rnnc.compile("lstm", self.weights, **options)
        for options in ({"theads": 1}, {"threads": "two"}, {"dims": [1]}, {"dims": {"I": "5"}}, {"cell": 5}):
            with self.subTest(options=options), self.assertRaises((TypeError, ValueError)):
                rnnc.compile("lstm", self.weights, **options)

    def test_types_are_not_converted_behind_the_back(self):
        for kind in (numpy.float64, numpy.int32, numpy.float16, numpy.uint8, bool):
            with self.subTest(kind=kind):
                with self.assertRaisesRegex(TypeError, "float32.*copy=True"):
                    self.program(self.x.astype(kind))
                want = self.program(self.x.astype(kind).astype(numpy.float32))
                self.assertTrue(numpy.array_equal(self.program(self.x.astype(kind), copy=True), want))
        for wrong in (self.x.astype(complex), self.x.astype(object), self.x.astype(str), ">f4"):
            with self.subTest(wrong=wrong), self.assertRaises(TypeError):
                self.program(self.x.astype(">f4") if isinstance(wrong, str) else wrong)
        with self.assertRaisesRegex(TypeError, "numpy.asarray"):
            self.program.step(self.program.state(batch=3), self.x[0].astype(numpy.float64))

    def test_strides_are_not_copied_behind_the_back(self):
        wide = numpy.zeros((6, 3, 10), numpy.float32)
        wide[:, :, ::2] = self.x
        upside_down = numpy.ascontiguousarray(self.x[::-1])[::-1]
        unaligned = numpy.frombuffer(b"\0" + self.x.tobytes(), numpy.uint8)[1:].view(numpy.float32).reshape(6, 3, 5)
        repeated = numpy.broadcast_to(self.x[:, :1], (6, 3, 5))
        want = self.program(self.x)
        for strange in (wide[:, :, ::2], numpy.asfortranarray(self.x), upside_down, unaligned, repeated):
            with self.subTest(strides=strange.strides):
                with self.assertRaisesRegex(ValueError, "copy=True"):
                    self.program(strange)
                found = self.program(strange, copy=True)
                self.assertTrue(
                    numpy.array_equal(found, want if strange is not repeated else self.program(repeated.copy()))
                )
        with self.assertRaisesRegex(ValueError, "not aligned to 4 bytes"):
            self.program(unaligned)
        state = self.program.state(batch=3)
        with self.assertRaisesRegex(ValueError, "ascontiguousarray"):
            self.program.step(state, wide[0, :, ::2])
        with self.assertRaisesRegex(ValueError, "aligned"):
            self.program.step(state, unaligned[0])
        with self.assertRaises(ValueError):
            self.program.step(state, self.x[0], numpy.zeros((3, 14), numpy.float32)[:, ::2])

    def test_shapes_that_do_not_fit(self):
        for shape in ((6, 3, 4), (6, 3, 6), (6, 4), (5,), (6, 3, 5, 1), ()):
            with self.subTest(shape=shape), self.assertRaisesRegex(rnnc.ShapeError, "takes"):
                self.program(numpy.zeros(shape, numpy.float32))
        state = self.program.state(batch=3)
        for shape in ((3, 4), (2, 5), (5,), (1, 3, 5), (15,), ()):
            with self.subTest(shape=shape), self.assertRaises(ValueError):
                self.program.step(state, numpy.zeros(shape, numpy.float32))
        for shape in ((3, 6), (2, 7), (7,)):
            with self.subTest(shape=shape), self.assertRaisesRegex(ValueError, "y has shape"):
                self.program.step(state, self.x[0], numpy.zeros(shape, numpy.float32))
            with self.subTest(shape=shape), self.assertRaises(ValueError):
                self.program.bind(self.x[0], numpy.zeros(shape, numpy.float32))
        with self.assertRaisesRegex(rnnc.ShapeError, "2 sequences"):
            self.program(self.x[:, :2].copy(), state=state)

    def test_lengths_that_make_no_sense(self):
        for lengths, kind in (
            ([1, 2], rnnc.ShapeError),
            ([1, 2, 3, 4], rnnc.ShapeError),
            ([[1, 2, 3]], rnnc.ShapeError),
            ([1, 2, 7], rnnc.UsageError),
            ([1, 2, -1], rnnc.UsageError),
            ([1, 2, 2**40], rnnc.UsageError),
            ([1, 2, float("nan")], TypeError),
            ([1.0, 2.0, 3.0], TypeError),
            ("abc", TypeError),
        ):
            with self.subTest(lengths=lengths), self.assertRaises(kind):
                self.program(self.x, lengths)

    def test_arrays_that_cannot_be_written(self):
        y = numpy.zeros((3, 7), numpy.float32)
        y.flags.writeable = False
        state = self.program.state(batch=3)
        with self.assertRaisesRegex(ValueError, "read-only"):
            self.program.step(state, self.x[0], y)
        with self.assertRaisesRegex(ValueError, "read-only"):
            self.program.bind(self.x[0], y)

    def test_arrays_that_share_memory(self):
        square = rnnc.compile("lstm", lstm_weights(7, 7))
        both = numpy.zeros((4, 7), numpy.float32)
        state = square.state(batch=3)
        with self.assertRaisesRegex(ValueError, "share memory"):
            square.step(state, both[:3], both[1:])
        with self.assertRaisesRegex(ValueError, "share memory"):
            square.bind(both[:3], both[:3], state)
        apart = numpy.zeros((6, 7), numpy.float32)
        square.step(state, apart[:3], apart[3:])

    def test_masks_are_not_ignored(self):
        with self.assertRaisesRegex(TypeError, "masked"):
            self.program(numpy.ma.masked_greater(self.x, 1))

    def test_things_that_are_no_arrays(self):
        state = self.program.state(batch=3)
        for wrong in (None, "x", 3, object(), {"x": 1}):
            with self.subTest(wrong=wrong), self.assertRaises((TypeError, ValueError)):
                self.program(wrong)
            with self.subTest(wrong=wrong), self.assertRaises((TypeError, ValueError)):
                self.program.step(state, wrong)
        for wrong in (None, "state", self.program):
            with self.subTest(wrong=wrong), self.assertRaises(TypeError):
                self.program.step(wrong, self.x[0])
        with self.assertRaises(TypeError):
            self.program.step(state)
        with self.assertRaises(TypeError):
            self.program.bind(self.x[0], numpy.zeros((3, 7), numpy.float32), state)(1)

    def test_memory_that_is_bound_stays(self):
        x, y = bytearray(20), array.array("f", [0] * 7)
        step = self.program.bind(numpy.frombuffer(x, numpy.float32), numpy.frombuffer(y, numpy.float32))
        with self.assertRaises(BufferError):
            x.extend(b"more")
        with self.assertRaises(BufferError):
            y.append(0)
        held = numpy.zeros(5, numpy.float32)
        other = self.program.bind(held, numpy.zeros(7, numpy.float32))
        with self.assertRaises(ValueError):
            held.resize(10**6)
        del held, x, y
        step(), other()

    def test_states_of_others(self):
        other = rnnc.compile("lstm", self.weights)
        with self.assertRaisesRegex(rnnc.UsageError, "another program"):
            self.program.step(other.state(batch=3), self.x[0])
        with self.assertRaisesRegex(rnnc.UsageError, "another program"):
            self.program(self.x, state=other.state(batch=3))
        with self.assertRaisesRegex(rnnc.UsageError, "another program"):
            self.program.bind(self.x[0], numpy.zeros((3, 7), numpy.float32), other.state(batch=3))
        for batch, steps in ((-1, 1), (1, -1), (2**40, 1)):
            with self.subTest(batch=batch, steps=steps), self.assertRaises((rnnc.Error, OverflowError)):
                self.program.state(batch, steps)
        with self.assertRaises(rnnc.DataError):
            self.program.state(batch=3).restore(b"nothing")
        with self.assertRaises(TypeError):
            self.program.state(batch=3).restore("text")

    def test_programs_without_their_weights_are_not_pickled(self):
        import pickle

        with self.assertRaisesRegex(TypeError, "keep_weights=False"):
            pickle.dumps(rnnc.compile("lstm", self.weights, keep_weights=False))


if __name__ == "__main__":
    unittest.main()
