// The plain operators: element-wise functions, reductions, products and movements.
#include <algorithm>
#include <limits>
#include <map>

#include "import/file_error.hpp"
#include "import/refusal.hpp"
#include "import/tflite/graph.hpp"

namespace rnnc::files {
namespace {

constexpr std::int64_t kToTheEnd = std::numeric_limits<std::int64_t>::max();

}  // namespace

const TfliteTensor& TfliteWriter::tensor(std::size_t i) const {
  if (input(i) < 0) invalid("its input " + std::to_string(i) + " is missing");
  return graph_.tensor(input(i));
}

std::string TfliteWriter::name() const {
  return op_.custom.empty() ? rnnc::files::name(op_.code) : in_quotes(op_.custom);
}

void TfliteWriter::invalid(const std::string& why) const { files::invalid(graph_.file(), "operator " + name(), why); }
void TfliteWriter::unsupported(const std::string& why) const {
  files::unsupported(graph_.file(), "operator " + name(), why);
}

std::vector<std::int64_t> TfliteWriter::integers(std::size_t i) const {
  if (!graph_.is_constant(input(i)))
    unsupported("its input " + std::to_string(i) + " is known only when the model runs; a constant can be read");
  return integers_of(tensor(i), graph_.file());
}

std::vector<float> TfliteWriter::floats(std::size_t i) const {
  if (!graph_.is_constant(input(i)))
    unsupported("its input " + std::to_string(i) + " is known only when the model runs; a constant can be read");
  return floats_of(tensor(i), graph_.file());
}

std::int64_t TfliteWriter::axis(std::int64_t given, std::size_t rank) const {
  const auto dims = static_cast<std::int64_t>(rank);
  if (given < -dims || given >= dims) invalid("has no dim " + std::to_string(given) + " of " + std::to_string(rank));
  return given < 0 ? given + dims : given;
}

std::vector<std::int64_t> TfliteWriter::axes(std::size_t i) const {
  std::vector<std::int64_t> result = integers(i);
  for (std::int64_t& each : result) each = axis(each, rank(0));
  return result;
}

// ActivationFunctionType of the schema.
std::string TfliteWriter::activated(std::string name, std::int8_t activation) {
  const auto clip = [&](float low, float high) {
    return graph_.node("Clip", {name, graph_.floats({}, {low}), graph_.floats({}, {high})});
  };
  switch (activation) {
    case 0: return name;
    case 1: return graph_.node("Relu", {name});
    case 2: return clip(-1, 1);
    case 3: return clip(0, 6);
    case 4:
      unsupported(
          "has tanh as its activation, which the schema has and TensorFlow Lite's kernels leave out; write an "
          "operator TANH behind it");
    default: unsupported("its activation " + std::to_string(activation) + " is none that can be read");
  }
}

void TfliteWriter::finish(std::string name, std::int8_t activation) {
  graph_.set(op_.outputs[0], activated(std::move(name), activation));
}

void TfliteWriter::write() {
  for (bool (TfliteWriter::*const each)() :
       {&TfliteWriter::write_element_wise, &TfliteWriter::write_reduction, &TfliteWriter::write_product,
        &TfliteWriter::write_move, &TfliteWriter::write_slice, &TfliteWriter::write_window,
        &TfliteWriter::write_recurrent, &TfliteWriter::write_loop, &TfliteWriter::write_list,
        &TfliteWriter::write_variable})
    if ((this->*each)()) return;
  const bool is_graph = op_.code == TfliteOp::If || op_.code == TfliteOp::CallOnce;
  unsupported(is_graph
                  ? "is a graph of its own that runs or not; give the Keras model (.keras or .h5) that it was made of"
                  : "is none of those that can be read (docs/importing.md has them); give the Keras model (.keras "
                    "or .h5) that it was made of");
}

bool TfliteWriter::write_element_wise() {
  static const std::map<TfliteOp, const char*> unary = {
      {TfliteOp::Logistic, "Sigmoid"}, {TfliteOp::Relu, "Relu"},
      {TfliteOp::Tanh, "Tanh"},        {TfliteOp::Exp, "Exp"},
      {TfliteOp::Neg, "Neg"},          {TfliteOp::Log, "Log"},
      {TfliteOp::Sqrt, "Sqrt"},        {TfliteOp::Abs, "Abs"},
      {TfliteOp::Elu, "Elu"},          {TfliteOp::HardSwish, "HardSwish"},
      {TfliteOp::LogicalNot, "Not"}};
  static const std::map<TfliteOp, const char*> fused = {
      {TfliteOp::Add, "Add"}, {TfliteOp::Mul, "Mul"}, {TfliteOp::Sub, "Sub"}, {TfliteOp::Div, "Div"}};
  static const std::map<TfliteOp, const char*> binary = {{TfliteOp::Maximum, "Max"},
                                                         {TfliteOp::Minimum, "Min"},
                                                         {TfliteOp::Pow, "Pow"},
                                                         {TfliteOp::Less, "Less"},
                                                         {TfliteOp::Equal, "Equal"},
                                                         {TfliteOp::LessEqual, "LessOrEqual"},
                                                         {TfliteOp::GreaterEqual, "GreaterOrEqual"},
                                                         {TfliteOp::Greater, "Greater"},
                                                         {TfliteOp::LogicalAnd, "And"},
                                                         {TfliteOp::LogicalOr, "Or"}};
  if (const auto found = fused.find(op_.code); found != fused.end())
    return finish(graph_.node(found->second, {in(0), in(1)}), op_.option<std::int8_t>(0, 0)), true;
  if (const auto found = binary.find(op_.code); found != binary.end())
    return finish(graph_.node(found->second, {in(0), in(1)})), true;
  if (const auto found = unary.find(op_.code); found != unary.end())
    return finish(graph_.node(found->second, {in(0)})), true;
  switch (op_.code) {
    case TfliteOp::Relu6: return finish(in(0), 3), true;
    case TfliteOp::ReluN1To1: return finish(in(0), 2), true;
    case TfliteOp::Relu0To1:
      return finish(graph_.node("Clip", {in(0), graph_.floats({}, {0}), graph_.floats({}, {1})})), true;
    case TfliteOp::NotEqual: return finish(graph_.node("Not", {graph_.node("Equal", {in(0), in(1)})})), true;
    case TfliteOp::Rsqrt: return finish(graph_.node("Reciprocal", {graph_.node("Sqrt", {in(0)})})), true;
    case TfliteOp::Square: return finish(graph_.node("Mul", {in(0), in(0)})), true;
    case TfliteOp::SquaredDifference: {
      const std::string difference = graph_.node("Sub", {in(0), in(1)});
      return finish(graph_.node("Mul", {difference, difference})), true;
    }
    case TfliteOp::LeakyRelu:
      return finish(graph_.node("LeakyRelu", {in(0)}, NodeAttributes().real("alpha", op_.option<float>(0, 0)))), true;
    case TfliteOp::Gelu: {
      const bool approximate = op_.option<std::uint8_t>(0, 0) != 0;
      return finish(graph_.node("Gelu", {in(0)}, NodeAttributes().text("approximate", approximate ? "tanh" : "none"))),
             true;
    }
    case TfliteOp::Prelu: return finish(graph_.node("PRelu", {in(0), in(1)})), true;
    case TfliteOp::Select:
    case TfliteOp::SelectV2:
      // A condition of one dim chooses among whole rows in SELECT, and is spread over the last dim in SELECT_V2.
      if (op_.code == TfliteOp::Select && rank(0) == 1 && rank(1) > 1)
        unsupported("chooses whole rows; use tf.where, which makes SELECT_V2");
      return finish(graph_.node("Where", {in(0), in(1), in(2)})), true;
    // Values that were integers are floats here (graph.hpp).
    case TfliteOp::Quantize:
    case TfliteOp::Dequantize: return finish(in(0)), true;
    case TfliteOp::Cast: {
      const TfliteType to = graph_.tensor(op_.outputs[0]).type;
      const bool whole = to == TfliteType::I32 || to == TfliteType::I64;
      if (to != TfliteType::F32 && !whole)
        unsupported("casts " + in_quotes(tensor(0).name) + " to narrow integers or truth");
      return finish(graph_.node("Cast", {in(0)}, NodeAttributes().integer("to", whole ? 7 : 1))), true;
    }
    default: return false;
  }
}

bool TfliteWriter::write_reduction() {
  static const std::map<TfliteOp, const char*> reductions = {{TfliteOp::Mean, "ReduceMean"},
                                                             {TfliteOp::Sum, "ReduceSum"},
                                                             {TfliteOp::ReduceMax, "ReduceMax"},
                                                             {TfliteOp::ReduceMin, "ReduceMin"}};
  if (const auto found = reductions.find(op_.code); found != reductions.end()) {
    const std::vector<std::int64_t> over = axes(1);
    const std::string list = graph_.integers({static_cast<std::int64_t>(over.size())}, over);
    const bool keeps = op_.option<std::uint8_t>(0, 0) != 0;
    return finish(graph_.node(found->second, {in(0), list}, NodeAttributes().integer("keepdims", keeps))), true;
  }
  if (op_.code == TfliteOp::Softmax || op_.code == TfliteOp::LogSoftmax) {
    const float beta = op_.code == TfliteOp::Softmax ? op_.option<float>(0, 0) : 1;
    std::string x = in(0);
    if (beta != 1) x = graph_.node("Mul", {x, graph_.floats({}, {beta})});
    const char* op = op_.code == TfliteOp::Softmax ? "Softmax" : "LogSoftmax";
    return finish(graph_.node(op, {x}, NodeAttributes().integer("axis", -1))), true;
  }
  if (op_.code == TfliteOp::ArgMax) {
    const std::vector<std::int64_t> over = axes(1);
    if (over.size() != 1) invalid("is over one dim");
    return finish(graph_.node("ArgMax", {in(0)}, NodeAttributes().integer("axis", over[0]).integer("keepdims", 0))),
           true;
  }
  return false;
}

// y = x W^T + b. Weights are [units, inputs]; other dims of x than the last count as rows.
bool TfliteWriter::write_fully_connected() {
  const TfliteTensor& weights = tensor(1);
  if (op_.option<std::int8_t>(1, 0) != 0) unsupported("its weights are shuffled; convert the model again");
  if (weights.shape.size() != 2) invalid("its weights must be [units, inputs] but are " + to_string(weights.shape));
  const std::int64_t units = weights.shape[0], inputs = weights.shape[1];
  std::string x = in(0), matrix;
  const bool keeps = op_.option<std::uint8_t>(2, 0) != 0;
  if (!keeps && rank(0) != 2) x = graph_.node("Reshape", {x, graph_.integers({2}, {-1, inputs})});
  if (graph_.is_constant(input(1))) {
    const std::vector<float> rows = floats(1);
    std::vector<float> columns(rows.size());
    for (std::int64_t i = 0; i < units; ++i)
      for (std::int64_t k = 0; k < inputs; ++k)
        columns[static_cast<std::size_t>(k * units + i)] = rows[static_cast<std::size_t>(i * inputs + k)];
    matrix = graph_.floats({inputs, units}, columns);
  } else {
    matrix = graph_.node("Transpose", {in(1)}, NodeAttributes().integers("perm", {1, 0}));
  }
  std::string y = graph_.node("MatMul", {x, matrix});
  if (input(2) >= 0) y = graph_.node("Add", {y, in(2)});
  return finish(y, op_.option<std::int8_t>(0, 0)), true;
}

bool TfliteWriter::write_product() {
  if (op_.code == TfliteOp::FullyConnected) return write_fully_connected();
  if (op_.code != TfliteOp::BatchMatmul) return false;
  const auto turned = [&](std::size_t i, std::size_t option) {
    if (op_.option<std::uint8_t>(option, 0) == 0) return in(i);
    std::vector<std::int64_t> order;
    for (std::size_t d = 0; d < rank(i); ++d) order.push_back(static_cast<std::int64_t>(d));
    if (order.size() < 2) invalid("multiplies what is no matrix");
    std::swap(order[order.size() - 1], order[order.size() - 2]);
    return graph_.node("Transpose", {in(i)}, NodeAttributes().integers("perm", order));
  };
  return finish(graph_.node("MatMul", {turned(0, 0), turned(1, 1)})), true;
}

bool TfliteWriter::write_move() {
  const auto list = [&](const std::vector<std::int64_t>& values) {
    return graph_.integers({static_cast<std::int64_t>(values.size())}, values);
  };
  switch (op_.code) {
    case TfliteOp::Concatenation: {
      std::vector<std::string> parts;
      for (std::size_t i = 0; i < op_.inputs.size(); ++i) parts.push_back(in(i));
      const std::int64_t at = axis(op_.option<std::int32_t>(0, 0), rank(0));
      return finish(graph_.node("Concat", parts, NodeAttributes().integer("axis", at)), op_.option<std::int8_t>(1, 0)),
             true;
    }
    case TfliteOp::Reshape: {
      if (input(1) >= 0 && !graph_.is_constant(input(1))) return finish(graph_.node("Reshape", {in(0), in(1)})), true;
      std::vector<std::int64_t> shape;
      if (input(1) >= 0) {
        shape = integers(1);
      } else if (op_.options) {
        for (const std::int32_t dim : op_.options->numbers<std::int32_t>(0)) shape.push_back(dim);
      }
      return finish(graph_.node("Reshape", {in(0), list(shape)})), true;
    }
    case TfliteOp::Transpose:
      return finish(graph_.node("Transpose", {in(0)}, NodeAttributes().integers("perm", integers(1)))), true;
    case TfliteOp::Squeeze: {
      std::vector<std::int64_t> dims;
      if (op_.options)
        for (const std::int32_t dim : op_.options->numbers<std::int32_t>(0)) dims.push_back(axis(dim, rank(0)));
      return finish(graph_.node("Squeeze", dims.empty() ? std::vector{in(0)} : std::vector{in(0), list(dims)})), true;
    }
    case TfliteOp::ExpandDims: return finish(graph_.node("Unsqueeze", {in(0), list(integers(1))})), true;
    case TfliteOp::Gather: {
      if (op_.option<std::int32_t>(1, 0) != 0) unsupported("gathers for each place of a batch");
      return finish(graph_.node("Gather", {in(0), in(1)},
                                NodeAttributes().integer("axis", axis(op_.option<std::int32_t>(0, 0), rank(0))))),
             true;
    }
    case TfliteOp::EmbeddingLookup:
      return finish(graph_.node("Gather", {in(1), in(0)}, NodeAttributes().integer("axis", 0))), true;
    case TfliteOp::Tile: return finish(graph_.node("Tile", {in(0), in(1)})), true;
    case TfliteOp::BroadcastTo: return finish(graph_.node("Expand", {in(0), in(1)})), true;
    case TfliteOp::Fill: return finish(graph_.node("Expand", {in(1), in(0)})), true;
    case TfliteOp::Shape: return finish(graph_.node("Shape", {in(0)})), true;
    case TfliteOp::Pack: {
      const std::int64_t at = axis(op_.option<std::int32_t>(1, 0), rank(0) + 1);
      std::vector<std::string> parts;
      for (std::size_t i = 0; i < op_.inputs.size(); ++i)
        parts.push_back(graph_.node("Unsqueeze", {in(i), list({at})}));
      return finish(graph_.node("Concat", parts, NodeAttributes().integer("axis", at))), true;
    }
    default: return false;
  }
}

// One of the sizes may be -1: the rest of the dim.
std::vector<std::int64_t> TfliteWriter::sizes_of_parts(std::int64_t dim) const {
  std::vector<std::int64_t> sizes = integers(1);
  const auto rest = std::ranges::find(sizes, -1);
  if (rest == sizes.end()) return sizes;
  std::int64_t left = tensor(0).shape[static_cast<std::size_t>(dim)];
  for (const std::int64_t size : sizes) left -= size == -1 ? 0 : size;
  if (left < 0 || std::ranges::count(sizes, -1) > 1) unsupported("gives its input parts whose sizes are not known");
  *rest = left;
  return sizes;
}

bool TfliteWriter::write_slice() {
  const auto list = [&](const std::vector<std::int64_t>& values) {
    return graph_.integers({static_cast<std::int64_t>(values.size())}, values);
  };
  const auto set_all = [&](const std::vector<std::string>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) graph_.set(op_.outputs[i], parts[i]);
  };
  switch (op_.code) {
    case TfliteOp::StridedSlice: return write_strided_slice();
    case TfliteOp::Slice: {  // a size of -1 is the rest
      const std::vector<std::int64_t> begin = integers(1), size = integers(2);
      if (begin.size() != rank(0) || size.size() != rank(0)) invalid("has not a begin and a size for each dim");
      std::vector<std::int64_t> from, to, dims;
      for (std::size_t d = 0; d < begin.size(); ++d) {
        if (begin[d] == 0 && (size[d] == -1 || size[d] == tensor(0).shape[d])) continue;
        dims.push_back(static_cast<std::int64_t>(d));
        from.push_back(begin[d]);
        to.push_back(size[d] < 0 ? kToTheEnd : begin[d] + size[d]);
      }
      return finish(dims.empty() ? in(0) : graph_.node("Slice", {in(0), list(from), list(to), list(dims)})), true;
    }
    case TfliteOp::Split:
    case TfliteOp::SplitV: {
      const bool sized = op_.code == TfliteOp::SplitV;
      const std::size_t value = sized ? 0 : 1, where = sized ? 2 : 0;
      const std::vector<std::int64_t> given = integers(where);
      if (given.size() != 1) invalid("splits one dim");
      const std::int64_t at = axis(given[0], rank(value));
      std::vector<std::string> inputs{in(value)};
      NodeAttributes attributes;
      attributes.integer("axis", at);
      if (sized)
        inputs.push_back(list(sizes_of_parts(at)));
      else
        attributes.integer("num_outputs", static_cast<std::int64_t>(op_.outputs.size()));
      return set_all(graph_.nodes("Split", inputs, op_.outputs.size(), attributes)), true;
    }
    case TfliteOp::Unpack: {
      const std::int64_t at = axis(op_.option<std::int32_t>(1, 0), rank(0));
      const auto count = static_cast<std::int64_t>(op_.outputs.size());
      std::vector<std::string> parts = graph_.nodes("Split", {in(0)}, op_.outputs.size(),
                                                    NodeAttributes().integer("axis", at).integer("num_outputs", count));
      for (std::string& part : parts) part = graph_.node("Squeeze", {part, list({at})});
      return set_all(parts), true;
    }
    case TfliteOp::ReverseV2: {
      const std::vector<std::int64_t> dims = axes(1), minus(dims.size(), -1);
      const std::vector<std::int64_t> end(dims.size(), std::numeric_limits<std::int64_t>::min());
      return finish(graph_.node("Slice", {in(0), list(minus), list(end), list(dims), list(minus)})), true;
    }
    default: return false;
  }
}

