// Runs a model in its module of WebAssembly, and needs nothing else. `load` makes a model, `model.stream()` a sequence with
// states of its own. A step allocates nothing but its result, and not even that where `into` is given.

const kHead = 64; // bytes at the beginning of a file of weights, of which the last four are a hash of the rest

// A function that takes one multiply-add of relaxed SIMD. Engines without it refuse the module.
const kRelaxedProbe = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, // one function of three vectors
  10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2, 253, 133, 2, 11, // f32x4.relaxed_madd
]);

function frozen(value) {
  if (typeof value === 'object') Object.values(value).forEach(frozen);
  return Object.freeze(value);
}

frozen(facts);

/** Loads the model: from a URL, from bytes, or, without a source, from the files beside this one. */
export async function load(source, { target, weights } = {}) {
  const chosen = choose(target);
  if (source !== undefined) {
    const arena = new Arena(source instanceof WebAssembly.Module ? source : await compiled(source));
    return modelOf(arena, target, weights, await weightsFor(arena.facts, weights));
  }
  const [module, content] = await Promise.all([compiled(beside(chosen.file)), weightsFor(chosen, weights)]);
  return modelOf(new Arena(module), target, weights, content);
}

/** Loads the model from bytes or a WebAssembly.Module at once, as an AudioWorkletProcessor needs it. */
export function loadSync(source, { target, weights } = {}) {
  choose(target);
  const arena = arenaOf(source);
  if (arena.facts.weights && !isBytes(weights))
    throw new TypeError(`loadSync takes { weights }, the bytes of ${arena.facts.weights.file}`);
  return modelOf(arena, target, weights, weights);
}

function arenaOf(source) {
  if (source instanceof WebAssembly.Module) return new Arena(source);
  if (!isBytes(source)) throw new TypeError('loadSync takes bytes or a WebAssembly.Module');
  return new Arena(new WebAssembly.Module(source));
}

function modelOf(arena, target, weights, content) {
  const { file, target: own } = arena.facts;
  if (target !== undefined && target !== own) throw new Error(`the module is for ${own}, not for ${target}`);
  if (arena.facts.weights) arena.fill(content);
  else if (weights !== undefined) throw new TypeError(`${file} holds its weights; leave { weights } out`);
  return new Model(arena);
}

// Returns the facts of the module for a target, or of the last one that the engine can run.
function choose(target) {
  const runs = ({ target }) => target !== 'wasm32-relaxed' || WebAssembly.validate(kRelaxedProbe);
  if (target === undefined) return facts.modules.filter(runs).pop() ?? facts.modules[0];
  const found = facts.modules.find((each) => each.target === target);
  if (found) return found;
  throw new RangeError(`there is no module for ${target}, only for ${facts.modules.map((each) => each.target).join(', ')}`);
}

async function weightsFor(module, weights) {
  if (!module.weights) return undefined;
  return bytesOf(weights ?? beside(module.weights.file));
}

async function compiled(source) {
  return WebAssembly.compile(await bytesOf(source));
}

// ---- bytes

function beside(file) {
  return addresses[file]();
}

function isBytes(source) {
  return ArrayBuffer.isView(source) || Object.prototype.toString.call(source) === '[object ArrayBuffer]';
}

function bytesIn(source) {
  return ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : new Uint8Array(source);
}

async function bytesOf(source) {
  if (isBytes(source)) return source;
  if (typeof source !== 'string' && !(source instanceof URL)) throw new TypeError('load takes a URL or bytes');
  const url = source instanceof URL ? source : new URL(source, baseOfUrls());
  if (url.protocol === 'file:' && globalThis.process?.versions?.node) {
    const { readFile } = await import(/* webpackIgnore: true */ /* @vite-ignore */ kFiles);
    return readFile(url);
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} cannot be loaded: ${response.status} ${response.statusText}`);
  return response.arrayBuffer();
}

// A module of Node. Bundlers, which make pages, would look for it if they saw its name in the import.
const kFiles = ['node:fs', 'promises'].join('/');

// A page has an address, and a program of Node a folder.
function baseOfUrls() {
  return globalThis.document?.baseURI ?? globalThis.location?.href ?? `file://${globalThis.process?.cwd()}/`;
}

// ---- memory of the module

class Arena {
  constructor(module) {
    const instance = new WebAssembly.Instance(module);
    this.exports = instance.exports;
    const id = this.exports.facts?.();
    this.facts = facts.modules.find((each) => each.id === id);
    if (!this.facts)
      throw new Error(`this script belongs to another module than the one that was loaded; ${facts.modules[0].file} was made with it`);
    this.run = this.exports.run;
    this.step = this.exports.step;
    this.end = this.exports.__heap_base.value;
    this.floats = new Float32Array(this.exports.memory.buffer);
  }

  // Copies the content of a file of weights to where the code reads them.
  fill(content) {
    const { file, bytes, hash } = this.facts.weights;
    const given = bytesIn(content);
    if (given.length !== kHead + bytes)
      throw new Error(`the weights have ${given.length} bytes, and this module needs ${kHead + bytes}; ${file} was made with it`);
    if (new DataView(given.buffer, given.byteOffset).getUint32(kHead - 4, true) !== hash)
      throw new Error(`the weights belong to another module than the one that was loaded; ${file} was made with it`);
    new Uint8Array(this.exports.memory.buffer).set(given.subarray(kHead), this.exports.weights());
  }

  // Returns the address of `bytes` more bytes.
  reserve(bytes) {
    const begin = Math.ceil(this.end / kLine) * kLine;
    const missing = begin + bytes - this.exports.memory.buffer.byteLength;
    if (missing > 0) this.grow(Math.ceil(missing / 65536));
    this.end = begin + bytes;
    return begin;
  }

  grow(pages) {
    try {
      this.exports.memory.grow(pages);
    } catch {
      throw new RangeError(`there is no memory for ${pages * 64} KiB more`);
    }
    this.floats = new Float32Array(this.exports.memory.buffer);
  }

  // Copies `count` numbers of `from`, beginning with number `first`, to an address.
  write(address, from, first, count) {
    const floats = this.floats;
    const at = address / 4;
    if (count <= 32) {
      for (let i = 0; i < count; ++i) floats[at + i] = from[first + i];
    } else {
      floats.set(count === from.length ? from : from.subarray(first, first + count), at);
    }
  }

  read(address, to, first, count) {
    const floats = this.floats;
    const at = address / 4;
    if (count <= 32) {
      for (let i = 0; i < count; ++i) to[first + i] = floats[at + i];
    } else {
      to.set(floats.subarray(at, at + count), first);
    }
  }
}
