// ---- arguments of calls

const kLine = 64; // bytes; state and scratch begin on a multiple
const kBlock = 64; // steps that one call of the module takes, where a sequence may be cut

function describe(value) {
  return value === null ? 'null' : value?.constructor?.name ?? typeof value;
}

function checkFloats(value, what) {
  if (value instanceof Float32Array) return;
  if (Object.prototype.toString.call(value) !== '[object Float32Array]') // that of another realm passes
    throw new TypeError(`${what} is a Float32Array, not ${describe(value)}`);
}

function checkLength(value, size, what) {
  checkFloats(value, what);
  if (value.length !== size) throw new RangeError(`${what} has ${size} numbers, not ${value.length}`);
}

function checkStep(x) {
  checkLength(x, facts.inputSize, 'x of a step');
  if (facts.noStreaming !== '') throw new Error(`the model takes no single steps: ${facts.noStreaming}`);
}

function checkSteps(steps, x) {
  if (typeof steps !== 'number') throw new TypeError(`steps is a number, not ${describe(steps)}`);
  if (!Number.isInteger(steps) || steps < 0) throw new RangeError(`steps is 0 or a positive integer, not ${steps}`);
  checkLength(x, steps * facts.inputSize, `x of ${steps} steps`);
}

// Without a number of steps it follows from x.
function stepsOf(x) {
  checkFloats(x, 'x');
  if (facts.inputSize === 0) throw new TypeError('the model reads no x, so that run needs a number of steps');
  if (x.length % facts.inputSize !== 0)
    throw new RangeError(`x has a multiple of ${facts.inputSize} numbers, not ${x.length}`);
  return x.length / facts.inputSize;
}

function checkInputs(inputs) {
  if (facts.inputs.length > 0 && (typeof inputs !== 'object' || inputs === null))
    throw new TypeError(`the model needs { inputs: { ${facts.inputs.map((each) => each.name).join(', ')} } }`);
  for (const { name, size } of facts.inputs) checkLength(inputs[name], size, `input ${name}`);
}

function lengthOf(output, steps) {
  return output.timed ? steps * output.size : output.size;
}

// ---- models and streams

// The places of x, outputs and scratch, which all streams share, for calls of up to `steps` steps.
class Places {
  constructor(arena, steps) {
    const { scratch } = arena.facts;
    this.steps = steps;
    this.x = arena.reserve(4 * steps * facts.inputSize);
    this.outputs = facts.outputs.map((output) => arena.reserve(4 * lengthOf(output, steps)));
    [this.y] = this.outputs;
    const rows = Math.min(Math.max(steps, 1), Math.max(scratch.chunkRows, 1));
    this.scratch = arena.reserve(4 * (scratch.once + steps * scratch.timed + rows * scratch.chunkRow));
    this.inputs = facts.inputs.map((input) => arena.reserve(4 * input.size));
    this.pointersAt = arena.reserve(4 * (facts.outputs.length - 1));
    const lists = [[arena.reserve(4 * facts.inputs.length), this.inputs], [this.pointersAt, this.outputs.slice(1)]];
    // The functions of a module take a list only where it is not empty.
    [this.first, this.second] = lists.filter(([, list]) => list.length > 0).map(([at, list]) => {
      new Uint32Array(arena.exports.memory.buffer, at, list.length).set(list);
      return at;
    });
  }
}

class Model {
  #arena;
  #places;
  #free = []; // places of the states of closed streams
  #own; // the stream of the model's own functions

  constructor(arena) {
    this.#arena = arena;
    this.name = facts.name;
    this.target = arena.facts.target;
    this.inputSize = facts.inputSize;
    this.outputSize = facts.outputs[0].size;
    this.features = facts.features;
    this.inputs = facts.inputs;
    this.outputs = facts.outputs;
    this.states = frozen(facts.states.map(({ name, size }) => ({ name, size })));
    this.#places = new Places(this.#arena, facts.noStreaming === '' ? kBlock : 1);
    this.#own = this.stream();
    Object.freeze(this);
  }

  /** Begins a sequence of its own. */
  stream() {
    const state = this.#free.pop() ?? this.#arena.reserve(4 * facts.stateFloats);
    return new Stream(this.#arena, (steps) => this.#placesFor(steps), state, this.#free);
  }

  step(x, options) {
    return this.#own.step(x, options);
  }
  stepAll(x, options) {
    return this.#own.stepAll(x, options);
  }
  run(x, steps, options) {
    return this.#own.run(x, steps, options);
  }
  runAll(x, steps, options) {
    return this.#own.runAll(x, steps, options);
  }
  save() {
    return this.#own.save();
  }
  restore(saved) {
    this.#own.restore(saved);
  }
  reset() {
    this.#own.reset();
  }

  #placesFor(steps) {
    if (steps > this.#places.steps) this.#places = new Places(this.#arena, Math.max(steps, 2 * this.#places.steps));
    return this.#places;
  }
}

class Stream {
  #arena;
  #placesFor;
  #state;
  #free;

