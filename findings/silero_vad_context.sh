#!/usr/bin/env bash
# Silero VAD 5 and 6 (silero_vad_v5.onnx and silero_vad_v6.onnx of @ricky0123/vad-web 0.0.31, run by onnxruntime-web 1.30.0): frames of 512
# samples run, but the network wants 576, and version 6 finds no speech in 512.
#
# Expected   Silero's own wrapper refuses all but 512 samples at 16000 Hz ("Supported values: 256 for 8000 sample rate, 512 for 16000"), the
#            file leaves the dims of `input` open, its LSTM's state is carried by `state`: one gives it frames of 512 samples.
# Happens    the wrapper puts the last 64 samples of the frame before in front of each, which no name or shape in the file tells. Without
#            them nothing is refused: version 5 is less sure of the same voice, and version 6 gives less than 0.02 for every frame,
#            where with them it gives 0.78 in the mean.
# Not ours   both runs have the same audio, a made voice with four vowels, and differ in these 64 samples alone. vad-web's own code puts
#            them in front; so does Silero's utils_vad.py.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" @ricky0123/vad-web@0.0.31 onnxruntime-web@1.30.0
cat >finding.js <<'JS'
const fs = require("fs");
const ort = require("onnxruntime-web");
ort.env.wasm.numThreads = 1;
const rate = 16000, frame = 512, before = 64;

// Pulses at the rate of a voice through three resonances of a vowel, five vowels in a second.
const vowels = [[730, 1090, 2440], [270, 2290, 3010], [300, 870, 2240], [530, 1840, 2480]], widths = [80, 100, 150];
function voice(count) {
  let seed = 1, phase = 0;
  const noise = () => (seed = (seed * 48271) % 2147483647) / 1073741823.5 - 1;
  const past = widths.map(() => [0, 0]);
  const samples = Float32Array.from({ length: count }, (_, at) => {
    const t = at / rate, part = t * 5;
    phase += (120 + 20 * Math.sin(2 * Math.PI * 0.7 * t)) / rate;
    let y = 0.005 * noise();
    if (phase >= 1) {
      phase -= 1;
      y += 1;
    }
    widths.forEach((width, k) => {
      const r = Math.exp((-Math.PI * width) / rate), around = Math.cos((2 * Math.PI * vowels[Math.floor(part) % 4][k]) / rate);
      y = 2 * (1 - r) * y + 2 * r * around * past[k][0] - r * r * past[k][1];
      past[k] = [y, past[k][0]];
    });
    return y * Math.sqrt(Math.sin(Math.PI * (part % 1))) + 0.00006 * noise();
  });
  const loudest = samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return samples.map((x) => (0.5 * x) / loudest);
}

async function speech(session, audio, context) {
  const found = [];
  let state = new ort.Tensor("float32", new Float32Array(256), [2, 1, 128]);
  for (let at = before; at + frame <= audio.length; at += frame) {
    const input = audio.slice(at - context, at + frame);
    const feeds = { input: new ort.Tensor("float32", input, [1, input.length]), state, sr: new ort.Tensor("int64", [16000n], []) };
    const { output, stateN } = await session.run(feeds);
    state = stateN;
    found.push(output.data[0]);
  }
  return found;
}

(async () => {
  const audio = new Float32Array(before + 3 * rate);
  audio.set(voice(3 * rate), before);
  let same = true;
  for (const version of [5, 6]) {
    const model = fs.readFileSync(`node_modules/@ricky0123/vad-web/dist/silero_vad_v${version}.onnx`);
    const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3 });
    const mean = {}, most = {};
    for (const context of [0, before]) {
      const found = await speech(session, audio, context);
      mean[context] = found.reduce((sum, x) => sum + x, 0) / found.length;
      most[context] = Math.max(...found);
      console.log(`version ${version}, ${context} + ${frame} samples: speech ${mean[context].toFixed(2)} in the mean, ` +
        `${most[context].toFixed(2)} at most, of ${found.length} frames`);
    }
    same &&= version === 5 ? mean[before] > mean[0] + 0.1 : mean[before] > 0.5 && most[0] < 0.02;
  }
  console.log(same ? "without the 64 samples version 6 finds no speech at all" : "it does something else now");
  process.exit(same ? 0 : 1);
})().catch((error) => { console.error(String(error)); process.exit(1); });
JS
node finding.js
