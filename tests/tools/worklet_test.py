#!/usr/bin/env python3
"""Models in an AudioWorklet of Chromium, Firefox and WebKit give the bits of rnnc for x86-64-v2: worklet_test.py RNNC

The samples come out of an OfflineAudioContext. Who has no browser is told that the test is skipped.
"""
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

from browser import CHROMIUM, FIREFOX, WEBKIT
from npy_files import bytes_of_npy, npy
from random_weights import weights_of
from served_page import result_of, starts

RNNC = os.path.abspath(sys.argv.pop(1))
SAMPLES = 1000  # no multiple of 128
CHANNELS = 2

# Of each model: its text, the flags of compile, and the samples of a step. The latencies are those of the least delay with
# which a frame that is cut by the quanta is whole: n - gcd(n, 128).
MODELS = {
    "amp": ("network m { input x : seq f32[1] param W : f32[1, 16] a = lstm<H=16>(x) output W @ a }", "", 1, 0),
    "apart": ("network m { input x : seq f32[1] param W : f32[1, 8] a = gru<H=8>(x) output W @ a }",
              "--weights-apart --weights-as w8", 1, 0),
    "frames": ("network m { input x : seq f32[32] param W : f32[32, 12] a = gru<H=12>(x) output W @ a }", "", 32, 0),
    "long": ("network m { input x : seq f32[480] param W : f32[480, 9] param V : f32[1, 9] a = gru<H=9>(x) output W @ a "
             "output speech = sigmoid(V @ a) }", "", 480, 448),
    "odd": ("network m { input x : seq f32[3] input k : f32[2] param W : f32[3, 5] param V : f32[1, 5] a = gru<H=5>(concat(x, k)) "
            "output level = V @ a output y = W @ a }", "--target wasm32,wasm32-relaxed", 3, 2),
}
KNOBS = [0.25, -0.5]

PAGE = """<!DOCTYPE html><meta charset="utf-8"><script type="module">
const post = (result) => fetch('/result', { method: 'POST', body: JSON.stringify(result) });
const floats = async (name) => new Float32Array(await (await fetch(name)).arrayBuffer());
const answerOf = (node, message) => new Promise((resolve, reject) => {
  node.port.onmessage = ({ data }) => (data.done ? resolve() : reject(new Error(data.error)));
  node.port.postMessage(message);
});
async function rendered(name, x, options, messages = []) {
  const { audioNode } = await import(`./${name}.mjs`);
  const length = x[0].length;
  const outputs = options.outputs ?? 1;
  const context = new OfflineAudioContext({ numberOfChannels: x.length * outputs, length, sampleRate: 48000 });
  const { node, latency, target } = await audioNode(context, { channels: x.length, ...options });
  for (const message of messages) await answerOf(node, message);
  const buffer = new AudioBuffer({ numberOfChannels: x.length, length, sampleRate: 48000 });
  x.forEach((samples, c) => buffer.copyToChannel(samples, c));
  const source = new AudioBufferSourceNode(context, { buffer });
  const merger = new ChannelMergerNode(context, { numberOfInputs: x.length * outputs });
  source.connect(node);
  for (let i = 0; i < outputs; ++i) {
    const splitter = new ChannelSplitterNode(context, { numberOfOutputs: x.length });
    node.connect(splitter, i);
    for (let c = 0; c < x.length; ++c) splitter.connect(merger, c, i * x.length + c);
  }
  merger.connect(context.destination);
  source.start();
  const result = await context.startRendering();
  return { latency, target, y: x.map((_, c) => c).concat(outputs > 1 ? x.map((_, c) => c + x.length) : [])
      .map((c) => [...new Uint32Array(result.getChannelData(c).slice().buffer)]) };
}
async function refused(name, options) {
  const { audioNode } = await import(`./${name}.mjs`);
  const context = new OfflineAudioContext({ numberOfChannels: 1, length: 128, sampleRate: 48000 });
  return audioNode(context, options).then(() => 'nothing', (error) => `${error.name}: ${error.message}`);
}
try {
  const x = [await floats('x0.bin'), await floats('x1.bin')];
  const inputs = { k: new Float32Array(KNOBS) };
  const result = {
    amp: await rendered('amp', x, {}),
    apart: await rendered('apart', x, {}),
    frames: await rendered('frames', x, {}),
    long: await rendered('long', x, { outputs: 2 }),
    odd: await rendered('odd', x, { outputs: 2, inputs, target: 'wasm32' }),
    later: await rendered('odd', x, { outputs: 2, inputs: { k: new Float32Array(2) }, target: 'wasm32' }, [{ inputs }, { reset: true }]),
    bypass: await rendered('long', x, { outputs: 2 }, [{ bypass: true }]),
    ended: await rendered('amp', x, {}, [{ close: true }]),
    chosen: (await rendered('odd', x, { outputs: 2, inputs })).target,
    errors: [
      await refused('amp', { source: await (await fetch('frames.wasm')).arrayBuffer() }),
      await refused('amp', { source: new Uint8Array(8) }),
      await refused('apart', { weights: new Uint8Array(64) }),
      await refused('odd', {}),
      await refused('amp', { worklet: 'none.js' }),
      await rendered('odd', x, { outputs: 2, inputs }, [{ inputs: { k: x[0] } }]).catch((error) => error.message),
    ],
  };
  await post(result);
} catch (error) {
  await post({ error: `${error}\n${error.stack}` });
}
</script>
""".replace("KNOBS", str(KNOBS))


