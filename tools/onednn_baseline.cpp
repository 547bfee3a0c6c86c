// Cells and stacks of cells, with the weights of the job, become layers of oneDNN.
#include <algorithm>
#include <memory>
#include <ranges>

#include "ir/scan.hpp"
#include "tools/baseline.hpp"
#include "tools/layer_weights.hpp"
#include "tools/onednn_plugin.hpp"

namespace rnnc::tools {
namespace {

// The final states of the result are those of the last layer, one direction after the other.
SequenceResult result_of(const OnednnStack& stack, const ir::Network& network) {
  SequenceResult result;
  result.outputs.emplace_back(stack.output().begin(), stack.output().end());
  for (const ir::Node& node : network.nodes | std::views::reverse) {
    if (node.op != ir::Op::Scan) continue;
    const std::vector<std::string> prefixes = ir::scan_prefixes(node);
    for (const ir::Node& state : node.scan->cell->nodes) {
      if (state.op != ir::Op::State) continue;
      const std::span<const float> values = stack.final_state(state.name);
      const std::size_t size = values.size() / prefixes.size();
      if (size == 0) continue;
      for (std::size_t d = 0; d < prefixes.size(); ++d) {
        const auto own = values.subspan(d * size, size);
        result.states[prefixes[d] + state.name].assign(own.begin(), own.end());
      }
    }
    break;
  }
  return result;
}

OnednnNumbers numbers_of(const std::string& name) {
  if (name == "onednn-bf16") return OnednnNumbers::Bf16;
  return name == "onednn-u8" ? OnednnNumbers::U8 : OnednnNumbers::F32;
}

class OnednnLibrary : public BaselineLibrary {
 public:
  OnednnLibrary(const OnednnPlugin& plugin, std::string name) : plugin_(plugin), name_(std::move(name)) {}

  Result<void> check(const Source& source, const ir::Network& network) const override {
    if (source.network) return {};  // a stack of cells is one too; make tells
    const std::vector<std::string> known = plugin_.cells();
    if (std::ranges::find(known, network.name) == known.end())
      return Error{ErrorCode::Unsupported, {}, "oneDNN has no cell " + network.name};
    return {};
  }

  Result<Baseline> make(const BenchJob& job) const override {
    const BenchFlags& flags = job.flags;
    if (job.source.network && !flags.model.stack.any())
      return Error{
          ErrorCode::Unsupported,
          {},
          "oneDNN baseline: it runs cells and stacks of them (--layers, --bidirectional); --against onnxruntime runs "
          "ONNX files"};
    const OnednnNumbers numbers = numbers_of(name_);
    Result<OnednnStack> made =
        plugin_.make(job.source.cell.name, weights_by_layer(job), flags.steps, flags.batch, flags.threads, numbers);
    if (!made) return made.error();
    auto stack = std::make_shared<OnednnStack>(std::move(*made));
    std::ranges::copy(job.batch.inputs.begin()->second, stack->input().begin());
    stack->run();
    Baseline baseline{name_, plugin_.version(), baseline_title(name_), {[stack] { stack->run(); }, {}}, {}};
    baseline.is_f32 = numbers == OnednnNumbers::F32;
    if (const std::string difference = stack->difference(); !difference.empty())
      baseline.notes.push_back(difference + "; results are not compared");
    else
      baseline.result = result_of(*stack, job.network);
    return baseline;
  }

 private:
  OnednnPlugin plugin_;
  std::string name_;
};

}  // namespace

Result<std::unique_ptr<BaselineLibrary>> load_onednn(const std::string& name) {
  const Result<OnednnPlugin> plugin = OnednnPlugin::load();
  if (!plugin) return plugin.error();
  return std::unique_ptr<BaselineLibrary>(std::make_unique<OnednnLibrary>(*plugin, name));
}

}  // namespace rnnc::tools
