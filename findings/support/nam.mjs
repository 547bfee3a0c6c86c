// NAM's LSTM of one unit: as a .nam file, by NeuralAmpModelerCore, and in double precision. Gates are in NAM's order, i, f, candidate, o;
// each has the weights of x and of h. `start` is h and c.
import fs from "fs";
import process from "process";
const { createNamModule, NamWasmModule } = await import("@opendaw/nam-wasm").catch((error) => {
  console.log(`nam-wasm does not load here: ${String(error).split("\n")[0]}`);
  process.exit(2);
});
const wasmBinary = fs.readFileSync("node_modules/@opendaw/nam-wasm/dist/nam.wasm");
export const nam = NamWasmModule.fromModule(await createNamModule({ wasmBinary }));
nam.setSampleRate(48000);

export const file = ({ gates, bias, start }, sample_rate) => JSON.stringify({
  version: "0.5.4", architecture: "LSTM", config: { input_size: 1, hidden_size: 1, num_layers: 1 },
  weights: [...gates.flat(), ...bias, ...start, 1, 0], sample_rate,  // behind the state the head, whose output is h
});

export const play = (instance, samples) => {  // the package takes at most 128 samples at a time
  const output = new Float32Array(samples.length);
  nam.process(instance, Float32Array.from(samples), output);
  return Array.from(output);
};

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
export const steps = ({ gates, bias }, state, samples) => {
  let [h, c] = state;
  const heard = samples.map((x) => {
    const [i, f, candidate, o] = gates.map(([of_x, of_h], k) => of_x * x + of_h * h + bias[k]);
    c = sigmoid(f) * c + sigmoid(i) * Math.tanh(candidate);
    h = sigmoid(o) * Math.tanh(c);
    return h;
  });
  return { heard, state: [h, c] };
};

export const close = (a, b, tolerance) => a.length === b.length && a.every((x, k) => Math.abs(x - b[k]) < tolerance);
export const digits = (values) => values.map((x) => x.toFixed(3)).join(" ");
