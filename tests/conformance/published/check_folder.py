#!/usr/bin/env python3
"""check_folder.py RNNC: models of guitar amplifiers, RNNoise's and ICU's that others have published, beside NumPy's double precision
(equations.py): every output and the final states, by the interpreter and by generated code.

Some of these models make an error of f32 a hundred times larger, whoever computes them. So generated code may differ by 1e-5, or by
what the same equations lose where NumPy computes them in f32, if that is more.

RNNC_MODELS is a folder that has them, by repository, and docs/reliability.md says what it may hold. Without it the check says that it
is skipped, and of what it does not hold that it is left out."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from with_numpy import numpy as np
import equations
import sounds

MOST = 1e-5
MOST_IN_DOUBLE = 2e-6  # of the interpreter: the weights are f32
STEPS, STREAMS = 4200, 2
PHRASES = 30, 40, 1  # as many tokens as stand between two spaces, and phrases
# A model that is read alone is refused for what it is: no recurrent layer; tokens that are means of vectors.
FAMILIES = {
    "aidadsp": ("*.json", {}),
    "BYOD": ("*.json", {"junior_1_stage": "there is no lstm and no gru among the layers"}),
    "rnnoise-models": ("*.rnnn", {}),
    "lstm_word_segmentation": (
        "*/weights.json",
        {"genvec": "embeds a token as the mean of the vectors of its characters"},
    ),
}


def inputs_of(path):
    """Sound, and a knob that is turned; features of frames; phrases of tokens, the last of which stands for all that are not known."""
    random = np.random.default_rng(3)
    if path.suffix == ".rnnn":
        return np.float32(random.normal(size=(STEPS // 10, STREAMS, 42)))
    model = json.loads(path.read_text())
    if "mat1" in model:
        return np.float32(random.integers(0, model["mat1"]["dim"][0], PHRASES))
    sound = np.stack([sounds.sound(STEPS, 48000, k, seconds=STEPS / 48000 / 7) for k in range(STREAMS)], axis=1)[
        ..., None
    ]
    knobs = model["model_data"]["input_size"] - 1 if "model_data" in model else model["in_shape"][-1] - 1
    knob = np.broadcast_to(np.linspace(0, 1, STEPS)[:, None, None], (STEPS, STREAMS, knobs))
    return np.float32(np.concatenate([sound, knob], -1))


def largest(ours, theirs):
    return np.max([np.abs(ours[name] - value).max() for name, value in theirs.items()])  # a NaN stays one


def run(program, path, backend, names, folder):
    """Gives y and final states, or the text of a refusal."""
    command = [program, "run", path, "--backend", backend, "--input", "x.npy", "--output", "y.npy"]
    for state in names[1:]:
        command += ["--final-state", f"{state}={state}.npy"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return {name: np.load(folder / f"{name}.npy") for name in names} if done.returncode == 0 else done.stderr.strip()


def check(program, path, refusals):
    title = "/".join(path.parts[-3:] if path.name == "weights.json" else path.parts[-2:])
    expected = [text for part, text in refusals.items() if part in title]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        x = inputs_of(path)
        np.save(folder / "x.npy", x)
        if expected:
            refusal = run(program, path, "jit", ["y"], folder)
            right = isinstance(refusal, str) and expected[0] in refusal
            print(
                f"{'' if right else 'WRONG: '}{title}: {'refused: ' + refusal if isinstance(refusal, str) else 'not refused'}"
            )
            return right
        (y, states), (y32, states32) = (equations.run(path, real(x)) for real in (np.float64, np.float32))
        theirs = {"y": y, **states}
        lost = largest({"y": y32, **states32}, theirs)
        results = [run(program, path, backend, list(theirs), folder) for backend in ("interpret", "jit")]
        if isinstance(results[0], str):
            print(f"WRONG: {title}: {results[0]}")
            return False
        in_double, generated = (largest(result, theirs) for result in results)
    right = in_double <= MOST_IN_DOUBLE and generated <= max(MOST, lost)
    print(
        f"{'' if right else 'WRONG: '}{title}: interpreter {in_double:.1e}, generated code {generated:.1e}, NumPy in f32 {lost:.1e}"
    )
    return right


def main():
    program, folder = pathlib.Path(sys.argv[1]).resolve(), os.environ.get("RNNC_MODELS")
    if folder is None:
        print("skipped: RNNC_MODELS names no folder of models")
        return 0
    right, found = True, False
    for family, (pattern, refusals) in FAMILIES.items():
        paths = sorted(pathlib.Path(folder).resolve().glob(f"{family}/{pattern}"))
        if not paths:
            print(f"left out: RNNC_MODELS has no {family}/{pattern}")
        found |= bool(paths)
        right &= all([check(program, path, refusals) for path in paths])
    if not found:
        print(f"skipped: the folder {folder} of RNNC_MODELS has none of these models")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
