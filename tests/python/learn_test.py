"""The character model that learns with gradients of rnnc: a run that is killed goes on with the same bits."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

try:
    import torch
except ImportError:
    raise unittest.SkipTest("skipped: there is no PyTorch (package python3-torch)")

LEARN = pathlib.Path(__file__).resolve().parents[2] / "examples/char_lm/learn.py"
EPOCHS = 4


class LearnTest(unittest.TestCase):
    def command(self, folder, output, epochs=EPOCHS):
        words = [LEARN, "--output", folder / output, "--text", folder / "text", "--epochs", epochs]
        return [sys.executable, "-B", *map(str, words)]

    def learn(self, *arguments):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_killed_run_goes_on_with_the_same_bits(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            text = "".join(f"{i} times {i} is {i * i}; " for i in range(1000))
            (folder / "text").write_text(text)
            self.learn(folder, "whole")
            killed = subprocess.Popen(self.command(folder, "killed"), stdout=subprocess.DEVNULL)
            deadline = time.monotonic() + 120
            while not (folder / "killed/checkpoint.pt").exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            os.kill(killed.pid, signal.SIGKILL)
            killed.wait()
            said = self.learn(folder, "killed")
            whole, again = (torch.load(folder / output / "checkpoint.pt") for output in ("whole", "killed"))
            self.assertEqual(len(whole["history"]), EPOCHS)
            self.assertEqual(whole["history"], again["history"])
            for name, tensor in whole["model"].items():
                self.assertTrue(torch.equal(tensor, again["model"][name]), name)
            self.assertIn("bits per character of validation text", said)
            self.assertTrue((folder / "killed/curve.svg").read_text().startswith("<svg"))
            self.assertLess(whole["history"][-1], whole["history"][0])

    def test_checkpoint_of_another_cell_is_refused(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "text").write_text("".join(f"{i} times {i} is {i * i}; " for i in range(700)))
            self.learn(folder, "out", 1)
            own = LEARN.with_name("own_cell.rnn")
            done = subprocess.run([*self.command(folder, "out", 1), "--cell", own], capture_output=True, text=True)
            self.assertEqual(done.returncode, 1)
            self.assertIn("is of another cell", done.stderr)


if __name__ == "__main__":
    unittest.main()
