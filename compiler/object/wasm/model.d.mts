/** The numbers of each state, by its name. */
export type States = { [name in StateName]: Float32Array };

/** The numbers of each output, by its name. */
export type Outputs = { [name in OutputName]: Float32Array };

/** The inputs beside x, by name. */
export type Inputs = { [name in InputName]: Float32Array };

export interface Port {
  readonly name: string;
  /** Numbers of a row. */
  readonly size: number;
}

export interface OutputPort extends Port {
  /** True if the output has a row for each step; else it has one for the whole call. */
  readonly timed: boolean;
}

export interface Options<Into> {
  /** The result is written there instead of into a new array. */
  into?: Into;
  /** The inputs beside x. */
  inputs?: Inputs;
}

/** A sequence with states of its own. Wrong sizes throw a RangeError and wrong types a TypeError; the states stay then. */
export interface Stream {
  /** Takes one step and returns the first output. */
  step(x: Float32Array, options?: Options<Float32Array>): Float32Array;
  /** Takes one step and returns all outputs. */
  stepAll(x: Float32Array, options?: Options<Partial<Outputs>>): Outputs;
  /** Takes steps, whose rows of x lie one behind the other, and returns the first output in the same order. */
  run(x: Float32Array, steps?: number, options?: Options<Float32Array>): Float32Array;
  /** Takes steps and returns all outputs. */
  runAll(x: Float32Array, steps?: number, options?: Options<Partial<Outputs>>): Outputs;
  /** Copies the states. */
  save(): States;
  /** Puts saved states back: all of them or, where one is wrong, none. */
  restore(saved: States): void;
  /** Begins a new sequence. */
  reset(): void;
}

export interface ClosableStream extends Stream {
  /** Gives the memory of the states back, for another stream. */
  close(): void;
}

/** A loaded module. Its own functions are those of one stream. */
export interface Model extends Stream {
  readonly name: string;
  /** The kind of module that was loaded. */
  readonly target: Target;
  /** Numbers of x for one step. */
  readonly inputSize: number;
  /** Numbers of a row of the first output. */
  readonly outputSize: number;
  /** The parts of x, side by side. */
  readonly features: readonly Port[];
  /** The inputs beside x. */
  readonly inputs: readonly Port[];
  readonly outputs: readonly OutputPort[];
  readonly states: readonly Port[];
  /** Begins a sequence of its own. */
  stream(): ClosableStream;
}

export interface LoadOptions<Source> {
  /** The kind of module to load, instead of the best one that the engine can run. */
  target?: Target;
  /** The weights of a model that has them in a file of their own. */
  weights?: Source;
}

/** Loads the model: from a URL, from bytes, or, without a source, from the files beside this one. */
export function load(source?: string | URL | BufferSource | WebAssembly.Module,
                     options?: LoadOptions<string | URL | BufferSource>): Promise<Model>;

/** Loads the model from bytes or a WebAssembly.Module at once, as an AudioWorkletProcessor needs it. */
export function loadSync(source: BufferSource | WebAssembly.Module, options?: LoadOptions<BufferSource>): Model;
