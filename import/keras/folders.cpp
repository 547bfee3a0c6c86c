#include "import/keras/folders.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include <rnnc/join.hpp>

#include "import/file_error.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kLayers = "layers/";

class Folders {
 public:
  Folders(const Hdf5File& weights, std::string_view file) : weights_(weights), file_(file) {}

  std::string configuration(std::string_view prefix) const {
    const std::vector<std::string> known = names();
    if (known.empty())
      unsupported(
          file_, "",
          "this HDF5 file has neither an attribute model_config nor a folder layers, as Keras writes them; save the "
          "model with model.save(\"model.keras\")");
    if (prefix.empty())
      unsupported(
          file_, "",
          "there are weights alone, which do not say how the layers run; save the model with "
          "model.save(\"model.keras\"), or choose by prefix layers with commas in the order in which they run: " +
              join(known, in_quotes));
    Json layers = Json::array();
    std::set<std::string> chosen;
    for (std::string_view rest = prefix;; rest.remove_prefix(rest.find(',') + 1)) {
      const std::string name(rest.substr(0, rest.find(',')));
      if (std::find(known.begin(), known.end(), name) == known.end())
        invalid(file_, "", "there is no layer " + in_quotes(name) + "; there are: " + join(known, in_quotes));
      if (!chosen.insert(name).second) invalid(file_, "", "the layer " + in_quotes(name) + " is given twice");
      layers.push_back(layer(name));
      if (rest.find(',') == std::string_view::npos) break;
    }
    return Json{{"class_name", "Sequential"}, {"config", {{"name", "model"}, {"layers", layers}}}}.dump();
  }

 private:
  // Returns the folders of layers that have weights.
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (auto at = weights_.datasets.lower_bound(std::string(kLayers));
         at != weights_.datasets.end() && at->first.starts_with(kLayers); ++at) {
      const std::string name = at->first.substr(kLayers.size(), at->first.find('/', kLayers.size()) - kLayers.size());
      if (found.empty() || found.back() != name) found.push_back(name);
    }
    return found;
  }

  const Shape* shape(const std::string& path) const {
    const auto found = weights_.datasets.find(std::string(kLayers) + path);
    return found == weights_.datasets.end() ? nullptr : &found->second.tensor.shape;
  }

  Json layer(const std::string& name) const {
    const std::string kind = name.substr(0, name.find_last_not_of("0123456789") + 1);
    const auto is = [&](const std::string& known) { return name == known || kind == known + "_"; };
    if (is("lstm") || is("gru") || is("simple_rnn")) return recurrent(name, name + "/cell/");
    if (is("bidirectional"))
      return {{"class_name", "Bidirectional"},
              {"config", {{"name", name}, {"layer", recurrent(name, name + "/forward_layer/cell/")}}}};
    if (is("embedding")) return {{"class_name", "Embedding"}, {"config", {{"name", name}}}};
    const Shape* kernel = shape(name + "/vars/0");
    if (!is("dense") || kernel == nullptr || kernel->size() != 2)
      unsupported(
          file_, in_quotes(name),
          "is no layer that weights alone can be imported of; known are lstm gru simple_rnn bidirectional embedding "
          "dense");
    return {{"class_name", "Dense"},
            {"config", {{"name", name}, {"units", (*kernel)[1]}, {"use_bias", shape(name + "/vars/1") != nullptr}}}};
  }

  // The number of gates tells the class: the layer in a bidirectional one has no name.
  Json recurrent(const std::string& name, const std::string& folder) const {
    const Shape *kernel = shape(folder + "vars/1"), *bias = shape(folder + "vars/2");
    const std::int64_t hidden = kernel != nullptr && kernel->size() == 2 ? (*kernel)[0] : 0;
    const std::int64_t gates = hidden > 0 && (*kernel)[1] % hidden == 0 ? (*kernel)[1] / hidden : 0;
    if (gates != 1 && gates != 3 && gates != 4)
      invalid(file_, in_quotes(name), "has no recurrent kernel of a SimpleRNN (1 gate), GRU (3) or LSTM (4)");
    if (gates == 3 && bias == nullptr)
      unsupported(file_, in_quotes(name),
                  "is a GRU without bias, whose weights do not say where the reset gate stands; save the model with "
                  "model.save(\"model.keras\")");
    Json config = {{"name", name},
                   {"units", hidden},
                   {"activation", "tanh"},
                   {"recurrent_activation", "sigmoid"},
                   {"use_bias", bias != nullptr},
                   {"return_sequences", true}};
    if (gates == 3) config["reset_after"] = bias->size() == 2;
    return {{"class_name", gates == 4 ? "LSTM" : gates == 3 ? "GRU" : "SimpleRNN"}, {"config", config}};
  }

  const Hdf5File& weights_;
  std::string_view file_;
};

}  // namespace

std::string configuration_of_folders(const Hdf5File& weights, std::string_view prefix, std::string_view file) {
  return Folders(weights, file).configuration(prefix);
}

}  // namespace rnnc::files
