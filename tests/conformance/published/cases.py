"""The ONNX models that others have published, as check.py runs them: which numbers each call takes, and which states go round."""
import dataclasses
import pathlib

import numpy as np

import packages
import sounds

FRAMES = 200


@dataclasses.dataclass
class Case:
    """A model that is called `x.shape[0]` times, each time with one `x[t]`, in the shape that the graph's input has then."""

    title: str
    path: pathlib.Path
    input: str
    shape: list  # of the input in a call
    x: np.ndarray  # f32[T,B,I], as rnnc takes it
    states: dict  # the state's name: of its next value, and its shape
    flags: list = dataclasses.field(default_factory=list)
    constants: dict = dataclasses.field(default_factory=dict)
    sure: bool = False  # the first output is a probability that comes near 0 and near 1


def voices(rate, size, before, streams):
    """Frames of made sound of streams, f32[T,B,before + size]."""
    samples = FRAMES * size
    return np.stack([sounds.cut(sounds.sound(samples, rate, k), size, before) for k in range(streams)], axis=1)


def flag_shapes(shapes):
    return [part for name, shape in shapes.items() for part in ("--shape", f"{name}={'x'.join(map(str, shape))}")]


def silero(path, title, rate, width=128, streams=2, asks_rate=True):
    """A frame has 512 samples, or 256 of 8000 a second, behind the last eighth of as many in the versions that have one state."""
    packed = width == 128
    size = 512 * rate // 16000
    before = size // 8 if packed else 0
    names = {"state": "stateN"} if packed else {"h": "hn", "c": "cn"}
    rate_of_file = {"sr": {"shape": [], "values": [rate]}} if asks_rate else {}
    return Case(
        title=f"{title}, {rate} Hz",
        path=path,
        input="input",
        shape=[streams, before + size],
        x=voices(rate, size, before, streams),
        states={name: (output, [2, streams, width]) for name, output in names.items()},
        flags=[f"--const=sr={rate}"] * asks_rate
        + flag_shapes({"input": ["?", before + size], **{name: [2, "?", width] for name in names}}),
        constants=rate_of_file,
        sure=True,
    )


def npm_cases(found):
    def case(pinned, title, *rest, **more):
        path, packages_with = found[pinned]
        return silero(path, f"{title} ({', '.join(packages_with)})", *rest, **more)

    others = {path.name: pinned for pinned, (path, _) in found.items()}
    for rate in (16000, 8000):
        yield case(packages.V5, "Silero VAD 5", rate)
        yield case(packages.V6, "Silero VAD 6", rate)
        yield case(packages.FORERUNNER, "Silero VAD 4", rate, width=64)
        yield case(others["silero_vad_op18_ifless.onnx"], "Silero VAD 6 without If for each operator", rate)
    yield case(others["silero_vad_16k_op15.onnx"], "Silero VAD 6 of opset 15", 16000)
    # The file's name speaks of the half of version 5 that is for 16000 samples a second: its weights are f32.
    yield case(others["silero_vad_half.onnx"], "Silero VAD 5, the half of it", 16000, asks_rate=False)


def frames(size, hop):
    """Overlapping frames of one stream of 16000 samples a second, f32[T,size]."""
    samples = sounds.sound((FRAMES - 1) * hop + size, 16000, 0)
    return np.stack([samples[at * hop : at * hop + size] for at in range(FRAMES)])


def spectrum(cut, window):
    return np.fft.rfft(np.float64(cut) * window)


def gtcrn():
    """The real and imaginary parts of 257 bins; what rnnc takes has the elements of the graph's input in a row. The sound is a quarter as
    loud as elsewhere, since its bins are sums of 512 samples."""
    bins = spectrum(frames(512, 256) / 4, np.sqrt(np.hanning(513)[:-1]))
    return np.float32(np.stack([bins.real, bins.imag], -1)).reshape(FRAMES, 1, -1)


def folder_cases(folder):
    """The models of repositories that RNNC_MODELS holds; docs/reliability.md lists them."""
    cut = frames(512, 128)
    for title, path, input, shape, x, states, flags in (
        *(
            (
                f"GTCRN, one frame a call{how}",
                f"gtcrn/{name}.onnx",
                "mix",
                [1, 257, 1, 2],
                gtcrn,
                {
                    "conv_cache": ("conv_cache_out", [2, 1, 16, 16, 33]),
                    "tra_cache": ("tra_cache_out", [2, 3, 1, 1, 16]),
                    "inter_cache": ("inter_cache_out", [2, 1, 33, 16]),
                },
                [],
            )
            for name, how in (("gtcrn_simple", ""), ("gtcrn", ", as PyTorch wrote it"))
        ),
        (
            "DTLN, the magnitudes of a frame",
            "DTLN/model_1.onnx",
            "input_2",
            [1, 1, 257],
            lambda: np.float32(np.abs(spectrum(cut, 1)))[:, None],
            {"input_3": ("tf_op_layer_stack_2", [1, 2, 128, 2])},
            [],
        ),
        (
            "DTLN, a frame of sound",
            "DTLN/model_2.onnx",
            "input_4",
            [1, 1, 512],
            lambda: cut[:, None],
            {"input_5": ("tf_op_layer_stack_5", [1, 2, 128, 2])},
            ["--carry", "input_5=tf_op_layer_stack_5"],
        ),
        (
            "TEN VAD, three frames of features",
            "ten-vad/ten-vad.onnx",
            "input_1",
            [1, 3, 41],
            lambda: np.float32(np.random.default_rng(5).normal(size=(FRAMES, 1, 123))),
            {f"input_{k}": (f"output_{k}", [1, 64]) for k in (2, 3, 6, 7)},
            [part for k in (2, 3, 6, 7) for part in ("--carry", f"input_{k}=output_{k}")],
        ),
    ):
        full = folder / path if folder else None
        if full is None or not full.exists():
            print(f"left out: RNNC_MODELS names no folder that has {path}")
            continue
        yield Case(title, full, input, shape, x(), states, flags)
