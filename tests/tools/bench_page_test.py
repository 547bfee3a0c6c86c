#!/usr/bin/env python3
"""The page of rnnc bench --html as a browser shows it, on a telephone and on a desk: bench_page_test.py RNNC

Chromium without a window lays the page out in frames of several widths; a script outside of them measures. Says that it is
skipped where there is no Chromium.
"""
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

RNNC = sys.argv.pop(1)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SHAPES = ["lstm:20:1:16:16:1", "gru:5:4:8:24:1", "rnn:1:1:4:8:1"]
COLUMNS = 11
WIDTHS = 320, 360, 768, 1280  # telephones, a tablet and a desk
DARK, LIGHT = 0, 1  # as Blink counts colour schemes
SECONDS_AT_MOST = 180

MEASURE = """
function luminance(rgb) {
  const [r, g, b] = rgb.map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
}
const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
function ground(element, view) {
  for (let e = element; e; e = e.parentElement) {
    const colour = numbers(view.getComputedStyle(e).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour.slice(0, 3);
  }
  return [255, 255, 255];
}
function contrast(element, view) {
  const style = view.getComputedStyle(element);
  const behind = element.matches('.number.ours')
      ? numbers(view.getComputedStyle(element.previousElementSibling).fill) : ground(element, view);
  const a = luminance(numbers(element.ownerSVGElement ? style.fill : style.color).slice(0, 3));
  const b = luminance(behind.slice(0, 3));
  return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
}
const is_shown = element => element.getClientRects().length > 0;
function measure(frame) {
  const page = frame.contentDocument, view = frame.contentWindow, found = {};
  found.width = view.innerWidth;
  found.overflow = page.documentElement.scrollWidth - page.documentElement.clientWidth;
  found.widest = [...page.querySelectorAll('body *:not(thead, thead *)')].map(e => [e.getBoundingClientRect().right, e.outerHTML.slice(0, 120)])
                     .sort((a, b) => b[0] - a[0])[0];
  found.height = page.documentElement.scrollHeight;
  found.figures = [...page.querySelectorAll('svg')].filter(is_shown).map(svg => {
    const box = svg.getBoundingClientRect();
    const is_outside = t => t.left < box.left - 1 || t.right > box.right + 1 || t.top < box.top - 1 ||
                            t.bottom > box.bottom + 1;
    return {title: svg.getAttribute('aria-label'), width: box.width, height: box.height, right: box.right,
            marks: svg.querySelectorAll('circle').length,
            smallest: Math.min(...[...svg.querySelectorAll('text')].map(
                text => parseFloat(view.getComputedStyle(text).fontSize) *
                        Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b))),
            outside: [...svg.querySelectorAll('text')].filter(text => is_outside(text.getBoundingClientRect()))
                         .map(text => text.outerHTML)};
  });
  found.rows = [...page.querySelectorAll('tbody tr')].map(row => [...row.cells].map(cell => cell.innerText.trim()));
  found.titles = [...page.querySelectorAll('thead th')].map(cell => cell.textContent);
  found.clipped = [...page.querySelectorAll('td, p, h1, h2, h3, dd, dt')].filter(
      e => is_shown(e) && e.getBoundingClientRect().right > view.innerWidth + 1).length;
  const said = [...page.querySelectorAll('body *')].filter(
      e => is_shown(e) && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()));
  const worst = said.map(e => [contrast(e, view), e.outerHTML.slice(0, 120)]).sort((a, b) => a[0] - b[0])[0];
  found.contrast = worst[0];
  found.faintest = worst[1];
  found.ground = view.getComputedStyle(page.body).backgroundColor;
  found.fetched = view.performance.getEntriesByType('resource').map(entry => entry.name);
  return found;
}
addEventListener('load', () => {
  const all = [...document.querySelectorAll('iframe')].map(measure);
  document.body.innerHTML = '<pre id="found"></pre>';
  document.getElementById('found').textContent = JSON.stringify(all);
});
"""


def chromium(folder, *arguments):
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
               "--disable-background-networking", "--disable-component-update", "--disable-sync",
               "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr",
               f"--user-data-dir={os.path.join(folder, 'profile')}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_AT_MOST, check=False)


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

    def measured(self, scheme):
        """What the script finds in frames of all widths. The page forbids scripts, but not those outside of it."""
        path = os.path.join(self.folder, "frames.html")
        frames = "".join(f'<iframe width="{width}" height="900" style="border:0" srcdoc="{html.escape(self.text)}"></iframe>'
                         for width in WIDTHS)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'<!DOCTYPE html><meta charset="utf-8"><script>{MEASURE}</script><body>{frames}</body>')
        run = chromium(self.folder, "--window-size=1400,1000", f"--blink-settings=preferredColorScheme={scheme}",
                       "--dump-dom", f"file://{path}")
        found = re.search(r'<pre id="found">(\[\{.*?)</pre>', run.stdout, re.DOTALL)
        self.assertTrue(found, run.stdout[-2000:] + run.stderr[-2000:])
        return json.loads(html.unescape(found[1]))

    def test_it_fits_screens_of_every_width_in_both_colour_schemes(self):
        grounds = set()
        for scheme in (LIGHT, DARK):
            found = self.measured(scheme)
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
