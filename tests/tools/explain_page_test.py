#!/usr/bin/env python3
"""The pages of rnnc explain --html, as text and as a browser shows them: explain_page_test.py RNNC SOURCES

What needs a browser says that it is skipped where there is no Chromium.
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

from browser import CHROMIUM, DARK, LIGHT, WIDTHS, chromium, measured

SOURCES = sys.argv.pop(2)
RNNC = sys.argv.pop(1)

# Of each model: the flags, the titles of its boxes from the first input to the last output, its states, and sizes.
MODELS = {
    "lstm": ("--cell lstm --dim I=64 --dim H=128", ["x", "lstm", "y"], ["h 128, c 128"], ["64 → 128", "98816 weights"]),
    "deep": ("--cell gru --layers 3 --bidirectional --dim I=40 --dim H=24 --batch 4",
             ["x", "gru l1.fwd", "gru l1.bwd", "gru l2.fwd", "gru l2.bwd", "gru l3.fwd", "gru l3.bwd", "y"], ["h 24"] * 6,
             ["40 → 24", "48 → 24", "backwards over time", "48 floats each step"]),
    "convolution": ("examples/convolutions/convolutions.rnn --cell same --dim P=12 --dim C=4 --dim N=6 --dim K=1",
                    ["x", "same", "y"], [], ["convolution", "48 → 72"]),
    "imported": ("tests/conformance/onnx/fronts/attention_over_time.onnx",
                 ["x", "rnn rnn", "projection", "max over time", "subtract, exp", "sum over time", "divide", "feature s",
                  "multiply", "sum over time", "y"], ["h 4"], ["3 → 4", "4 floats once a sequence"]),
    "char_lm": ("examples/char_lm/char_lm.rnn --weights-as w8", ["x", "char_lm", "y"], ["h 128, c 128"], ["75 → 75"]),
}


def explain(path, flags):
    run = subprocess.run([RNNC, "explain", *flags.split(), "--html", path], capture_output=True, text=True, check=False,
                         cwd=SOURCES, env={**os.environ, "RNNC_CACHE_DIR": os.path.join(os.path.dirname(path), "cache")})
    assert run.returncode == 0, run.stderr
    assert run.stdout == "", run.stdout
    with open(path, encoding="utf-8") as file:
        return file.read()


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.folder = cls.holder.name
        cls.pages = {name: explain(os.path.join(cls.folder, name + ".html"), model[0]) for name, model in MODELS.items()}

    @classmethod
    def tearDownClass(cls):
        cls.holder.cleanup()

    def test_the_drawing_is_xml_and_has_every_layer_and_size(self):
        for name, (_, titles, states, sizes) in MODELS.items():
            with self.subTest(model=name):
                figures = re.findall(r"<svg.*?</svg>", self.pages[name], re.DOTALL)
                self.assertEqual(len(figures), 1)
                drawing = xml.etree.ElementTree.fromstring(figures[0])
                texts = [text.text for text in drawing.iter("text")]
                drawn = [text.text for text in drawing.iter("text") if text.get("class") == "text title"]
                self.assertEqual(drawn, titles)
                self.assertEqual(len(list(drawing.iter("rect"))), len(titles))
                self.assertEqual([text for text in texts if text in states], states)
                for size in sizes:
                    self.assertIn(size, texts)

    def test_every_box_but_inputs_is_reached_by_an_arrow(self):
        for name, (_, titles, states, _) in MODELS.items():
            with self.subTest(model=name):
                drawing = xml.etree.ElementTree.fromstring(re.search(r"<svg.*?</svg>", self.pages[name], re.DOTALL)[0])
                arrows = [path for path in drawing.iter("path") if path.get("class") == "flow"]
                self.assertGreaterEqual(len(arrows), len(titles) - 1 + len(states))

    def test_each_stage_has_a_row(self):
        for name, page in self.pages.items():
            with self.subTest(model=name):
                plans = re.findall(r"<p>plan <code>([^<]*)</code>", page)
                self.assertGreaterEqual(len(plans), 1)
                rows = [part.split("</tbody")[0] for part in page.split("<tbody")[1:]]
                self.assertEqual([len(plan.split(",")) for plan in plans], [row.count("<tr role") for row in rows])

    def test_it_fetches_nothing(self):
        for page in self.pages.values():
            self.assertNotRegex(page, r"https?:|<script|@import|url\(|\bsrc=")

    @unittest.skipUnless(CHROMIUM, "there is no chromium")
    def test_it_fits_screens_of_every_width_in_both_colour_schemes(self):
        for name, (_, titles, _, _) in MODELS.items():
            grounds = set()
            for scheme in (LIGHT, DARK) if name == "deep" else (LIGHT,):
                for width, page in zip(WIDTHS, measured(self.folder, self.pages[name], scheme)):
                    grounds.add(page["ground"])
                    with self.subTest(model=name, width=width, scheme=scheme):
                        self.assertEqual(page["width"], width)
                        self.assertEqual(page["overflow"], 0, page["widest"])
                        self.assertGreaterEqual(page["contrast"], 4.5, page["faintest"])
                        self.assertEqual(page["fetched"], [])
                        self.assertEqual(page["boxes"], len(titles))
                        self.assertEqual(page["overlapping"], 0)
                        self.assertEqual(page["titles_of_boxes"], titles)
                        self.assertEqual([figure["outside"] for figure in page["figures"]], [[]])
                        self.assertGreaterEqual(page["figures"][0]["smallest"], 9.5)
            self.assertEqual(len(grounds), 2 if name == "deep" else 1)

    @unittest.skipUnless(CHROMIUM, "there is no chromium")
    def test_a_browser_has_nothing_to_complain_of(self):
        run = chromium(self.folder, "--dump-dom", f"file://{os.path.join(self.folder, 'lstm.html')}")
        self.assertIn("lstm</h1>", run.stdout)
        self.assertNotIn("CONSOLE", run.stderr)


if __name__ == "__main__":
    unittest.main()
