#include "compiler/gradient/network_gradient.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "compiler/gradient/cut_graph.hpp"
#include "compiler/gradient/saved.hpp"
#include "compiler/gradient/scan_gradients.hpp"
#include "compiler/network/split_directions.hpp"
#include "ir/scan.hpp"

namespace rnnc::compiler {
namespace {

using ir::Network;
using ir::Node;
using ir::Op;
using ir::Statement;
using ir::Value;

Value value_at(std::size_t i) { return {static_cast<std::uint32_t>(i)}; }

// One graph has the forward network and behind it what the sweep appends; it is cut into two networks at the end.
class NetworkDifferentiator {
 public:
  explicit NetworkDifferentiator(const Network& network) : from_(split_directions(network)) {
    joint_.name = from_.name;
    joint_.location = from_.location;
  }

  NetworkGradient run() {
    copy_forward();
    sweep();
    mark();
    make_forward();
    make_backward();
    return std::move(result_);
  }

 private:
  void copy_forward() {
    std::vector<Value> copies(from_.nodes.size());
    std::map<Value, Value> scans;  // of the given network: what computes it here
    for (std::size_t i = 0; i < from_.nodes.size(); ++i) {
      Node node = from_.nodes[i];
      const std::vector<Value> operands = node.operands;
      for (Value& operand : node.operands) operand = copies[operand.index];
      if (node.op == Op::Scan) {
        const Value scan = scans_.add(from_.nodes[i], std::move(node.operands));
        scans[value_at(i)] = scan;
        copies[i] = shaped(joint_, joint_.slice(scan, 0, elements(node.type)), node.type);
        continue;
      }
      if (node.op == Op::FinalState) node.operands[0] = scans.at(operands[0]);
      copies[i] = joint_.append(std::move(node));
    }
    for (const Statement& statement : from_.statements) {
      if (statement.kind == Statement::Kind::Let) names_.push_back({statement.name, copies[statement.value.index]});
      if (statement.kind == Statement::Kind::Output)
        outputs_.push_back(
            {statement.name.empty() ? std::string(ir::kFirstOutput) : statement.name, copies[statement.value.index]});
    }
    // No name that is made here is one of the text's.
    for (const auto* named : {&names_, &outputs_})
      for (const auto& [name, value] : *named) joint_.statements.push_back({Statement::Kind::Let, name, value, {}});
  }

  void sweep() {
    for (const ir::NamedValue& output : outputs_) {
      const ir::Type type = joint_[output.value].type;
      cotangents_.push_back(scans_.declare(BackwardInput::Kind::Cotangent, output.name, "d_" + output.name, type));
    }
    reverse_.emplace(joint_, [this](Reverse& reverse, Value value, std::optional<Value> cotangent) {
      scans_.visit(reverse, value, cotangent);
    });
    for (std::size_t i = 0; i < outputs_.size(); ++i) reverse_->add(outputs_[i].value, cotangents_[i]);
    reverse_->run();
    terms_ = scans_.terms();
    for (const Term& term : reverse_->terms()) {
      TermValue placed{term.kind, joint_[term.param].name, term.window, 1, whole(term.left), {}};
      if (term.kind != Term::Kind::Sum) placed.right = whole(term.right);
      if (term.kind == Term::Kind::Product && joint_[term.left].type.rank() == 2)
        placed.count = joint_[term.left].type.dims[0].value();
      terms_.push_back(std::move(placed));
    }
  }

  TermValue::Columns whole(Value value) const { return {value, 0, elements(joint_[value].type)}; }

