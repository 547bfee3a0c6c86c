"""A wheel without LLVM is small, and an environment that has nothing else runs models with it."""

import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest
import zipfile

from models import ROOT

if shutil.which("ccache") is None:
    raise unittest.SkipTest("skipped: without ccache, the wheel is built for minutes")

PROGRAM = """
import numpy, rnnc
program = rnnc.compile("examples/torch/lstm.rnn")
assert program.backend == "portable", program.backend
y = program(numpy.load("examples/torch/lstm.x.npy"))
assert abs(y - numpy.load("examples/torch/lstm.y.npy")).max() < 1e-6
try:
    rnnc.verify("lstm")
except rnnc.UnsupportedError as error:
    print(rnnc.__version__, rnnc.__file__, error)
"""


class WheelTest(unittest.TestCase):
    def test_a_wheel_without_llvm_is_small_and_runs(self):
        with tempfile.TemporaryDirectory() as folder:
            made = subprocess.run(
                [sys.executable, ROOT / "scripts/wheel", "--without-llvm", "--output", folder],
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, "PYTHON": sys.executable},
            )
            self.assertEqual(made.returncode, 0, made.stderr)
            (wheel,) = pathlib.Path(folder).glob("*.whl")
            self.assertLess(wheel.stat().st_size, 3e6)
            installed = pathlib.Path(folder) / "installed"
            with zipfile.ZipFile(wheel) as archive:
                self.assertIsNone(archive.testzip())
                archive.extractall(installed)
                names = archive.namelist()
                mode = archive.getinfo("rnnc/_rnnc.abi3.so").external_attr >> 16
                self.assertTrue(stat.S_ISREG(mode) and mode & stat.S_IXUSR)
            for name in ("rnnc/_rnnc.abi3.so", "rnnc/torch/modules.py", "rnnc/py.typed", "rnnc/_rnnc.pyi"):
                self.assertIn(name, names)
            self.assertFalse([name for name in names if "__pycache__" in name])
            needed = subprocess.run(
                ["ldd", installed / "rnnc/_rnnc.abi3.so"], capture_output=True, text=True, check=True
            ).stdout
            self.assertNotIn("LLVM", needed)
            environment = {**os.environ, "PYTHONPATH": str(installed), "PATH": "/usr/bin:/bin"}
            done = subprocess.run(
                [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
            )
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn(str(installed), done.stdout)
            self.assertIn("built without LLVM", done.stdout)


if __name__ == "__main__":
    unittest.main()
