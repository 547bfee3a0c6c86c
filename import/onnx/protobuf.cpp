#include "import/onnx/protobuf.hpp"

#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>

#include "import/file_error.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

enum Wire { kVarint = 0, kEight = 1, kBytes = 2, kFour = 5 };

std::uint64_t fixed(std::string_view bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  return value;
}

void expect(const ProtoField& field, bool right) {
  if (!right)
    invalid(field.file, std::string(field.in),
            "field " + std::to_string(field.number) + " has wire type " + std::to_string(field.wire) +
                ", which ONNX does not give it; export the model again");
}

}  // namespace

void ProtoReader::cut_short() const {
  invalid(file_, std::string(in_), "ends within a field; the file is cut short or damaged: copy or export it again");
}

std::uint64_t ProtoReader::varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (bytes_.empty()) cut_short();
    const auto byte = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    if (shift == 63 && byte > 1) break;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  invalid(file_, std::string(in_), "holds a number of more than 64 bits; the file is damaged: export it again");
}

std::string_view ProtoReader::take(std::uint64_t count) {
  if (count > bytes_.size()) cut_short();
  const std::string_view taken = bytes_.substr(0, count);
  bytes_.remove_prefix(count);
  return taken;
}

bool ProtoReader::next(ProtoField& field) {
  if (bytes_.empty()) return false;
  const std::uint64_t key = varint();
  field = {key >> 3, static_cast<int>(key & 7), 0, {}, file_, in_};
  if (field.number == 0)
    invalid(file_, std::string(in_), "has a field of number 0; this is no ONNX file, or a damaged one");
  switch (field.wire) {
    case kVarint: field.value = varint(); return true;
    case kEight: field.value = fixed(take(8)); return true;
    case kFour: field.value = fixed(take(4)); return true;
    case kBytes: field.bytes = take(varint()); return true;
    default:
      invalid(file_, std::string(in_),
              "has a field of wire type " + std::to_string(field.wire) + "; this is no ONNX file, or a damaged one");
  }
}

std::int64_t ProtoField::integer() const {
  expect(*this, wire == kVarint);
  return static_cast<std::int64_t>(value);
}

float ProtoField::real() const {
  expect(*this, wire == kFour);
  return std::bit_cast<float>(static_cast<std::uint32_t>(value));
}

std::string ProtoField::text() const {
  expect(*this, wire == kBytes);
  // in_quotes changes text that is no UTF-8, so a name that it changes is not valid.
  using nlohmann::json;
  std::string result(bytes);
  try {
    static_cast<void>(json(result).dump());
  } catch (const json::exception&) {
    invalid(file, std::string(in), "has a text that is no UTF-8; the file is damaged: export it again");
  }
  if (result.find('\0') != std::string::npos) invalid(file, std::string(in), "has a name with a NUL; rename it");
  return result;
}

std::string_view ProtoField::message() const {
  expect(*this, wire == kBytes);
  return bytes;
}

void ProtoField::append_to(std::vector<std::int64_t>& values) const {
  if (wire == kVarint) return values.push_back(integer());
  // A packed list has numbers without keys, so each number is read as a varint of its own.
  std::string_view rest = message();
  while (!rest.empty()) {
    std::uint64_t found = 0;
    std::size_t count = 0;
    for (; count < rest.size() && count < 10; ++count) {
      const auto byte = static_cast<unsigned char>(rest[count]);
      found |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * count);
      if (byte < 0x80) break;
    }
    if (count == rest.size() || count == 10)
      invalid(file, std::string(in),
              "has a list of numbers that ends within one; the file is damaged: export it again");
    values.push_back(static_cast<std::int64_t>(found));
    rest.remove_prefix(count + 1);
  }
}

void ProtoField::append_to(std::vector<float>& values) const {
  if (wire == kFour) return values.push_back(real());
  const std::string_view list = message();
  if (list.size() % 4 != 0)
    invalid(file, std::string(in), "has a list of floats that ends within one; the file is damaged: export it again");
  const std::size_t begin = values.size();
  values.resize(begin + list.size() / 4);
  if (!list.empty()) std::memcpy(values.data() + begin, list.data(), list.size());
}

void ProtoField::unknown() const {
  unsupported(file, std::string(in),
              "field " + std::to_string(number) + " is not known; export the model for an older opset");
}

}  // namespace rnnc::files
