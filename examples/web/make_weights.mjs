// node make_weights.mjs FILE: writes the weights of denoise.rnn, which are formulas. A frame of 128 samples is multiplied with a
// sine window, transformed, and transformed back; a window again makes the halves of successive frames add to the samples.
import { writeFileSync } from 'node:fs';

const N = 128, K = N / 2 + 1;
const window = (n) => Math.sin((Math.PI * (n + 0.5)) / N);
const angle = (k, n) => (2 * Math.PI * k * n) / N;
const weight = (k) => (k === 0 || k === N / 2 ? 1 : 2) / N; // all bands but the first and the last stand for two

const grid = (rows, columns, value) =>
  Float32Array.from({ length: rows * columns }, (_, i) => value(Math.floor(i / columns), i % columns));
const tensors = {
  'a.cosines': [[K, N], grid(K, N, (k, n) => window(n) * Math.cos(angle(k, n)))],
  'a.sines': [[K, N], grid(K, N, (k, n) => window(n) * Math.sin(angle(k, n)))],
  'a.inverse_cosines': [[N, K], grid(N, K, (n, k) => window(n) * weight(k) * Math.cos(angle(k, n)))],
  'a.inverse_sines': [[N, K], grid(N, K, (n, k) => window(n) * weight(k) * Math.sin(angle(k, n)))],
};

const head = {};
let end = 0;
for (const [name, [shape, values]] of Object.entries(tensors))
  head[name] = { dtype: 'F32', shape, data_offsets: [end, (end += values.byteLength)] };
let text = JSON.stringify(head);
text = text.padEnd(Math.ceil(text.length / 8) * 8);
const size = Buffer.alloc(8);
size.writeUInt32LE(text.length);
const parts = Object.values(tensors).map(([, values]) => Buffer.from(values.buffer));
writeFileSync(process.argv[2], Buffer.concat([size, Buffer.from(text), ...parts]));
