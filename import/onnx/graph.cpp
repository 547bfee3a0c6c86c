#include "import/onnx/graph.hpp"

#include <charconv>
#include <limits>

#include "import/file_error.hpp"
#include "import/onnx/protobuf.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

constexpr std::size_t kMaxNodes = 1000000;

struct Reading {
  std::string_view file;
  const FileLimits& limits;
  std::size_t nodes = 0;
  int depth = 0;
};

OnnxGraph parse_graph(std::string_view content, Reading& reading);

OnnxAttribute parse_attribute(std::string_view content, Reading& reading) {
  OnnxAttribute result;
  ProtoReader reader(content, reading.file, "attribute");
  for (ProtoField field; reader.next(field);) {
    switch (field.number) {
      case 1: result.name = field.text(); break;
      case 2: result.f = field.real(); break;
      case 3: result.i = field.integer(); break;
      case 4: result.s = field.text(); break;
      case 5: result.tensor = field.message(); break;
      case 6: result.graph = std::make_shared<const OnnxGraph>(parse_graph(field.message(), reading)); break;
      case 7: field.append_to(result.floats); break;
      case 8: field.append_to(result.ints); break;
      case 9: result.strings.push_back(field.text()); break;
      case 13: break;  // a text for people
      case 20: result.type = static_cast<int>(field.integer()); break;
      default: field.unknown();
    }
  }
  return result;
}

void parse_entry(std::string_view content, std::string_view file, std::map<std::string, std::string>& entries) {
  std::string key, value;
  ProtoReader reader(content, file, "entry");
  for (ProtoField part; reader.next(part);) {
    if (part.number == 1) key = part.text();
    if (part.number == 2) value = part.text();
  }
  entries[key] = value;
}

OnnxNode parse_node(std::string_view content, Reading& reading) {
  if (++reading.nodes > kMaxNodes)
    refuse(ErrorCode::Limit, reading.file, "", "has more than 1e6 nodes; split the model");
  OnnxNode result;
  std::map<std::string, std::string> metadata;
  ProtoReader reader(content, reading.file, "node");
  for (ProtoField field; reader.next(field);) {
    switch (field.number) {
      case 1: result.inputs.push_back(field.text()); break;
      case 2: result.outputs.push_back(field.text()); break;
      case 3: result.name = field.text(); break;
      case 4: result.op = field.text(); break;
      case 5: {
        OnnxAttribute attribute = parse_attribute(field.message(), reading);
        const std::string name = attribute.name;
        if (!result.attributes.emplace(name, std::move(attribute)).second)
          invalid(reading.file, result.describe(), "attribute " + in_quotes(name) + " stands there twice; keep one");
        break;
      }
      case 7: result.domain = field.text(); break;
      case 9: parse_entry(field.message(), reading.file, metadata); break;
      case 6:   // a text for people
      case 10:  // on which device it runs
        break;
      case 8:
        if (!field.text().empty())
          unsupported(reading.file, result.describe(), "is an overload of a function; inline the model's functions");
        break;
      default: field.unknown();
    }
  }
  result.scopes = metadata["pkg.torch.onnx.name_scopes"];
  return result;
}

void parse_shape(std::string_view content, std::string_view file, OnnxInput& result) {
  result.has_shape = true;
  ProtoReader reader(content, file, "shape");
  for (ProtoField field; reader.next(field);) {
    if (field.number != 1) field.unknown();
    std::int64_t dim = -1;
    std::string name;
    ProtoReader inner(field.message(), file, "dim");
    for (ProtoField part; inner.next(part);) {
      if (part.number == 1) dim = part.integer();
      if (part.number == 2) name = part.text();
    }
    result.dims.push_back(dim < 1 ? -1 : dim);
    result.names.push_back(name);
  }
}

