"""What the package shows of a model."""

import unittest
import xml.etree.ElementTree

import numpy

import rnnc
from models import ROOT, lstm, lstm_weights, random_x


@unittest.skipUnless(rnnc._rnnc.has_code_generator, "skipped: built without LLVM, and so without the program rnnc")
class CommandTest(unittest.TestCase):
    def setUp(self):
        self.weights = lstm_weights(5, 7)

    def test_verify_compares_with_the_interpreter(self):
        report = rnnc.verify("lstm", self.weights, steps=7, batch=2)
        self.assertTrue(report["ok"])
        self.assertEqual((report["steps"], report["batch"], report["cell"]), (7, 2, "lstm"))
        self.assertLess(report["max_error"], report["limit"])
        self.assertTrue(rnnc.verify(ROOT / "examples/torch/intent.rnn")["ok"])
        decoder = (
            "cell down { state n : f32 n' = n - 1 output n' }\n"
            "network both { input x : seq f32[2] input v : f32 d = down() steps S from (n = v) output d output top = max(x) }"
        )
        self.assertEqual(rnnc.verify(decoder, steps=7, times={"S": 3})["times"], {"S": 3, "T": 7})

    def test_verify_compares_with_what_another_program_computed(self):
        x = random_x(6, 3, 5)
        want = lstm(self.weights, x)[0]
        self.assertTrue(rnnc.verify("lstm", self.weights, x=x, expected=want)["ok"])
        want[3, 1, 2] += 0.01
        self.assertFalse(rnnc.verify("lstm", self.weights, x=x, expected=want)["ok"])

    def test_bench_gives_rows_and_a_table(self):
        table = rnnc.bench("lstm", self.weights, steps=10, batch=[1, 4], rounds=3)
        self.assertEqual([row["batch"] for row in table], [1, 4])
        self.assertGreater(table[0]["time_us_min"], 0)
        lines = str(table).splitlines()
        self.assertEqual(len(lines), 3)
        self.assertIn("median us", lines[0])
        self.assertEqual(table._repr_html_().count("<tr>"), 3)

    def test_inspect_shows_text_plan_and_code(self):
        self.assertIn("sigmoid(Wi @ x", rnnc.inspect("lstm"))
        self.assertIn("stage 0", rnnc.inspect("lstm", "plan", weights=self.weights))
        self.assertIn("ret", rnnc.inspect("lstm", "asm", dims={"I": 5, "H": 7}))
        program = rnnc.compile("lstm", self.weights)
        self.assertIn("stage 0", rnnc.inspect(program, "plan"))
        self.assertIn("input x : f32[5]", rnnc.inspect(program))

    def test_explain_tells_and_draws_what_runs(self):
        program = rnnc.compile("lstm", self.weights)
        self.assertIn("h 7", program.explain(steps=10))
        drawing = xml.etree.ElementTree.fromstring(program.svg())
        texts = [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
        self.assertIn("lstm", texts)
        self.assertIn("<img", program._repr_html_())

    def test_mistakes_are_exceptions(self):
        with self.assertRaisesRegex(rnnc.ModelError, "no/such"):
            rnnc.verify("no/such/model.rnn")
        with self.assertRaises(rnnc.Error):
            rnnc.inspect("lstm", "nonsense")
        with self.assertRaisesRegex(TypeError, "theads"):
            rnnc.bench("lstm", self.weights, theads=2)
        self.assertIn("bench", dir(rnnc))
        with self.assertRaises(AttributeError):
            rnnc.nothing


if __name__ == "__main__":
    unittest.main()
