#!/usr/bin/env python3
"""examples/web: the denoiser is what its equations say, the program for Node gives the bits of rnnc, and the page plays a file and a
microphone in Chromium: web_example_test.py RNNC SOURCES

What needs Node or a browser says that it is skipped where there is none.
"""
import cmath
import math
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

from browser import CHROMIUM
from npy_files import bytes_of_npy, npy
from served_page import result_of

EXAMPLE = os.path.join(os.path.abspath(sys.argv.pop(2)), "examples", "web")
RNNC = os.path.abspath(sys.argv.pop(1))
RATE, FRAME, BANDS = 16000, 64, 65
NODE = shutil.which("node")

HARNESS = """<!DOCTYPE html><meta charset="utf-8"><iframe src="index.html" allow="microphone; autoplay"></iframe><script type="module">
const post = (result) => fetch('/result', { method: 'POST', body: JSON.stringify(result) });
const frame = document.querySelector('iframe');
try {
  if (frame.contentDocument.readyState !== 'complete' || !frame.contentDocument.getElementById('file'))
    await new Promise((resolve) => frame.addEventListener('load', resolve));
  const $ = (id) => frame.contentDocument.getElementById(id);
  const seen = {};
  const until = async (what, holds) => {
    seen[what] = () => [$('status').textContent, $('before').value, $('after').value, $('speech').value].join();
    for (const end = performance.now() + 60000; !holds(); await new Promise((resolve) => setTimeout(resolve, 20)))
      if (performance.now() > end) throw new Error(`never ${what}: ${seen[what]()}`);
  };
  const give = async (name) => {
    const files = new DataTransfer();
    files.items.add(new File([await (await fetch(name)).arrayBuffer()], name));
    $('file').files = files.files;
    $('file').dispatchEvent(new Event('change'));
  };
  await give('sound.wav');
  await until('a file plays', () => $('status').textContent.startsWith('sound.wav plays (wasm32'));
  await until('the noise is less', () => $('before').value > -60 && $('after').value < $('before').value - 6);
  await until('a voice is heard', () => $('speech').value > 0.8);
  await until('no voice is heard', () => $('speech').value < 0.5);
  $('denoise').click();
  await until('the samples pass', () => $('before').value > -60 && Math.abs($('after').value - $('before').value) < 0.5);
  await until('a bypassed model hears no voice', () => $('speech').value === 0);
  $('denoise').click();
  $('stop').click();
  await until('it stops', () => $('status').textContent === 'stopped' && $('stop').disabled);
  await give('index.html');
  await until('what is no sound is told', () => /EncodingError/.test($('status').textContent));
  $('microphone').click();
  await until('the microphone plays', () => $('status').textContent.startsWith('the microphone plays'));
  await until('the microphone is heard', () => $('before').value > -60);
  await post({ target: $('status').textContent });
} catch (error) {
  await post({ error: `${error}\n${error.stack}` });
}
</script>
"""


def sound_of(seconds):
    """Noise, and in every second half of a second a tone with overtones."""
    random.seed(3)
    samples = []
    for i in range(int(seconds * RATE)):
        t = i / RATE
        tone = sum(math.sin(2 * math.pi * 220 * k * t) for k in range(1, 9)) if t % 1 > .5 else 0
        samples.append(.03 * random.uniform(-1, 1) + .03 * tone)
    return list(struct.unpack(f"<{len(samples)}f", struct.pack(f"<{len(samples)}f", *samples)))


def wav_of(samples, channels=1, kind=3):
    data = struct.pack(f"<{len(samples)}f", *samples) if kind == 3 else struct.pack(
        f"<{len(samples)}h", *(round(32768 * each) for each in samples))
    width = 4 if kind == 3 else 2
    head = struct.pack("<HHIIHH", kind, channels, RATE, RATE * width * channels, width * channels, 8 * width)
    return b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<I", 16) + head + b"data" + struct.pack(
        "<I", len(data)) + data


def denoised(samples):
    """The equations of Boll's subtraction as sums, in double precision: samples, and the probability of each step."""
    size = 2 * FRAME
    window = [math.sin(math.pi * (n + .5) / size) for n in range(size)]
    turn = [cmath.exp(-2j * math.pi * k / size) for k in range(size)]
    before, tail, age, voice = [0.] * FRAME, [0.] * FRAME, 0, 0.
    level, noise = [0.] * BANDS, [0.] * BANDS
    y, speech = [], []
    for at in range(0, len(samples), FRAME):
        x = samples[at:at + FRAME]
        frame = [w * v for w, v in zip(window, before + x)]
        spectrum = [sum(v * turn[k * n % size] for n, v in enumerate(frame)) for k in range(BANDS)]
        level = [old + .3 * (abs(each) ** 2 + 1e-9 - old) for old, each in zip(level, spectrum)]
        age = min(age + 1, 2000)
        rise = max(.0006, 1 / age)
        noise = [old + (rise if new > old else .05) * (new - old) for old, new in zip(noise, level)]
        kept = [max(1 - 3 * n / v, .08) * each for n, v, each in zip(noise, level, spectrum)]
        whole = kept + [each.conjugate() for each in kept[-2:0:-1]]
        sound = [window[n] * sum(each * turn[-k * n % size] for k, each in enumerate(whole)).real / size for n in range(size)]
        y += [a + b for a, b in zip(tail, sound)]
        above = math.log(sum(v / n for v, n in zip(level[2:34], noise[2:34])) / 32)
        voice += .2 * (above - voice)
        speech.append(1 / (1 + math.exp(-8 * (voice - .85))))
        before, tail = x, sound[FRAME:]
    return y, speech


