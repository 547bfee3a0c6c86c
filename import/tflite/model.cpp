#include "import/tflite/model.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "import/file_error.hpp"
#include "import/refusal.hpp"
#include "import/tensor_view.hpp"

namespace rnnc::files {
namespace {

constexpr std::size_t kMostDims = 8, kMostName = 1024;
constexpr std::uint32_t kVersion = 3;

struct TypeRow {
  TfliteType type;
  ElementType element;
};

constexpr TypeRow kTypes[] = {
    {TfliteType::F32, ElementType::F32}, {TfliteType::F16, ElementType::F16}, {TfliteType::I32, ElementType::I32},
    {TfliteType::U8, ElementType::U8},   {TfliteType::I64, ElementType::I64}, {TfliteType::Bool, ElementType::Bool},
    {TfliteType::I16, ElementType::I16}, {TfliteType::I8, ElementType::I8},   {TfliteType::F64, ElementType::F64}};

const TypeRow* row_of(TfliteType type) {
  const auto found = std::ranges::find(kTypes, type, &TypeRow::type);
  return found == std::end(kTypes) ? nullptr : found;
}

struct OperatorRow {
  TfliteOp op;
  int options;  // in the union BuiltinOptions
  const char* name;
};

constexpr OperatorRow kOperators[] = {
#define TFLITE_OPERATOR(enumerator, number, options, name) {TfliteOp::enumerator, options, name},
#include "import/tflite/operators.def"
};

const OperatorRow* row_of(TfliteOp op) {
  const auto found = std::ranges::find(kOperators, op, &OperatorRow::op);
  return found == std::end(kOperators) ? nullptr : found;
}

std::string tensor_named(const std::string& name) { return "tensor " + in_quotes(name); }

std::int64_t elements_of(const TfliteTensor& tensor, std::string_view file) {
  std::int64_t count = 1;
  for (const std::int64_t dim : tensor.shape)
    if (dim < 0 || (dim > 0 && count > (std::int64_t{1} << 40) / dim))
      invalid(file, tensor_named(tensor.name), "its shape " + to_string(tensor.shape) + " is none of data");
    else
      count *= dim;
  return count;
}

class ModelParser {
 public:
  ModelParser(std::string_view content, std::string_view file)
      : content_(content), file_(file), root_(FlatTable::root(content, file)) {}

  TfliteModel run() {
    if (const auto version = root_.number<std::uint32_t>(0, 0); version != kVersion)
      unsupported(file_, "", "it is of version " + std::to_string(version) + " of the schema; convert the model again");
    buffers_ = root_.tables(4);
    codes_ = root_.tables(1);
    graphs_ = root_.tables(2);
    if (graphs_.empty()) invalid(file_, "", "it has no graph; convert the model again");
    add_graph(0);
    name_by_signature();
    for (auto& [place, graph] : result_.graphs) make_names_unlike(graph);
    return std::move(result_);
  }

 private:
  // Adds a graph, and those that its loops and its first call name.
  void add_graph(std::int32_t first) {
    for (std::vector<std::int32_t> open = {first}; !open.empty();) {
      const std::int32_t place = open.back();
      open.pop_back();
      if (result_.graphs.contains(place)) continue;
      if (place < 0 || place >= std::ssize(graphs_))
        invalid(file_, "", "it has no graph " + std::to_string(place) + "; convert the model again");
      const TfliteSubgraph& graph = result_.graphs[place] = parse_graph(graphs_[static_cast<std::size_t>(place)]);
      for (const TfliteOperator& op : graph.operators) {
        if (op.code == TfliteOp::CallOnce) open.push_back(op.option<std::int32_t>(kFirstCall, 0));
        if (op.code == TfliteOp::While)
          for (const std::size_t field : {kCondition, kBody}) open.push_back(op.option<std::int32_t>(field, 0));
      }
    }
  }

  TfliteSubgraph parse_graph(const FlatTable& table) {
    TfliteSubgraph graph;
    const std::vector<FlatTable> tensors = table.tables(0), operators = table.tables(3);
    // Each takes four bytes in its list, so that only graphs that share a list have more.
    parts_ += tensors.size() + operators.size();
    if (parts_ > content_.size()) refuse(ErrorCode::Limit, file_, "", "it has more tensors than bytes");
    for (const FlatTable& tensor : tensors) graph.tensors.push_back(parse_tensor(tensor));
    graph.inputs = places(graph, table, 1);
    graph.outputs = places(graph, table, 2);
    for (const FlatTable& each : operators) graph.operators.push_back(parse_operator(graph, each));
    return graph;
  }