  // Marks what depends on a cotangent, and chooses what the forward network saves: the rows of its scans, since these
  // are there anyway, and as little as possible besides.
  void mark() {
    const std::size_t count = joint_.nodes.size();
    is_forward_.assign(count, true);
    std::vector<bool> is_live(count), is_needed(count);
    std::set<Value> of_backward;
    for (const auto& [input, facts] : scans_.inputs()) of_backward.insert(input);
    for (const ScanParts& parts : scans_.scans()) {
      if (parts.backward) of_backward.insert(*parts.backward);
      if (parts.after) of_backward.insert(*parts.after);
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (of_backward.contains(value_at(i))) is_forward_[i] = false;
      for (const Value operand : joint_.nodes[i].operands)
        if (!is_forward_[operand.index]) is_forward_[i] = false;
    }
    for (const Value root : wanted()) is_live[root.index] = true;
    for (const Value value : of_backward) is_live[value.index] = is_live[value.index] || joint_[value].op == Op::Scan;
    for (std::size_t i = count; i-- > 0;) {
      if (!is_live[i]) continue;
      is_needed[i] = is_forward_[i];
      if (is_forward_[i]) continue;
      for (const Value operand : joint_.nodes[i].operands) is_live[operand.index] = true;
    }
    saved_ = choose_saved(joint_, is_forward_, is_needed);
  }

  std::vector<Value> wanted() const {
    std::vector<Value> values;
    for (const auto& [name, d] : input_cotangents()) values.push_back(d);
    for (const TermValue& term : terms_) {
      values.push_back(term.left.value);
      if (term.kind != Term::Kind::Sum) values.push_back(term.right.value);
    }
    return values;
  }

  std::vector<ir::NamedValue> input_cotangents() const {
    std::vector<ir::NamedValue> found;
    for (std::size_t i = 0; i < joint_.nodes.size(); ++i) {
      const Node& node = joint_.nodes[i];
      if (node.op != Op::Input || scans_.inputs().contains(value_at(i))) continue;
      if (const auto d = reverse_->cotangent(value_at(i))) found.push_back({node.name, *d});
    }
    return found;
  }

  static void say_output(Network& network, const std::string& name, Value value) {
    network.statements.push_back({Statement::Kind::Output, name, value, {}});
  }

  // Returns a value that an output may have.
  static Value no_rows(ir::Graph& graph, Value value) {
    return graph[value].type.rank() == 2 ? flat(graph, value) : value;
  }

  void make_forward() {
    Network& to = result_.forward;
    to.name = joint_.name + "_forward_pass";
    CutGraph cut(joint_, to);
    for (std::size_t i = 0; i < joint_.nodes.size(); ++i) {
      const Node& node = joint_.nodes[i];
      const bool is_of_network = ir::is_declaration(node) && i < cotangents_[0].index;
      if (is_of_network) cut.copy(value_at(i));
    }
    for (const ScanParts& parts : scans_.scans()) cut.copy(parts.scan);  // its states advance, also if nobody reads y
    for (const ir::NamedValue& output : outputs_) say_output(to, output.name, cut.copy(output.value));
    for (const Value value : saved_) {
      const Value copy = no_rows(to, cut.copy(value));
      const std::string name = free_name(joint_, "saved_" + std::to_string(saved_names_.size()));
      saved_names_[value] = name;
      say_output(to, name, copy);
    }
    cut.say_names(names_);
    for (const Node& node : joint_.nodes)
      if (node.op == Op::Param && reverse_transposed(node.name).empty()) result_.names[node.name] = node.name;
    for (const ScanParts& parts : scans_.scans()) {
      const std::string prefix = joint_[parts.scan].name + ".", own = parts.prefix();
      for (const Node& node : parts.gradient.forward.nodes)
        if (node.op == Op::Param || node.op == Op::State) result_.names[prefix + node.name] = own + node.name;
      if (!parts.backward) continue;
      const std::string back = joint_[*parts.backward].name + ".";
      for (const auto& [state, d_state] : parts.gradient.states) {
        result_.states[prefix + state] = back + d_state;
        if (scans_.begins_anew(own + state)) result_.begun.insert(prefix + state);
      }
    }
  }

  std::string reverse_transposed(const std::string& name) const {
    for (const auto& [param, transposed] : reverse_->transposed())
      if (joint_[transposed].name == name) return joint_[param].name;
    return "";
  }

