#!/usr/bin/env bash
# OpenCV 5.0.0 (@techstark/opencv-js 5.0.0-release.1) and tract (tractjs 0.4.0): a GRU's linear_before_reset is read by neither of two
# engines, and each has chosen the other value.
#
# Expected   the text of GRU has two candidates, by linear_before_reset: with 0, the default, the reset gate comes before the product with
#            R; with other values, which PyTorch and Keras's reset_after export, after it. Who reads GRUs reads it, or refuses one value.
# Happens    tractjs always takes 0. OpenCV's ENGINE_CLASSIC always takes 1. So one file has two results, none of which
#            depends on what it says, and a test with PyTorch's models would show one of the two programs wrong and the other one right.
#            OpenCV's newer engine, which readNetFromONNX takes first since 5.0, obeys the attribute.
# Not ours   both candidates are computed here in double precision by the operator's text; the programs get the same bytes.
set -euo pipefail
. "$(dirname "$0")/support/npm.sh" @techstark/opencv-js@5.0.0-release.1 tractjs@0.4.0
cat >finding.js <<'JS'
const { example } = require("./onnx_stored.js");
const { steps, close } = require("./recurrent_steps.js");
const opencv = (engine) => (...model) => require("./opencv.js").run(...model, engine);
const programs = [
  ["tractjs", require("./tractjs.js").run, ["before", "before"]],
  ["OpenCV, classic engine", opencv("classic"), ["after", "after"]],
  ["OpenCV, new engine", opencv("new"), ["before", "after"]],
];
(async () => {
  let same = true;
  const of = example("GRU", "forward");
  const [before, after] = [false, true].map((value) => steps({ ...of, after: value }));
  for (const [program, run, seen] of programs)
    for (const value of [0, 1]) {
      const Y = await run(of, { linear_before_reset: { i: value } });
      const is = close(Y, before) ? "before" : close(Y, after) ? "after" : "something else";
      console.log(`${program}, linear_before_reset ${value}: the reset gate comes ${is} the product`);
      same &&= is === seen[value] && !close(before, after);
    }
  console.log(same ? "tractjs takes 0 for every file, OpenCV's classic engine 1" : "it does something else now");
  process.exit(same ? 0 : 1);
})().catch((error) => { console.error(String(error)); process.exit(1); });
JS
node finding.js
