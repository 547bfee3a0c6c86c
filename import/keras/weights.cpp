#include "import/keras/weights.hpp"

#include <algorithm>
#include <cctype>

#include "import/file_error.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

// Keras 3 names the folder of a layer after its class: GlobalMaxPooling1D is global_max_pooling1d, LSTM lstm. (Keras's
// to_snake_case: an underscore before a capital with a small letter behind it, and between a small letter and a
// capital.)
std::string snake_case(const std::string& name) {
  const auto is_upper = [&](std::size_t i) { return std::isupper(static_cast<unsigned char>(name[i])) != 0; };
  const auto is_lower = [&](std::size_t i) { return std::islower(static_cast<unsigned char>(name[i])) != 0; };
  std::string snake;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool before_word = i + 1 < name.size() && is_lower(i + 1);
    const bool behind_small = i > 0 && is_lower(i - 1);
    if (i > 0 && is_upper(i) && (before_word || behind_small)) snake += '_';
    snake += static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
  }
  return snake;
}

// Returns the half of a bidirectional layer that a path of a weight is of, behind the folder of the layer: the name of
// the half begins with forward_ or backward_, and often stands behind a second name of the layer.
std::string half_of(const std::string& layer, std::string_view path) {
  std::vector<std::string> parts;
  for (std::size_t end; (end = path.find('/')) != std::string_view::npos; path.remove_prefix(end + 1))
    parts.emplace_back(path.substr(0, end));
  const auto half = [](const std::string& name) {
    return name.starts_with("forward_") ? "forward" : name.starts_with("backward_") ? "backward" : "";
  };
  std::string first;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const std::string found = half(parts[k]);
    if (found.empty()) continue;
    const bool is_layer = parts[k] == layer && k + 1 < parts.size() && *half(parts[k + 1]) != 0;
    if (k > 0 && parts[k - 1] == layer && !is_layer) return found;
    if (first.empty() && !is_layer) first = found;
  }
  return first;
}

KerasWeight weight_of(const Hdf5Dataset& dataset, const std::string& path, std::string_view file) {
  if (!dataset.unreadable.empty()) unsupported(file, in_quotes(path), dataset.unreadable);
  return {dataset.tensor.shape, dataset.tensor.to_f32()};
}

}  // namespace

KerasWeights::KerasWeights(const Hdf5File& hdf5, std::string_view file, bool by_folder,
                           const std::vector<KerasLayer>& layers)
    : hdf5_(hdf5), file_(file) {
  // Keras 2.12 to 2.15 have the second folder in their files .keras.
  std::string numbered;
  for (const char* folder : {"layers/", "_layer_checkpoint_dependencies/"})
    if (has(folder)) numbered = folder;
  is_numbered_ = !numbered.empty();
  inside_ = numbered;
  add_folders(layers, "", numbered, by_folder);
}

bool KerasWeights::has(const std::string& folder) const {
  const auto first = hdf5_.datasets.lower_bound(folder);
  return first != hdf5_.datasets.end() && first->first.starts_with(folder);
}

// Finds the folders of the layers of a model, whose own name and folder stand before theirs. Files with names have the
// folders of all layers within the model, however deep, beside each other in that of the model.
void KerasWeights::add_folders(const std::vector<KerasLayer>& layers, const std::string& model,
                               const std::string& folder, bool by_folder) {
  std::map<std::string, int> seen;
  for (const KerasLayer& layer : layers) {
    std::string& own = folders_[model + layer.name];
    if (by_folder) {
      own = folder + layer.name + "/";
    } else if (is_numbered_) {
      const std::string kind = snake_case(layer.kind);
      const int number = seen[kind]++;
      own = folder + kind + (number == 0 ? "" : "_" + std::to_string(number)) + "/";
    } else if (model.empty()) {
      const std::string inside = "model_weights/" + layer.name + "/";
      own = has(inside) ? inside : layer.name + "/";
    } else {
      own = layer.layers.empty() ? folder + layer.name + "/" : folder;
    }
    if (!layer.layers.empty())
      add_folders(layer.layers, model + layer.name + "/", is_numbered_ ? own + inside_ : own, by_folder);
  }
}

// The last part of a path is the name or number of a weight; the parts before it say which half of a layer it is of.
std::map<std::string, const Hdf5Dataset*> KerasWeights::of_layer(const std::string& layer, const std::string& part,
                                                                 const std::vector<std::string>& roles) const {
  const std::string& folder = folders_.at(layer);
  std::map<std::string, const Hdf5Dataset*> found;
  for (auto at = hdf5_.datasets.lower_bound(folder); at != hdf5_.datasets.end() && at->first.starts_with(folder);
       ++at) {
    const std::string& path = at->first;
    const std::size_t last = path.rfind('/');
    if (!part.empty() &&
        half_of(layer.substr(layer.rfind('/') + 1), std::string_view(path).substr(folder.size())) != part)
      continue;
    std::string role = path.substr(last + 1);
    if (role.ends_with(":0")) role.resize(role.size() - 2);
    if (is_numbered_) {
      if (path.find("/seed_generator/") != std::string::npos) continue;  // of dropout
      if (role.empty() || role.size() > 2 || role.find_first_not_of("0123456789") != std::string::npos)
        unsupported(file_, in_quotes(path), "has no number of a weight");
      const auto number = static_cast<std::size_t>(std::stoi(role));
      role = number < roles.size() ? roles[number] : "weight " + role;
    }
    if (!found.emplace(role, &at->second).second)
      unsupported(file_, in_quotes(path), "is a second " + role + " of layer " + in_quotes(layer));
  }
  return found;
}

std::vector<KerasWeight> KerasWeights::take(const std::string& layer, const std::string& part,
                                            const std::vector<std::string>& roles) const {
  const auto found = of_layer(layer, part, roles);
  const std::string what = "layer " + in_quotes(layer) + (part.empty() ? "" : ", " + part);
  std::vector<KerasWeight> weights;
  for (const std::string& role : roles) {
    const auto at = found.find(role);
    if (at == found.end()) invalid(file_, what, "has no weight " + in_quotes(role) + "; save the model again");
    weights.push_back(weight_of(*at->second, layer + "/" + role, file_));
  }
  for (const auto& [role, dataset] : found)
    if (std::find(roles.begin(), roles.end(), role) == roles.end())
      unsupported(file_, what, "has a weight " + in_quotes(role) + ", which is not known of such a layer");
  return weights;
}

std::int64_t KerasWeights::input_width(const std::string& layer) const {
  const std::string& folder = folders_.at(layer);
  for (auto at = hdf5_.datasets.lower_bound(folder); at != hdf5_.datasets.end() && at->first.starts_with(folder);
       ++at) {
    const std::string role = at->first.substr(at->first.rfind('/') + 1);
    const Shape& shape = at->second.tensor.shape;
    const bool is_kernel = is_numbered_ ? role == "0" : role == "kernel:0" || role == "kernel";
    if (is_kernel && shape.size() == 2) return shape[0];
  }
  invalid(file_, "layer " + in_quotes(layer), "has no weight \"kernel\"; save the model again");
}

}  // namespace rnnc::files
