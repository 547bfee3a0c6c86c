"""Threads, forks and the end of the interpreter."""

import os
import subprocess
import sys
import textwrap
import threading
import unittest

import numpy

import rnnc
from models import environment, lstm_weights, random_x


class ThreadsTest(unittest.TestCase):
    def setUp(self):
        self.program = rnnc.compile("lstm", lstm_weights(5, 7))

    def test_sixteen_threads_share_a_program(self):
        x = random_x(50, 16, 5)
        want = self.program(x)
        wrong = []

        def run(index):
            mine = numpy.ascontiguousarray(x[:, index])
            for turn in range(20):
                state = self.program.state()
                found = self.program(mine) if turn % 2 else numpy.stack([self.program.step(state, row) for row in mine])
                if not numpy.array_equal(found, want[:, index]):
                    wrong.append(index)

        threads = [threading.Thread(target=run, args=(index,)) for index in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_a_call_lets_other_threads_run_and_keeps_its_state(self):
        program = rnnc.compile("lstm", lstm_weights(64, 256))
        state = program.state(batch=64)
        x = numpy.zeros((2000, 64, 64), numpy.float32)
        begun = threading.Event()
        counted, refused = [0], []

        def call():
            begun.set()
            program(x, state=state)

        thread = threading.Thread(target=call)
        thread.start()
        begun.wait()
        while thread.is_alive():
            counted[0] += 1
            try:
                state.save()
            except rnnc.UsageError as error:
                refused.append(str(error))
        thread.join()
        self.assertGreater(counted[0], 10)
        self.assertTrue(refused and "another thread" in refused[0])
        state.save()

    def test_a_forked_child_computes_the_same(self):
        for threads in (1, 2):
            program = rnnc.compile("lstm", lstm_weights(5, 7), threads=threads)
            x = random_x(40, 8, 5)
            want = program(x)
            child = os.fork()
            if child == 0:
                try:
                    os._exit(0 if numpy.array_equal(program(x), want) else 1)
                except BaseException:
                    os._exit(2)
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)

    def run_script(self, script):
        return subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)],
            env={
                **environment(),
                "PYTHONPATH": os.pathsep.join([environment()["PYTHONPATH"], os.path.dirname(__file__)]),
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def test_the_interpreter_waits_for_calls_when_it_ends(self):
        done = self.run_script(
            """
            import threading, numpy, rnnc
            from models import lstm_weights
            program = rnnc.compile("lstm", lstm_weights(64, 256))
            x = numpy.zeros((3000, 32, 64), numpy.float32)
            begun = threading.Event()
            def call():
                begun.set()
                while True:
                    program(x)
            for _ in range(3):
                threading.Thread(target=call, daemon=True).start()
            begun.wait()
            print("ends")
            """
        )
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "ends\n", ""))

    def test_a_child_that_was_forked_within_a_call_ends(self):
        done = self.run_script(
            """
            import os, threading, numpy, rnnc
            from models import lstm_weights
            program = rnnc.compile("lstm", lstm_weights(64, 256))
            x = numpy.zeros((3000, 32, 64), numpy.float32)
            thread = threading.Thread(target=lambda: program(x))
            thread.start()
            child = os.fork()
            if child == 0:
                raise SystemExit(7)
            thread.join()
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            """
        )
        self.assertEqual((done.returncode, done.stdout), (0, "7\n"), done.stderr)

    @unittest.skipIf("ASAN_OPTIONS" in os.environ, "skipped: a sanitizer keeps what is freed")
    def test_no_object_stays_behind(self):
        done = self.run_script(
            """
            import gc, resource, numpy, rnnc
            from models import lstm_weights
            weights = lstm_weights(64, 64)
            x = numpy.zeros((10, 4, 64), numpy.float32)
            def use():
                program = rnnc.compile("lstm", weights)
                program(x); state = program.state(4); program.step(state, x[0])
                program.bind(x[0], numpy.zeros((4, 64), numpy.float32))()
                try:
                    program.step(state, x)
                except ValueError:
                    pass
            for _ in range(20):
                use()
            gc.collect()
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            for _ in range(150):
                use()
            gc.collect()
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
            """
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        # A program of this size packs 132 KB of weights: 150 of them would be 20 MB.
        self.assertLess(int(done.stdout), 6000)


if __name__ == "__main__":
    unittest.main()
