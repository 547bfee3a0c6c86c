// ---- the processor of an AudioWorklet

// A step takes a frame of `inputSize` samples. Each channel of the node's input is a stream, and each output of the model is
// an output of the node: it has a frame of samples for each step, or one number, which is held for the time of the frame.

const kQuantum = globalThis.renderQuantumSize ?? 128; // samples of each call of process
const kFrame = facts.inputSize;
const kMostFrames = Math.floor((kFrame - 1 + kQuantum) / kFrame); // in one call of process
const kCounts = Array.from({ length: kMostFrames + 1 }, (_, count) => BigInt(count));

function commonDivisor(a, b) {
  return b === 0 ? a : commonDivisor(b, a % b);
}

// A frame may be whole only in a later call. So many zeros come first, so that samples never lack. None, where frames
// divide a call.
const kLatency = kFrame - commonDivisor(kFrame, kQuantum);

// One channel. All its numbers lie in the memory of the module; views of them are made once, and process makes none.
class Channel {
  constructor(arena, places) {
    this.run = arena.run;
    this.start = arena.exports.start;
    this.places = places;
    this.state = arena.reserve(4 * facts.stateFloats);
    this.xAt = arena.reserve(4 * (kFrame - 1 + kQuantum));
    this.queuesAt = facts.outputs.map(() => arena.reserve(4 * (kLatency + kQuantum)));
    this.heldAt = facts.outputs.map(() => arena.reserve(4 * kMostFrames));
  }

  // Makes the views, when no more memory is reserved.
  attach(buffer) {
    this.x = new Float32Array(buffer, this.xAt, kFrame - 1 + kQuantum);
    this.queues = this.queuesAt.map((at) => new Float32Array(buffer, at, kLatency + kQuantum));
    this.heads = this.queuesAt.map((at) => new Float32Array(buffer, at, kQuantum));
    this.held = this.heldAt.map((at) => new Float32Array(buffer, at, kMostFrames));
    this.reset();
  }

  reset() {
    checkStatus(this.start(this.state, 1n, 0n, 1n));
    this.pending = 0; // samples in x that wait for the rest of their frame
    this.queued = kLatency; // samples in each queue
    for (const queue of this.queues) queue.fill(0);
  }

  // Takes samples, or silence, and runs the frames that are whole.
  take(samples, bypassed) {
    if (samples !== undefined) this.x.set(samples, this.pending);
    else this.x.fill(0, this.pending, this.pending + kQuantum);
    this.pending += kQuantum;
    const frames = Math.floor(this.pending / kFrame);
    const used = frames * kFrame;
    if (frames > 0 && bypassed) this.pass(used);
    else if (frames > 0) this.compute(frames);
    this.queued += used;
    this.pending -= used;
    this.x.copyWithin(0, used, used + this.pending);
  }

  compute(frames) {
    const { scratch, first, second, pointers } = this.places;
    for (let i = 1; i < facts.outputs.length; ++i) pointers[i - 1] = this.destination(i);
    checkStatus(this.run(this.state, scratch, this.xAt, this.destination(0), kCounts[frames], 1n, first, second));
    for (let i = 0; i < facts.outputs.length; ++i) if (isHeld(i)) this.hold(i, frames);
  }

  destination(i) {
    return isHeld(i) ? this.heldAt[i] : this.queuesAt[i] + 4 * this.queued;
  }

  hold(i, frames) {
    const queue = this.queues[i];
    const held = this.held[i];
    let at = this.queued;
    for (let frame = 0; frame < frames; ++frame) // `fill` would allocate its number
      for (let k = 0; k < kFrame; ++k) queue[at++] = held[frame];
  }

  // Puts the samples themselves into the queues of sound, and zeros into the others.
  pass(count) {
    for (let i = 0; i < this.queues.length; ++i) {
      const queue = this.queues[i];
      if (isHeld(i)) queue.fill(0, this.queued, this.queued + count);
      else for (let k = 0; k < count; ++k) queue[this.queued + k] = this.x[k];
    }
  }

  // Writes the oldest samples of a queue. `drop` takes them out of all queues.
  give(i, samples) {
    samples.set(this.heads[i]);
  }

  drop() {
    for (let i = 0; i < this.queues.length; ++i) this.queues[i].copyWithin(0, kQuantum, this.queued);
    this.queued -= kQuantum;
  }
}

function isHeld(i) {
  return facts.outputs[i].size !== kFrame;
}

class ModelProcessor extends AudioWorkletProcessor {
  constructor({ processorOptions = {} }) {
    super();
    this.channels = [];
    this.bypassed = false;
    this.ended = false;
    try {
      this.begin(processorOptions);
      this.port.onmessage = ({ data }) => this.receive(data);
      this.port.postMessage({ target: this.arena.facts.target, latency: kLatency });
    } catch (error) {
      this.ended = true;
      this.port.postMessage({ error: error.message });
    }
  }

  begin({ bytes, weights, channels = 2, inputs }) {
    this.arena = arenaOf(bytes);
    if (this.arena.facts.weights) this.arena.fill(weights);
    checkInputs(inputs);
    this.places = new Places(this.arena, kMostFrames);
    for (let c = 0; c < channels; ++c) this.channels.push(new Channel(this.arena, this.places));
    const { buffer } = this.arena.exports.memory;
    this.places.pointers = new Uint32Array(buffer, this.places.pointersAt, facts.outputs.length - 1);
    for (const channel of this.channels) channel.attach(buffer);
    this.setInputs(inputs);
  }

  setInputs(inputs) {
    checkInputs(inputs);
    facts.inputs.forEach(({ name, size }, i) => this.arena.write(this.places.inputs[i], inputs[name], 0, size));
  }

  // Answers each message when it is done.
  receive(message) {
    try {
      if (message.inputs !== undefined) this.setInputs(message.inputs);
      if (message.bypass !== undefined) this.bypassed = message.bypass === true;
      if (message.reset === true) for (const channel of this.channels) channel.reset();
      if (message.close === true) this.ended = true;
      this.port.postMessage({ done: true });
    } catch (error) {
      this.port.postMessage({ error: error.message });
    }
  }

  process(inputs, outputs) {
    if (this.ended) return false;
    const input = inputs[0];
    for (let c = 0; c < this.channels.length; ++c) {
      const channel = this.channels[c];
      channel.take(c < input.length ? input[c] : undefined, this.bypassed);
      for (let i = 0; i < facts.outputs.length && i < outputs.length; ++i)
        if (c < outputs[i].length) channel.give(i, outputs[i][c]);
      channel.drop();
    }
    return true;
  }
}

registerProcessor(facts.worklet.processor, ModelProcessor);
