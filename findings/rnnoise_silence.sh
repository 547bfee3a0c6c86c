#!/usr/bin/env bash
# RNNoise (@shiguredo/rnnoise-wasm 2025.1.5): frames of silence do not reach the recurrent network, whose state stands still in them.
#
# Expected   RNNoise "is a noise suppression library based on a recurrent neural network": every frame of 10 ms is a step of its GRUs, so
#            that after minutes of zeros their state is that of silence, whatever was there before.
# Happens    in a frame of zeros the step is left out and the probability of speech is 0. What comes after 20 silent frames and after 2000
#            is the same to 3e-6 of a 16-bit step, and depends on what came before the silence: a pause does not serve as a reset.
# Not ours   with a hum of amplitude 3 (of 32768) in place of the zeros, the length of the pause does change what comes after it; and a new
#            instance gives other numbers than one that has had 20 seconds of silence.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" @shiguredo/rnnoise-wasm@2025.1.5
cat >finding.mjs <<'JS'
globalThis.window = globalThis;  // the package looks for a browser, and needs nothing of it
const { Rnnoise } = await import("@shiguredo/rnnoise-wasm");
const rnnoise = await Rnnoise.load(), size = rnnoise.frameSize;

let seed = 1;
const random = () => (seed = (seed * 48271) % 2147483647) / 1073741823.5 - 1;
const frames = (count, sample) =>
  Array.from({ length: count }, (_, frame) => Float32Array.from({ length: size }, (_, k) => sample((frame * size + k) / 48000)));
const voice = (t) => {
  let sum = 0;
  for (let h = 1; h < 30; ++h) sum += (Math.sin(2 * Math.PI * 140 * h * t + 0.3 * h) / h) * (1 + Math.cos(0.7 * h));
  return 750 * sum * (0.5 + 0.5 * Math.sin(2 * Math.PI * 4 * t));
};
const before = { voice: frames(100, voice), noise: frames(100, () => 2000 * random()), nothing: [] };
const after = frames(10, () => 2000 * random());
const pause = { zeros: (count) => frames(count, () => 0), hum: (count) => frames(count, (t) => 3 * Math.sin(2 * Math.PI * 100 * t)) };

const results = {};
for (const [heard, kind, count] of [["voice", "zeros", 20], ["voice", "zeros", 2000], ["noise", "zeros", 20], ["noise", "zeros", 2000],
  ["nothing", "zeros", 2000], ["voice", "hum", 20], ["voice", "hum", 2000]]) {
  const state = rnnoise.createDenoiseState();
  const run = (all) => all.map((frame) => {
    const output = Float32Array.from(frame);
    return { speech: state.processFrame(output), output };
  });
  run(before[heard]);
  const last = run(pause[kind](count)).at(-1).speech, then = run(after);
  state.destroy();
  results[`${heard} ${kind} ${count}`] = then.flatMap(({ speech, output }) => [speech, ...output]);
  const shown = then.slice(0, 3).map(({ speech }) => speech.toFixed(4)).join(" ");
  console.log(`${heard}, then ${count} frames of ${kind}: speech ${last.toFixed(4)} in the last of them, ${shown} after`);
}
const equal = (a, b) => results[a].every((x, k) => Math.abs(x - results[b][k]) < 1e-3);  // probabilities, and samples of 16 bits
const same = equal("voice zeros 20", "voice zeros 2000") && equal("noise zeros 20", "noise zeros 2000")
  && !equal("voice zeros 2000", "noise zeros 2000") && !equal("voice zeros 2000", "nothing zeros 2000")
  && !equal("voice hum 20", "voice hum 2000");
console.log(same ? "the network keeps its state through frames of zeros" : "it does something else now");
process.exit(same ? 0 : 1);
JS
node finding.mjs