bool TfliteWriter::write_strided_slice() {
  if (op_.option<std::int32_t>(2, 0) != 0 || op_.option<std::int32_t>(3, 0) != 0 || op_.option<std::uint8_t>(5, 0) != 0)
    unsupported("has an ellipsis, a new dim, or an end that counts from its begin");
  const std::vector<std::int64_t> begin = integers(1), end = integers(2), strides = integers(3);
  if (begin.size() > rank(0) || end.size() != begin.size() || strides.size() != begin.size())
    invalid("has not a begin, an end and a stride for each dim");
  const std::int32_t begin_mask = op_.option<std::int32_t>(0, 0), end_mask = op_.option<std::int32_t>(1, 0);
  const std::int32_t shrink = op_.option<std::int32_t>(4, 0);
  std::vector<std::int64_t> from, to, dims, steps, gone;
  for (std::size_t d = 0; d < begin.size(); ++d) {
    const bool is_gone = (shrink >> d & 1) != 0;
    const bool first = (begin_mask >> d & 1) != 0 && !is_gone, last = (end_mask >> d & 1) != 0 && !is_gone;
    if (is_gone) gone.push_back(static_cast<std::int64_t>(d));
    if (first && last && strides[d] == 1) continue;
    dims.push_back(static_cast<std::int64_t>(d));
    steps.push_back(is_gone ? 1 : strides[d]);
    from.push_back(first ? (strides[d] < 0 ? kToTheEnd : 0) : begin[d]);
    if (is_gone)
      to.push_back(begin[d] == -1 ? kToTheEnd : begin[d] + 1);
    else
      to.push_back(last ? (strides[d] < 0 ? std::numeric_limits<std::int64_t>::min() : kToTheEnd) : end[d]);
  }
  const auto list = [&](const std::vector<std::int64_t>& values) {
    return graph_.integers({static_cast<std::int64_t>(values.size())}, values);
  };
  std::string result = in(0);
  if (!dims.empty()) result = graph_.node("Slice", {result, list(from), list(to), list(dims), list(steps)});
  if (!gone.empty()) result = graph_.node("Squeeze", {result, list(gone)});
  return finish(result), true;
}

}  // namespace rnnc::files
