// node worklet.mjs [H=16] [SECONDS=20] [TARGET=wasm32]: times an LSTM of one input, H units and one output in an AudioWorklet
// of Chromium, sample by sample at 48 kHz. An OfflineAudioContext renders as fast as it can; the time of the same graph without
// the model is told too. rnnc and chromium are in PATH.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [H = 16, seconds = 20] = process.argv.slice(2, 4).map(Number);
const target = process.argv[4] ?? 'wasm32';

const page = `<!DOCTYPE html><script type="module">
import { audioNode } from './m.mjs';
async function render(makeNode) {
  const length = 48000 * ${seconds};
  const context = new OfflineAudioContext({ numberOfChannels: 1, length, sampleRate: 48000 });
  const buffer = new AudioBuffer({ length, sampleRate: 48000 });
  buffer.copyToChannel(Float32Array.from({ length }, (_, i) => Math.sin(i / 10) * Math.sin(i / 9999)), 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(await makeNode(context)).connect(context.destination);
  source.start();
  const begin = performance.now();
  await context.startRendering();
  return (performance.now() - begin) / 1000;
}
const best = async (makeNode) => {
  let least = Infinity;
  for (let round = 0; round < 5; ++round) least = Math.min(least, await render(makeNode));
  return least;
};
const body = JSON.stringify({
  model: await best(async (context) => (await audioNode(context, { channels: 1 })).node),
  empty: await best(async (context) => new GainNode(context)),
}, null, 2);
await fetch('/result', { method: 'POST', body });
</script>`;

// A network and its weights, which are random.
function writeModel(folder) {
  writeFileSync(join(folder, 'm.rnn'), `network m { input x : seq f32[1] param W : f32[1, ${H}] a = lstm<H=${H}>(x) output W @ a }`);
  let seed = 1;
  const random = () => ((seed = (seed * 1103515245 + 12345) % 2147483648) / 1073741824 - 1) / Math.sqrt(H);
  const head = {};
  const parts = [];
  let end = 0;
  const add = (name, shape) => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, random);
    head[name] = { dtype: 'F32', shape, data_offsets: [end, (end += values.byteLength)] };
    parts.push(Buffer.from(values.buffer));
  };
  add('W', [1, H]);
  for (const gate of 'ifgo') [['W', [H, 1]], ['U', [H, H]], ['b', [H]]].forEach(([name, shape]) => add(`a.${name}${gate}`, shape));
  const text = Buffer.from(JSON.stringify(head));
  const size = Buffer.alloc(8);
  size.writeUInt32LE(text.length);
  writeFileSync(join(folder, 'm.safetensors'), Buffer.concat([size, text, ...parts]));
}

const folder = mkdtempSync(join(tmpdir(), 'rnnc-worklet-'));
const types = { html: 'text/html', mjs: 'text/javascript', js: 'text/javascript', wasm: 'application/wasm' };
let browser;
try {
  writeModel(folder);
  writeFileSync(join(folder, 'index.html'), page);
  execFileSync('rnnc', ['compile', join(folder, 'm.rnn'), '--target', target, '--worklet', '-o', join(folder, 'm.wasm')]);
  const result = await new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      if (request.method === 'POST') {
        request.on('data', (data) => { response.end(); server.close(); resolve(JSON.parse(data)); });
        return;
      }
      const name = request.url.slice(1).replace(/[^\w.]/g, '');
      try {
        const content = readFileSync(join(folder, name));
        response.writeHead(200, { 'Content-Type': types[name.split('.').pop()] ?? 'application/octet-stream' }).end(content);
      } catch {
        response.writeHead(404).end();
      }
    });
    server.listen(0, '127.0.0.1', () => {
      const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', `--user-data-dir=${join(folder, 'profile')}`];
      browser = spawn('chromium', [...flags, `http://127.0.0.1:${server.address().port}/index.html`], { stdio: 'ignore' });
      browser.on('error', () => reject(new Error('there is no chromium, which plays the sound')));
      browser.on('exit', () => reject(new Error('chromium ended without a result')));
    });
  });
  const told = (time) => `${(1000 * time).toFixed(0).padStart(6)} ms, ${(seconds / time).toFixed(0).padStart(5)} times real time`;
  console.log(`LSTM of 1 input and ${H} units, ${seconds} s of sound at 48 kHz, ${target}, best of 5`);
  console.log(`with the model      ${told(result.model)}`);
  console.log(`without the model   ${told(result.empty)}`);
} finally {
  if (browser?.pid) {
    browser.removeAllListeners('exit');
    await new Promise((resolve) => { browser.once('exit', resolve); browser.kill(); });
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
