// node silero.mjs MODEL [TARGET=wasm32] [FORMAT=f32]: times one frame of Silero's voice activity detector in a module of rnnc beside
// onnxruntime-web, in one process and in turns, and tells how far the probabilities of 100 frames differ. MODEL is the file of
// version 5 or 6, for example dist/silero_vad_v5.onnx of the npm package @ricky0123/vad-web. rnnc is in PATH, and onnxruntime-web is
// found from the folder that the command is given in.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { onnxRuntimeWeb } from './onnx_runtime_web.mjs';

const kRounds = 60;
const kFrames = 100;
const kRate = 16000;
const kSamples = 576; // of a frame, with the last 64 of the frame before
const [path, target = 'wasm32', format = 'f32'] = process.argv.slice(2);
const ort = onnxRuntimeWeb();
ort.env.wasm.numThreads = 1;

// A made voice: pulses through three resonances, of four vowels in turn, with pauses.
function voice(count) {
  const vowels = [[730, 1090, 2440], [270, 2290, 3010], [300, 870, 2240], [530, 1840, 2480]];
  const widths = [80, 100, 150];
  const past = widths.map(() => [0, 0]);
  let phase = 0;
  let seed = 1;
  const noise = () => (seed = (seed * 48271) % 2147483647) / 1073741823.5 - 1;
  return Float32Array.from({ length: count }, (_, i) => {
    const part = i / 3200; // five vowels in a second
    phase += (120 + 20 * Math.sin(i / 3600)) / kRate;
    let y = phase >= 1 && part % 8 < 5 ? 1 : 0;
    phase %= 1;
    widths.forEach((width, k) => {
      const r = Math.exp((-Math.PI * width) / kRate);
      const turn = 2 * r * Math.cos((2 * Math.PI * vowels[Math.floor(part) % 4][k]) / kRate);
      y = 2 * (1 - r) * y + turn * past[k][0] - r * r * past[k][1];
      past[k] = [y, past[k][0]];
    });
    return 40 * y * Math.sqrt(Math.sin(Math.PI * (part % 1))) + 0.001 * noise();
  });
}
const sound = voice(512 * kFrames + 64);
const frames = Array.from({ length: kFrames }, (_, t) => sound.slice(512 * t, 512 * t + kSamples));

const folder = mkdtempSync(join(tmpdir(), 'rnnc-silero-'));
try {
  const module = join(folder, 'silero.wasm');
  const sizes = ['--const', 'sr=16000', '--shape', `input=1x${kSamples}`, '--shape', 'state=2x1x128'];
  execFileSync('rnnc', ['compile', path, ...sizes, '--target', target, '--weights-as', format, '-o', module]);
  const { load } = await import(pathToFileURL(join(folder, 'silero.mjs')));
  const model = await load();
  const session = await ort.InferenceSession.create(readFileSync(path));
  const inputs = frames.map((frame) => new ort.Tensor('float32', frame, [1, kSamples]));
  const sr = new ort.Tensor('int64', [16000n], []);
  const into = { into: new Float32Array(1) };
  const probabilities = () => frames.map((frame) => model.step(frame, into)[0]);
  const theirs = async () => {
    let state = new ort.Tensor('float32', new Float32Array(256), [2, 1, 128]);
    const found = [];
    for (const input of inputs) {
      const { output, stateN } = await session.run({ input, state, sr });
      state = stateN;
      found.push(output.data[0]);
    }
    return found;
  };
  const expected = await theirs();
  const worst = probabilities().reduce((most, value, t) => Math.max(most, Math.abs(value - expected[t])), 0);
  let [ours, other] = [Infinity, Infinity];
  for (let round = 0; round < kRounds; ++round) {
    model.reset();
    let begin = performance.now();
    probabilities();
    ours = Math.min(ours, (performance.now() - begin) / kFrames);
    begin = performance.now();
    await theirs();
    other = Math.min(other, (performance.now() - begin) / kFrames);
  }
  const text = (ms) => `${(1000 * ms).toFixed(0)} us`;
  console.log(`one frame, ${target}, ${format}: rnnc ${text(ours)}, onnxruntime-web ${text(other)}`);
  console.log(`probabilities from ${Math.min(...expected).toFixed(3)} to ${Math.max(...expected).toFixed(3)} differ by ${worst.toExponential(1)}`);
  console.log(`module and script of rnnc: ${statSync(module).size + statSync(join(folder, 'silero.mjs')).size} bytes`);
} finally {
  rmSync(folder, { recursive: true });
}
