#include "import/json_value.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include <rnnc/join.hpp>

#include "import/file_error.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMaxSize = std::int64_t{1} << 24;  // the limit of a dim in all formats

/// Watches the parser for nesting and for keys that stand twice in one object, which the tree would not show.
class Watch {
 public:
  Watch(std::string_view file, const FileLimits& limits) : file_(file), limits_(limits) {}

  bool operator()(int depth, Json::parse_event_t event, Json& value) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= limits_.max_nesting)
        refuse(
            ErrorCode::Limit, file_, "",
            "objects and arrays nest deeper than the limit of " + std::to_string(limits_.max_nesting) + "; raise it");
      keys_.emplace_back();
    } else if (event == Event::object_end || event == Event::array_end) {
      keys_.pop_back();
    } else if (event == Event::key) {
      const std::string key = value.get<std::string>();
      if (!keys_.back().insert(key).second)
        invalid(file_, "", "key " + in_quotes(key) + " stands there twice; keep one");
    }
    return true;
  }

 private:
  std::string_view file_;
  const FileLimits& limits_;
  std::vector<std::set<std::string>> keys_;
};

std::optional<float> finite(const Json& json) {
  if (!json.is_number()) return std::nullopt;
  const float value = static_cast<float>(json.get<double>());
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

}  // namespace

Json parse_json(std::string_view text, std::string_view file, const FileLimits& limits) try {
  // nlohmann takes a NUL for the end of its input and ignores the bytes behind it.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos)
    invalid(file, "", "this is no JSON at byte " + std::to_string(nul + 1) + ": a NUL; save or copy the file again");
  // The parser keeps a copy of its callback.
  Watch watch(file, limits);
  Json json = Json::parse(text.begin(), text.end(), std::ref(watch));
  if (!json.is_object()) invalid(file, "", "a model is a JSON object, not " + std::string(json.type_name()));
  return json;
} catch (const Json::parse_error& error) {
  invalid(
      file, "",
      "this is no JSON at byte " + std::to_string(error.byte) + "; it is damaged or cut short: save or copy it again");
} catch (const Json::exception&) {
  invalid(file, "", "a number is too large for double precision; correct it");
}

void JsonValue::wrong(const std::string& why) const { invalid(file_, path_, why); }
void JsonValue::unsupported(const std::string& why) const { files::unsupported(file_, path_, why); }

bool JsonValue::is_null() const { return json_->is_null(); }
bool JsonValue::is_nested() const { return json_->is_array() && !json_->empty() && json_->front().is_array(); }

bool JsonValue::is_off() const {
  return json_->is_null() || *json_ == false || ((json_->is_array() || json_->is_object()) && json_->empty());
}
bool JsonValue::is_array() const { return json_->is_array(); }
bool JsonValue::is_text() const { return json_->is_string(); }
bool JsonValue::is_number(double value) const { return json_->is_number() && json_->get<double>() == value; }
bool JsonValue::is_object() const { return json_->is_object(); }

bool JsonValue::is_numbers() const {
  const Json* json = json_;
  while (json->is_array() && !json->empty()) json = &json->front();
  return json->is_number();
}

std::vector<std::int64_t> JsonValue::shape() const {
  std::vector<std::int64_t> dims;
  const Json* json = json_;
  for (; json->is_array() && !json->empty(); json = &json->front())
    dims.push_back(static_cast<std::int64_t>(json->size()));
  if (!is_numbers()) static_cast<void>(is_nested() ? matrix().values : vector());  // says what is wrong
  return dims;
}

std::string JsonValue::text() const {
  if (!json_->is_string()) wrong("must be a string, not " + std::string(json_->type_name()));
  return json_->get<std::string>();
}

std::int64_t JsonValue::size(std::int64_t least) const {
  const std::string wanted = "must be a whole number from " + std::to_string(least) + " to 2^24";
  if (!json_->is_number_integer()) wrong(wanted + ", not " + std::string(json_->type_name()));
  const bool huge = json_->is_number_unsigned() && json_->get<std::uint64_t>() > static_cast<std::uint64_t>(kMaxSize);
  const std::int64_t value = huge ? kMaxSize + 1 : json_->get<std::int64_t>();
  if (value < least || value > kMaxSize) wrong(wanted + ", not " + json_->dump());
  return value;
}

