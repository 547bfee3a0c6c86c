// This file has the targets of the language: what parses is printed, read back and, where it is small, compiled and
// run.
#include <rnnc/compile.hpp>

#include <map>

#include "compiler/schedule/plan.hpp"
#include "ir/parse.hpp"
#include "ir/print.hpp"
#include "ir/scan.hpp"
#include "ir/verify.hpp"
#include "tests/fuzz/stored.hpp"
#include "tests/fuzz/targets.hpp"

namespace rnnc::fuzz {
namespace {

constexpr std::int64_t kMostElements =
    1 << 12;                             // of weights, and of a value; larger cells take time and show nothing more
constexpr std::int64_t kMostRows = 256;  // of all values of a cell

template <class G>
void require_equal(const std::vector<G>& a, const std::vector<G>& b) {
  require(a.size() == b.size(), "printing changes how many there are");
  for (std::size_t i = 0; i < a.size(); ++i) require(ir::equal(a[i], b[i]), "printing changes " + a[i].name);
}

void round_trip(const ir::Module& module) {
  const std::string printed = ir::print(module);
  const Result<ir::Module> again = ir::parse(printed, "printed");
  require(again.ok(), again ? "" : again.error().to_string() + "\n" + printed);
  require_equal(module.cells, again->cells);
  require_equal(module.networks, again->networks);
  require(ir::print(*again) == printed, "printed again, it is other text");
}

bool is_small(const ir::Graph& graph) {
  std::int64_t total = 0;
  for (const ir::Weight& weight : ir::weights_of(graph)) {
    std::int64_t elements = 1;
    for (const ir::Dim& dim : weight.type.dims)
      if ((elements *= dim.value()) > kMostElements) return false;
    if ((total += elements) > kMostElements) return false;
  }
  std::int64_t rows = 0;  // each is compiled by itself
  for (const ir::Node& node : graph.nodes) {
    for (const ir::Dim& dim : node.type.dims)
      if (dim.value() > kMostElements) return false;
    if (node.type.is_rows && (rows += node.type.dims[0].value()) > kMostRows) return false;
    if (node.type.is_rows && ir::elements(node.type) > kMostElements) return false;
  }
  return true;
}

void run_twice(const Program& program) {
  constexpr std::int64_t kBatch = 2, kSteps = 3;
  if (program.state_bytes(kBatch, kSteps) > 1 << 20 || program.output_size() > kMostElements ||
      program.input_size() > kMostElements || !program.named_inputs().empty())
    return;
  State state = program.make_state(kBatch, kSteps);
  const std::vector<float> x(static_cast<std::size_t>(kSteps * kBatch * program.input_size()), 0.5f);
  std::vector<float> y(static_cast<std::size_t>(kSteps * kBatch * program.output_size()));
  const std::int32_t lengths[kBatch] = {1, 3};
  const RunStatus whole = program.run(state, {.x = x, .y = y, .steps = kSteps});
  const RunStatus ragged = program.run(state, {.x = x, .y = y, .steps = kSteps, .lengths = lengths});
  require(whole == ragged, "lengths change whether a call is right");
}

template <class G>
void compile_and_run(const G& graph) {
  ir::DimBindings dims;
  for (const std::string& dim : graph.dims) dims[dim] = 3;
  const Result<G> bound = ir::bind_dims(graph, dims);
  if (!bound || !is_small(*bound)) return;
  auto module = std::make_shared<ir::Module>();
  if constexpr (std::is_same_v<G, ir::Cell>)
    module->cells.push_back(*bound);
  else
    module->networks.push_back(*bound);
  const Result<Program> program = compile(Model(module), equal_weights(*bound), {.backend = Backend::Portable});
  if (program) run_twice(*program);
}

}  // namespace

void fuzz_text(Bytes bytes) {
  const Result<ir::Module> module = ir::parse(text_of(bytes), "fuzz.rnn");
  if (!module) return require(!module.error().message.empty(), "an error says nothing");
  round_trip(*module);
}

void fuzz_cell(Bytes bytes) {
  const Result<ir::Module> module = ir::parse(text_of(bytes), "fuzz.rnn");
  if (!module) return;
  for (const ir::Cell& cell : module->cells) compile_and_run(cell);
  for (const ir::Network& network : module->networks) compile_and_run(network);
}

void fuzz_plan(Bytes bytes) {
  const auto choices = compiler::parse_choices(text_of(bytes));
  if (!choices) return require(choices.error().code == ErrorCode::Usage, "a wrong plan is of another kind of error");
  std::string printed;
  for (const compiler::PlanChoice& choice : *choices) printed += (printed.empty() ? "" : ",") + compiler::print(choice);
  const auto again = compiler::parse_choices(printed);
  require(again && *again == *choices, "printing changes a plan");
}

}  // namespace rnnc::fuzz