  void make_backward() {
    Network& to = result_.backward;
    to.name = joint_.name + "_backward_pass";
    CutGraph cut(joint_, to);
    for (const auto& [value, name] : saved_names_) cut.offer(value, name);
    for (const ir::NamedValue& input : input_cotangents()) {
      const std::string name = free_name(joint_, "d_" + input.name);
      result_.inputs[input.name] = name;
      say_output(to, name, no_rows(to, cut.copy(input.value)));
    }
    for (const ScanParts& parts : scans_.scans())
      if (parts.backward) cut.copy(*parts.backward);  // for the cotangents of states
    for (const TermValue& term : terms_) {
      WeightTerm placed{term.kind, term.weight, term.window, term.count, place(to, cut, term.left)};
      if (term.kind != Term::Kind::Sum) placed.right = place(to, cut, term.right);
      result_.terms.push_back(std::move(placed));
    }
    if (to.statements.empty()) say_output(to, "nothing", to.constant(0));
    cut.say_names({});
    name_inputs();
    for (const Node& node : to.nodes) {
      if (node.op == Op::Param) name_weight(node.name, "", node.name, reverse_transposed(node.name));
    }
    for (const ScanParts& parts : scans_.scans()) {
      for (const auto& part : {parts.backward, parts.after}) {
        if (!part || !cut.has(*part)) continue;
        for (const Node& node : joint_[*part].scan->cell->nodes) {
          if (node.op != Op::Param) continue;
          const auto found = parts.gradient.transposed.find(node.name);
          name_weight(joint_[*part].name + "." + node.name, parts.prefix(), node.name,
                      found == parts.gradient.transposed.end() ? "" : found->second);
        }
      }
    }
  }

  void name_inputs() {
    for (const Node& node : result_.backward.nodes) {
      if (node.op != Op::Input) continue;
      BackwardInput input{BackwardInput::Kind::Input, node.name, node.name};
      for (const auto& [value, name] : saved_names_)
        if (name == node.name) input.kind = BackwardInput::Kind::Saved;
      for (const auto& [value, own] : scans_.inputs())
        if (own.name == node.name) input = own;
      result_.reads.push_back(std::move(input));
    }
  }

  void name_weight(const std::string& name, const std::string& prefix, const std::string& same,
                   const std::string& transposed) {
    if (transposed.empty()) {
      result_.same[name] = prefix + same;
    } else {
      result_.transposed[name] = prefix + transposed;
    }
  }

  // Returns where a factor is: an input, what the forward network saved, or an output of the backward network, which
  // may be new.
  Factor place(Network& to, CutGraph& cut, const TermValue::Columns& factor) {
    const Node node = joint_[factor.value];
    const auto own = scans_.inputs().find(factor.value);
    if (own != scans_.inputs().end() && own->second.kind == BackwardInput::Kind::Cotangent)
      return {Factor::Of::Cotangent, own->second.of, factor.begin, factor.width, node.type.axis};
    if (node.op == Op::Input && own == scans_.inputs().end())
      return {Factor::Of::Input, node.name, factor.begin, factor.width, node.type.axis};
    if (const auto saved = saved_names_.find(factor.value); saved != saved_names_.end())
      return {Factor::Of::Forward, saved->second, factor.begin, factor.width, node.type.axis};
    auto [entry, is_new] = factor_names_.try_emplace(factor.value);
    if (is_new) {
      entry->second = free_name(joint_, "factor_" + std::to_string(factor_names_.size() - 1));
      say_output(to, entry->second, no_rows(to, cut.copy(factor.value)));
    }
    return {Factor::Of::Backward, entry->second, factor.begin, factor.width, node.type.axis};
  }

  const Network from_;
  Network joint_;
  ScanGradients scans_{from_, joint_};
  std::vector<ir::NamedValue> names_, outputs_;
  std::vector<Value> cotangents_;  // of the outputs
  std::optional<Reverse> reverse_;
  std::vector<TermValue> terms_;
  std::vector<bool> is_forward_;
  std::vector<Value> saved_;
  std::map<Value, std::string> saved_names_, factor_names_;
  NetworkGradient result_;
};

}  // namespace

NetworkGradient gradient_of(const Network& network) { return NetworkDifferentiator(network).run(); }

ir::Module module_of(const Network& network) {
  ir::Module module;
  std::set<std::string> known;
  for (const Node& node : network.nodes)
    if (node.op == Op::Scan && known.insert(node.scan->cell->name).second) module.cells.push_back(*node.scan->cell);
  module.networks.push_back(network);
  return module;
}

}  // namespace rnnc::compiler