  std::vector<std::int32_t> places(const TfliteSubgraph& graph, const FlatTable& table, std::size_t field) const {
    std::vector<std::int32_t> result = table.numbers<std::int32_t>(field);
    for (const std::int32_t place : result)
      if (place < -1 || place >= std::ssize(graph.tensors))
        invalid(file_, "", "it has no tensor " + std::to_string(place) + "; convert the model again");
    return result;
  }

  TfliteTensor parse_tensor(const FlatTable& table) const {
    TfliteTensor tensor;
    tensor.name = std::string(table.bytes(3).substr(0, kMostName));
    std::vector<std::int32_t> shape = table.numbers<std::int32_t>(0, kMostDims);
    const std::vector<std::int32_t> open = table.numbers<std::int32_t>(7, kMostDims);
    if (open.size() == shape.size()) shape = open;
    tensor.shape.assign(shape.begin(), shape.end());
    const auto type = table.number<std::uint8_t>(1, 0);
    tensor.type = static_cast<TfliteType>(type);
    tensor.is_variable = table.number<std::uint8_t>(5, 0) != 0;
    if (table.has(10)) unsupported(file_, tensor_named(tensor.name), "has its data in another file");
    if (table.has(6)) unsupported(file_, tensor_named(tensor.name), "is stored sparse; convert the model without that");
    if (const auto scaling = table.table(4)) {
      tensor.scales = scaling->numbers<float>(2);
      tensor.zero_points = scaling->numbers<std::int64_t>(3);
      tensor.scaled_dim = static_cast<std::size_t>(scaling->number<std::int32_t>(6, 0));
    }
    const auto buffer = table.number<std::uint32_t>(2, 0);
    if (buffer >= buffers_.size()) {
      if (buffer > 0) invalid(file_, tensor_named(tensor.name), "names data that the file does not have");
      return tensor;
    }
    tensor.data = data_of(buffers_[buffer]);
    if (tensor.data->empty() && std::ranges::find(tensor.shape, 0) == tensor.shape.end()) tensor.data.reset();
    return tensor;
  }

  // Files of more than 2 GB have their data behind the flatbuffer.
  std::string_view data_of(const FlatTable& buffer) const {
    const auto offset = buffer.number<std::uint64_t>(1, 0), size = buffer.number<std::uint64_t>(2, 0);
    if (offset <= 1) return buffer.bytes(0);
    if (offset > content_.size() || size > content_.size() - offset)
      invalid(file_, "", "it is cut short: the data of a tensor lie behind its end");
    return content_.substr(offset, size);
  }

  TfliteOperator parse_operator(const TfliteSubgraph& graph, const FlatTable& table) const {
    TfliteOperator result;
    const auto code = table.number<std::uint32_t>(0, 0);
    if (code >= codes_.size()) invalid(file_, "", "an operator has no code; convert the model again");
    // Codes up to 127 stand in the first field, which older readers know; newer ones in the last.
    result.code = static_cast<TfliteOp>(
        std::max<std::int32_t>(codes_[code].number<std::int8_t>(0, 0), codes_[code].number<std::int32_t>(3, 0)));
    result.custom = std::string(codes_[code].bytes(1).substr(0, kMostName));
    result.inputs = places(graph, table, 1);
    result.outputs = places(graph, table, 2);
    // Like TensorFlow Lite, an operator has its defaults where the file has options of another kind.
    const OperatorRow* row = row_of(result.code);
    if (row && row->options > 0 && table.number<std::uint8_t>(3, 0) == row->options) result.options = table.table(4);
    return result;
  }

