"""NumPy, which the checks of this folder need: without it, who imports this says that it is skipped, and ends well."""
import sys

sys.dont_write_bytecode = True
try:
    import numpy
except ImportError as error:
    print(f"skipped: {error} (Debian: python3-numpy)")
    sys.exit(0)
