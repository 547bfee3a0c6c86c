#!/usr/bin/env bash
# TEN VAD (@gooney-001/ten-vad-lib 1.0.2): an instance sets its LSTMs back every 1875 steps, 30 seconds, in the midst of whatever it hears.
#
# Expected   a detector of speech in a stream, whose LSTMs have a state for that, keeps it as long as the instance lives: the package has
#            functions that create an instance, process a frame and destroy the instance, none that resets, and no text of a limit in time.
# Happens    step 1875 begins with empty LSTMs, and so does step 3750. A sound that comes again each half second, at which the
#            probabilities have become the same from one time to the next, has others there, by 0.2 and more. Nothing is reported.
# Not ours   two instances that have heard different things at first differ in each of the 500 steps before that one, and in none from it
#            on, bit by bit; a state that fades does not do that at once. It is the same number of steps when the sound begins elsewhere.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" @gooney-001/ten-vad-lib@1.0.2
cat >finding.mjs <<'JS'
const { default: load } = await import("@gooney-001/ten-vad-lib");
const vad = await load();
const size = 256, period = 32, steps = 3800, limit = 1875;
const sound = Int16Array.from({ length: size * period }, (_, k) => {  // a tone with overtones that comes and goes, whole periods of it
  const t = (2 * Math.PI * k) / (size * period);
  let sum = 0;
  for (let h = 1; h < 25; ++h) sum += (Math.sin(72 * h * t + 0.3 * h) / h) * (1 + Math.cos(0.7 * h));
  return 2500 * sum * Math.max(0, Math.sin(2 * t));
});
const noise = Int16Array.from({ length: size }, (_, k) => ((k * 7919) % 20011) - 10000), silence = new Int16Array(size);

// Probabilities of an instance of its own: 100 frames of something else first, then the sound, from one of its frames on.
function probabilities(first, from) {
  const handle = vad._malloc(4), audio = vad._malloc(2 * size), probability = vad._malloc(4), flag = vad._malloc(4);
  if (vad._ten_vad_create(handle, size, 0.5) !== 0) throw new Error("there is no instance");
  const found = Array.from({ length: steps }, (_, step) => {
    const at = size * ((step + from) % period);
    vad.HEAP16.set(step < 100 ? first : sound.subarray(at, at + size), audio >> 1);
    if (vad._ten_vad_process(vad.HEAP32[handle >> 2], audio, size, probability, flag) !== 0) throw new Error("a frame is refused");
    return vad.HEAPF32[probability >> 2];
  });
  vad._ten_vad_destroy(handle);
  return found;
}

let same = true;
for (const from of [0, 11]) {
  const a = probabilities(silence, from), b = probabilities(noise, from);
  const equal = (begin, end) => a.slice(begin, end).filter((p, k) => p === b[begin + k]).length;
  console.log(`sound from frame ${from}: of two histories, the same in ${equal(limit - 500, limit)} of the 500 steps before ${limit}, ` +
    `in ${equal(limit, steps)} of the ${steps - limit} from it on`);
  same &&= equal(limit - 500, limit) < 50 && equal(limit, steps) === steps - limit;
  for (const at of [limit, 2 * limit]) {
    const change = (begin) => Math.max(...a.slice(begin, begin + period).map((p, k) => Math.abs(p - a[begin + k - period])));
    const before = change(at - period), after = change(at);
    console.log(`  from one time of the sound to the next: ${before.toFixed(3)} before step ${at}, ${after.toFixed(3)} from it on`);
    same &&= before < 0.02 && after > 0.08;
  }
}
console.log(same ? "the LSTMs begin anew every 1875 steps" : "it does something else now");
process.exit(same ? 0 : 1);
JS
node finding.mjs
