// The steps of ONNX's RNN, GRU and LSTM by the operators' text, with default activations, in double precision. Takes what `example` of
// onnx_stored.js gives; `after` is whether a GRU multiplies by its reset gate after the product with R. Gives Y, [T,D,B,H].
const { gates } = require("./onnx_stored.js");
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const clipped = (x, limit) => Math.min(limit, Math.max(-limit, x));

exports.steps = ({ operator, direction, T, B, I, H, D, X, W, R, bias, h0, c0, P, lens, after, clip = Infinity, coupled }) => {
  const G = gates[operator] * H, Y = Array(T * D * B * H).fill(0), units = [...Array(H).keys()];
  for (let d = 0; d < D; ++d) {
    const product = (weights, width, from, x) => [...Array(G).keys()].map((row) =>
      bias[(2 * d + from) * G + row] + x.reduce((sum, value, k) => sum + value * weights[(d * G + row) * width + k], 0));
    for (let b = 0; b < B; ++b) {
      const length = lens ? lens[b] : T, turned = direction === "reverse" || d === 1;
      const at = (d * B + b) * H;
      let h = h0.slice(at, at + H), c = c0?.slice(at, at + H);
      for (let step = 0; step < length; ++step) {
        const t = turned ? length - 1 - step : step;
        const x = product(W, I, 0, X.slice((t * B + b) * I, (t * B + b + 1) * I)), r = product(R, H, 1, h);
        if (operator === "RNN") h = units.map((k) => Math.tanh(clipped(x[k] + r[k], clip)));
        if (operator === "GRU") {
          const update = units.map((k) => sigmoid(clipped(x[k] + r[k], clip)));
          const reset = units.map((k) => sigmoid(clipped(x[H + k] + r[H + k], clip)));
          const before = product(R, H, 1, h.map((value, k) => value * reset[k]));
          const candidate = units.map((k) =>
            Math.tanh(clipped(x[2 * H + k] + (after ? reset[k] * r[2 * H + k] : before[2 * H + k]), clip)));
          h = units.map((k) => (1 - update[k]) * candidate[k] + update[k] * h[k]);
        }
        if (operator === "LSTM") {
          const peephole = (place, k, cell) => (P ? P[(3 * d + place) * H + k] * cell[k] : 0);  // in P: i, o, f
          const next = units.map((k) => {
            const i = sigmoid(clipped(x[k] + r[k] + peephole(0, k, c), clip));
            const f = coupled ? 1 - i : sigmoid(clipped(x[2 * H + k] + r[2 * H + k] + peephole(2, k, c), clip));
            return f * c[k] + i * Math.tanh(clipped(x[3 * H + k] + r[3 * H + k], clip));
          });
          h = units.map((k) => sigmoid(clipped(x[H + k] + r[H + k] + peephole(1, k, next), clip)) * Math.tanh(clipped(next[k], clip)));
          c = next;
        }
        units.forEach((k) => { Y[((t * D + d) * B + b) * H + k] = h[k]; });
      }
    }
  }
  return Y;
};
exports.close = (a, b) => a.length === b.length && a.every((x, k) => Math.abs(x - b[k]) < 1e-5);
exports.digits = (values) => Array.from(values, (x) => x.toFixed(4)).join(" ");