class Example(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.folder = os.path.join(cls.holder.name, "web")
        shutil.copytree(EXAMPLE, cls.folder)
        cls.run_in_folder(RNNC, "compile", "denoise.rnn", "-o", "denoise.wasm", "--target", "wasm32,wasm32-relaxed", "--worklet")
        cls.write("harness.html", HARNESS.encode())

    @classmethod
    def tearDownClass(cls):
        cls.holder.cleanup()

    @classmethod
    def run_in_folder(cls, *command, code=0, **options):
        run = subprocess.run(command, cwd=cls.folder, capture_output=True, check=False, **options)
        assert run.returncode == code, f"{command}: {run.returncode} {run.stderr}"
        return run

    @classmethod
    def write(cls, name, content):
        with open(os.path.join(cls.folder, name), "wb") as file:
            file.write(content)

    def read(self, name):
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read()

    def by_rnnc(self, samples, cpu):
        """What rnnc makes of whole frames: samples and probabilities, as bytes."""
        self.write("x.npy", npy((len(samples) // FRAME, 1, FRAME), samples))
        self.run_in_folder(RNNC, "run", "denoise.rnn", "--isa", cpu, "--input", "x.npy", "--output", "y=y.npy", "--output",
                           "speech=speech.npy")
        return bytes_of_npy(self.read("y.npy")), bytes_of_npy(self.read("speech.npy"))

    def test_the_model_is_what_its_equations_say(self):
        samples = sound_of(1)[RATE // 4:]
        samples = samples[:len(samples) // FRAME * FRAME]
        y, speech = denoised(samples)
        found_y, found_speech = self.by_rnnc(samples, "x86-64-v2")
        for value, found in zip(y, struct.unpack(f"<{len(y)}f", found_y), strict=True):
            self.assertAlmostEqual(value, found, delta=2e-6)
        for value, found in zip(speech, struct.unpack(f"<{len(speech)}f", found_speech), strict=True):
            self.assertAlmostEqual(value, found, delta=2e-4)
        self.assertGreater(max(speech), .9)

    def test_the_weights_are_those_of_the_script(self):
        if not NODE:
            self.skipTest("there is no node")
        self.run_in_folder(NODE, "make_weights.mjs", "again.safetensors")
        again, stored = self.read("again.safetensors"), self.read("denoise.safetensors")
        head = 8 + struct.unpack("<Q", stored[:8])[0]
        self.assertEqual(again[:head], stored[:head])
        for a, b in zip(struct.iter_unpack("<f", again[head:]), struct.iter_unpack("<f", stored[head:]), strict=True):
            self.assertAlmostEqual(a[0], b[0], delta=1e-7)

    def test_the_program_gives_the_bits_of_rnnc(self):
        if not NODE:
            self.skipTest("there is no node")
        samples = sound_of(2.21)  # no whole number of frames
        self.write("in.wav", wav_of(samples))
        told = self.run_in_folder(NODE, "clean.mjs", "in.wav", "out.wav").stdout.decode().splitlines()
        steps = -(-len(samples) // FRAME) + 1
        padded = samples + [0.] * (steps * FRAME - len(samples))
        # Node may have relaxed SIMD, which has the bits of a CPU with FMA.
        expected = {cpu: self.by_rnnc(padded, cpu) for cpu in ("x86-64-v2", "x86-64-v3")}
        sounds = [y[4 * FRAME:4 * (FRAME + len(samples))] for y, _ in expected.values()]
        self.assertIn(self.read("out.wav")[44:], sounds)
        speech = [struct.unpack(f"<{steps}f", each) for _, each in expected.values()]
        lines = [[f"{second:4} s  {sum(part) / len(part):.2f}" for second, part in enumerate(
            each[t:t + RATE // FRAME] for t in range(0, steps, RATE // FRAME))] for each in speech]
        self.assertIn(told, lines)
        piped = self.run_in_folder(NODE, "clean.mjs", "-", "-", input=self.read("in.wav")).stdout
        self.assertEqual(piped, self.read("out.wav"))

    def test_the_program_reads_16_bits_and_refuses_the_rest(self):
        if not NODE:
            self.skipTest("there is no node")
        whole = [round(32768 * each) / 32768 for each in sound_of(.1)]
        for name, kind in (("floats", 3), ("integers", 1)):
            self.write("in.wav", wav_of(whole, kind=kind))
            self.run_in_folder(NODE, "clean.mjs", "in.wav", f"{name}.wav")
        self.assertEqual(self.read("floats.wav"), self.read("integers.wav"))
        self.run_in_folder(NODE, "clean.mjs", code=2)
        for content, message in ((b"text", "bad.wav is no WAV file"), (wav_of(whole)[:36], "bad.wav has no samples"),
                                 (wav_of(whole, channels=2), "bad.wav has 2 channels at 16000 Hz")):
            self.write("bad.wav", content)
            self.assertIn(message, self.run_in_folder(NODE, "clean.mjs", "bad.wav", "none.wav", code=3).stderr.decode())
        self.assertFalse(os.path.exists(os.path.join(self.folder, "none.wav")))

    # Firefox starts no sound on a machine without a device for it; Chromium does.
    def test_the_page_plays_a_file_and_a_microphone(self):
        if not CHROMIUM:
            self.skipTest("there is no Chromium")
        self.write("sound.wav", wav_of(sound_of(2), kind=1))
        found, requests = result_of(self.folder, "harness.html", plays=True)
        self.assertNotIn("error", found, found.get("error"))
        self.assertEqual(found["target"], "the microphone plays (wasm32-relaxed)")
        self.assertIn("/denoise.relaxed.wasm", requests)
        self.assertNotIn("/denoise.wasm", requests)


if __name__ == "__main__":
    if not (shutil.which("wasm-ld-19") or shutil.which("wasm-ld")):
        print("skipped: there is no wasm-ld")
        sys.exit(0)
    unittest.main()
