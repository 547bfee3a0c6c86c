// node compare.mjs [I=64] [H=64] [T=100] [TARGET=wasm32] [FLAGS]: times an LSTM in a module of rnnc beside onnxruntime-web, in
// one process and in turns, after a check that both compute the same. rnnc is in PATH, and its verb compile takes the flags.
// onnxruntime-web is found from the folder that the command is given in (npm install onnxruntime-web). Each figure is the best
// of its rounds, in microseconds for all T steps. The first step is timed once, and its time begins before the load.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { onnxLstm } from './onnx_lstm.mjs';
import { onnxRuntimeWeb } from './onnx_runtime_web.mjs';

const kRounds = 200;
const kCalls = 5; // in a row, since the first one finds the memory of the others in the caches
const [I = 64, H = 64, T = 100] = process.argv.slice(2, 5).map(Number);
const target = process.argv[5] ?? 'wasm32';
const flags = process.argv.slice(6);
const ort = onnxRuntimeWeb();
ort.env.wasm.numThreads = 1;

async function timed(contestants) {
  const best = contestants.map(() => Infinity);
  for (let round = 0; round < kRounds; ++round)
    for (const [i, { run }] of contestants.entries())
      for (let call = 0; call < kCalls; ++call) {
        const begin = performance.now();
        await run();
        best[i] = Math.min(best[i], performance.now() - begin);
      }
  return best;
}

const folder = mkdtempSync(join(tmpdir(), 'rnnc-wasm-'));
try {
  const onnx = onnxLstm(I, H, false);
  writeFileSync(join(folder, 'lstm.onnx'), onnx);
  const module = join(folder, 'lstm.wasm');
  execFileSync('rnnc', ['compile', join(folder, 'lstm.onnx'), '--target', target, ...flags, '-o', module]);
  const { load } = await import(pathToFileURL(join(folder, 'lstm.mjs')));
  const x = Float32Array.from({ length: T * I }, (_, i) => Math.sin(i));
  const rows = Array.from({ length: T }, (_, t) => x.slice(t * I, (t + 1) * I));
  const zeros = () => new ort.Tensor('float32', new Float32Array(H), [1, 1, H]);
  let begin = performance.now();
  const model = await load();
  model.step(rows[0]);
  const loaded = performance.now() - begin;
  model.reset();
  begin = performance.now();
  const steps = await ort.InferenceSession.create(onnxLstm(I, H, true));
  await steps.run({ X: new ort.Tensor('float32', rows[0], [1, 1, I]), h: zeros(), c: zeros() });
  const created = performance.now() - begin;
  const session = await ort.InferenceSession.create(onnx);

  const into = { into: new Float32Array(T * model.outputSize) };
  const row = { into: new Float32Array(model.outputSize) };
  const X = new ort.Tensor('float32', x, [T, 1, I]);
  const Xs = rows.map((each) => new ort.Tensor('float32', each, [1, 1, I]));
  const ours = model.run(x, T), { Y } = await session.run({ X });
  const worst = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - Y.data[i])), 0);
  if (!(worst < 1e-5)) throw new Error(`the results differ by ${worst}`);

  const [run, ortRun, step, ortStep] = await timed([
    { run: () => (model.reset(), model.run(x, T, into)) },
    { run: () => session.run({ X }) },
    { run: () => rows.forEach((each) => model.step(each, row)) },
    {
      run: async () => {
        let [h, c] = [zeros(), zeros()];
        for (const each of Xs) ({ h_next: h, c_next: c } = await steps.run({ X: each, h, c }));
      },
    },
  ]);
  const text = (ms) => (1000 * ms).toFixed(0).padStart(9);
  console.log(`LSTM of ${I} inputs and ${H} units, ${T} steps, Node ${process.version}; the results differ by ${worst.toExponential(1)}`);
  console.log(`                    rnnc  onnxruntime-web ${ort.env.versions?.web ?? ''}`);
  console.log(`one call       ${text(run)} ${text(ortRun)} us`);
  console.log(`step by step   ${text(step)} ${text(ortStep)} us`);
  console.log(`the first step ${text(loaded)} ${text(created)} us`);
  console.log(`module of rnnc: ${statSync(module).size} bytes`);
} finally {
  rmSync(folder, { recursive: true });
}
