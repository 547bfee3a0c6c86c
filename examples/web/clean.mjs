// node clean.mjs IN.wav OUT.wav: takes the noise out of a sound with the model in denoise.mjs, and prints for each second how
// likely a voice is. - is standard input, or standard output, which then has the sound alone. Sounds are WAV files of one channel
// at 16 kHz, with samples of 16 bits or floats.
import { readFileSync, writeFileSync } from 'node:fs';
import { load } from './denoise.mjs';

const kRate = 16000;

function fail(message) {
  console.error(`clean.mjs: ${message}`);
  process.exit(3);
}

// Returns the samples of a WAV file, from -1 to 1.
function samplesOf(file, name) {
  if (file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WAVE') fail(`${name} is no WAV file`);
  let format;
  for (let at = 12; at + 8 <= file.length; ) {
    const size = file.readUInt32LE(at + 4);
    const content = file.subarray(at + 8, at + 8 + size);
    const chunk = file.toString('latin1', at, at + 4);
    if (chunk === 'fmt ' && content.length >= 16)
      format = { kind: content.readUInt16LE(0), channels: content.readUInt16LE(2), rate: content.readUInt32LE(4), bits: content.readUInt16LE(14) };
    if (chunk === 'data') return decoded(content, format, name);
    at += 8 + size + (size % 2);
  }
  return fail(`${name} has no samples`);
}

function decoded(content, format, name) {
  if (!format) fail(`${name} has samples before their format`);
  const { kind, channels, rate, bits } = format;
  if (channels !== 1 || rate !== kRate)
    fail(`${name} has ${channels} channels at ${rate} Hz, and the model takes 1 at ${kRate}; convert it: sox IN.wav -c 1 -r ${kRate} OUT.wav`);
  if (kind === 1 && bits === 16)
    return Float32Array.from({ length: content.length >> 1 }, (_, i) => content.readInt16LE(2 * i) / 32768);
  if (kind === 3 && bits === 32) return Float32Array.from({ length: content.length >> 2 }, (_, i) => content.readFloatLE(4 * i));
  return fail(`${name} has samples of ${bits} bits of kind ${kind}; 16 bits or floats are read`);
}

function wavOf(samples) {
  const head = Buffer.alloc(44);
  const bytes = 4 * samples.length;
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + bytes, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(3, 20); // floats
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(kRate, 24);
  head.writeUInt32LE(4 * kRate, 28);
  head.writeUInt16LE(4, 32);
  head.writeUInt16LE(32, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(bytes, 40);
  return Buffer.concat([head, Buffer.from(samples.buffer)]);
}

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) {
  console.error('usage: node clean.mjs IN.wav OUT.wav');
  process.exit(2);
}
const samples = samplesOf(readFileSync(from === '-' ? 0 : from), from);
const model = await load();
const frame = model.inputSize;
// Frames are whole, and one more makes up for the frame that the model is behind.
const steps = Math.ceil(samples.length / frame) + 1;
const x = new Float32Array(steps * frame);
x.set(samples);
const { y, speech } = model.runAll(x, steps);
writeFileSync(to === '-' ? 1 : to, wavOf(y.slice(frame, frame + samples.length)));
for (let t = 0; t < steps && to !== '-'; t += kRate / frame) {
  const second = speech.subarray(t, t + kRate / frame);
  console.log(`${String(Math.round((t * frame) / kRate)).padStart(4)} s  ${(second.reduce((a, b) => a + b) / second.length).toFixed(2)}`);
}
