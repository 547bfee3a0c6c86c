"""Two processes of torch.distributed train modules: each has the mean of both gradients."""

import os
import socket
import subprocess
import sys
import unittest

try:
    import torch
    import torch.distributed as distributed
except ImportError:
    raise unittest.SkipTest("skipped: there is no PyTorch (package python3-torch)")
if not distributed.is_available():
    raise unittest.SkipTest("skipped: this PyTorch has no torch.distributed")

WORKER = """
import sys
import torch
import torch.distributed as distributed
import rnnc.torch

rank = int(sys.argv[1])
distributed.init_process_group("gloo", init_method="tcp://127.0.0.1:" + sys.argv[2], rank=rank, world_size=2)
torch.manual_seed(5)
text = rnnc.torch.Recurrent("gru", dims={"I": 3, "H": 5})
layers = rnnc.torch.from_module(torch.nn.LSTM(3, 5, 2, bidirectional=True))
for alone in (text, layers):
    module = torch.nn.parallel.DistributedDataParallel(alone)
    data = [torch.randn(7, 2, 3) for _ in range(2)]
    module(data[rank])[0].square().sum().backward()
    shared = [p.grad.clone() for p in alone.parameters()]
    expected = [torch.zeros_like(g) for g in shared]
    for x in data:
        alone.zero_grad()
        alone(x)[0].square().sum().backward()
        for total, p in zip(expected, alone.parameters()):
            total += p.grad / 2
    far = max((a - b).abs().max().item() for a, b in zip(shared, expected))
    assert far < 1e-5, far
    assert max(g.abs().max().item() for g in shared) > 1e-3
distributed.destroy_process_group()
"""


class DistributedTest(unittest.TestCase):
    def test_two_processes_have_the_mean_of_their_gradients(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        command = [sys.executable, "-B", "-c", WORKER]
        # Debian 13 builds PyTorch without libuv, which it would use by itself.
        environment = {**os.environ, "GLOO_SOCKET_IFNAME": "lo", "USE_LIBUV": "0"}
        workers = [
            subprocess.Popen([*command, str(rank), port], stderr=subprocess.PIPE, text=True, env=environment)
            for rank in range(2)
        ]
        for worker in workers:
            _, said = worker.communicate(timeout=120)
            self.assertEqual(worker.returncode, 0, said)


if __name__ == "__main__":
    unittest.main()
