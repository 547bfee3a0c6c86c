"""run.py FILE: runs the tests of a file. Where the library that all of them need is missing, it prints `skipped: why`; a
test that is left out for itself is named."""

import importlib.util
import pathlib
import sys
import unittest

try:
    import numpy
except ImportError:
    print("skipped: there is no NumPy (package python3-numpy)")
    sys.exit(0)

path = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(path.parent))
spec = importlib.util.spec_from_file_location(path.stem, path)
module = importlib.util.module_from_spec(spec)
sys.modules[path.stem] = module
try:
    spec.loader.exec_module(module)
except unittest.SkipTest as reason:
    print(f"skipped: {str(reason).removeprefix('skipped: ')}")
    sys.exit(0)
result = unittest.TextTestRunner(verbosity=1).run(unittest.defaultTestLoader.loadTestsFromModule(module))
for test, reason in result.skipped:
    print(f"left out: {test}: {reason.removeprefix('skipped: ')}")
sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
