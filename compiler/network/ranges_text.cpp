// Ranges become the text of a JSON file, which people may read and change, and the text becomes ranges.
#include <rnnc/ranges.hpp>

#include <cmath>
#include <nlohmann/json.hpp>

#include "compiler/passes/ranges.hpp"
#include "runtime/number_format.hpp"

namespace rnnc {
namespace {

constexpr const char* kFormat = "rnnc ranges 1";

using Json = nlohmann::ordered_json;

// A fault of a file is thrown by the reader, and parse_ranges makes an error of it.
struct Fault {
  std::string message;
};

const Json& field(const Json& object, const char* name) {
  if (const auto found = object.find(name); found != object.end()) return *found;
  throw Fault{std::string("\"") + name + "\" is missing"};
}

double number(const Json& value, const std::string& what, double least, double most) {
  const double number = value.is_number() ? value.get<double>() : std::nan("");
  if (number >= least && number <= most) return number;
  throw Fault{what + " is " + value.dump() + ", but has to be a number from " + Json(least).dump() + " to " +
              Json(most).dump()};
}

Ranges read(const Json& file) {
  if (!file.is_object() || field(file, "format") != kFormat)
    throw Fault{std::string("\"format\" is not \"") + kFormat + "\""};
  const Json &model = field(file, "model"), &bounds = field(file, "bounds");
  if (!model.is_string() || model.get<std::string>().empty()) throw Fault{"\"model\" is no text"};
  if (!bounds.is_object()) throw Fault{"\"bounds\" is no object"};
  constexpr double kMostMargin = 1e6;
  Ranges ranges{model.get<std::string>(), number(field(file, "margin"), "\"margin\"", 1, kMostMargin), {}};
  for (const auto& [name, bound] : bounds.items())
    ranges.bounds[name] = static_cast<float>(
        number(bound, "the bound of \"" + name + "\"", runtime::kSmallestScaled, compiler::kLargestMeasured));
  return ranges;
}

}  // namespace

Result<Ranges> parse_ranges(std::string_view text, std::string_view file) try {
  return read(Json::parse(text));
} catch (const Fault& fault) {
  return Error{ErrorCode::InvalidData,
               {std::string(file)},
               "no file of ranges: " + fault.message + "; write it again with rnnc calibrate",
               {}};
} catch (const Json::exception&) {
  return Error{ErrorCode::InvalidData,
               {std::string(file)},
               "no file of ranges: it is no JSON; write it with rnnc calibrate",
               {}};
}

std::string to_text(const Ranges& ranges) {
  Json bounds = Json::object();
  for (const auto& [name, bound] : ranges.bounds) bounds[name] = bound;
  const Json file = {
      {"format", kFormat}, {"model", ranges.model}, {"margin", ranges.margin}, {"bounds", std::move(bounds)}};
  return file.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace rnnc
