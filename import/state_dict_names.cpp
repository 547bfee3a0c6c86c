#include "import/state_dict_names.hpp"

#include <cmath>
#include <optional>
#include <set>
#include <vector>

#include "import/file_error.hpp"
#include "import/refusal.hpp"
#include "import/state_dict_scales.hpp"

namespace rnnc::files {
namespace {

constexpr std::string_view kRaw = "_raw";
constexpr std::string_view kParametrizations = "parametrizations";

std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t dot = path.find('.');
    parts.push_back(path.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    path.remove_prefix(dot + 1);
  }
}

// Tells whether the text is a weight of a recurrent layer: weight_hh_l0, weight_ih_l1_reverse.
bool is_recurrent_weight(std::string_view text) {
  if (!text.starts_with("weight_ih_l") && !text.starts_with("weight_hh_l") && !text.starts_with("weight_hr_l"))
    return false;
  text.remove_prefix(std::string_view("weight_ih_l").size());
  if (text.ends_with("_reverse")) text.remove_suffix(std::string_view("_reverse").size());
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// RNNCell, LSTMCell and GRUCell have no layers; they get the names of a module of one layer.
std::string with_layer(std::string_view last) {
  for (const std::string_view name : {"weight_ih", "weight_hh", "bias_ih", "bias_hh"})
    for (const std::string_view part : {"", "_g", "_v", "_raw", "_scale", "_zero_point"})
      if (last == std::string(name) + std::string(part)) return std::string(name) + "_l0" + std::string(part);
  return std::string(last);
}

// Multiplies v by g / |v|, in double precision and rounded once. The norm is over the dims in which g has one element:
// PyTorch's `dim`, all of them where g is a scalar. Parts of other shapes are no weight norm of a matrix.
std::optional<TensorView> weight_norm(const TensorView& g, const TensorView& v) {
  if (!is_real(g.type) || !is_real(v.type)) return std::nullopt;
  if (v.shape.size() != 2 || (!g.shape.empty() && g.shape.size() != 2)) return std::nullopt;
  const std::int64_t rows = v.shape[0], columns = v.shape[1];
  if (v.elements() != rows * columns) return std::nullopt;  // a tensor that is not wanted has no elements here
  const std::int64_t groups_r = g.shape.empty() ? 1 : g.shape[0], groups_c = g.shape.empty() ? 1 : g.shape[1];
  if ((groups_r != 1 && groups_r != rows) || (groups_c != 1 && groups_c != columns)) return std::nullopt;
  const std::vector<float> lengths = g.to_f32();
  std::vector<float> values = v.to_f32();
  if (lengths.size() != static_cast<std::size_t>(groups_r * groups_c)) return std::nullopt;
  std::vector<double> squares(lengths.size());
  const auto group = [&](std::int64_t r, std::int64_t c) {
    return static_cast<std::size_t>((groups_r == 1 ? 0 : r) * groups_c + (groups_c == 1 ? 0 : c));
  };
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) {
      const double value = values[static_cast<std::size_t>(r * columns + c)];
      squares[group(r, c)] += value * value;
    }
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) {
      float& value = values[static_cast<std::size_t>(r * columns + c)];
      value = static_cast<float>(value * (lengths[group(r, c)] / std::sqrt(squares[group(r, c)])));
    }
  return TensorView::own(v.shape, values);
}

}  // namespace

std::string plain_path(std::string_view path) {
  std::string plain;
  const std::vector<std::string_view> parts = parts_of(path);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == "module" || parts[i] == "_orig_mod") continue;
    plain += parts[i];
    if (i + 1 < parts.size()) plain += '.';
  }
  return plain;
}

std::string plain_name(std::string_view name) {
  const std::vector<std::string_view> parts = parts_of(name);
  const std::size_t count = parts.size();
  const auto front = [&](std::size_t without) {
    std::size_t length = name.size();
    for (std::size_t i = count - without; i < count; ++i) length -= parts[i].size() + (i > 0 ? 1 : 0);
    return plain_path(name.substr(0, length == 0 ? 0 : length + 1));  // with its dot
  };
  const bool is_norm = count >= 3 && parts[count - 3] == kParametrizations &&
                       (parts[count - 1] == "original0" || parts[count - 1] == "original1");
  if (is_norm)
    return front(3) + with_layer(std::string(parts[count - 2]) + (parts[count - 1] == "original0" ? "_g" : "_v"));
  return front(1) + with_layer(parts[count - 1]);
}

PlainTensors with_plain_names(const TensorViews& tensors, std::string_view file) {
  PlainTensors plain;
  const auto add = [&](const std::string& name, const std::string& in_file, const TensorView& tensor) {
    if (plain.tensors.emplace(name, tensor).second)
      plain.in_file[name] = in_file;
    else
      invalid(file, in_file,
              "is the same tensor as " + in_quotes(plain.in_file[name]) +
                  " if the names of wrappers are left out; keep one of them");
  };
  // A weight drop keeps the whole weight beside the result of the last time that it was thinned out; evaluation uses
  // the whole one.
  std::set<std::string> raw;
  for (const auto& [name, tensor] : tensors) {
    std::string own = plain_name(name);
    if (!own.ends_with(kRaw)) continue;
    own.resize(own.size() - kRaw.size());
    if (!is_recurrent_weight(std::string_view(own).substr(own.rfind('.') + 1))) continue;
    add(own, name, tensor);
    raw.insert(name);
    raw.insert(own);
  }
  for (const auto& [name, tensor] : tensors)
    if (const std::string own = plain_name(name); !raw.contains(name) && !raw.contains(own)) add(own, name, tensor);
  make_floats(plain);
  std::vector<std::string> parts;
  for (const auto& [name, tensor] : plain.tensors)
    if (name.ends_with("_v")) parts.push_back(name.substr(0, name.size() - 2));
  for (const std::string& whole : parts) {
    const auto g = plain.tensors.find(whole + "_g"), v = plain.tensors.find(whole + "_v");
    if (g == plain.tensors.end()) continue;
    const std::optional<TensorView> computed = weight_norm(g->second, v->second);
    if (!computed) continue;
    const std::string in_file = plain.in_file[whole + "_v"];
    for (const char* part : {"_g", "_v"}) plain.tensors.erase(whole + part), plain.in_file.erase(whole + part);
    add(whole, in_file, *computed);
  }
  return plain;
}

}  // namespace rnnc::files
