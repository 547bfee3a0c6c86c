#include "tests/support/networks.hpp"

#include <algorithm>
#include <utility>

#include "ir/parse.hpp"
#include "ir/scan.hpp"
#include "tests/support/catch.hpp"

namespace rnnc::test {

using ir::NamedVectors;
using ir::Network;
using ir::Vector;

Network network_of(const std::string& text, const ir::DimBindings& dims) {
  const Result<ir::Module> module = ir::parse(text);
  if (!module) FAIL(module.error().to_string());
  const Result<Network> bound = ir::bind_dims(module->networks.at(0), dims);
  if (!bound) FAIL(bound.error().to_string());
  return *bound;
}

const char* const kSampleCells =
    " cell scale<N> { input x : f32[N] input k : f32 state s : f32 s' = s + k output x * s' }"
    " cell beside<I, N, H> { input x : f32[I] input c : f32[N] state h : f32[H] param W : f32[H, I] param V : f32[H, N]"
    " param U : f32[H, H] param b : f32[H] h' = tanh(W @ x + V @ c + U @ h + b * sum(c)) output h' + V @ c }"
    " cell bands<H> { input x : f32[12] state h : f32[2*H] param W : f32[H, 6] param U : f32[H, H] param g : f32[H]"
    " s = W @ windows(reflect(rows(x, 6), 0, 2), 3, 3) + U @ rows(h, 2) h' = flatten(tanh(s - mean(s)) * g) "
    "output concat(h', fill(sum(h), 2)) }"
    " cell pick<V> { state token : f32 param E : f32[V, V] token' = argmax(lookup(E, token)) output lookup(E, token') "
    "}";

const std::vector<std::string>& sample_networks() {
  static const std::vector<std::string> networks = {
      "output x",
      "output v",
      "output concat(v, x)[2:7]",
      "param p : f32[3] output p",
      "param p : f32[3] output concat(2 * p, x)",
      "output tanh(x) * k + s",
      "output sum(x) + mean(tanh(x) * s)",
      "output softmax(last(x)) + first(x) * max(k)",
      "param p : f32[19] m = concat(v, x, p) output concat(last(m), first(m), mean(m), max(m), sum(m))",
      "a = rnn<H=2>(x) output a",
      "a = reverse lstm<H=2>(x) from (h = v[0:2], c = tanh(v[2:4])) output concat(a.c, a.h, last(a))",
      "a = bidirectional lstm<H=2>(x) b = bidirectional gru<H=3>(a) merge sum c = reverse rnn<H=4>(b) output c + v",
      "a = bidirectional gru<H=2>(x) merge mean b = bidirectional gru<H=2>(a) merge mul output a + b",
      "a = bidirectional lstm<H=17>(x) b = bidirectional lstm<H=17>(a) c = bidirectional lstm<H=17>(b) output c",
      "a = bidirectional lstm<H=2>(x) from (bwd.c = v[0:2]) b = rnn<H=4>(x) from (h = concat(a.fwd.h, a.bwd.c)) output "
      "b",
      "param h0 : f32[3] a = gru(x) from (h = h0) output a[1:3]",
      "param h0 : f32[3] a = gru(x) from (h = concat(v, h0)[4:7]) output a",
      "param W : f32[5, 5] a = rnn<H=5>(x) b = rnn<H=5>(a + x) c = rnn<H=5>(W @ b + a + x) output c + W @ (b + x)",
      "e = gru<H=4>(x) d = rnn<H=4>(concat(y, e.h)) from (h = tanh(e.h + v)) output d[0:3] * y + last(k)",
      "e = bidirectional gru<H=2>(x) d = rnn<H=4>(concat(y, v)) from (h = concat(e.fwd.h, e.bwd.h)) output concat(d, "
      "y)",
      "p = tanh(x) q = p * p r = rnn<H=5>(q) u = q + r w = rnn<H=5>(u) output concat(w, p, u)",
      "unused = rnn<H=2>(x) dead = tanh(unused) output sum(k)",
      "a = scale(x, k * s) b = scale(concat(a, k * x)[1:8], argmax(x[0:4] * v)) output max(b)",
      "a = scale(v, k) output argmax(a) * k",
      "param E : f32[9, 37] param W : f32[3, 37] i = argmax(x) a = gru<H=3>(lookup(E, i)) output a + W @ lookup(E, i)",
      "param E : f32[9, 37] output concat(lookup(E[1:8, 2:30], argmax(x)), lookup(E, k * 100))",
      "param E : f32[4, 7] param F : f32[3, 7] output lookup(concat(E, F, E)[1:10, 2:6], argmax(x) + k)",
      "e = gru<H=4>(x) d = pick<V=6>() steps S from (token = argmax(e.h + v)) output d[0:3] * y + last(k)",
      "a0 = x[0:4] a1 = concat(a0, a0) a2 = a1[1:7] a3 = concat(a2, v, a2) output tanh(a3[2:9]) + a3[4:11]",
      "param x1, x1_ : f32 output tanh(x) * x1 + x1_",
      "d = lstm<H=4>(v) steps S from (h = v * s) output concat(d, y)",
      "e = rnn<H=3>(x) d = beside<H=5>(x, concat(e.h, v)) f = reverse beside<H=17>(d, v) output concat(d, f)",
      "d = gru<H=3>(v * s) steps T output d * k",
      "param W : f32[19, 6] param P : f32[3, 19] c = relu(W @ windows(rows(pad(x, 1, 2), 4), 3, 1) + P[1:3]) "
      "a = rnn<H=3>(max_rows(c)) output concat(flatten(c * s), a, sum_rows(beside(c, c)[:, 18:21]))",
      "a = bands<H=17>(concat(x, x, v[0:2])) b = reverse bands<H=3>(a[20:32]) output concat(b, a)",
      "a = lstm<H=7>(x) output tanh(a) output energy = sum(a * a) output ends = a.c output all = a output part = "
      "a[2:5]",
      "a = rnn<H=3>(x) b = gru<H=2>(a) output b output ahead = a output again = b output both = concat(b, x, a)",
      "a = bidirectional gru<H=3>(x) d = rnn<H=4>(concat(y, v)) output first = mean(a) output over_s = d output y = "
      "tanh(x) * sum(v) output s = s * 2",
      "param p : f32[3] output x output fixed = p output given = v output still = 2 * p",
  };
  return networks;
}

Network sample_network(const std::string& statements) {
  return network_of(
      "network n { input x : seq f32[5] input k : seq f32 input v : f32[4] input s : f32 input y : seq<S> f32[3] " +
      statements + " }" + kSampleCells);
}

namespace {

std::vector<std::int64_t> random_lengths(Random& random, std::int64_t batch, std::int64_t steps) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t b = 0; b < batch; ++b)
    lengths.push_back(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(steps) + 1)));
  return lengths;
}

}  // namespace

