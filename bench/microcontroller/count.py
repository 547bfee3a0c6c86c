#!/usr/bin/env python3
"""count.py [--rnnc PROGRAM] [--cmsis-nn FOLDER] [--cells lstm,gru] [--units 16,64] [--formats w8,f32]

Counts the instructions of a step on a Cortex-M4 and a Cortex-M55, under qemu-system-arm, for layers with as many inputs
as units. --cmsis-nn names a checkout of CMSIS-NN, whose LSTM of int8 is compiled by the same compiler and counted in
the same run. An emulator counts instructions, not cycles."""
import argparse
import json
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BOARD = HERE.parents[1] / "examples" / "microcontroller"
MACHINES = {
    "cortex-m4": ("thumbv7em-none-eabihf", "thumbv7em-", "mps2-an386"),
    "cortex-m55": ("thumbv8.1m.main-none-eabihf", "thumbv8.1m-", "mps3-an547"),
}
INSTRUCTIONS_OF_LOOPS = 2 * 100000
STEPS = 10
# The headers that CMSIS-NN includes and a machine without a C library lacks.
HEADERS = {
    "string.h": "#include <stddef.h>\nvoid* memcpy(void*, const void*, size_t);\nvoid* memset(void*, int, size_t);\n"
                "void* memmove(void*, const void*, size_t);\n"
                "#define memcpy __builtin_memcpy\n#define memset __builtin_memset\n",
    "math.h": "",
    "stdlib.h": "",
    "assert.h": "#define assert(condition)\n",
}


def run(*command, **options):
    finished = subprocess.run([str(each) for each in command], capture_output=True, text=True, **options)
    if finished.returncode != 0:
        sys.exit(f"count.py: {' '.join(map(str, command))}\n{finished.stdout}{finished.stderr}")
    return finished.stdout


def parameters(text, sizes):
    """The parameters of a cell in its text, with their shapes."""
    for names, shape in re.findall(r"(?m)^\s*param ([\w, ]+?)\s*:\s*f32\[(.*?)\]", text):
        for name in names.split(","):
            yield name.strip(), [sizes[size.strip()] for size in shape.split(",")]


def write_weights(path, text, sizes):
    numbers, header, data = random.Random(1), {}, b""
    for name, shape in parameters(text, sizes):
        count = 1
        for size in shape:
            count *= size
        values = struct.pack(f"<{count}f", *(numbers.uniform(-0.25, 0.25) for _ in range(count)))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    encoded = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + data)


def numbers_of(program, board):
    output = run("qemu-system-arm", "-M", board, "-display", "none", "-monitor", "none", "-serial", "none", "-chardev",
                 "stdio,id=console", "-semihosting-config", "enable=on,chardev=console", "-icount", "shift=0", "-kernel",
                 program, timeout=120)
    values = {name: int(value) for name, value in re.findall(r"(\w+) (\d+)", output)}
    return INSTRUCTIONS_OF_LOOPS / values["ticks_of_loops"] * values["ticks_of_steps"] / STEPS, values["stack_bytes"]


def link(folder, objects):
    run("ld.lld-19", "-T", BOARD / "board.ld", "--gc-sections", *objects, "-o", folder / "program")
    return folder / "program"


def compile_c(folder, machine, cpu, source, *flags):
    result = folder / (pathlib.Path(source).stem + ".o")
    run("clang-19", f"--target={machine}", f"-mcpu={cpu}", "-O3", "-ffreestanding", "-ffunction-sections", f"-I{BOARD}",
        f"-I{folder}", *flags, "-c", source, "-o", result)
    return result


def count_rnnc(folder, options, cpu, cell, units, weights):
    machine, prefix, board = MACHINES[cpu]
    write_weights(folder / "w.safetensors", run(options.rnnc, "cells", cell), {"I": units, "H": units})
    run(options.rnnc, "compile", "--cell", cell, "--dim", f"I={units}", "--dim", f"H={units}", "--weights",
        folder / "w.safetensors", "--weights-as", weights, "--target", prefix + cpu, "--name", "model", "-o",
        folder / "model.o")
    header = (folder / "model.h").read_text()
    code = int(re.search(r"MODEL_CODE_BYTES (\d+)", header)[1])
    objects = [compile_c(folder, machine, cpu, source) for source in (HERE / "count.c", BOARD / "board.c")]
    return (*numbers_of(link(folder, [*objects, folder / "model.o"]), board), code)


def count_cmsis_nn(folder, options, cpu, units):
    machine, _, board = MACHINES[cpu]
    for name, text in HEADERS.items():
        (folder / name).write_text(text)
    flags = ["-DCMSIS_NN", f"-DH={units}", f"-I{options.cmsis_nn}/Include", "-Wno-everything"]
    sources = [HERE / "count.c", BOARD / "board.c"]
    for part in ("LSTMFunctions", "NNSupportFunctions", "BasicMathFunctions", "ActivationFunctions"):
        sources += [source for source in sorted((pathlib.Path(options.cmsis_nn) / "Source" / part).glob("*.c"))
                    if not re.search(r"_(f16|f32|flt)\.c$", source.name)]
    objects = [compile_c(folder, machine, cpu, source, *flags) for source in sources]
    return (*numbers_of(link(folder, objects), board), 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rnnc", default="rnnc")
    parser.add_argument("--cmsis-nn")
    parser.add_argument("--cells", default="lstm,gru")
    parser.add_argument("--units", default="16,64")
    parser.add_argument("--formats", default="w8,f32")
    options = parser.parse_args()
    gates = {"lstm": 4, "gru": 3, "rnn": 1}
    print(f"{'cpu':11}{'layer':9}{'by':15}{'instructions':>13}{'of a multiply-add':>19}{'code':>8}{'stack':>7}")
    for cpu in MACHINES:
        for cell in options.cells.split(","):
            for units in map(int, options.units.split(",")):
                ways = [("rnnc " + weights, lambda folder, w=weights: count_rnnc(folder, options, cpu, cell, units, w))
                        for weights in options.formats.split(",")]
                if options.cmsis_nn and cell == "lstm":
                    ways.append(("CMSIS-NN int8", lambda folder: count_cmsis_nn(folder, options, cpu, units)))
                for name, way in ways:
                    with tempfile.TemporaryDirectory() as folder:
                        count, stack, code = way(pathlib.Path(folder))
                    products = gates.get(cell, 1) * 2 * units * units
                    print(f"{cpu:11}{cell + ' ' + str(units):9}{name:15}{count:13,.0f}{count / products:19.2f}"
                          f"{code or '':>8}{stack:7}")


if __name__ == "__main__":
    main()
