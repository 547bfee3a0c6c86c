// ---- the node of an AudioWorklet

/** Makes an AudioWorkletNode that runs the model. It resolves when the model is ready, or rejects with the reason. */
export async function audioNode(context, { channels = 2, inputs, target, source, weights, worklet } = {}) {
  checkInputs(inputs);
  const chosen = choose(target);
  const [bytes, content] = await Promise.all([
    bytesOf(source ?? beside(chosen.file)),
    weightsFor(chosen, weights),
    context.audioWorklet.addModule(worklet ?? beside(facts.worklet.file)),
  ]);
  const node = new AudioWorkletNode(context, facts.worklet.processor, {
    numberOfOutputs: facts.outputs.length,
    outputChannelCount: facts.outputs.map(() => channels),
    channelCount: channels,
    channelCountMode: 'explicit',
    processorOptions: { bytes, weights: content, channels, inputs },
  });
  return new Promise((resolve, reject) => {
    node.onprocessorerror = () => reject(new Error('the processor of the AudioWorklet failed'));
    node.port.onmessage = ({ data: { error, target, latency } }) => {
      if (error !== undefined) reject(new Error(error));
      else resolve({ node, target, latency });
    };
  });
}
