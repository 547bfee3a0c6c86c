#include "import/tflite/loop_body.hpp"

#include <algorithm>

#include "import/file_error.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

// The field of an operator's options that has the activation.
constexpr std::size_t kOfAdd = 0, kOfConcatenation = 1;
constexpr std::string_view kFlex = "Flex";  // before the name of an operator that is TensorFlow's own

}  // namespace

const TfliteOperator* producer_of(const TfliteSubgraph& graph, std::int32_t place) {
  for (const TfliteOperator& op : graph.operators)
    if (std::ranges::find(op.outputs, place) != op.outputs.end()) return &op;
  return nullptr;
}

const TfliteTensor* tensor_at(const TfliteSubgraph& graph, std::int32_t place) {
  return place < 0 ? nullptr : &graph.tensors[static_cast<std::size_t>(place)];
}

std::int32_t input_of(const TfliteOperator& op, std::size_t i) { return i < op.inputs.size() ? op.inputs[i] : -1; }

std::optional<std::vector<std::int64_t>> numbers_of(const TfliteSubgraph& graph, std::int32_t place,
                                                    std::string_view file) {
  const TfliteTensor* from = tensor_at(graph, place);
  if (from == nullptr || !from->data || !from->scales.empty() ||
      (from->type != TfliteType::I32 && from->type != TfliteType::I64))
    return std::nullopt;
  return integers_of(*from, file);
}

bool is_number(const TfliteSubgraph& graph, std::int32_t place, std::int64_t value, std::string_view file) {
  return numbers_of(graph, place, file) == std::vector{value};
}

std::int32_t behind_list(const TfliteSubgraph& graph, std::int32_t place) {
  const TfliteOperator* from = producer_of(graph, place);
  const bool is_list = from != nullptr && (from->code == TfliteOp::ExpandDims || from->code == TfliteOp::Reshape);
  const TfliteTensor* number = is_list ? tensor_at(graph, input_of(*from, 0)) : nullptr;
  return number != nullptr && number->shape.empty() ? input_of(*from, 0) : place;
}

bool is_list_operator(const TfliteOperator* op, std::string_view name) {
  if (op == nullptr || op->code != TfliteOp::Custom) return false;
  std::string_view given = op->custom;
  if (given.starts_with(kFlex)) given.remove_prefix(kFlex.size());
  return given == name;
}

void refuse_loop(std::string_view file, const std::string& why) {
  unsupported(file, "operator WHILE", why + "; give the Keras model (.keras or .h5) that it was made of");
}

bool TfliteLoopBody::counts(std::size_t i) const {
  const TfliteOperator* add = producer_of(body_, body_.outputs[i]);
  if (add == nullptr || add->code != TfliteOp::Add || add->option<std::int8_t>(kOfAdd, 0) != 0) return false;
  const bool adds_one = (input_of(*add, 0) == body_.inputs[i] && is_number(body_, input_of(*add, 1), 1, file_)) ||
                        (input_of(*add, 1) == body_.inputs[i] && is_number(body_, input_of(*add, 0), 1, file_));
  return adds_one && is_number(around_, op_.inputs[i], 0, file_);
}

bool TfliteLoopBody::is_counter(std::int32_t place) const {
  for (std::size_t i = 0; i < body_.inputs.size(); ++i)
    if (body_.inputs[i] == place) return counts(i);
  return false;
}

// The number of the next step: a counter, and one more.
bool TfliteLoopBody::is_next(std::int32_t place) const {
  const TfliteOperator* add = producer_of(body_, place);
  if (add == nullptr || add->code != TfliteOp::Add || add->option<std::int8_t>(kOfAdd, 0) != 0) return false;
  return (is_counter(input_of(*add, 0)) && is_number(body_, input_of(*add, 1), 1, file_)) ||
         (is_counter(input_of(*add, 1)) && is_number(body_, input_of(*add, 0), 1, file_));
}

bool TfliteLoopBody::is_row(std::int32_t index, Row row) const {
  index = behind_list(body_, index);
  return row == Row::OfStep ? is_counter(index) : is_number(body_, index, 0, file_);
}

