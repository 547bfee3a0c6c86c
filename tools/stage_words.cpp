#include "tools/stage_words.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <rnnc/join.hpp>

#include "compiler/schedule/plan_stage.hpp"
#include "compiler/schedule/stage_flow.hpp"

namespace rnnc::tools {
namespace {

using compiler::Lowered;
using compiler::Panel;
using compiler::Phase;
using compiler::Read;
using compiler::Schedule;
using compiler::Stage;
using compiler::StageFlow;

std::string when(Phase phase) {
  switch (phase) {
    case Phase::Once: return "once";
    case Phase::Sequence: return "ahead";
    case Phase::Step: return "each step";
  }
  return "";
}

std::string source_of(const Read& read) {
  switch (read.from) {
    case Read::From::Input: return read.name;
    case Read::From::State: return read.name;
    case Read::From::Param: return read.name;
    case Read::From::Stage: return "stage " + std::to_string(read.stage);
  }
  return "";
}

// Counts the functions that a stage computes: those between what it stores or reduces and what it loads.
class Functions {
 public:
  Functions(const Schedule& schedule, const Stage& stage) : schedule_(schedule), stage_(stage) {
    for (const compiler::ReductionStep& step : stage.reductions) {
      add(std::string(ir::facts(schedule.cell[step.node].reduction).name));
      for (const ir::Value operand : schedule.cell[step.node].operands) visit(operand);
    }
    for (const compiler::Store& store : stage.stores) visit(store.value);
  }

  std::string in_words() const {
    std::vector<std::string> parts;
    for (const std::string& name : order_) {
      const int count = counts_.at(name);
      parts.push_back(count == 1 ? name : std::to_string(count) + " " + name);
    }
    return join(parts);
  }

 private:
  void add(const std::string& name) {
    if (counts_[name]++ == 0) order_.push_back(name);
  }

  void visit(ir::Value value) {
    const ir::Node& node = schedule_.cell[value];
    if (!seen_.insert(value.index).second || compiler::is_loaded(schedule_, stage_, value)) return;
    if (node.op == ir::Op::Project || node.op == ir::Op::Reduce) return;
    for (const ir::Value operand : node.operands) visit(operand);
    if (node.op == ir::Op::Map) add(word_of(node.function));
    if (node.op == ir::Op::Quantize) add("round to integers");
    if (node.op == ir::Op::Lookup) add("lookup");
  }

  const Schedule& schedule_;
  const Stage& stage_;
  std::set<std::uint32_t> seen_;
  std::map<std::string, int> counts_;
  std::vector<std::string> order_;
};

// The same matrices may be multiplied by several rows of a step, so that equal products are counted.
std::string products_of(const Stage& stage, const StageFlow& flow, const compiler::Plan& plan) {
  std::vector<std::pair<std::string, int>> matrices;
  for (const ir::Value product : stage.products) {
    const Panel& panel = plan.panel(product);
    const std::string text = (panel.gates == 1 ? "matrix" : std::to_string(panel.gates) + " matrices") + " [" +
                             std::to_string(panel.units) + ", " + std::to_string(panel.columns) + "]" +
                             (panel.sparse ? " without zeros" : "");
    const auto found = std::ranges::find(matrices, text, &std::pair<std::string, int>::first);
    if (found == matrices.end())
      matrices.emplace_back(text, 1);
    else
      ++found->second;
  }
  if (matrices.empty()) return "";
  const auto counted = [](const auto& each) {
    return each.first + (each.second == 1 ? "" : " (" + std::to_string(each.second) + " products)");
  };
  std::vector<std::string> vectors;
  for (const Read& read : flow.reads)
    if (read.in_product) vectors.push_back(source_of(read));
  return join(matrices, counted) + (vectors.empty() ? "" : " times " + join(vectors));
}

std::string results_of(std::size_t index, const std::vector<StageFlow>& flows) {
  std::vector<std::string> names = flows[index].states;
  for (std::string& name : names) name = "next " + name;
  if (flows[index].output) names.emplace_back("y");
  std::string between = "values for ";
  for (std::size_t reader = 0; reader < flows.size(); ++reader) {
    const auto reads_this = [&](const Read& read) { return read.from == Read::From::Stage && read.stage == index; };
    if (std::ranges::none_of(flows[reader].reads, reads_this)) continue;
    names.push_back(between + "stage " + std::to_string(reader));
    between.clear();
  }
  return join(names);
}

std::string does(std::size_t index, const Lowered& lowered, const std::vector<StageFlow>& flows) {
  const Stage& stage = lowered.schedule.stages[index];
  const std::string products = products_of(stage, flows[index], lowered.plan);
  const std::string functions = Functions(lowered.schedule, stage).in_words();
  const std::string results = results_of(index, flows);
  std::string text = products;
  if (!functions.empty()) text += (text.empty() ? "" : "; then ") + functions;
  if (text.empty()) text = "moves values";
  return results.empty() ? text : text + "; gives " + results;
}

std::string blocks(int count, int lanes) {
  return count == 1 ? std::to_string(lanes) + " units"
                    : std::to_string(count) + " x " + std::to_string(lanes) + " units";
}

std::string tile_of(const compiler::StagePlan& tiles, int lanes, std::int64_t batch) {
  std::string text;
  if (batch == 1 || tiles.batch_rows == 0) {
    text = "one sequence: " + blocks(tiles.single_blocks, lanes);
    if (tiles.turns) text += ", backwards at odd steps";
  }
  if (tiles.batch_rows > 0)
    text += (text.empty() ? "" : "; several: ") + std::to_string(tiles.batch_rows) + " rows x " +
            blocks(tiles.batch_blocks, lanes) + (tiles.fetch_ahead ? ", the next fetched ahead" : "");
  return text;
}

double bytes_of(const Stage& stage, const compiler::Plan& plan) {
  double bytes = 0;
  for (const ir::Value product : stage.products) {
    const Panel& panel = plan.panel(product);
    if (!panel.is_shared)
      bytes += static_cast<double>(runtime::bytes_of(panel.format, panel.gates * panel.units * panel.columns));
  }
  return bytes;
}

// Names the level of the machine that the plan is made for which holds so many bytes.
std::string level_of(double bytes, const compiler::Machine& machine) {
  for (std::size_t i = 0; i < machine.memory.size(); ++i)
    if (bytes <= machine.memory[i].bytes)
      return machine.memory[i].bytes == compiler::kBeyond ? "memory" : "L" + std::to_string(i + 1);
  return "memory";
}

}  // namespace

std::vector<StageFacts> stages_in_words(const Lowered& lowered, const compiler::Target& target, std::int64_t batch) {
  const auto& [schedule, plan] = lowered;
  const std::vector<StageFlow> flows = compiler::flow_of(schedule);
  const std::vector<double> seconds = compiler::stage_seconds(schedule, plan, target, batch);
  std::map<Phase, double> phase_bytes;  // the stages of a phase compete for the caches
  for (const Stage& stage : schedule.stages) phase_bytes[stage.phase] += bytes_of(stage, plan);
  std::vector<StageFacts> facts;
  for (std::size_t i = 0; i < schedule.stages.size(); ++i) {
    const Stage& stage = schedule.stages[i];
    StageFacts one{when(stage.phase),
                   does(i, lowered, flows),
                   tile_of(plan.stages[i], plan.lanes, batch),
                   bytes_of(stage, plan),
                   "",
                   seconds[i]};
    if (one.bytes > 0) one.level = level_of(phase_bytes[stage.phase] / plan.threads, plan.machine);
    facts.push_back(std::move(one));
  }
  return facts;
}

}  // namespace rnnc::tools
