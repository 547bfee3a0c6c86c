#!/usr/bin/env python3
"""The page of rnnc bench --html as a browser shows it, on a telephone and on a desk: bench_page_test.py RNNC

Says that it is skipped where there is no Chromium.
"""
import os
import subprocess
import sys
import tempfile
import unittest

from browser import CHROMIUM, DARK, LIGHT, WIDTHS, chromium, measured

RNNC = sys.argv.pop(1)
SHAPES = ["lstm:20:1:16:16:1", "gru:5:4:8:24:1", "rnn:1:1:4:8:1"]
COLUMNS = 11


@unittest.skipUnless(CHROMIUM, "there is no chromium")
class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.folder = cls.holder.name
        cls.path = os.path.join(cls.folder, "report.html")
        run = subprocess.run([RNNC, "bench", "--shape", ",".join(SHAPES), "--rounds", "3", "--against", "onednn", "--html",
                              cls.path], capture_output=True, text=True, check=False,
                             env={**os.environ, "RNNC_CACHE_DIR": os.path.join(cls.folder, "cache")})
        assert run.returncode == 0, run.stderr
        with open(cls.path, encoding="utf-8") as file:
            cls.text = file.read()

    @classmethod
    def tearDownClass(cls):
        cls.holder.cleanup()

    def test_it_fits_screens_of_every_width_in_both_colour_schemes(self):
        grounds = set()
        for scheme in (LIGHT, DARK):
            found = measured(self.folder, self.text, scheme)
            self.assertEqual([page["width"] for page in found], list(WIDTHS))
            for page in found:
                grounds.add(page["ground"])
                with self.subTest(width=page["width"], scheme=scheme):
                    self.assertEqual(page["overflow"], 0, page["widest"])
                    self.assertEqual(page["clipped"], 0)
                    self.assertGreater(page["height"], 900)
                    self.assertGreaterEqual(page["contrast"], 4.5, page["faintest"])
                    self.assertEqual(page["fetched"], [])
                    self.check_figures(page)
                    self.check_table(page)
        self.assertEqual(len(grounds), 2)

    def check_figures(self, page):
        figures = page["figures"]
        self.assertEqual([figure["title"].split(":")[0] for figure in figures],
                         ["Roofline"] + [f"Distribution of times at {shape}".split(":")[0] for shape in SHAPES])
        self.assertEqual([figure["marks"] for figure in figures], [2 * len(SHAPES)] + [4] * len(SHAPES))
        for figure in figures:
            self.assertGreater(figure["width"], 200, figure)
            self.assertGreater(figure["height"], 100, figure)
            self.assertLessEqual(figure["right"], page["width"], figure)
            self.assertGreaterEqual(figure["smallest"], 9.5, figure)
            self.assertEqual(figure["outside"], [])

    def check_table(self, page):
        self.assertEqual(page["titles"][:7],
                         ["shape", "min µs", "median µs", "p99 µs", "GFLOP/s", "throughput", "of limit"])
        self.assertIn("oneDNN/rnnc", page["titles"])
        self.assertEqual(len(page["titles"]), COLUMNS)
        self.assertEqual([row[0] for row in page["rows"]], [f"{i}{shape}" for i, shape in enumerate(SHAPES, 1)])
        for row in page["rows"]:
            self.assertEqual(len(row), COLUMNS)
            self.assertTrue(all(row), row)

    def test_it_fetches_nothing_and_has_nothing_to_complain_of(self):
        self.assertNotRegex(self.text, r"https?:|<script|@import|url\(|\bsrc=")
        run = chromium(self.folder, "--dump-dom", f"file://{self.path}")
        self.assertIn("rnnc bench</h1>", run.stdout)
        self.assertNotIn("CONSOLE", run.stderr)
        # The same look at a page that does complain.
        broken = os.path.join(self.folder, "broken.html")
        with open(broken, "w", encoding="utf-8") as file:
            file.write(self.text.replace("</main>", "<script>1</script></main>"))
        self.assertIn("CONSOLE", chromium(self.folder, "--dump-dom", f"file://{broken}").stderr)


if __name__ == "__main__":
    unittest.main()