  constructor(arena, placesFor, state, free) {
    this.#arena = arena;
    this.#placesFor = placesFor;
    this.#state = state;
    this.#free = free;
    this.reset();
  }

  /** Takes one step and returns the first output. */
  step(x, { into, inputs } = {}) {
    checkStep(x);
    if (facts.inputs.length > 0) return this.#advance(x, 1, inputs, into, 1)[0];
    this.#checkOpen();
    const size = facts.outputs[0].size;
    if (into === undefined) into = new Float32Array(size);
    else checkLength(into, size, `into for ${facts.outputs[0].name}`);
    const places = this.#placesFor(1);
    this.#arena.write(places.x, x, 0, facts.inputSize);
    this.#call(places, 1);
    this.#arena.read(places.outputs[0], into, 0, size);
    return into;
  }

  /** Takes one step and returns all outputs, by name. */
  stepAll(x, { into, inputs } = {}) {
    checkStep(x);
    return byName(facts.outputs, this.#advance(x, 1, inputs, into, facts.outputs.length));
  }

  /** Takes `steps` steps and returns the first output, of all steps one behind the other. */
  run(x, steps = stepsOf(x), { into, inputs } = {}) {
    checkSteps(steps, x);
    return this.#advance(x, steps, inputs, into, 1)[0];
  }

  /** Takes `steps` steps and returns all outputs, by name. */
  runAll(x, steps = stepsOf(x), { into, inputs } = {}) {
    checkSteps(steps, x);
    return byName(facts.outputs, this.#advance(x, steps, inputs, into, facts.outputs.length));
  }

  /** Copies the states. */
  save() {
    this.#checkOpen();
    const read = ({ size, at }) => {
      const values = new Float32Array(size);
      this.#arena.read(this.#state + 4 * at, values, 0, size);
      return values;
    };
    return byName(facts.states, facts.states.map(read));
  }

  /** Puts saved states back; all of them or, where one is wrong, none. */
  restore(saved) {
    this.#checkOpen();
    if (typeof saved !== 'object' || saved === null)
      throw new TypeError(`restore takes what save returned, not ${describe(saved)}`);
    for (const name of Object.keys(saved))
      if (!facts.states.some((state) => state.name === name)) throw new RangeError(`the model has no state ${name}`);
    for (const { name, size } of facts.states) checkLength(saved[name], size, `state ${name}`);
    for (const { name, size, at } of facts.states) this.#arena.write(this.#state + 4 * at, saved[name], 0, size);
  }

  /** Begins a new sequence. */
  reset() {
    this.#checkOpen();
    checkStatus(this.#arena.exports.start(this.#state, 1n, 0n, 1n));
  }

  /** Gives the memory of the states back, for another stream. */
  close() {
    if (this.#state !== 0) this.#free.push(this.#state);
    this.#state = 0;
  }

  #checkOpen() {
    if (this.#state === 0) throw new Error('the stream is closed');
  }

  // Checks all arguments, then runs blocks of steps. The first `count` outputs are returned.
  #advance(x, steps, inputs, into, count) {
    this.#checkOpen();
    checkInputs(inputs);
    const results = destinations(steps, into, count);
    const block = facts.noStreaming === '' ? kBlock : steps;
    const places = this.#placesFor(Math.min(steps, block));
    facts.inputs.forEach(({ name, size }, i) => this.#arena.write(places.inputs[i], inputs[name], 0, size));
    let first = 0;
    do {
      const now = Math.min(block, steps - first);
      this.#arena.write(places.x, x, first * facts.inputSize, now * facts.inputSize);
      this.#call(places, now);
      for (let i = 0; i < count; ++i) {
        const output = facts.outputs[i];
        this.#arena.read(places.outputs[i], results[i], output.timed ? first * output.size : 0, lengthOf(output, now));
      }
      first += now;
    } while (first < steps);
    return results;
  }

  #call(places, steps) {
    const { run, step } = this.#arena;
    const { scratch, x, y, first, second } = places; // WebAssembly ignores arguments that a function does not take
    if (steps === 1 && step) checkStatus(step(this.#state, scratch, x, y, 1n, first, second));
    else checkStatus(run(this.#state, scratch, x, y, BigInt(steps), 1n, first, second));
  }
}

// Returns the arrays that the first `count` outputs go into: the caller's, or new ones.
function destinations(steps, into, count) {
  const own = count === 1 && into !== undefined ? { [facts.outputs[0].name]: into } : into ?? {};
  if (typeof own !== 'object' || own === null) throw new TypeError(`into is an object of arrays, not ${describe(into)}`);
  return facts.outputs.slice(0, count).map((output) => {
    const size = lengthOf(output, steps);
    if (own[output.name] === undefined) return new Float32Array(size);
    checkLength(own[output.name], size, `into for ${output.name}`);
    return own[output.name];
  });
}

function byName(facts, values) {
  return Object.fromEntries(facts.map(({ name }, i) => [name, values[i]]));
}

function checkStatus(status) {
  if (status === 1) throw new RangeError('so many steps have no place in the memory of a module');
  if (status !== 0) throw new Error(`the module returned status ${status}`);
}
