// The page: a microphone or a file goes through the node of denoise.mjs to the speakers, and meters show levels and the
// probability of a voice.
import { audioNode } from './denoise.mjs';

const kRate = 16000; // of the model; the browser resamples
const $ = (id) => document.getElementById(id);
let running; // what plays now: its context, its node, and how it ends

function level(analyser, samples) {
  analyser.getFloatTimeDomainData(samples);
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  return Math.max(-80, 10 * Math.log10(power + 1e-12));
}

function show(id, value, text) {
  $(id).value = value;
  $(`${id}-text`).value = text;
}

function meter({ before, after, speech }) {
  const samples = new Float32Array(before.fftSize);
  const draw = () => {
    if (running?.speech !== speech) return;
    for (const [id, analyser] of [['before', before], ['after', after]]) {
      const decibels = level(analyser, samples);
      show(id, decibels, `${decibels.toFixed(0)} dB`);
    }
    speech.getFloatTimeDomainData(samples);
    const probability = samples.at(-1); // the newest: the model holds it for a frame
    show('speech', probability, `${(100 * probability).toFixed(0)} %`);
    requestAnimationFrame(draw);
  };
  draw();
}

async function stop() {
  const old = running;
  running = undefined;
  $('stop').disabled = true;
  if (!old) return;
  old.end?.();
  old.node.port.postMessage({ close: true });
  await old.context.close();
}

// Begins anew with the source that `open` makes.
async function play(open, status) {
  await stop();
  $('status').textContent = 'loading';
  const context = new AudioContext({ sampleRate: kRate });
  try {
    const { source, end } = await open(context);
    const { node, target } = await audioNode(context, { channels: 1 });
    const [before, after, speech] = [0, 1, 2].map(() => new AnalyserNode(context, { fftSize: 1024 }));
    source.connect(before);
    source.connect(node);
    node.connect(after, 0).connect(context.destination);
    node.connect(speech, 1);
    node.port.postMessage({ bypass: !$('denoise').checked });
    running = { context, node, end, before, after, speech };
    source.start?.();
    await context.resume();
    $('stop').disabled = false;
    $('status').textContent = `${status} (${target})`;
    meter(running);
  } catch (error) {
    await context.close();
    $('status').textContent = `${error.name}: ${error.message}`;
  }
}

async function openMicrophone(context) {
  const constraints = { audio: { echoCancellation: true, noiseSuppression: false, autoGainControl: false } };
  const stream = await navigator.mediaDevices.getUserMedia(constraints);
  const end = () => stream.getTracks().forEach((track) => track.stop());
  return { source: context.createMediaStreamSource(stream), end };
}

async function openFile(context, file) {
  const buffer = await context.decodeAudioData(await file.arrayBuffer());
  return { source: new AudioBufferSourceNode(context, { buffer, loop: true }) };
}

$('microphone').addEventListener('click', () => play(openMicrophone, 'the microphone plays'));
$('stop').addEventListener('click', async () => {
  await stop();
  $('status').textContent = 'stopped';
});
$('file').addEventListener('change', ({ target: { files } }) => {
  if (files.length > 0) play((context) => openFile(context, files[0]), `${files[0].name} plays`);
});
$('denoise').addEventListener('change', ({ target }) => running?.node.port.postMessage({ bypass: !target.checked }));