ir::NetworkBatch sample_batch(Random& random, std::int64_t batch, std::map<std::string, ir::Time> times) {
  const std::int64_t steps = times.at("T").steps, others = times.at("S").steps;
  ir::NetworkBatch result{batch, std::move(times), {}};
  result.inputs["x"] = random_vector(random, steps * batch * 5);
  result.inputs["k"] = random_vector(random, steps * batch);
  result.inputs["v"] = random_vector(random, batch * 4);
  result.inputs["s"] = random_vector(random, batch);
  result.inputs["y"] = random_vector(random, others * batch * 3);
  return result;
}

ir::NetworkBatch sample_batch(Random& random, std::int64_t batch, bool ragged) {
  std::map<std::string, ir::Time> times = {{"T", {11, {}}}, {"S", {4, {}}}};
  if (ragged)
    for (auto& [name, time] : times) time.lengths = random_lengths(random, batch, time.steps);
  return sample_batch(random, batch, std::move(times));
}

Vector random_vector(Random& random, std::int64_t size) {
  const std::vector<float> values = random.vector(static_cast<std::size_t>(size), -1, 1);
  return {values.begin(), values.end()};
}

NamedVectors random_weights(const Network& network, Random& random) {
  NamedVectors weights;
  for (const ir::Weight& weight : ir::weights_of(network)) {
    std::int64_t size = 1;
    for (const ir::Dim& dim : weight.type.dims) size *= dim.value();
    weights[weight.name] = random_vector(random, size);
  }
  return weights;
}

namespace {

class CallRunner {
 public:
  CallRunner(const compiler::CallList& list, const NamedVectors& weights, const ir::NetworkBatch& batch,
             NamedVectors& states)
      : list_(list), weights_(weights), batch_(batch), states_(states), buffers_(list.buffers.size()) {
    for (std::size_t i = 0; i < buffers_.size(); ++i) {
      if (!list.buffers[i].input.empty()) buffers_[i] = batch.inputs.at(list.buffers[i].input);
    }
  }

  std::vector<Vector> run() {
    for (const compiler::Call& call : list_.calls) std::visit([this](const auto& any) { run(any); }, call);
    std::vector<Vector> outputs;
    for (const compiler::CallOutput& output : list_.outputs) outputs.push_back(rows(output.row, output.axis));
    return outputs;
  }

 private:
  std::int64_t steps(const std::string& axis) const { return axis.empty() ? 1 : batch_.times.at(axis).steps; }
  std::int64_t length(const std::string& axis, std::int64_t b) const {
    if (axis.empty() || batch_.times.at(axis).lengths.empty()) return steps(axis);
    return batch_.times.at(axis).lengths[static_cast<std::size_t>(b)];
  }
  std::vector<std::int64_t> lengths(const std::string& axis) const {
    return axis.empty() ? std::vector<std::int64_t>() : batch_.times.at(axis).lengths;
  }

