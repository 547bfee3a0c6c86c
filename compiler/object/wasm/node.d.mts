
export interface AudioNodeOptions {
  /** Channels of the node's input and outputs (default 2). Each one is a stream. */
  channels?: number;
  /** The inputs beside x. */
  inputs?: Inputs;
  /** The kind of module, instead of the best one that the engine can run. */
  target?: Target;
  /** The module, its weights and the script of the processor, where they do not lie beside this file. */
  source?: string | URL | BufferSource;
  weights?: string | URL | BufferSource;
  worklet?: string | URL;
}

export interface ModelNode {
  readonly node: AudioWorkletNode;
  readonly target: Target;
  /** Samples that the node's outputs are behind its input. */
  readonly latency: number;
}

/**
 * Makes an AudioWorkletNode that runs the model. Its port takes the messages { bypass: true or false }, { reset: true },
 * { inputs } and { close: true }, and answers each with { done: true } or { error }, a text.
 */
export function audioNode(context: BaseAudioContext, options?: AudioNodeOptions): Promise<ModelNode>;
