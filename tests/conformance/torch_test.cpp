// torch.nn.LSTM, GRU and RNN: stacks of layers in one and two directions over sequences of different lengths. The data
// are of PyTorch in double precision, rounded to f32 (torch/make_data.py).
#include <cmath>
#include <string>

#include <rnnc/tensor_files.hpp>
#include "ir/interpret_network.hpp"
#include "ir/parse.hpp"
#include "ir/verify.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_network.hpp"

namespace rnnc::test {
namespace {

using ir::NamedVectors;
using ir::Vector;

struct Kind {
  std::string name;
  std::vector<std::string> gates;  // in the order of torch
  bool candidate_bias;             // the last gate keeps its recurrent bias apart
};

const Kind kKinds[] = {{"lstm", {"i", "f", "g", "o"}, false}, {"gru", {"r", "z", "n"}, true}, {"rnn", {""}, false}};

struct Case {
  const Kind& kind;
  int layers, directions;
  TensorMap tensors;  // of this case, as torch names them

  const Tensor& at(const std::string& name) const {
    return tensors.at(std::to_string(layers) + "x" + std::to_string(directions) + "." + name);
  }
  Vector values(const std::string& name) const {
    const std::vector<float> found = at(name).to_f32();
    return {found.begin(), found.end()};
  }
  std::vector<std::string> prefixes(int layer) const {
    const std::string scan = "l" + std::to_string(layer) + ".";
    if (directions == 1) return {scan};
    return {scan + "fwd.", scan + "bwd."};
  }
};

std::string network_text(const Case& c) {
  std::string text = "network stack<I, H> {\n  input x : seq f32[I]\n", below = "x";
  for (int l = 0; l < c.layers; ++l) {
    const std::string name = "l" + std::to_string(l);
    text += "  " + name + " = " + (c.directions == 2 ? "bidirectional " : "") + c.kind.name + "<H=H>(" + below + ")\n";
    below = name;
  }
  return text + "  output " + below + "\n}\n";
}

Vector part(const Vector& whole, std::size_t gate, std::size_t gates) {
  const std::size_t size = whole.size() / gates;
  return {whole.begin() + static_cast<std::ptrdiff_t>(gate * size),
          whole.begin() + static_cast<std::ptrdiff_t>((gate + 1) * size)};
}

// Torch stacks the gates of a layer in one tensor and has two biases.
void add_weights(const Case& c, int layer, bool reverse, const std::string& prefix, NamedVectors& weights) {
  const std::string suffix = "_l" + std::to_string(layer) + (reverse ? "_reverse" : "");
  const Vector w = c.values("weight_ih" + suffix), u = c.values("weight_hh" + suffix);
  const Vector bw = c.values("bias_ih" + suffix), bu = c.values("bias_hh" + suffix);
  const std::size_t gates = c.kind.gates.size();
  for (std::size_t g = 0; g < gates; ++g) {
    const std::string& gate = c.kind.gates[g];
    weights[prefix + "W" + gate] = part(w, g, gates);
    weights[prefix + "U" + gate] = part(u, g, gates);
    Vector b = part(bw, g, gates);
    const Vector recurrent = part(bu, g, gates);
    if (c.kind.candidate_bias && g + 1 == gates) {
      weights[prefix + "bu" + gate] = recurrent;
    } else {
      for (std::size_t k = 0; k < b.size(); ++k) b[k] += recurrent[k];
    }
    weights[prefix + "b" + gate] = b;
  }
}

void check_near(const Vector& found, const Vector& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("element " << i);
    REQUIRE(std::fabs(found[i] - expected[i]) <= 2e-6);
  }
}

void check_compiled(const Case& c, const ir::Network& network, const NamedVectors& weights,
                    const ir::NetworkBatch& batch, const NamedVectors& states,
                    const std::vector<std::string>& prefixes) {
  for (const int threads : {1, 2}) {
    const NetworkOutcome outcome =
        run_network(compile_network(network, weights, {.threads = threads}), network, batch, states);
    check_near({outcome.y.begin(), outcome.y.end()}, c.values("y"));
    for (std::size_t p = 0; p < prefixes.size(); ++p) {
      for (const auto& [state, final] : {std::pair("h", "hn"), std::pair("c", "cn")}) {
        const auto found = outcome.states.find(prefixes[p] + state);
        if (found == outcome.states.end()) continue;
        check_near({found->second.begin(), found->second.end()}, part(c.values(final), p, prefixes.size()));
      }
    }
  }
}

void check_case(const Case& c) {
  const Shape x = c.at("x").shape;
  const std::int64_t hidden = c.at("h").shape[2];
  const ir::Module module = ir::parse(network_text(c)).value();
  const ir::Network network = ir::bind_dims(module.networks.at(0), {{"I", x[2]}, {"H", hidden}}).value();
  NamedVectors weights, states;
  std::vector<std::string> prefixes;
  for (int l = 0; l < c.layers; ++l) {
    for (const std::string& prefix : c.prefixes(l)) {
      add_weights(c, l, prefix.ends_with("bwd."), prefix, weights);
      prefixes.push_back(prefix);
    }
  }
  for (std::size_t p = 0; p < prefixes.size(); ++p) {
    states[prefixes[p] + "h"] = part(c.values("h"), p, prefixes.size());
    if (c.kind.name == "lstm") states[prefixes[p] + "c"] = part(c.values("c"), p, prefixes.size());
  }
  const ir::NetworkBatch batch{x[1], {{"T", {x[0], {6, 1, 4, 3}}}}, {{"x", c.values("x")}}};
  const NamedVectors initial = states;
  check_near(ir::interpret(network, weights, batch, states), c.values("y"));
  check_compiled(c, network, weights, batch, initial, prefixes);
  for (std::size_t p = 0; p < prefixes.size(); ++p) {
    check_near(states.at(prefixes[p] + "h"), part(c.values("hn"), p, prefixes.size()));
    if (c.kind.name == "lstm") check_near(states.at(prefixes[p] + "c"), part(c.values("cn"), p, prefixes.size()));
  }
}

}  // namespace

TEST_CASE("stacks of torch's layers, in one and two directions and of ragged lengths, give torch's numbers") {
  for (const Kind& kind : kKinds) {
    const std::string path = RNNC_SOURCE_DIR "/tests/conformance/torch/" + kind.name + ".safetensors";
    const TensorMap tensors = load_safetensors(path).value();
    for (const int layers : {1, 2, 3}) {
      for (const int directions : {1, 2}) {
        INFO(layers << " layers of " << kind.name << ", " << directions << " directions");
        check_case({kind, layers, directions, tensors});
      }
    }
  }
}

}  // namespace rnnc::test
