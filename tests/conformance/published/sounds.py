"""Made sound: a voice of vowels, silence, tones that rise and stay, noise, and a voice in noise, in turn, so that a detector of voices
is sure of both answers and its states see each change."""
import numpy as np

VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480))


def voice(times):
    """Harmonics of a pitch that moves, as loud as three resonances of a vowel make them; five vowels a second."""
    pitch = 120 + 20 * np.sin(2 * np.pi * 0.7 * times)
    phase = np.cumsum(pitch) * (times[1] - times[0])
    vowels = np.array(VOWELS)[(times * 5).astype(int) % len(VOWELS)]
    sound = np.zeros_like(times)
    for k in range(1, 28):
        loud = sum(1 / (1 + ((k * pitch - vowels[:, m]) / (60 + 30 * m)) ** 2) / (1 + m) for m in range(3))
        sound += loud * np.sin(2 * np.pi * k * phase)
    return 0.25 * sound * np.sqrt(np.sin(np.pi * (times * 5 % 1)))


def sound(samples, rate, seed, seconds=0.8):
    """All but silence has the noise of a room, 60 dB below the loudest. Without it a pure tone leaves bands with nothing but rounding errors,
    of which Silero's version 4 takes the logarithm: two programs of f32 then differ by 0.003, and each from double precision.
    """
    random = np.random.default_rng(seed)
    times = np.arange(samples) / rate
    noise = random.normal(size=samples)
    said = voice(times)
    parts = [
        said,
        np.zeros(samples),
        0.3 * np.sin(2 * np.pi * (200 + 400 * times) * times),
        0.1 * noise,
        said + 0.03 * noise,
        0.9 * np.sign(np.sin(2 * np.pi * 440 * times)),
        said,
    ]
    part = ((times / seconds).astype(int) + seed) % len(parts)
    room = np.where(part == 1, 0, 0.001 * random.normal(size=samples))
    return np.float32(np.clip(np.choose(part, parts) + room, -1, 1))


def cut(samples, size, before=0):
    """Frames of `size` samples, each behind the last `before` ones of the frame before."""
    padded = np.concatenate([np.zeros(before, samples.dtype), samples])
    starts = range(0, samples.size - size + 1, size)
    return np.stack([padded[at : at + before + size] for at in starts])