  // The names of a signature are those that the model's author gave.
  void name_by_signature() {
    const std::vector<FlatTable> signatures = root_.tables(7);
    if (signatures.size() != 1) return;
    std::vector<TfliteTensor>& tensors = result_.graphs.at(0).tensors;
    for (const std::size_t field : {std::size_t{0}, std::size_t{1}})
      for (const FlatTable& each : signatures[0].tables(field)) {
        const auto place = each.number<std::uint32_t>(1, 0);
        if (place >= tensors.size()) continue;
        if (const std::string_view name = each.bytes(0); !name.empty() && name.size() <= kMostName)
          tensors[place].name = std::string(name);
      }
  }

  static void make_names_unlike(TfliteSubgraph& graph) {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < graph.tensors.size(); ++i) {
      std::string& name = graph.tensors[i].name;
      while (name.empty() || !seen.insert(name).second) name += (name.empty() ? "tensor_" : "_") + std::to_string(i);
    }
  }

  std::string_view content_, file_;
  FlatTable root_;
  std::vector<FlatTable> buffers_, codes_, graphs_;
  std::size_t parts_ = 0;  // of all graphs
  TfliteModel result_;
};

TensorView view_of(const TfliteTensor& tensor, std::string_view file) {
  const std::string what = tensor_named(tensor.name);
  const TypeRow* row = row_of(tensor.type);
  if (row == nullptr)
    unsupported(file, what,
                "its elements of type " + std::to_string(static_cast<int>(tensor.type)) +
                    " cannot be read; convert it " + "to float32 or int8");
  if (!tensor.data) invalid(file, what, "has no data");
  const std::int64_t count = elements_of(tensor, file);
  if (tensor.data->size() / size_bytes(row->element) != static_cast<std::size_t>(count) ||
      tensor.data->size() % size_bytes(row->element) != 0)
    invalid(file, what,
            "has " + std::to_string(tensor.data->size()) + " bytes, which is no " + to_string(tensor.shape) + " of " +
                std::string(rnnc::name(row->element)));
  return {row->element, tensor.shape, std::as_bytes(std::span(*tensor.data)), nullptr, nullptr};
}

}  // namespace

std::string name(TfliteOp op) {
  const OperatorRow* row = row_of(op);
  return row ? row->name : std::to_string(static_cast<std::int32_t>(op));
}

TfliteModel parse_tflite(std::string_view content, std::string_view file) { return ModelParser(content, file).run(); }

std::vector<float> floats_of(const TfliteTensor& tensor, std::string_view file) {
  const TensorView view = view_of(tensor, file);
  if (is_real(view.type)) return view.to_f32();
  std::vector<double> values = doubles_of(view);
  std::vector<float> floats(values.begin(), values.end());
  if (tensor.scales.empty()) return floats;
  const std::string what = tensor_named(tensor.name);
  const std::size_t count = tensor.scales.size();
  if (!tensor.zero_points.empty() && tensor.zero_points.size() != count)
    invalid(file, what, "has another number of zero points than of scales");
  for (const float scale : tensor.scales)
    if (!(scale >= 0) || !std::isfinite(scale)) invalid(file, what, "has a scale that is no finite number from 0 on");
  std::size_t inner = values.size();
  if (count > 1) {
    if (tensor.scaled_dim >= tensor.shape.size() || tensor.shape[tensor.scaled_dim] != static_cast<std::int64_t>(count))
      invalid(file, what,
              "has " + std::to_string(count) + " scales, which no dim of " + to_string(tensor.shape) + " takes");
    inner = 1;
    for (std::size_t d = tensor.scaled_dim + 1; d < tensor.shape.size(); ++d)
      inner *= static_cast<std::size_t>(tensor.shape[d]);
  }
  for (std::size_t k = 0; k < values.size(); ++k) {
    const std::size_t at = count > 1 ? k / inner % count : 0;
    const double zero = tensor.zero_points.empty() ? 0 : static_cast<double>(tensor.zero_points[at]);
    floats[k] = static_cast<float>((values[k] - zero) * tensor.scales[at]);
  }
  return floats;
}

std::vector<std::int64_t> integers_of(const TfliteTensor& tensor, std::string_view file) {
  if (tensor.type != TfliteType::I32 && tensor.type != TfliteType::I64)
    unsupported(file, tensor_named(tensor.name), "must be of whole numbers");
  const std::vector<double> values = doubles_of(view_of(tensor, file));
  return {values.begin(), values.end()};
}

}  // namespace rnnc::files