bool JsonValue::flag() const {
  if (json_->is_boolean()) return json_->get<bool>();
  if (!json_->is_number_integer() || (*json_ != 0 && *json_ != 1)) wrong("must be true or false");
  return *json_ == 1;
}

double JsonValue::number() const {
  if (!finite(*json_)) wrong("must be a finite number in the range of f32");
  return json_->get<double>();
}

JsonValue JsonValue::element(std::size_t i) const {
  return JsonValue((*json_)[i], file_, path_ + "[" + std::to_string(i) + "]");
}

std::vector<JsonValue> JsonValue::elements() const {
  if (!json_->is_array()) wrong("must be an array, not " + std::string(json_->type_name()));
  std::vector<JsonValue> result;
  for (std::size_t i = 0; i < json_->size(); ++i) result.push_back(element(i));
  return result;
}

std::vector<float> JsonValue::vector() const {
  if (!json_->is_array()) wrong("must be an array of numbers, not " + std::string(json_->type_name()));
  if (json_->empty()) wrong("must have at least one number");
  std::vector<float> values;
  values.reserve(json_->size());
  for (std::size_t i = 0; i < json_->size(); ++i) {
    const std::optional<float> value = finite((*json_)[i]);
    if (!value) element(i).wrong("must be a finite number in the range of f32");
    values.push_back(*value);
  }
  return values;
}

Matrix JsonValue::matrix() const {
  Matrix result;
  if (!json_->is_array() || json_->empty()) wrong("must be an array of rows, with at least one");
  for (std::size_t i = 0; i < json_->size(); ++i) {
    const std::vector<float> row = element(i).vector();
    if (i == 0) result.columns = static_cast<std::int64_t>(row.size());
    if (row.empty() || static_cast<std::int64_t>(row.size()) != result.columns)
      element(i).wrong("has " + std::to_string(row.size()) +
                       " numbers; all rows must have as many as the first, at least 1");
    result.values.insert(result.values.end(), row.begin(), row.end());
  }
  result.rows = static_cast<std::int64_t>(json_->size());
  return result;
}

const Json& JsonValue::object() const {
  if (!json_->is_object()) wrong("must be an object, not " + std::string(json_->type_name()));
  return *json_;
}

bool JsonValue::has(const std::string& key) const { return object().contains(key); }

JsonValue JsonValue::at(const std::string& key) const {
  const auto found = object().find(key);
  if (found == json_->end()) wrong("key " + in_quotes(key) + " is missing; save the model again");
  return JsonValue(*found, file_, path_ + (path_.empty() ? "" : ".") + key);
}

std::vector<std::string> JsonValue::keys() const {
  std::vector<std::string> result;
  for (const auto& item : object().items()) result.push_back(item.key());
  return result;
}

namespace {

// The programs whose files these are read a few keys and ignore all others. A newer version may read more, so a key
// that speaks of arithmetic is not skipped.
bool speaks_of_arithmetic(std::string_view key) {
  constexpr std::string_view kWhole[] = {"mean", "std", "alpha", "beta"};
  constexpr std::string_view kBegin[] = {"in_", "out_", "input", "output"};
  constexpr std::string_view kAnywhere[] = {"skip",  "gain",  "scale", "norm",   "bias",   "offset",
                                            "delay", "clip",  "activ", "weight", "kernel", "resid",
                                            "mix",   "state", "layer", "filter", "quant",  "conv"};
  return std::ranges::find(kWhole, key) != std::end(kWhole) ||
         std::ranges::any_of(kBegin, [&](std::string_view begin) { return key.starts_with(begin); }) ||
         std::ranges::any_of(kAnywhere, [&](std::string_view part) { return key.find(part) != key.npos; });
}

}  // namespace

void JsonValue::only_of_meaning(const std::set<std::string>& keys) const {
  for (const auto& item : object().items())
    if (!keys.contains(item.key()) && speaks_of_arithmetic(item.key()))
      unsupported("key " + in_quotes(item.key()) +
                  " is not known here, but may change the numbers; delete it if it does not");
}

void JsonValue::only(const std::set<std::string>& keys) const {
  for (const auto& item : object().items()) {
    if (keys.contains(item.key())) continue;
    unsupported("key " + in_quotes(item.key()) + " is not known here; known are " + join(keys));
  }
}

}  // namespace rnnc::files