def rnnc(folder, *arguments):
    run = subprocess.run([RNNC, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run


def read_npy(path):
    """The bits of its numbers, as integers."""
    with open(path, "rb") as file:
        content = bytes_of_npy(file.read())
    return list(struct.unpack(f"<{len(content) // 4}I", content))


class Worklet:
    browser = None

    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.folder = cls.holder.name
        cls.x = []
        random.seed(5)
        for c in range(CHANNELS):
            values = [random.uniform(-1, 1) for _ in range(SAMPLES)]
            cls.x.append(list(struct.unpack(f"<{SAMPLES}f", struct.pack(f"<{SAMPLES}f", *values))))
            cls.write(f"x{c}.bin", struct.pack(f"<{SAMPLES}f", *values))
        cls.write("k.npy", npy((1, 2), KNOBS))
        for name, (text, flags, frame, _) in MODELS.items():
            cls.write(name + ".rnn", text.encode())
            cls.write(name + ".safetensors", weights_of(RNNC, os.path.join(cls.folder, name + ".rnn")))
            rnnc(cls.folder, "compile", name + ".rnn", "-o", name + ".wasm", "--worklet", *flags.split())
        cls.write("index.html", PAGE.encode())
        cls.found, _ = result_of(cls.folder, "index.html", cls.browser)
        assert "error" not in cls.found, cls.found["error"]

    @classmethod
    def tearDownClass(cls):
        cls.holder.cleanup()

    @classmethod
    def write(cls, name, content):
        with open(os.path.join(cls.folder, name), "wb") as file:
            file.write(content)

    def expected(self, name, channel):
        """The bits of each output, as samples: a number of a frame is held, and all come later by the latency."""
        text, flags, frame, latency = MODELS[name]
        steps = -(-SAMPLES // frame)
        samples = self.x[channel] + [0.0] * (steps * frame - SAMPLES)
        self.write("x.npy", npy((steps, 1, frame), samples))
        outputs = [word.strip() for word in ("y speech" if name == "long" else "level y" if name == "odd" else "y").split()]
        arguments = ["run", name + ".rnn", "--isa", "x86-64-v2", "--input", "x.npy"]
        for output in outputs:
            arguments += ["--output", (f"{output}=" if len(outputs) > 1 else "") + f"out-{output}.npy"]
        if name == "odd":
            arguments += ["--input", "k=k.npy"]
        if "--weights-as" in flags:
            arguments += ["--weights-as", flags.split()[-1]]
        rnnc(self.folder, *arguments)
        result = []
        for output in outputs:
            values = read_npy(os.path.join(self.folder, f"out-{output}.npy"))
            if len(values) == steps and frame > 1:
                values = [value for value in values for _ in range(frame)]
            result.append(([0] * latency + values)[:SAMPLES])
        return result

    def test_the_bits_are_those_of_x86_64_v2(self):
        for name in MODELS:
            found = self.found[name]
            self.assertEqual(found["latency"], MODELS[name][3], name)
            self.assertEqual(found["target"], "wasm32", name)
            for channel in range(CHANNELS):
                for i, values in enumerate(self.expected(name, channel)):
                    self.assertEqual(found["y"][i * CHANNELS + channel], values, f"{name}, channel {channel}, output {i}")
                    self.assertGreater(len(set(values)), 2)

    def test_a_message_sets_inputs_and_begins_anew(self):
        self.assertEqual(self.found["later"], self.found["odd"])

    def test_bypass_gives_the_samples_with_the_same_delay(self):
        found = self.found["bypass"]
        delay = [0.0] * found["latency"]
        for channel in range(CHANNELS):
            samples = struct.unpack(f"<{SAMPLES}f", struct.pack(f"<{SAMPLES}I", *found["y"][channel]))
            self.assertEqual(list(samples), (delay + self.x[channel])[:SAMPLES])
            self.assertEqual(set(found["y"][CHANNELS + channel]), {0})

    def test_a_closed_node_is_silent(self):
        self.assertEqual({value for channel in self.found["ended"]["y"] for value in channel}, {0})

    def test_the_probe_takes_relaxed_simd(self):
        if self.browser == WEBKIT:  # which has no relaxed SIMD of its own accord in version 2.50
            self.assertIn(self.found["chosen"], ("wasm32", "wasm32-relaxed"))
        else:
            self.assertEqual(self.found["chosen"], "wasm32-relaxed")

    def test_what_cannot_run_is_told(self):
        messages = ["belongs to another module", "magic|doesn't start with", "the weights have 64 bytes", "the model needs . inputs: . k . .",
                    "AbortError", "input k has 2 numbers, not 1000"]
        for found, message in zip(self.found["errors"], messages, strict=True):
            self.assertRegex(found, message)


if CHROMIUM:

    class InChromium(Worklet, unittest.TestCase):
        browser = CHROMIUM


if starts(FIREFOX):

    class InFirefox(Worklet, unittest.TestCase):
        browser = FIREFOX


if starts(WEBKIT):

    class InWebKit(Worklet, unittest.TestCase):
        browser = WEBKIT


if __name__ == "__main__":
    if not (CHROMIUM or FIREFOX or WEBKIT) or not (shutil.which("wasm-ld-19") or shutil.which("wasm-ld")):
        print("skipped: there is no browser, or no wasm-ld")
        sys.exit(0)
    unittest.main()
