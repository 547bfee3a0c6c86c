"""docs/python.md is one session: what it prints is what the page shows."""

import doctest
import os
import re
import textwrap
import unittest

import rnnc
from models import ROOT

PAGE = ROOT / "docs" / "python.md"


def blocks(kind):
    """Returns the text of the page with the blocks of a kind alone; lines keep their numbers."""
    kept, end = [], None
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        bare = line.strip()
        if end is None and bare == f"```{kind}":
            end, indent = "```", len(line) - len(line.lstrip())
            kept.append("")
        elif end is not None and bare == end:
            end = None
            kept.append("")
        else:
            kept.append(line[indent:] if end is not None else "")
    return "\n".join(kept) + "\n"


class PageTest(unittest.TestCase):
    def run_blocks(self, kind, names):
        here = os.getcwd()
        os.chdir(ROOT)
        try:
            flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            test = doctest.DocTestParser().get_doctest(blocks(kind), names, kind, str(PAGE), 0)
            printed = []
            result = doctest.DocTestRunner(optionflags=flags).run(test, out=printed.append)
            self.assertEqual(result.failed, 0, "".join(printed))
            return result.attempted
        finally:
            os.chdir(here)

    @unittest.skipUnless(rnnc._rnnc.has_code_generator, "skipped: built without LLVM")
    def test_the_session(self):
        self.assertGreater(self.run_blocks("pycon", {}), 25)

    def test_the_session_with_torch(self):
        try:
            import torch
        except ImportError:
            self.skipTest("skipped: there is no PyTorch (package python3-torch)")
        self.assertGreater(self.run_blocks("pycon torch", {}), 6)

    def test_the_loop_of_ten_lines(self):
        text = PAGE.read_text(encoding="utf-8")
        loop = re.search(r"```python stream.py\n(.*?)```", text, re.DOTALL).group(1)
        self.assertLessEqual(len([line for line in loop.splitlines() if line]), 10)
        self.assertEqual(loop, textwrap.dedent(loop))


if __name__ == "__main__":
    unittest.main()
