#include "tests/fuzz/stored.hpp"

#include <rnnc/compile.hpp>

#include <deque>

#include "compiler/network/network.hpp"
#include "compiler/portable/translate.hpp"
#include "ir/parse.hpp"
#include "ir/scan.hpp"
#include "ir/verify.hpp"

namespace rnnc::fuzz {
namespace {

constexpr const char* kCells = R"(
cell leak {
  input x : f32[2]
  state h : f32[3]
  param W : f32[3, 2]
  param b : f32[3]
  h' = tanh(W @ x + b + 0.5 * h)
  output h'
}
cell count {
  input x : f32[3]
  state n : f32[1]
  n' = n + x[0:1] * max(x)
  output n'
})";

// With calls of every kind: two directions, gathered inputs, a state that an input begins, one that a parameter begins.
constexpr const char* kNetwork = R"(
network all {
  input x : seq f32[2]
  input v : f32[3]
  param h0 : f32[3]
  a = bidirectional leak(x)
  b = leak(x) from (h = v)
  c = leak(x) from (h = h0)
  d = count(c)
  output concat(tanh(a), b, d, last(a), mean(b))
  output ends = concat(b.h, v)
  output counts = d
})";

constexpr const char* kStream = R"(
network stream {
  input x : seq f32[2]
  a = leak(x)
  b = count(a)
  output b
})";

ir::Module parsed(const char* network) { return ir::parse(std::string(network) + kCells).value(); }

struct Part {
  runtime::Description description;
  std::vector<float> weights;
};

Part part_of(const ir::Cell& cell, const runtime::TensorRefs& weights) {
  compiler::CellCode made = compiler::portable_code_of(cell, *runtime::portable_kernels("")).value();
  const runtime::LoadedCell loaded =
      runtime::load_cell(std::move(made.description), std::move(made.code), weights).value();
  return {loaded.description, {loaded.weights.data(), loaded.weights.data() + loaded.weights.size()}};
}

// Makes a program of two levels, which share the weights of their cells.
runtime::StoredProgram stored(const ir::Network& network) {
  runtime::StoredProgram stored;
  runtime::StoredLevel level{"low", 0, {}, {}};
  std::deque<Part> parts;  // whose addresses are asked for
  const auto add = [&](const ir::Cell& cell,
                       const runtime::TensorRefs& weights) -> Result<const runtime::Description*> {
    parts.push_back(part_of(cell, weights));
    const auto number = static_cast<std::uint32_t>(level.cells.size());
    level.codes.push_back({parts.back().description, code_that_returns()});
    level.cells.push_back({number, number});
    stored.weights.push_back(parts.back().weights);
    return &parts.back().description;
  };
  compiler::NetworkParts made =
      compiler::put_together(network, "cpu", equal_weights(network), runtime::kRowFormat, add).value();
  stored.description = std::move(made.description);
  stored.list = std::move(made.list);
  stored.levels = {level, level};
  stored.levels.back().cpu = "high";
  return stored;
}

}  // namespace

TensorMap equal_weights(const ir::Graph& graph) {
  TensorMap weights;
  for (const ir::Weight& weight : ir::weights_of(graph)) {
    Shape shape;
    std::size_t elements = 1;
    for (const ir::Dim& dim : weight.type.dims)
      shape.push_back(dim.value()), elements *= static_cast<std::size_t>(dim.value());
    weights.emplace(weight.name, Tensor::from_f32(shape, std::vector<float>(elements, 0.25f)));
  }
  return weights;
}

runtime::CodeImage code_that_returns() {
  constexpr std::size_t kEntry = 16;  // sanitizers of clang look at what stands before a function
#if defined(__x86_64__)
  constexpr unsigned char kReturn[] = {0xc3};
#elif defined(__aarch64__)
  constexpr unsigned char kReturn[] = {0xc0, 0x03, 0x5f, 0xd6};
#endif
  runtime::CodeImage image{std::vector<std::byte>(kEntry), 0, kEntry, kEntry};
  for (const unsigned char byte : kReturn) image.bytes.push_back(std::byte{byte});
  return image;
}

runtime::StoredEntry stored_entry() {
  const ir::Module module = parsed("");
  const ir::Cell& cell = *module.find("leak");
  const TensorMap weights = equal_weights(cell);
  Part part = part_of(cell, runtime::refs_to(weights));
  return {kSeedKey, 0, {std::move(part.description), code_that_returns()}};
}

runtime::StoredProgram stored_cell() { return stored(ir::network_of(*parsed("").find("leak"))); }

runtime::StoredProgram stored_network() { return stored(parsed(kNetwork).networks.front()); }

Program seed_program() {
  const ir::Module module = parsed(kStream);
  return compile(Model(std::make_shared<ir::Module>(module)), equal_weights(module.networks.front()),
                 {.backend = Backend::Portable})
      .value();
}

}  // namespace rnnc::fuzz