// Reads name, type and shape of a ValueInfoProto: its type.tensor_type, if there is one.
std::pair<std::string, OnnxInput> parse_value(std::string_view content, std::string_view file) {
  std::pair<std::string, OnnxInput> result;
  ProtoReader reader(content, file, "value");
  for (ProtoField field; reader.next(field);) {
    if (field.number == 1) result.first = field.text();
    if (field.number != 2) continue;
    ProtoReader type(field.message(), file, "type");
    for (ProtoField kind; type.next(kind);) {
      if (kind.number != 1) continue;
      ProtoReader tensor(kind.message(), file, "tensor type");
      for (ProtoField part; tensor.next(part);) {
        if (part.number == 1) result.second.type = part.integer();
        if (part.number == 2) parse_shape(part.message(), file, result.second);
      }
    }
  }
  return result;
}

std::string name_of_tensor(std::string_view content, std::string_view file) {
  std::string name;
  ProtoReader reader(content, file, "tensor");
  for (ProtoField field; reader.next(field);)
    if (field.number == 8) name = field.text();
  return name;
}

OnnxGraph parse_graph(std::string_view content, Reading& reading) {
  if (++reading.depth > reading.limits.max_nesting)
    refuse(ErrorCode::Limit, reading.file, "",
           "graphs nest deeper than the limit of " + std::to_string(reading.limits.max_nesting) + "; raise it");
  OnnxGraph result;
  ProtoReader reader(content, reading.file, "graph");
  for (ProtoField field; reader.next(field);) {
    switch (field.number) {
      case 1: result.nodes.push_back(parse_node(field.message(), reading)); break;
      case 5: {
        const std::string name = name_of_tensor(field.message(), reading.file);
        if (!result.initializers.emplace(name, field.message()).second)
          invalid(reading.file, "", "initializer " + in_quotes(name) + " stands there twice; keep one");
        break;
      }
      case 11: {
        auto [name, details] = parse_value(field.message(), reading.file);
        result.inputs.push_back(name);
        result.details[name] = std::move(details);
        break;
      }
      case 12: result.outputs.push_back(parse_value(field.message(), reading.file).first); break;
      case 2:
      case 10:
      case 13:
      case 14:
      case 16: break;  // name, text, shapes that follow from the operators, quantizers' notes, metadata
      case 15: unsupported(reading.file, "", "has sparse initializers; store them dense");
      default: field.unknown();
    }
  }
  --reading.depth;
  return result;
}

struct OnnxType {
  int number;
  ElementType type;
};

// These are the numbers of TensorProto.DataType.
constexpr OnnxType kTypes[] = {{1, ElementType::F32},  {2, ElementType::U8},   {3, ElementType::I8},
                               {4, ElementType::U16},  {5, ElementType::I16},  {6, ElementType::I32},
                               {7, ElementType::I64},  {9, ElementType::Bool}, {10, ElementType::F16},
                               {11, ElementType::F64}, {12, ElementType::U32}, {13, ElementType::U64},
                               {16, ElementType::BF16}};

ElementType type_of(std::int64_t number, std::string_view file, const std::string& what) {
  for (const OnnxType& type : kTypes)
    if (type.number == number) return type.type;
  unsupported(file, what,
              "elements of ONNX type " + std::to_string(number) + " cannot be read; convert the tensor to float");
}

template <class T>
std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

struct TensorParts {
  std::vector<std::int64_t> dims, integers;
  std::vector<float> floats;
  std::string_view raw, doubles;
  bool has_raw = false;
  std::int64_t type = 0;
  std::string name;
  bool outside = false;  // its data are in a file beside the model
  std::map<std::string, std::string> where;
};

// Integers of 4 bits stand in pairs in a byte, the first in its low half. They become integers of 8 bits.
constexpr std::int64_t kUnsigned4 = 21, kSigned4 = 22;
ElementType four_bit_type(std::int64_t number) { return number == kSigned4 ? ElementType::I8 : ElementType::U8; }

