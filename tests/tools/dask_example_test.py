#!/usr/bin/env python3
"""examples/dask: results are NumPy's, and a run whose workers or main process are killed loses nothing and repeats nothing:
dask_example_test.py PACKAGE SOURCES

PACKAGE is the folder of the Python package. Without it, Dask or NumPy all tests say that they are skipped.
"""
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

INFER = os.path.join(os.path.abspath(sys.argv.pop(2)), "examples", "dask", "infer.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.path.abspath(sys.argv.pop(1)), "RNNC_CACHE": "off"}
sys.path.insert(0, ENVIRONMENT["PYTHONPATH"])
try:
    import distributed
    import numpy
    import rnnc
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(0)

IN, HIDDEN = 5, 6
GRU = """cell gru<I, H> {
  input x : f32[I]
  state h : f32[H]
  param W : f32[3*H, I]
  param U : f32[3*H, H]
  a = W @ x
  b = U @ h
  r = sigmoid(a[0:H] + b[0:H])
  z = sigmoid(a[H:2*H] + b[H:2*H])
  n = tanh(a[2*H:3*H] + r * b[2*H:3*H])
  h' = n + z * (h - n)
  output h'
}
"""


def gru(x, w, u):
    """The equations above, in double precision."""
    sigmoid = lambda v: 1 / (1 + numpy.exp(-v))
    h, outputs = numpy.zeros(HIDDEN), []
    for row in x.astype(float):
        a, b = w @ row, u @ h
        r, z = sigmoid(a[:HIDDEN] + b[:HIDDEN]), sigmoid(a[HIDDEN : 2 * HIDDEN] + b[HIDDEN : 2 * HIDDEN])
        n = numpy.tanh(a[2 * HIDDEN :] + r * b[2 * HIDDEN :])
        h = n + z * (h - n)
        outputs.append(h)
    return numpy.array(outputs).reshape(-1, HIDDEN)


def children_of(parent):
    """The processes that this one started, by what Linux tells of all."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as stat, open(f"/proc/{entry}/cmdline") as command:
                if int(stat.read().rpartition(")")[2].split()[1]) == parent:
                    yield int(entry), command.read()
        except OSError:
            continue


def workers_of(run):
    return [process for process, command in children_of(run.pid) if "spawn_main" in command]


class Example(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.source, self.target = self.path("in"), self.path("out")
        os.mkdir(self.source)
        self.random = numpy.random.default_rng(1)
        self.w = self.random.uniform(-1, 1, (3 * HIDDEN, IN)).astype(numpy.float32)
        self.u = self.random.uniform(-0.5, 0.5, (3 * HIDDEN, HIDDEN)).astype(numpy.float32)
        with open(self.path("gru.rnn"), "w") as file:
            file.write(GRU)
        numpy.savez(self.path("gru.npz"), W=self.w, U=self.u)

    def path(self, name):
        return os.path.join(self.folder, name)

    def add(self, count, shortest, longest):
        for i in range(count):
            x = self.random.uniform(-2, 2, (self.random.integers(shortest, longest + 1), IN)).astype(numpy.float32)
            numpy.save(os.path.join(self.source, f"u{i}.npy"), x)

    def begin(self, *flags):
        command = ["/usr/bin/env", sys.executable, INFER, self.path("gru.rnn"), self.source, self.target]
        command += ["--weights", self.path("gru.npz"), "--workers", "2", *flags]
        run = subprocess.Popen(
            command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        self.addCleanup(run.communicate)
        self.addCleanup(self.end, run)
        return run

    def end(self, run):
        try:
            os.killpg(run.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def finish(self, run, code=0):
        out, err = run.communicate(timeout=100)
        self.assertEqual(run.returncode, code, out + err)
        return out, err

    def done(self):
        """The results that are there, each with what changes when it is written anew."""
        names = os.listdir(self.target) if os.path.isdir(self.target) else []
        stats = {name: os.stat(os.path.join(self.target, name)) for name in names if not name.startswith(".")}
        return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}

    def wait_for(self, count, run):
        while len(self.done()) < count:
            self.assertIsNone(run.poll(), "it ended before it was killed")
            time.sleep(0.002)

    def check_all(self, but=()):
        """All results are there with the bits of the program alone, and some of them are compared with NumPy's too."""
        names = sorted(set(os.listdir(self.source)) - set(but))
        self.assertEqual(sorted(os.listdir(self.target)), names)
        program = rnnc.compile(self.path("gru.rnn"), self.path("gru.npz"))
        for place, name in enumerate(names):
            x, y = (numpy.load(os.path.join(folder, name)) for folder in (self.source, self.target))
            numpy.testing.assert_array_equal(y, program(x))
            if place % 10 == 0:
                numpy.testing.assert_allclose(y, gru(x, self.w, self.u), rtol=0, atol=1e-5)

    def test_results_are_those_of_numpy_and_a_second_run_does_what_is_missing(self):
        self.add(50, 0, 40)
        with open(os.path.join(self.source, "bad.npy"), "w") as file:
            file.write("no array")
        numpy.save(os.path.join(self.source, "wide.npy"), numpy.zeros((3, IN + 1), numpy.float32))
        out, err = self.finish(self.begin("--batch", "7"), code=1)
        self.assertRegex(out, "^50 written in .* s, 0 there already, 2 failed")
        self.assertIn("infer.py: bad.npy: ", err)
        self.assertIn(f"infer.py: wide.npy: holds float32 [3, {IN + 1}]; the model takes float32 [T, {IN}]", err)
        self.check_all(but=["bad.npy", "wide.npy"])
        first = self.done()
        kept = os.path.join(self.target, "README")
        open(kept, "w").close()
        for name in ("bad.npy", "wide.npy"):
            os.remove(os.path.join(self.source, name))
        os.remove(os.path.join(self.target, "u7.npy"))
        for name, size in (("u8.npy", 130), ("u9.npy", 0)):  # as a power cut may leave them
            os.truncate(os.path.join(self.target, name), size)
        out, err = self.finish(self.begin())
        self.assertRegex(out, "^3 written in .* s, 47 there already, 0 failed")
        second = self.done()
        self.assertEqual(sorted(name for name in first if first[name] != second[name]), ["u7.npy", "u8.npy", "u9.npy"])
        os.remove(kept)
        self.check_all()

    def test_a_killed_worker_is_replaced_and_a_killed_run_goes_on(self):
        self.add(200, 400, 500)
        run = self.begin("--batch", "2")
        self.wait_for(10, run)
        os.kill(workers_of(run)[0], signal.SIGKILL)
        before = self.done()
        self.wait_for(len(before) + 20, run)
        os.killpg(run.pid, signal.SIGKILL)  # with the workers, and one that is only just starting
        half = os.path.join(self.target, ".u0.npy.killed.part")
        run.wait()
        between = self.done()
        open(half, "w").close()
        self.assertLess(len(between), 200)
        out, err = self.finish(self.begin())
        self.assertRegex(out, f"^{200 - len(between)} written in .* s, {len(between)} there already, 0 failed")
        after = self.done()
        for earlier in (before, between):
            self.assertEqual(earlier, {name: after[name] for name in earlier})
        self.check_all()

    def test_a_run_survives_the_death_of_a_worker(self):
        self.add(200, 400, 500)
        run = self.begin("--batch", "2")
        self.wait_for(10, run)
        os.kill(workers_of(run)[0], signal.SIGKILL)
        before = self.done()
        out, err = self.finish(run)
        self.assertRegex(out, "^200 written in .* s, 0 there already, 0 failed")
        after = self.done()
        self.assertEqual(before, {name: after[name] for name in before})
        self.check_all()

    def test_what_cannot_run_is_told_before_a_worker_begins(self):
        with open(self.path("gru.rnn"), "w") as file:
            file.write("cell c { input x : f32 output y }")
        out, err = self.finish(self.begin(), code=1)
        self.assertIn("gru.rnn:1:31: unknown name 'y'", err)
        self.assertIn("--batch: 0 is less than 1", self.finish(self.begin("--batch", "0"), code=2)[1])
        os.rmdir(self.source)
        self.assertIn(f"there is no folder {self.source}", self.finish(self.begin(), code=2)[1])
        self.assertFalse(os.path.exists(self.target))


if __name__ == "__main__":
    unittest.main(verbosity=2)
