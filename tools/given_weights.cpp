#include "tools/given_weights.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include <rnnc/tensor_files.hpp>

#include "ir/scan.hpp"
#include "tools/write_model.hpp"

namespace rnnc::tools {
namespace {

std::string title_of(const Source& source) {
  return std::string(source.graph().kind_name()) + " " + source.graph().name;
}

}  // namespace

Result<void> take_weights_beside(const std::string& model, Source& source) {
  if (!source.weights.empty() || !model.ends_with(".rnn")) return {};
  const std::vector<ir::Weight> wanted = ir::weights_of(source.graph());
  for (const std::string& path : weights_beside(model)) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) continue;
    Result<TensorMap> tensors = load_tensors(path);
    if (!tensors) return tensors.error();
    const bool same = wanted.size() == tensors->size() && std::ranges::all_of(wanted, [&](const ir::Weight& weight) {
                        return tensors->contains(weight.name);
                      });
    if (same) {
      source.weights = std::move(*tensors);
      return {};
    }
    source.beside_unfit = path;
  }
  return {};
}

Result<void> check_any_fits(const Source& source, const TensorMap& weights, const std::string& path) {
  const std::vector<ir::Weight> wanted = ir::weights_of(source.graph());
  const auto has = [&](const ir::Weight& weight) { return weights.contains(weight.name); };
  if (wanted.empty() || weights.empty() || std::ranges::any_of(wanted, has)) return {};
  const bool is_state_dict = std::ranges::any_of(
      weights, [](const auto& entry) { return entry.first.find("weight_ih") != std::string::npos; });
  return Error{ErrorCode::InvalidData,
               {path},
               "has none of the parameters of " + title_of(source) + ", such as " + wanted.front().name + "; it has " +
                   weights.begin()->first +
                   (weights.size() > 1 ? " and " + std::to_string(weights.size() - 1) + " more" : "") +
                   (is_state_dict ? "; a state_dict is a model by itself: give it as MODEL, without --cell" : "")};
}

Result<void> check_has_weights(const Source& source) {
  const std::vector<ir::Weight> wanted = ir::weights_of(source.graph());
  if (wanted.empty() || !source.weights.empty() || bind(source)) return {};
  const std::string what = wanted.front().name + " " + wanted.front().type.to_string();
  return about_weights({ErrorCode::InvalidData, {}, "no tensor for parameter " + what + " of " + title_of(source)},
                       source);
}

Error about_weights(Error error, const Source& source) {
  if (error.code != ErrorCode::InvalidData || !source.weights.empty() || !error.place.file.empty()) return error;
  error.message += "; give --weights W.safetensors";
  if (!source.beside_unfit.empty())
    error.message += " (" + source.beside_unfit + " is not taken: its tensors are not the parameters of the text)";
  return error;
}

}  // namespace rnnc::tools
