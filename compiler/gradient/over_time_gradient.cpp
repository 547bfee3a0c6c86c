#include "compiler/gradient/over_time_gradient.hpp"

#include <memory>
#include <string>
#include <utility>

#include "compiler/gradient/cut_graph.hpp"
#include "ir/check.hpp"
#include "ir/parse.hpp"
#include "ir/scan.hpp"
#include "ir/verify.hpp"

namespace rnnc::compiler {
namespace {

using ir::OverTime;
using ir::Value;

// The cells that spread a cotangent over the steps.
constexpr const char* kCells = R"(
cell each_step<N> { input c : f32[N] output c }
cell first_step<N> { input c : f32[N] state gone : f32 gone' = 1 output c * (1 - gone) }
cell count_steps { state n : f32 n' = n + 1 output n' }
// The first of equal steps has the cotangent.
cell largest_step<N> {
  input c, m, x : f32[N]
  state gone : f32[N]
  is_largest = select(m > x, 0, 1 - gone)
  gone' = max(gone, is_largest)
  output c * is_largest
})";

class OverTimeReverse {
 public:
  OverTimeReverse(Reverse& reverse, Value value)
      : reverse_(reverse), value_(value), x_(reverse.graph()[value].operands[0]) {}

  void run(Value cotangent) {
    const ir::Type type = reverse_.graph()[value_].type;
    if (reverse_.graph()[value_].over_time == OverTime::Turned)
      return reverse_.add(x_, reverse_.graph().append(
                                  {.op = ir::Op::OverTime, .over_time = OverTime::Turned, .operands = {cotangent}}));
    const bool is_scalar = type.rank() == 0;
    const auto vector = [&](Value v) {
      return is_scalar ? reverse_.graph().append({.op = ir::Op::Fill, .operands = {v}, .ranges = {{0, 1}}}) : v;
    };
    const Value spread = by_function(vector(cotangent), vector);
    reverse_.add(x_, is_scalar ? sum_features(reverse_.graph(), spread) : spread);
  }

 private:
  template <class Vector>
  Value by_function(Value c, const Vector& vector) {
    switch (reverse_.graph()[value_].over_time) {
      case OverTime::Last: return scan("first_step", {c}, Direction::Reverse);
      case OverTime::First: return scan("first_step", {c});
      case OverTime::Sum: return scan("each_step", {c});
      case OverTime::Max: return scan("largest_step", {c, vector(value_), vector(x_)});
      case OverTime::Mean: {
        const Value count = scan("count_steps", {});
        const Value length = reverse_.graph().append({.op = ir::Op::FinalState, .operands = {count}, .name = "n"});
        return scan("each_step", {reverse_.apply(ir::Function::Div, c, length)});
      }
      case OverTime::Turned: break;  // run() turns its cotangent
    }
    ir::internal_error(&reverse_.graph(), "a function over time that does not exist");
  }

  Value scan(const std::string& name, std::vector<Value> arguments, Direction direction = Direction::Forward) {
    ir::Graph& graph = reverse_.graph();
    const ir::Module module = ir::parse(kCells).value();
    const ir::Cell& cell = *module.find(name);
    const ir::DimBindings dims =
        cell.dims.empty() ? ir::DimBindings{} : ir::DimBindings{{"N", graph[arguments[0]].type.dims[0].value()}};
    ir::Scan content{.cell = std::make_shared<const ir::Cell>(ir::bind_dims(cell, dims).value()),
                     .direction = direction};
    bool has_sequence = false;
    for (const Value argument : arguments) has_sequence = has_sequence || graph[argument].type.is_sequence();
    if (!has_sequence) content.steps = graph[x_].type.axis;
    return graph.append({.op = ir::Op::Scan,
                         .operands = std::move(arguments),
                         .scan = std::make_shared<const ir::Scan>(std::move(content)),
                         .name = free_name(graph, name)});
  }

  Reverse& reverse_;
  const Value value_, x_;
};

}  // namespace

void reverse_over_time(Reverse& reverse, Value value, Value cotangent) {
  OverTimeReverse(reverse, value).run(cotangent);
}

}  // namespace rnnc::compiler