TensorView unpacked(const TensorParts& parts, ElementType type, std::uint64_t count, std::string_view file,
                    const std::string& what) {
  std::string pairs(parts.raw);
  if (!parts.has_raw)
    for (const std::int64_t pair : parts.integers) pairs += static_cast<char>(pair);
  if (pairs.size() != count / 2 + count % 2)
    invalid(file, what,
            "shape " + to_string(parts.dims) + " of 4 bits needs " + std::to_string(count / 2 + count % 2) +
                " bytes, but the file has " + std::to_string(pairs.size()) + "; export it again");
  std::vector<std::byte> bytes;
  for (std::uint64_t i = 0; i < count; ++i) {
    const int half = static_cast<unsigned char>(pairs[i / 2]) >> (i % 2 * 4) & 15;
    bytes.push_back(static_cast<std::byte>(type == ElementType::I8 && half > 7 ? half - 16 : half));
  }
  TensorView result = TensorView::own(type, parts.dims, std::move(bytes));
  result.four_bits = true;
  return result;
}

TensorParts parse_parts(std::string_view content, std::string_view file) {
  TensorParts parts;
  ProtoReader reader(content, file, "tensor");
  for (ProtoField field; reader.next(field);) {
    switch (field.number) {
      case 1: field.append_to(parts.dims); break;
      case 2: parts.type = field.integer(); break;
      case 4: field.append_to(parts.floats); break;
      case 5:
      case 7: field.append_to(parts.integers); break;
      case 8: parts.name = field.text(); break;
      case 9: parts.raw = field.message(), parts.has_raw = true; break;
      case 10: parts.doubles = field.message(), parts.raw = parts.doubles, parts.has_raw = true; break;
      case 12:
      case 16: break;  // a text for people, metadata
      case 13: parse_entry(field.message(), file, parts.where); break;
      case 14: parts.outside = field.integer() != 0; break;
      default: field.unknown();
    }
  }
  return parts;
}

}  // namespace

std::string OnnxNode::describe() const {
  return "node " + in_quotes(name.empty() && !outputs.empty() ? outputs.front() : name) + " (" + op + ")";
}

