#!/usr/bin/env bash
# OpenCV 5.0.0 (@techstark/opencv-js 5.0.0-release.1) and tract (tractjs 0.4.0): direction = "reverse" runs forward, without a word.
#
# Expected   the text of RNN, GRU and LSTM says of `direction`: "Specify if the RNN is forward, reverse, or bidirectional". A program that
#            runs "bidirectional", whose second half is the reverse one, has all that "reverse" needs; one that lacks it says so.
# Happens    OpenCV runs an LSTM in reverse, and a GRU in both directions, rightly, but a GRU in reverse gives the numbers of the forward
#            one. tractjs does so with RNN, GRU and LSTM; of an LSTM, its "bidirectional" is right. Neither reports anything.
# Not ours   the steps are computed here in double precision, forward and reverse, by the operators' text; both programs get the same
#            bytes, and each is right where the table says so.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" @techstark/opencv-js@5.0.0-release.1 tractjs@0.4.0
cat >finding.js <<'JS'
const { example } = require("./onnx_stored.js");
const { steps, close } = require("./recurrent_steps.js");
const programs = { OpenCV: (...model) => require("./opencv.js").run(...model, "new"), tractjs: require("./tractjs.js").run };
const cases = [
  ["OpenCV", "GRU", "forward", "by the text"], ["OpenCV", "GRU", "bidirectional", "by the text"], ["OpenCV", "GRU", "reverse", "forward"],
  ["OpenCV", "LSTM", "reverse", "by the text"],
  ["tractjs", "LSTM", "forward", "by the text"], ["tractjs", "LSTM", "bidirectional", "by the text"],
  ["tractjs", "RNN", "reverse", "forward"], ["tractjs", "GRU", "reverse", "forward"], ["tractjs", "LSTM", "reverse", "forward"],
];
(async () => {
  let same = true;
  for (const [program, operator, direction, seen] of cases) {
    const of = example(operator, direction), Y = await programs[program](of, {});
    const is = close(Y, steps(of)) ? "by the text" : close(Y, steps({ ...of, direction: "forward" })) ? "forward" : "something else";
    console.log(`${program}, ${operator}, ${direction}: ${is}`);
    same &&= is === seen;
  }
  console.log(same ? "reverse runs forward: a GRU in OpenCV, all three in tractjs" : "it does something else now");
  process.exit(same ? 0 : 1);
})().catch((error) => { console.error(String(error)); process.exit(1); });
JS
node finding.js
