// This reader walks a message of protocol buffers field by field and copies nothing; it knows as much of the wire
// format as ONNX needs. Every length is checked against the bytes that are there; groups and unknown wire types are
// refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rnnc::files {

struct ProtoField {
  std::uint64_t number = 0;
  int wire = 0;               // 0 varint, 1 eight bytes, 2 bytes, 5 four bytes
  std::uint64_t value = 0;    // of 0, 1 and 5
  std::string_view bytes;     // of 2
  std::string_view file, in;  // for messages: the file, and the kind of message

  // Each of these throws Refusal if the field has another wire type.
  std::int64_t integer() const;
  float real() const;
  std::string text() const;  // UTF-8, without a NUL
  std::string_view message() const;
  void append_to(std::vector<std::int64_t>& values) const;  // one, or many packed
  void append_to(std::vector<float>& values) const;
  [[noreturn]] void unknown() const;
};

class ProtoReader {
 public:
  /// `in` names the kind of message: "node", "tensor".
  ProtoReader(std::string_view bytes, std::string_view file, std::string_view in)
      : bytes_(bytes), file_(file), in_(in) {}

  /// Reads the next field; returns false at the end.
  bool next(ProtoField& field);

 private:
  std::uint64_t varint();
  std::string_view take(std::uint64_t count);
  [[noreturn]] void cut_short() const;

  std::string_view bytes_, file_, in_;
};

}  // namespace rnnc::files
