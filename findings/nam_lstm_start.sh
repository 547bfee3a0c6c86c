#!/usr/bin/env bash
# NeuralAmpModelerCore 0.5.3 (@opendaw/nam-wasm 1.2.0): an LSTM does not begin with the initial state that its .nam file has, and reset does
# not bring that state back.
#
# Expected   a .nam file of an LSTM stores the initial h and c of every layer, so that the first sample reads them; reset, of which the
#            package says "Resets the internal state of a model instance. Call this on transport stop [...]", returns to them: two takes
#            of the same input sound the same.
# Happens    loading runs zeros first, half a second of them and more, and the first sample reads the state that these have left. reset runs
#            half a second of zeros too, but from the state that is there: a network that remembers still knows what was played before.
# Not ours   one unit that works as a switch: it keeps the sign of its last loud input, and zeros do not change it. Its steps are computed
#            here in double precision from the numbers of the file; with zeros put before them they agree. How many zeros is of no account.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" @opendaw/nam-wasm@1.2.0
cat >finding.mjs <<'JS'
const { nam, file, steps, play, close, digits } = await import("./nam.mjs");
const model = { gates: [[0, 0], [0, 0], [8, 8], [0, 0]], bias: [0, 0, 0, 0], start: [0, 0.2] };
const zeros = Array(24000).fill(0), quiet = [0, 0, 0, 0], loud = Array(100).fill(-1);

const instance = nam.createInstance();
if (!nam.loadModel(instance, file(model, 48000))) throw new Error("the model is not loaded");
let same = true;
const line = (what, seen, guess, actual) => {
  console.log(`${what}: ${digits(seen)}; from the file's state ${digits(guess)}, after zeros ${digits(actual)}`);
  same &&= close(seen, actual, 0.01) && !close(seen, guess, 0.01);
};
const by_file = steps(model, model.start, quiet).heard;
let { state } = steps(model, model.start, zeros);
line("after loading", play(instance, quiet), by_file, steps(model, state, quiet).heard);
play(instance, loud);
nam.reset(instance);
state = steps(model, state, [...quiet, ...loud, ...zeros]).state;
line("after a loud input and reset", play(instance, quiet), by_file, steps(model, state, quiet).heard);
console.log(same ? "zeros run first, from whatever state there is" : "it does something else now");
process.exit(same ? 0 : 1);
JS
node finding.mjs