// Tells whether a list is [row, 0, 0 ...], or that of the row behind it.
bool TfliteLoopBody::is_begin(std::int32_t place, bool next, Row row) const {
  if (const auto constant = numbers_of(body_, place, file_)) {
    const bool zeros = !constant->empty() &&
                       std::ranges::all_of(constant->begin() + 1, constant->end(), [](auto v) { return v == 0; });
    return row == Row::First && zeros && constant->front() == (next ? 1 : 0);
  }
  const TfliteOperator* joined = producer_of(body_, place);
  if (joined == nullptr || (joined->code != TfliteOp::Concatenation && joined->code != TfliteOp::Pack)) return false;
  if (joined->code == TfliteOp::Concatenation && joined->option<std::int8_t>(kOfConcatenation, 0) != 0) return false;
  for (std::size_t i = 1; i < joined->inputs.size(); ++i) {
    const auto zeros = numbers_of(body_, joined->inputs[i], file_);
    if (!zeros || std::ranges::any_of(*zeros, [](std::int64_t v) { return v != 0; })) return false;
  }
  const std::int32_t first = input_of(*joined, 0);
  if (!next) return is_row(first, row);
  return row == Row::OfStep ? is_next(behind_list(body_, first))
                            : is_number(body_, behind_list(body_, first), 1, file_);
}

// Tells whether a tensor is all rows before the one that a step writes, or all behind it.
bool TfliteLoopBody::is_part(std::int32_t place, std::int32_t rows, bool before, Row row) const {
  const TfliteOperator* slice = producer_of(body_, place);
  if (slice == nullptr || slice->code != TfliteOp::Slice || input_of(*slice, 0) != rows) return false;
  const auto all = [&](std::int32_t list, std::int64_t value) {
    const auto given = numbers_of(body_, list, file_);
    return given && std::ranges::all_of(*given, [&](std::int64_t v) { return v == value; });
  };
  if (!before) return is_begin(input_of(*slice, 1), true, row) && all(input_of(*slice, 2), -1);
  if (!all(input_of(*slice, 1), 0)) return false;
  const TfliteOperator* size = producer_of(body_, input_of(*slice, 2));
  if (size == nullptr || (size->code != TfliteOp::Concatenation && size->code != TfliteOp::Pack)) return false;
  for (std::size_t i = 1; i < size->inputs.size(); ++i)
    if (!all(size->inputs[i], -1)) return false;
  return is_row(input_of(*size, 0), row);
}

std::int32_t TfliteLoopBody::item_of(std::int32_t expanded) const {
  const TfliteOperator* from = producer_of(body_, expanded);
  if (from == nullptr || (from->code != TfliteOp::ExpandDims && from->code != TfliteOp::Reshape)) return -1;
  const TfliteTensor *wide = tensor_at(body_, expanded), *item = tensor_at(body_, input_of(*from, 0));
  if (item == nullptr || wide->shape.size() != item->shape.size() + 1 || wide->shape[0] != 1 ||
      !std::equal(item->shape.begin(), item->shape.end(), wide->shape.begin() + 1))
    return -1;
  const bool is_first = from->code == TfliteOp::Reshape || is_number(body_, input_of(*from, 1), 0, file_);
  return is_first && std::ranges::count(item->shape, -1) < 2 ? input_of(*from, 0) : -1;
}

// The converter writes DYNAMIC_UPDATE_SLICE, or the rows before it, it, and the rows behind it side by side, or leaves
// TensorFlow's TensorListSetItem as it is.
std::optional<std::int32_t> TfliteLoopBody::row_written(std::size_t i, Row row) const {
  const std::int32_t rows = body_.inputs[i];
  const TfliteOperator* write = producer_of(body_, body_.outputs[i]);
  if (write == nullptr) return std::nullopt;
  std::int32_t item = -1;
  std::int64_t own_readers = 0;
  if (write->code == TfliteOp::DynamicUpdateSlice && input_of(*write, 0) == rows &&
      is_begin(input_of(*write, 2), false, row)) {
    item = item_of(input_of(*write, 1));
    own_readers = 1;
  } else if (is_list_operator(write, "TensorListSetItem") && input_of(*write, 0) == rows &&
             is_row(input_of(*write, 1), row)) {
    item = input_of(*write, 2);
    own_readers = 1;
  } else if (write->code == TfliteOp::Concatenation && write->inputs.size() == 3 &&
             write->option<std::int8_t>(kOfConcatenation, 0) == 0 && write->option<std::int32_t>(0, 0) == 0 &&
             is_part(write->inputs[0], rows, true, row) && is_part(write->inputs[2], rows, false, row)) {
    item = item_of(write->inputs[1]);
    own_readers = 2;
  }
  if (item < 0) return std::nullopt;
  if (readers(rows) != own_readers)
    refuse_loop(file_,
                "reads " + in_quotes(tensor_at(body_, rows)->name) + " in its step, besides the row that it writes");
  return item;
}

std::int64_t TfliteLoopBody::readers(std::int32_t place) const {
  std::int64_t count = std::ranges::count(body_.outputs, place);
  for (const TfliteOperator& op : body_.operators) count += std::ranges::count(op.inputs, place);
  return count;
}

}  // namespace rnnc::files
