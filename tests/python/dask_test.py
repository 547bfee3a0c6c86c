"""Programs and states are arguments of Dask's tasks: they are pickled, and compiled again in each worker."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import distributed
except ImportError:
    raise unittest.SkipTest("skipped: there is no Dask (package python3-distributed)")

from models import environment

# Workers import the program that starts them, so that it is a file by itself.
CLIENT = """
import numpy
import rnnc
from distributed import Client, LocalCluster
from models import lstm_weights, random_x


def run(program, state, x):
    # An array that a worker receives may begin at any byte.
    return program(x, state=state, copy=True)


if __name__ == "__main__":
    program = rnnc.compile("lstm", lstm_weights(5, 7))
    x, state = random_x(9, 2, 5), program.state(batch=2)
    want = program(x)
    first = program(x[:4], state=state)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        rest = client.submit(run, program, state, x[4:], pure=False).result()
        numpy.testing.assert_array_equal(numpy.concatenate([first, rest]), want)
        everywhere = client.scatter(program, broadcast=True)
        for found in client.gather([client.submit(run, everywhere, None, x, pure=False) for _ in range(4)]):
            numpy.testing.assert_array_equal(found, want)
    print("the same")
"""


class DaskTest(unittest.TestCase):
    def test_workers_give_the_bits_of_the_client(self):
        package = environment()
        package["PYTHONPATH"] += f":{pathlib.Path(__file__).parent}"
        with tempfile.TemporaryDirectory() as folder:
            script = pathlib.Path(folder) / "client.py"
            script.write_text(CLIENT)
            command = [sys.executable, "-B", str(script)]
            done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=package, timeout=120)
        self.assertIn("the same", done.stdout, done.stderr)


if __name__ == "__main__":
    unittest.main()
