#include "tests/support/rewrite.hpp"

#include <functional>

#include "ir/scan.hpp"
#include "ir/verify.hpp"
#include "tests/support/random.hpp"

namespace rnnc::test {
namespace {

class Copy {
 public:
  Copy(const ir::Graph& graph, const Rewrite& rewrite) : from_(graph), rewrite_(rewrite) {
    to_.kind = graph.kind;
    to_.name = graph.name;
  }

  std::optional<ir::Graph> run() {
    mark();
    for (std::uint32_t i = 0; i < from_.nodes.size(); ++i) {
      if (!needed_[i]) continue;
      ir::Node node = node_at(i);
      for (ir::Value& operand : node.operands) operand = placed_[resolve(operand).index];
      Result<ir::Type> type = ir::infer_type(to_, node);
      if (!type) return std::nullopt;
      node.type = std::move(*type);
      placed_[i] = {static_cast<std::uint32_t>(to_.nodes.size())};
      to_.nodes.push_back(std::move(node));
    }
    for (ir::Statement statement : rewrite_.statements) {
      statement.value = placed_[resolve(statement.value).index];
      to_.statements.push_back(std::move(statement));
    }
    if (!ir::verify(to_)) return std::nullopt;
    return std::move(to_);
  }

 private:
  const ir::Node& node_at(std::uint32_t i) const {
    const auto found = rewrite_.nodes.find(i);
    return found == rewrite_.nodes.end() ? from_.nodes[i] : found->second;
  }

  ir::Value resolve(ir::Value value) const {
    for (auto found = rewrite_.aliases.find(value.index); found != rewrite_.aliases.end();
         found = rewrite_.aliases.find(value.index))
      value = found->second;
    return value;
  }

  void mark() {
    needed_.assign(from_.nodes.size(), false);
    placed_.resize(from_.nodes.size());
    for (const ir::Statement& statement : rewrite_.statements) needed_[resolve(statement.value).index] = true;
    for (std::uint32_t i = 0; i < from_.nodes.size(); ++i)
      for (const ir::Statement& statement : rewrite_.statements)
        if (from_.nodes[i].op == ir::Op::State && statement.kind == ir::Statement::Kind::Next &&
            statement.name == from_.nodes[i].name)
          needed_[i] = true;
    for (auto i = static_cast<std::uint32_t>(from_.nodes.size()); i-- > 0;) {
      if (rewrite_.keep_inputs && node_at(i).op == ir::Op::Input) needed_[i] = true;
      if (!needed_[i]) continue;
      for (const ir::Value operand : node_at(i).operands) needed_[resolve(operand).index] = true;
    }
  }

  const ir::Graph& from_;
  const Rewrite& rewrite_;
  ir::Graph to_;
  std::vector<bool> needed_;
  std::vector<ir::Value> placed_;  // by node of the old graph
};

}  // namespace

std::optional<ir::Graph> rewrite(const ir::Graph& graph, const Rewrite& rewrite) { return Copy(graph, rewrite).run(); }

Subject with_weights(ir::Graph graph, const Weights& weights) {
  Subject subject{std::move(graph), {}};
  for (const ir::Weight& weight : ir::weights_of(subject.graph)) {
    std::size_t count = 1;
    for (const ir::Dim& dim : weight.type.dims) count *= static_cast<std::size_t>(dim.value());
    const auto found = weights.find(weight.name);
    const bool fits = found != weights.end() && found->second.size() == count;
    subject.weights[weight.name] =
        fits ? found->second : Random(std::hash<std::string>()(weight.name)).vector(count, -0.5f, 0.5f);
  }
  return subject;
}

}  // namespace rnnc::test