TensorView parse_onnx_tensor(std::string_view content, std::string_view file, const FileLimits& limits,
                             OnnxFiles* beside) {
  TensorParts parts = parse_parts(content, file);
  const std::string what = "tensor " + in_quotes(parts.name);
  const FileContent* holder = nullptr;
  if (parts.outside) {
    if (beside == nullptr)
      unsupported(file, what, "its data are in another file; give the model as a file, or save it as one file");
    const auto number = [&](const char* key) -> std::optional<std::uint64_t> {
      const auto found = parts.where.find(key);
      if (found == parts.where.end()) return std::nullopt;
      std::uint64_t value = 0;
      const char* end = found->second.data() + found->second.size();
      const auto [at, error] = std::from_chars(found->second.data(), end, value);
      if (error != std::errc() || at != end) invalid(file, what, std::string(key) + " of its data is no number");
      return value;
    };
    const auto bytes =
        beside->read(parts.where["location"], number("offset").value_or(0), number("length"), file, limits, holder);
    parts.raw = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    parts.has_raw = true;
  } else if (!parts.where.empty()) {
    invalid(file, what, "names another file, but has no data there");
  }
  const bool four_bits = parts.type == kUnsigned4 || parts.type == kSigned4;
  const ElementType type = four_bits ? four_bit_type(parts.type) : type_of(parts.type, file, what);
  std::uint64_t count = 1;
  if (static_cast<std::int64_t>(parts.dims.size()) > limits.max_rank)
    refuse(ErrorCode::Limit, file, what, "has " + std::to_string(parts.dims.size()) + " dimensions; reshape it");
  for (const std::int64_t dim : parts.dims) {
    if (dim < 0) invalid(file, what, "shape " + to_string(parts.dims) + " has a negative dimension; export it again");
    if (dim > limits.max_dim)
      refuse(ErrorCode::Limit, file, what, "shape " + to_string(parts.dims) + " is too large; split it");
    if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(dim), &count))
      invalid(file, what, "shape " + to_string(parts.dims) + " has more than 2^64 elements; export it again");
  }
  if (four_bits) return unpacked(parts, type, count, file, what);
  std::uint64_t held = parts.raw.size() / size_bytes(type);
  const bool whole = parts.raw.size() % size_bytes(type) == 0;
  if (!parts.has_raw) held = type == ElementType::F32 ? parts.floats.size() : parts.integers.size();
  if (held != count || !whole)
    invalid(file, what,
            "shape " + to_string(parts.dims) + " of " + std::string(name(type)) + " needs " + std::to_string(count) +
                " elements, but the file has " + std::to_string(held) + "; export it again");
  if (parts.has_raw) return {type, parts.dims, std::as_bytes(std::span(parts.raw)), nullptr, holder};
  if (type == ElementType::F32) return TensorView::own(type, parts.dims, bytes_of(parts.floats));
  if (type == ElementType::I64) return TensorView::own(type, parts.dims, bytes_of(parts.integers));
  if (type == ElementType::I32)
    return TensorView::own(type, parts.dims,
                           bytes_of(std::vector<std::int32_t>(parts.integers.begin(), parts.integers.end())));
  // The numbers of narrow types stand one by one in integers; of floats of 16 bits these are their bits.
  const auto narrow = [&]<class T>(T) {
    std::vector<T> values;
    for (const std::int64_t value : parts.integers) {
      if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max())
        invalid(file, what, std::to_string(value) + " is outside of its type " + std::string(name(type)));
      values.push_back(static_cast<T>(value));
    }
    return TensorView::own(type, parts.dims, bytes_of(values));
  };
  switch (type) {
    case ElementType::F16:
    case ElementType::BF16:
    case ElementType::U16: return narrow(std::uint16_t());
    case ElementType::I16: return narrow(std::int16_t());
    case ElementType::U8:
    case ElementType::Bool: return narrow(std::uint8_t());
    case ElementType::I8: return narrow(std::int8_t());
    default: break;
  }
  unsupported(
      file, what,
      "elements of type " + std::string(name(type)) + " are read from raw_data only; export the model with raw data");
}

namespace {

// Functions that nodes call are refused where they are called, as operators that are not known. One of ONNX's own
// domain would give an operator another meaning.
void check_function(std::string_view content, std::string_view file) {
  std::string name, domain;
  ProtoReader reader(content, file, "function");
  for (ProtoField field; reader.next(field);) {
    if (field.number == 1) name = field.text();
    if (field.number == 10) domain = field.text();
  }
  if (domain.empty() || domain == "ai.onnx")
    unsupported(file, "function " + in_quotes(name), "is of ONNX's own domain; inline the model's functions");
}

}  // namespace

OnnxModel parse_onnx(std::string_view content, std::string_view file, const FileLimits& limits) {
  OnnxModel result;
  Reading reading{file, limits};
  bool has_graph = false;
  ProtoReader reader(content, file, "model");
  for (ProtoField field; reader.next(field);) {
    switch (field.number) {
      case 7:
        if (has_graph) invalid(file, "model", "has two graphs; export it again");
        result.graph = parse_graph(field.message(), reading);
        has_graph = true;
        break;
      case 8: {
        std::string domain;
        std::int64_t version = 0;
        ProtoReader opset(field.message(), file, "opset");
        for (ProtoField part; opset.next(part);) {
          if (part.number == 1) domain = part.text();
          if (part.number == 2) version = part.integer();
        }
        if (domain.empty() || domain == "ai.onnx") result.opset = version;
        break;
      }
      case 20: unsupported(file, "model", "has parts for training; export it for inference");
      case 25: check_function(field.message(), file); break;
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
      case 6:
      case 14:
      case 26: break;  // versions, producer, texts and metadata, devices
      default: field.unknown();
    }
  }
  if (!has_graph) invalid(file, "model", "has no graph; this is no ONNX file, or one that is cut short");
  return result;
}

}  // namespace rnnc::files
