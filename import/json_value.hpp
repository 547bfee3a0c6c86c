// A JSON file becomes a tree whose parts are read strictly: every getter checks the type, and an object must be asked
// for all its keys, so that an unknown key is an error.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <rnnc/tensor_files.hpp>
#include "import/matrix.hpp"

namespace rnnc::files {

/// Parses a file. Throws Refusal: InvalidData for text that is no JSON, an object with equal keys, or a root that is no
/// object; Limit for nesting.
nlohmann::ordered_json parse_json(std::string_view text, std::string_view file, const FileLimits& limits);

/// A value and its place in the file, such as `layers[2].weights`. The getters throw Refusal with that place.
class JsonValue {
 public:
  using Json = nlohmann::ordered_json;

  JsonValue(const Json& json, std::string_view file, std::string path = "")
      : json_(&json), file_(file), path_(std::move(path)) {}

  std::string text() const;
  std::int64_t size(std::int64_t least = 1) const;  // a whole number in [least, 2^24]
  bool flag() const;                                // true, false, 0 or 1
  double number() const;                            // a finite number in the range of f32
  std::vector<JsonValue> elements() const;
  std::vector<float> vector() const;  // of finite f32 numbers, at least one
  Matrix matrix() const;              // of rows of one length, at least 1 x 1
  bool is_null() const;
  bool is_nested() const;  // an array whose first element is an array
  bool is_off() const;     // null, false, or an array or object without content
  bool is_array() const;
  bool is_text() const;
  bool is_number(double value) const;
  bool is_object() const;
  bool is_numbers() const;  // a number, or an array that begins with one, however deep

  /// Returns the dims of a number or of nested arrays of numbers, judged by the first elements.
  std::vector<std::int64_t> shape() const;

  bool has(const std::string& key) const;
  JsonValue at(const std::string& key) const;
  std::vector<std::string> keys() const;

  /// Checks that the object has no keys but these; it may lack some of them.
  void only(const std::set<std::string>& keys) const;

  /// Checks the same of the keys whose names say that they may change the numbers: gains, skips, scales, layers. Other
  /// keys, which tools write for people (rates, names, dates, losses), are skipped.
  void only_of_meaning(const std::set<std::string>& keys) const;

  const std::string& path() const { return path_; }
  std::string_view file() const { return file_; }
  [[noreturn]] void wrong(const std::string& why) const;
  [[noreturn]] void unsupported(const std::string& why) const;

 private:
  const Json& object() const;
  JsonValue element(std::size_t i) const;

  const Json* json_;
  std::string_view file_;
  std::string path_;
};

}  // namespace rnnc::files
