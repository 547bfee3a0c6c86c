// TensorFlow's lists of tensors, as files have them that keep its own operators, and its variables. A list is what its
// items are side by side along a new first dim. A variable is a constant if nothing but the first call writes it.
#include <algorithm>

#include "import/file_error.hpp"
#include "import/tflite/loop_body.hpp"

namespace rnnc::files {
namespace {

// The fields of the options of VAR_HANDLE.
constexpr std::size_t kContainer = 0, kSharedName = 1;

std::string name_of_variable(const TfliteOperator& handle) {
  if (!handle.options) return "/";
  return std::string(handle.options->bytes(kContainer)) + "/" + std::string(handle.options->bytes(kSharedName));
}

/// Returns the variables that nothing but the first call writes, each with its constant.
std::map<std::string, const TfliteTensor*> constants_of(const TfliteModel& model) {
  std::set<std::int32_t> first_calls;
  for (const TfliteOperator& op : model.graphs.at(0).operators)
    if (op.code == TfliteOp::CallOnce) first_calls.insert(op.option<std::int32_t>(kFirstCall, 0));
  std::map<std::string, const TfliteTensor*> result;
  for (const auto& [place, graph] : model.graphs) {
    std::map<std::int32_t, std::string> handles;
    for (const TfliteOperator& op : graph.operators)
      if (op.code == TfliteOp::VarHandle && !op.outputs.empty()) handles[op.outputs[0]] = name_of_variable(op);
    for (const TfliteOperator& op : graph.operators) {
      if (op.code == TfliteOp::If || op.code == TfliteOp::Call)
        return {};  // Their graphs, which may write, are not read.
      if (op.code != TfliteOp::AssignVariable) continue;
      const auto handle = handles.find(input_of(op, 0));
      if (handle == handles.end()) return {};  // It may be any variable.
      const TfliteTensor* value = tensor_at(graph, input_of(op, 1));
      const bool is_constant = place != 0 && first_calls.contains(place) && value != nullptr && value->data;
      const bool is_first = result.emplace("variable " + handle->second, value).second;
      if (!is_constant || !is_first) result["variable " + handle->second] = nullptr;
    }
  }
  return result;
}

}  // namespace

bool TfliteWriter::write_list() {
  // A loop looks for what its list began as (loop.cpp), and nothing else reads it.
  if (is_list_operator(&op_, "TensorListReserve")) return true;
  if (is_list_operator(&op_, "TensorListFromTensor")) return finish(in(0)), true;
  if (is_list_operator(&op_, "TensorListStack")) {
    if (is_list_operator(producer_of(graph_.graph(), input(0)), "TensorListReserve"))
      unsupported("stacks a list that no loop has filled");
    return finish(in(0)), true;
  }
  if (is_list_operator(&op_, "TensorListGetItem"))
    return finish(graph_.node("Gather", {in(0), in(1)}, NodeAttributes().integer("axis", 0))), true;
  return false;
}

bool TfliteWriter::write_variable() {
  if (op_.code == TfliteOp::VarHandle) {
    if (!graph_.knows_variables()) graph_.hold(constants_of(graph_.model()));
    return finish("variable " + name_of_variable(op_)), true;
  }
  if (op_.code != TfliteOp::ReadVariable) return false;
  const TfliteTensor* value = graph_.held(in(0));
  if (value == nullptr)
    unsupported(
        "reads a variable that is no constant which the first call sets; give the Keras model (.keras or .h5) that it "
        "was made of");
  return finish(graph_.constant(*value)), true;
}

}  // namespace rnnc::files
