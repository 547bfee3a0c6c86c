#!/usr/bin/env python3
"""count.py [--rnnc PROGRAM] [--cmsis-nn FOLDER] [--targets T,...] [--cells lstm,gru] [--units 16,64] [--formats w8,f32]

Counts the instructions of a step of a layer with as many inputs as units. Boards with a Cortex-M4 or a Cortex-M55 count
them in their timer, under qemu-system-arm; for other targets (aarch64-cortex-a72, riscv64-rvv256, ...) the emulator of a
user's program writes them down, and those of a second step are counted. --cmsis-nn names a checkout of CMSIS-NN, whose
LSTM of int8 is compiled by the same compiler and counted in the same run. An emulator counts instructions, not
cycles."""
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
BOARDS = {  # by target of rnnc: the flags of clang, and the board
    "thumbv7em-cortex-m4": (["--target=thumbv7em-none-eabihf", "-mcpu=cortex-m4"], "mps2-an386"),
    "thumbv8.1m-cortex-m55": (["--target=thumbv8.1m.main-none-eabihf", "-mcpu=cortex-m55"], "mps3-an547"),
}
USERS = {  # by the begin of the target: the flags of clang, and the emulator
    "aarch64-": (["--target=aarch64-linux-gnu"], ["qemu-aarch64", "-cpu", "max"]),
    "armv7-a-": (["--target=armv7a-linux-gnueabihf", "-mcpu=cortex-a7"], ["qemu-arm"]),
    "riscv64": (["--target=riscv64-linux-gnu", "-march=rv64gc", "-mno-relax"],
                ["qemu-riscv64", "-cpu", "rv64,v=true,vext_spec=v1.0,vlen={bits}"]),
    "riscv32": (["--target=riscv32-unknown-elf", "-march=rv32imafc", "-mabi=ilp32f", "-mno-relax"], ["qemu-riscv32"]),
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
    try:
        finished = subprocess.run([str(each) for each in command], capture_output=True, text=True, **options)
    except FileNotFoundError:
        sys.exit(f"count.py: there is no program {command[0]} (rnnc: --rnnc tells where it is)")
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


def compile_c(folder, flags, source, *more):
    result = folder / (pathlib.Path(source).stem + ".o")
    run("clang-19", "-O3", "-ffreestanding", "-ffunction-sections", f"-I{BOARD}", f"-I{folder}", *flags, *more, "-c",
        source, "-o", result)
    return result


def count_on_board(folder, board, objects):
    program = folder / "program"
    run("ld.lld-19", "-T", BOARD / "board.ld", "--gc-sections", *objects, "-o", program)
    output = run("qemu-system-arm", "-M", board, "-display", "none", "-monitor", "none", "-serial", "none", "-chardev",
                 "stdio,id=console", "-semihosting-config", "enable=on,chardev=console", "-icount", "shift=0", "-kernel",
                 program, timeout=120)
    values = {name: int(value) for name, value in re.findall(r"(\w+) (\d+)", output)}
    return INSTRUCTIONS_OF_LOOPS / values["ticks_of_loops"] * values["ticks_of_steps"] / STEPS, values["stack_bytes"]


def count_of_user(folder, target, flags, emulator):
    bits = (re.search(r"rvv(\d+)", target) or [0, "128"])[1]
    counts = []
    for steps in (1, 2):
        objects = [compile_c(folder, flags, source, f"-DSTEPS={steps}") for source in (HERE / "count.c", BOARD / "board.c")]
        run("ld.lld-19", *objects, folder / "model.o", "-o", folder / "program")
        run(*[part.format(bits=bits) for part in emulator], "-singlestep", "-d", "exec,nochain", "-D", folder / "trace",
            folder / "program", timeout=120)
        with open(folder / "trace") as trace:
            counts.append(sum(line.startswith("Trace") for line in trace))
    return counts[1] - counts[0], ""


def count_rnnc(folder, options, target, cell, units, weights):
    write_weights(folder / "w.safetensors", run(options.rnnc, "cells", cell), {"I": units, "H": units})
    run(options.rnnc, "compile", "--cell", cell, "--dim", f"I={units}", "--dim", f"H={units}", "--weights",
        folder / "w.safetensors", "--weights-as", weights, "--target", target, "--name", "model", "-o", folder / "model.o")
    code = int(re.search(r"MODEL_CODE_BYTES (\d+)", (folder / "model.h").read_text())[1])
    if target in BOARDS:
        flags, board = BOARDS[target]
        objects = [compile_c(folder, flags, source) for source in (HERE / "count.c", BOARD / "board.c")]
        return (*count_on_board(folder, board, [*objects, folder / "model.o"]), code)
    user = next((USERS[begin] for begin in USERS if target.startswith(begin)), None)
    if not user:
        sys.exit(f"count.py: there is no emulator for {target}; use one of {', '.join([*BOARDS, *USERS])}")
    return (*count_of_user(folder, target, *user), code)


def count_cmsis_nn(folder, options, target, units):
    flags, board = BOARDS[target]
    for name, text in HEADERS.items():
        (folder / name).write_text(text)
    more = ["-DCMSIS_NN", f"-DH={units}", f"-I{options.cmsis_nn}/Include", "-Wno-everything"]
    sources = [HERE / "count.c", BOARD / "board.c"]
    for part in ("LSTMFunctions", "NNSupportFunctions", "BasicMathFunctions", "ActivationFunctions"):
        sources += [source for source in sorted((pathlib.Path(options.cmsis_nn) / "Source" / part).glob("*.c"))
                    if not re.search(r"_(f16|f32|flt)\.c$", source.name)]
    return (*count_on_board(folder, board, [compile_c(folder, flags, source, *more) for source in sources]), "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rnnc", default="rnnc")
    parser.add_argument("--cmsis-nn")
    parser.add_argument("--targets", default=",".join(BOARDS))
    parser.add_argument("--cells", default="lstm,gru")
    parser.add_argument("--units", default="16,64")
    parser.add_argument("--formats", default="w8,f32")
    options = parser.parse_args()
    gates = {"lstm": 4, "gru": 3, "rnn": 1}
    print(f"{'target':22}{'layer':9}{'by':15}{'instructions':>13}{'of a multiply-add':>19}{'code':>8}{'stack':>7}")
    for target in options.targets.split(","):
        for cell in options.cells.split(","):
            for units in map(int, options.units.split(",")):
                ways = [("rnnc " + weights,
                         lambda folder, w=weights: count_rnnc(folder, options, target, cell, units, w))
                        for weights in options.formats.split(",")]
                if options.cmsis_nn and cell == "lstm" and target in BOARDS:
                    ways.append(("CMSIS-NN int8", lambda folder: count_cmsis_nn(folder, options, target, units)))
                for name, way in ways:
                    with tempfile.TemporaryDirectory() as folder:
                        count, stack, code = way(pathlib.Path(folder))
                    products = gates.get(cell, 1) * 2 * units * units
                    print(f"{target:22}{cell + ' ' + str(units):9}{name:15}{count:13,.0f}{count / products:19.2f}"
                          f"{code:>8}{stack:>7}")


if __name__ == "__main__":
    main()
