"""Files of NumPy with f32, for tests that run without it."""
import struct


def npy(shape, values):
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    head += " " * (-(len(head) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack(f"<{len(values)}f", *values)


def bytes_of_npy(content):
    return content[10 + struct.unpack("<H", content[8:10])[0]:]