  // [steps, B, width] with 0 behind the end of a sequence; of a reverse call, each sequence from its end.
  Vector rows(const compiler::Row& row, const std::string& axis, bool reverse = false) const {
    Vector result;
    for (std::int64_t t = 0; t < steps(axis); ++t) {
      for (std::int64_t b = 0; b < batch_.sequences; ++b) {
        const bool beyond = t >= length(axis, b);
        const std::int64_t from = reverse ? length(axis, b) - 1 - t : t;
        for (const compiler::Columns& columns : row) {
          const compiler::Buffer& buffer = list_.buffers[columns.buffer];
          REQUIRE((buffer.axis.empty() || buffer.axis == axis));
          REQUIRE((columns.begin < columns.end && columns.end <= buffer.width));
          const std::int64_t step = buffer.axis.empty() ? 0 : from;
          for (std::int64_t k = columns.begin; k < columns.end; ++k) {
            const std::int64_t i = (step * batch_.sequences + b) * buffer.width + k;
            result.push_back(beyond ? 0 : buffers_[columns.buffer].at(static_cast<std::size_t>(i)));
          }
        }
      }
    }
    return result;
  }

  void write(std::size_t buffer, Vector values) {
    REQUIRE(buffers_[buffer].empty());
    REQUIRE(std::ssize(values) == steps(list_.buffers[buffer].axis) * batch_.sequences * list_.buffers[buffer].width);
    buffers_[buffer] = std::move(values);
  }

  void run(const compiler::CellCall& call) {
    NamedVectors params, states;
    for (const auto& [param, name] : call.weights) params[param] = weights_.at(name);
    for (const ir::Node& node : call.cell.nodes) {
      if (node.op != ir::Op::State) continue;
      const auto given = states_.find(call.prefix + node.name);
      if (given != states_.end()) states[node.name] = given->second;
      const bool goes_on = given != states_.end() && !call.begins_anew;
      if (call.initial.count(node.name) != 0 && !goes_on) states[node.name] = rows(call.initial.at(node.name), "");
    }
    const ir::Batch batch{steps(call.axis), batch_.sequences, rows(call.x, call.axis, call.reverse),
                          lengths(call.axis)};
    Vector y = ir::interpret(call.cell, params, batch, states);
    if (call.reverse) y = reversed(y, call.axis);
    write(call.y, std::move(y));
    for (const auto& [name, buffer] : call.final_states) write(buffer, states.at(name));
    for (const auto& [name, value] : states) states_[call.prefix + name] = value;
  }

  Vector reversed(const Vector& y, const std::string& axis) const {
    Vector result(y.size());
    const std::int64_t size = std::ssize(y) / std::max<std::int64_t>(1, steps(axis) * batch_.sequences);
    for (std::int64_t b = 0; b < batch_.sequences; ++b) {
      for (std::int64_t t = 0; t < length(axis, b); ++t) {
        const std::int64_t from = length(axis, b) - 1 - t;
        std::copy_n(y.begin() + (from * batch_.sequences + b) * size, size,
                    result.begin() + (t * batch_.sequences + b) * size);
      }
    }
    return result;
  }

  void run(const compiler::TimeCall& call) {
    const Vector x = rows(call.x, call.axis);
    const std::int64_t width = list_.buffers[call.y].width;
    Vector y;
    if (call.over_time == ir::OverTime::Turned) {
      y.resize(x.size());
      for (std::int64_t b = 0; b < batch_.sequences; ++b)
        for (std::int64_t t = 0; t < length(call.axis, b); ++t)
          std::copy_n(x.begin() + ((length(call.axis, b) - 1 - t) * batch_.sequences + b) * width, width,
                      y.begin() + (t * batch_.sequences + b) * width);
      return write(call.y, std::move(y));
    }
    for (std::int64_t b = 0; b < batch_.sequences; ++b) {
      for (std::int64_t k = 0; k < width; ++k) {
        Vector values;
        for (std::int64_t t = 0; t < length(call.axis, b); ++t) {
          values.push_back(x[static_cast<std::size_t>((t * batch_.sequences + b) * width + k)]);
        }
        y.push_back(over(call.over_time, values));
      }
    }
    write(call.y, std::move(y));
  }

  static double over(ir::OverTime over_time, const Vector& values) {
    if (values.empty()) return 0;
    switch (over_time) {
      case ir::OverTime::Last: return values.back();
      case ir::OverTime::First: return values.front();
      case ir::OverTime::Mean: return ir::evaluate(ir::Reduction::Mean, {values})[0];
      case ir::OverTime::Max: return *std::max_element(values.begin(), values.end());
      case ir::OverTime::Sum: return ir::evaluate(ir::Reduction::Sum, {values})[0];
      case ir::OverTime::Turned: break;
    }
    return 0;
  }

  const compiler::CallList& list_;
  const NamedVectors& weights_;
  const ir::NetworkBatch& batch_;
  NamedVectors& states_;
  std::vector<Vector> buffers_;
};

}  // namespace

std::vector<Vector> run_calls(const compiler::CallList& list, const NamedVectors& weights,
                              const ir::NetworkBatch& batch, NamedVectors& states) {
  return CallRunner(list, weights, batch, states).run();
}

}  // namespace rnnc::test
