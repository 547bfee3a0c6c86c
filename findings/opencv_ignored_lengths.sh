#!/usr/bin/env bash
# OpenCV 5.0.0 (@techstark/opencv-js 5.0.0-release.1): the new engine ignores sequence_lens, which the older one refuses; both ignore clip
# and input_forget.
#
# Expected   of sequence_lens, ONNX's text says "specifying lengths of the sequences in a batch"; Y behind an end is 0, and a reverse
#            direction begins at its sequence's last step. An engine that cannot do this refuses the model, as ENGINE_CLASSIC does when
#            one of an LSTM's lengths is not the whole; the new engine, its successor, would do no less.
# Happens    the new engine, which readNetFromONNX takes first, runs all steps of every sequence: Y goes on behind the ends, and the
#            reverse half begins in the padding. clip and input_forget of an LSTM change nothing in either engine. Nothing is reported.
# Not ours   the numbers are equal to steps computed here in double precision without these three, and differ from those with them.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" @techstark/opencv-js@5.0.0-release.1
cat >finding.js <<'JS'
const { run } = require("./opencv.js");
const { example } = require("./onnx_stored.js");
const { steps, close } = require("./recurrent_steps.js");
const lens = [2, 4];
const cases = [
  ["LSTM", "sequence_lens", { lens }, {}, { lens }, "refused", "ignored"],
  ["GRU", "sequence_lens", { lens }, {}, { lens }, "", "ignored"],
  ["LSTM", "clip", {}, { clip: { f: 0.25 } }, { clip: 0.25 }, "ignored", "ignored"],
  ["LSTM", "input_forget", {}, { input_forget: { i: 1 } }, { coupled: true }, "ignored", "ignored"],
];
(async () => {
  let same = true;
  for (const [operator, what, inputs, attributes, text, ...seen] of cases)
    for (const [at, engine] of ["classic", "new"].entries()) {
      if (!seen[at]) continue;
      const of = example(operator, "bidirectional");
      const without = steps(of), by_text = steps({ ...of, ...text });
      const is = await run({ ...of, ...inputs }, attributes, engine).then(
        (Y) => (close(Y, without) ? "ignored" : close(Y, by_text) ? "by the text" : "something else"), () => "refused");
      console.log(`${operator}, ${what}, ${engine} engine: ${is}`);
      same &&= is === seen[at] && !close(without, by_text);
    }
  console.log(same ? "the new engine runs every sequence to the end of the batch" : "it does something else now");
  process.exit(same ? 0 : 1);
})().catch((error) => { console.error(String(error)); process.exit(1); });
JS
node finding.js
