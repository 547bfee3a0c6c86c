#!/usr/bin/env bash
# TEN VAD (@gooney-001/ten-vad-lib 1.0.2): the hop size does not change the steps of the network, which are 256 samples always; calls of
# another size get old answers, and the first one -1.
#
# Expected   the package says of hopSize "Number of samples between consecutive analysis frames (e.g., 256)", and of the result "output
#            probability [0.0, 1.0]". So with 160, a frame of 10 ms, each call is a step of the network and gives a probability of its own.
# Happens    samples are collected until there are 256. With 160, three calls of eight make no step and repeat the probability of the call
#            before; the first call succeeds and gives -1. With 512, two steps are made, and the first of them is seen by nobody.
# Not ours   an instance with 256 has a probability for each step; the ones with 160 and 512 give the same numbers, bit by bit, where the
#            last whole 256 samples end, over three seconds of a made sound. A hop of 160 that made steps would give other numbers.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" @gooney-001/ten-vad-lib@1.0.2
cat >finding.mjs <<'JS'
const { default: load } = await import("@gooney-001/ten-vad-lib");
const vad = await load();
function probabilities(samples, hop) {
  const handle = vad._malloc(4), audio = vad._malloc(2 * hop), probability = vad._malloc(4), flag = vad._malloc(4), found = [];
  if (vad._ten_vad_create(handle, hop, 0.5) !== 0) throw new Error("there is no instance");
  for (let at = 0; at + hop <= samples.length; at += hop) {
    vad.HEAP16.set(samples.subarray(at, at + hop), audio >> 1);
    const code = vad._ten_vad_process(vad.HEAP32[handle >> 2], audio, hop, probability, flag);
    if (code !== 0) throw new Error("a frame is refused");
    found.push(vad.HEAPF32[probability >> 2]);
  }
  vad._ten_vad_destroy(handle);
  return found;
}

const rate = 16000, step = 256;
const samples = Int16Array.from({ length: 3 * rate }, (_, k) => {  // a tone with overtones that comes and goes
  const t = k / rate;
  let sum = 0;
  for (let h = 1; h < 25; ++h) sum += (Math.sin(2 * Math.PI * 140 * h * t + 0.3 * h) / h) * (1 + Math.cos(0.7 * h));
  return 2500 * sum * Math.max(0, Math.sin(2 * Math.PI * 3 * t));
});
const steps = probabilities(samples, step);
let same = new Set(steps).size > steps.length / 2 && steps.every((p) => p >= 0 && p <= 1);
for (const hop of [step, 160, 512]) {
  const found = probabilities(samples, hop);
  const ended = (call) => Math.floor(((call + 1) * hop) / step);
  const equal = found.filter((p, call) => p === (ended(call) > 0 ? steps[ended(call) - 1] : -1)).length;
  const without = found.filter((_, call) => ended(call) === ended(call - 1)).length;
  console.log(`hop ${hop}: ${found.length} calls, ${without} without a step, ${equal} as the last step of ${step}; ` +
    `first ${found.slice(0, 5).map((p) => p.toFixed(4)).join(" ")}`);
  same &&= equal === found.length && (found[0] === -1) === hop < step;
}
console.log(same ? "the network steps by 256 samples whatever the hop is" : "it does something else now");
process.exit(same ? 0 : 1);
JS
node finding.mjs
