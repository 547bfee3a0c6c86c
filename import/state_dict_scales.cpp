#include "import/state_dict_scales.hpp"

#include <rnnc/join.hpp>

#include "import/file_error.hpp"
#include "import/scaled_integers.hpp"

namespace rnnc::files {
namespace {

struct Naming {
  std::string_view integers, scale, zero_point;  // the ends of the names
};

constexpr Naming kNamings[] = {{"", "_scale", "_zero_point"}, {"._data", "._scale", "._zero_point"}};

// The scales of a matrix are one, one for each row, or some for each row, each of as many columns as the others. A
// vector of as many as there are rows is of rows.
std::optional<Scales> scales_of(const Shape& shape, const TensorView& scale, const TensorView* zero_point) {
  Scales result{doubles_of(scale), {}, [](std::size_t) { return std::size_t{0}; }};
  const std::size_t count = result.scales.size();
  result.zero_points = zero_point == nullptr ? std::vector<double>(count, 0) : doubles_of(*zero_point);
  if (result.zero_points.size() != count || count == 0) return std::nullopt;
  if (count == 1) return result;
  const auto rows = static_cast<std::size_t>(shape[0]), columns = static_cast<std::size_t>(shape[1]);
  const std::size_t groups = scale.shape.size() == 2 ? static_cast<std::size_t>(scale.shape[1]) : 1;
  const bool fits = (scale.shape.size() == 1 || scale.shape.size() == 2) && scale.shape[0] == shape[0] &&
                    columns % groups == 0 && count == rows * groups;
  if (!fits) return std::nullopt;
  const std::size_t width = columns / groups;
  result.of_place = [=](std::size_t i) { return i / columns * groups + i % columns / width; };
  return result;
}

// Returns why the floats cannot be computed; they are the tensor otherwise.
std::optional<std::string> make_float(TensorView& tensor, const TensorView& scale, const TensorView* zero_point) {
  if (!is_real(scale.type)) return "has scales of " + std::string(name(scale.type)) + ", which must be floats";
  if (zero_point != nullptr && !is_small_integer(zero_point->type) && zero_point->type != ElementType::I64)
    return "has zero points of " + std::string(name(zero_point->type)) + ", which must be integers";
  if (tensor.shape.size() != 2) return "is " + to_string(tensor.shape) + ", but integers are read of matrices alone";
  const std::optional<Scales> by = scales_of(tensor.shape, scale, zero_point);
  if (!by)
    return "is " + to_string(tensor.shape) + " and its scales are " + to_string(scale.shape) +
           (zero_point == nullptr ? "" : ", its zero points " + to_string(zero_point->shape)) +
           "; there must be one, one for each row, or some for each row that have as many columns as each other";
  if (const std::optional<std::string> fault = fault_of(by->scales)) return "cannot be read: " + *fault;
  tensor = floats_of(tensor, *by);
  return std::nullopt;
}

}  // namespace

void make_floats(PlainTensors& plain) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : plain.tensors)
    if (is_small_integer(tensor.type)) names.push_back(name);
  for (const std::string& own : names) {
    for (const Naming& naming : kNamings) {
      if (!own.ends_with(naming.integers)) continue;
      const std::string base = own.substr(0, own.size() - naming.integers.size());
      const auto scale = plain.tensors.find(base + std::string(naming.scale));
      if (scale == plain.tensors.end()) continue;
      const auto zero_point = plain.tensors.find(base + std::string(naming.zero_point));
      const bool shifted = zero_point != plain.tensors.end();
      TensorView tensor = plain.tensors.at(own);
      const auto fault = make_float(tensor, scale->second, shifted ? &zero_point->second : nullptr);
      if (base != own && plain.tensors.contains(base)) continue;
      const std::string in_file = plain.in_file.at(own);
      plain.tensors.erase(own), plain.in_file.erase(own);
      plain.tensors[base] = std::move(tensor), plain.in_file[base] = in_file;
      if (fault) plain.faults[base] = *fault;
      plain.in_file.erase(scale->first), plain.tensors.erase(scale);
      if (shifted) plain.in_file.erase(zero_point->first), plain.tensors.erase(zero_point);
      break;
    }
  }
  for (const auto& [name, tensor] : plain.tensors)
    if (!is_real(tensor.type) && !plain.faults.contains(name))
      plain.faults[name] = "holds whole numbers (" + std::string(rnnc::name(tensor.type)) + "), and no " +
                           in_quotes(plain.in_file.at(name) + "_scale") +
                           " says which floats they stand for; save the floats, or the scale of each row beside them";
}

Result<void> make_floats(TensorMap& tensors, std::string_view file) {
  PlainTensors plain;
  for (const auto& [name, tensor] : tensors) {
    plain.tensors.emplace(name, TensorView::of(tensor));
    plain.in_file[name] = name;
  }
  make_floats(plain);
  for (const auto& [name, why] : plain.faults)
    if (const ElementType type = plain.tensors.at(name).type; type == ElementType::I8 || type == ElementType::U8)
      return file_error(ErrorCode::InvalidData, file, "tensor " + in_quotes(name) + ": " + why);
  TensorMap floats;
  for (const auto& [name, view] : plain.tensors)
    floats[name] = view.memory ? view.part(view.shape, 0) : std::move(tensors.at(name));
  tensors = std::move(floats);
  return {};
}

}  // namespace rnnc::files
