#include "extensions/sqlite/read_row.hpp"

#include <charconv>
#include <cmath>
#include <cstring>
#include <string>

namespace rnnc::sqlite {
namespace {

Error wrong_size(std::size_t given, std::size_t wanted) {
  return {ErrorCode::ShapeMismatch,
          {},
          "takes " + std::to_string(wanted) + (wanted == 1 ? " number" : " numbers") + " a row, and is given " +
              (given > wanted ? "more" : std::to_string(given))};
}

Error wrong_type(std::size_t argument, sqlite3_value* value) {
  const bool is_text = sqlite3_value_type(value) == SQLITE_TEXT;
  return {ErrorCode::InvalidData,
          {},
          "takes numbers, or blobs of floats of 4 bytes; its input " + std::to_string(argument + 1) + " is " +
              (is_text ? "the text '" + std::string(bytes_of(value).substr(0, 40)) + "': CAST it AS REAL"
                       : "a blob of " + std::to_string(bytes_of(value).size()) + " bytes")};
}

void append(std::string& json, float value) {
  if (std::isnan(value)) {
    json += "null";
  } else if (std::isinf(value)) {
    json += value < 0 ? "-9e999" : "9e999";  // as SQLite writes it
  } else {
    char digits[32];
    json.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
}

}  // namespace

Result<bool> read_row(std::span<sqlite3_value*> values, std::span<float> x) {
  bool whole = true;
  std::size_t filled = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int type = sqlite3_value_type(values[i]);
    if (type == SQLITE_NULL) {
      whole = false;
      continue;
    }
    const std::string_view blob = type == SQLITE_BLOB ? bytes_of(values[i]) : std::string_view();
    if (type == SQLITE_TEXT || blob.size() % sizeof(float) != 0) return wrong_type(i, values[i]);
    const std::size_t size = type == SQLITE_BLOB ? blob.size() / sizeof(float) : 1;
    if (size > x.size() - filled) return wrong_size(filled + size, x.size());
    if (type == SQLITE_BLOB && size > 0)
      std::memcpy(x.data() + filled, blob.data(), blob.size());
    else if (type != SQLITE_BLOB)
      x[filled] = static_cast<float>(sqlite3_value_double(values[i]));
    filled += size;
  }
  if (whole && filled != x.size()) return wrong_size(filled, x.size());
  return whole;
}

void give_json(sqlite3_context* context, int, sqlite3_value** values) noexcept {
  guarded(context, [&] {
    const int type = sqlite3_value_type(values[0]);
    if (type == SQLITE_NULL) return sqlite3_result_null(context);
    const std::string_view blob = bytes_of(values[0]);
    if (type != SQLITE_BLOB || blob.size() % sizeof(float) != 0)
      return fail(context, "rnn_json: the argument is no blob of floats, as rnn gives for a model of several outputs");
    std::string json = "[";
    for (std::size_t at = 0; at < blob.size(); at += sizeof(float)) {
      float value = 0;
      std::memcpy(&value, blob.data() + at, sizeof value);
      if (at > 0) json += ',';
      append(json, value);
    }
    json += ']';
    sqlite3_result_text64(context, json.data(), json.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  });
}

}  // namespace rnnc::sqlite
