// A state_dict has only weights: the shapes give a module's kind and sizes, the names (weight_ih_l0,
// weight_ih_l0_reverse, ...) its layers and directions. The gates are stacked in one tensor and there are two biases.
// The file does not say in which order modules run; if there are several, the caller's prefixes do.
#include "import/state_dict.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include <rnnc/join.hpp>

#include "import/file_error.hpp"
#include "import/identifiers.hpp"
#include "import/matrix.hpp"
#include "import/refusal.hpp"
#include "import/state_dict_names.hpp"

namespace rnnc::files {
namespace {

struct CellKind {
  const char* cell;
  std::vector<std::string> gates;  // in PyTorch's order, by the names of the standard cells
};

constexpr std::string_view kFirst = kFirstWeight;

class StateDict {
 public:
  StateDict(const TensorViews& tensors, std::string_view file, const ImportOptions& options)
      : named_(with_plain_names(tensors, file)),
        tensors_(named_.tensors),
        file_(file),
        options_(options),
        modules_(choose_modules()) {}

  Imported run() {
    std::string body;
    std::int64_t inputs = 0;
    for (const std::string& module : modules_) {
      prefix_ = module;
      label_ = modules_.size() == 1 ? "" : names_.make(module);
      if (inputs == 0) inputs = width_ = take(std::string(has(kFirst) ? kFirst : "weight"), 2).shape[1];
      body += has(kFirst) ? recurrent() : linear();
    }
    if (options_.relu && !any_rnn_) invalid(file_, "", "relu is for an RNN, but this is a " + recurrent_);
    check_all_used();
    std::string comment = "// from PyTorch's state_dict";
    for (const std::string& module : modules_)
      if (!module.empty()) comment += (module == modules_.front() ? ", module " : ", ") + module;
    const std::string text = comment + "\nnetwork model {\n  input x : seq f32[" + std::to_string(inputs) + "]\n" +
                             params_ + "\n" + body + "  output " + below_ + "\n}\n";
    Result<Model> model = parse(text, file_);
    if (!model) throw Refusal{model.error()};
    return {std::move(*model), std::move(weights_)};
  }

 private:
  // Imports the layers of torch.nn.RNN, LSTM or GRU.
  std::string recurrent() {
    find_kind();
    std::string body;
    const bool both = has(std::string(kFirst) + "_reverse");
    const std::string of = label_.empty() ? "" : label_ + "_";
    for (int layer = 0; has("weight_ih_l" + std::to_string(layer)); ++layer) {
      const std::string name = of + "l" + std::to_string(layer), suffix = "_l" + std::to_string(layer);
      if (both) add_weights(name + ".fwd.", suffix, width_), add_weights(name + ".bwd.", suffix + "_reverse", width_);
      if (!both) add_weights(name + ".", suffix, width_);
      body += "  " + name + " = " + (both ? "bidirectional " : "") + kind_.cell + "<H=" + std::to_string(hidden_) +
              (projected_ > 0 ? ", P=" + std::to_string(projected_) : "") + ">(" + below_ + ")\n";
      below_ = name;
      width_ = (both ? 2 : 1) * (projected_ > 0 ? projected_ : hidden_);
    }
    return body;
  }

  // Imports torch.nn.Linear.
  std::string linear() {
    const TensorView& W = take("weight", 2);
    check_size("weight", W.shape, {W.shape[0], width_});
    const std::string name = label_.empty() ? "linear" : label_;
    const auto param = [&](const std::string& own, Tensor tensor) {
      params_ += "  param " + own + " : f32[" + join(tensor.shape) + "]\n";
      weights_[own] = std::move(tensor);
    };
    std::string sum = name + "_W @ " + below_;
    param(name + "_W", W.part(W.shape, 0));
    if (has("bias")) {
      const TensorView& b = take("bias", 1);
      check_size("bias", b.shape, {W.shape[0]});
      param(name + "_b", b.part(b.shape, 0));
      sum += " + " + name + "_b";
    }
    check_no_scale("input_scale");
    check_no_scale("output_scale");
    width_ = W.shape[0];
    below_ = name;
    return "  " + name + " = " + sum + "\n";
  }

  // optimum-quanto writes scales of activations, which are 1 where activations are floats.
  void check_no_scale(const std::string& name) {
    if (!has(name)) return;
    const TensorView& scale = tensors_.at(prefix_ + name);
    const std::vector<float> values = scale.to_f32();
    if (values != std::vector<float>{1})
      unsupported(file_, in_file(name),
                  "is the scale of activations of 8 bits, which are floats here; quantise the weights alone");
    used_.insert(prefix_ + name);
  }

  // Returns the prefixes of tensors that may be a module, with their dots.
  std::vector<std::string> known_modules(bool linear) const {
    std::vector<std::string> known;
    for (const auto& [name, tensor] : tensors_) {
      const std::string_view last = name.ends_with(kFirst) ? kFirst : std::string_view("weight");
      const bool named = name == last || name.ends_with(kFirst) || name.ends_with(".weight");
      if (named && (last == kFirst || (linear && tensor.shape.size() == 2)))
        known.push_back(name.substr(0, name.size() - last.size()));
    }
    return known;
  }

  std::vector<std::string> choose_modules() const {
    const std::vector<std::string> known = known_modules(false);
    if (known.empty())
      unsupported(file_, "",
                  "no tensor is called weight_ih_l0 or weight_ih: this is no state_dict of torch.nn.RNN, LSTM, GRU "
                  "or their cells; weights of a model go with --weights");
    if (options_.prefix.empty()) {
      if (known.size() == 1) return known;
      unsupported(
          file_, "",
          "there are several modules; choose by prefix one, or several with commas in the order in which they run: " +
              join(known, in_quotes));
    }
    std::vector<std::string> modules;
    const std::vector<std::string> all = known_modules(true);
    std::string_view rest = options_.prefix;
    while (true) {
      const std::string one = plain_path(rest.substr(0, rest.find(',')));
      const auto found = std::find_if(all.begin(), all.end(),
                                      [&](const std::string& prefix) { return prefix == one || prefix == one + "."; });
      if (found == all.end())
        invalid(file_, "",
                "there is no module with the prefix " + in_quotes(rest.substr(0, rest.find(','))) +
                    "; there are: " + join(all, in_quotes));
      if (std::find(modules.begin(), modules.end(), *found) != modules.end())
        invalid(file_, "", "the prefix " + in_quotes(one) + " is given twice");
      modules.push_back(*found);
      if (rest.find(',') == std::string_view::npos) return modules;
      rest.remove_prefix(rest.find(',') + 1);
    }
  }

  bool has(std::string_view name) const { return tensors_.contains(prefix_ + std::string(name)); }

  // Returns the name that a tensor of the module has in the file, for messages.
  std::string in_file(const std::string& name) const {
    const auto found = named_.in_file.find(prefix_ + name);
    return found == named_.in_file.end() ? prefix_ + name : found->second;
  }

  [[noreturn]] void missing(const std::string& name) const {
    if (has(name + "_g") || has(name + "_v"))
      invalid(file_, in_file(name + (has(name + "_v") ? "_v" : "_g")),
              "is one part of a weight norm; the other one is missing or has another shape: save the module again");
    const std::string parametrized = "parametrizations." + name + ".original";
    if (has(parametrized))
      unsupported(file_, in_file(parametrized),
                  "is a weight under a parametrization that is no weight norm; save the module after "
                  "torch.nn.utils.parametrize.remove_parametrizations");
    invalid(file_, prefix_ + name, "is missing; other tensors of its layer are there");
  }

  const TensorView& take(const std::string& name, std::size_t rank) {
    const auto found = tensors_.find(prefix_ + name);
    if (found == tensors_.end()) missing(name);
    if (found->second.shape.size() != rank)
      invalid(file_, in_file(name),
              "is " + to_string(found->second.shape) + " but must have " + std::to_string(rank) + " dims");
    if (const auto fault = named_.faults.find(found->first); fault != named_.faults.end())
      unsupported(file_, in_file(name), fault->second);
    used_.insert(found->first);
    return found->second;
  }

  void find_kind() {
    const Shape& U = take("weight_hh_l0", 2).shape;
    projected_ = has("weight_hr_l0") ? U[1] : 0;
    hidden_ = projected_ > 0 ? take("weight_hr_l0", 2).shape[1] : U[1];
    const std::int64_t gates = hidden_ > 0 && U[0] % hidden_ == 0 ? U[0] / hidden_ : 0;
    if (gates == 4)
      kind_ = {projected_ > 0 ? "lstm_projection" : "lstm", {"i", "f", "g", "o"}};
    else if (gates == 3 && projected_ == 0)
      kind_ = {"gru", {"r", "z", "n"}};
    else if (gates == 1 && projected_ == 0)
      kind_ = {options_.relu ? "rnn_relu" : "rnn", {""}};
    else
      invalid(file_, in_file("weight_hh_l0"),
              "is " + to_string(U) + ", which is of no RNN (1 gate), GRU (3) or LSTM (4)" +
                  (projected_ > 0 ? " with a projection" : ""));
    recurrent_ = kind_.cell;
    any_rnn_ = any_rnn_ || gates == 1;
  }

  void check_size(const std::string& name, const Shape& found, const Shape& wanted) const {
    if (found != wanted) invalid(file_, in_file(name), "is " + to_string(found) + " but must be " + to_string(wanted));
  }

  std::vector<float> bias(const std::string& name, std::int64_t size) {
    if (!has(name)) return {};
    const TensorView& tensor = take(name, 1);
    check_size(name, tensor.shape, {size});
    return tensor.to_f32();
  }

  // Adds the weights of one direction of a layer under our names, which begin with `prefix`. A module without biases
  // gets zeros, which change nothing.
  void add_weights(const std::string& prefix, const std::string& suffix, std::int64_t inputs) {
    const auto gates = static_cast<std::int64_t>(kind_.gates.size()), rows = gates * hidden_;
    const TensorView &W = take("weight_ih" + suffix, 2), &U = take("weight_hh" + suffix, 2);
    const std::int64_t below = projected_ > 0 ? projected_ : hidden_;
    check_size("weight_ih" + suffix, W.shape, {rows, inputs});
    check_size("weight_hh" + suffix, U.shape, {rows, below});
    if (has("bias_ih" + suffix) != has("bias_hh" + suffix))
      invalid(file_, prefix_ + "bias_ih" + suffix, "or bias_hh" + suffix + " is missing; there are both or none");
    const std::vector<float> b = bias("bias_ih" + suffix, rows), bu = bias("bias_hh" + suffix, rows);
    for (std::int64_t g = 0; g < gates; ++g) {
      const std::string& gate = kind_.gates[static_cast<std::size_t>(g)];
      const std::int64_t first = g * hidden_, end = first + hidden_;
      weights_[prefix + "W" + gate] = W.part({hidden_, inputs}, first * inputs);
      weights_[prefix + "U" + gate] = U.part({hidden_, below}, first * below);
      std::vector<float> own(static_cast<std::size_t>(hidden_)), inside = own;
      if (!b.empty())
        own.assign(b.begin() + first, b.begin() + end), inside.assign(bu.begin() + first, bu.begin() + end);
      if (gate == "n")  // the recurrent bias stays inside the product with r
        weights_[prefix + "bun"] = Tensor::from_f32({hidden_}, inside);
      else
        for (std::size_t k = 0; k < own.size(); ++k) own[k] += inside[k];
      weights_[prefix + "b" + gate] = Tensor::from_f32({hidden_}, own);
    }
    if (projected_ == 0) return;
    const TensorView& R = take("weight_hr" + suffix, 2);
    check_size("weight_hr" + suffix, R.shape, {projected_, hidden_});
    weights_[prefix + "R"] = R.part(R.shape, 0);
  }

  // Checks that no tensor is left unused: of the modules in any case, and of the whole file if no prefix selects
  // modules.
  void check_all_used() const {
    const auto of_module = [&](const std::string& name) {
      return std::any_of(modules_.begin(), modules_.end(), [&](const std::string& module) {
        return name.starts_with(module + "weight") || name.starts_with(module + "bias") ||
               name.starts_with(module + "parametrizations.");
      });
    };
    std::vector<std::string> left;
    for (const auto& [name, tensor] : tensors_)
      if (!used_.contains(name) && (options_.prefix.empty() || of_module(name)))
        left.push_back(named_.in_file.at(name));
    if (left.empty()) return;
    const std::string what = recurrent_.empty() ? "linear layer" : recurrent_ + " layers";
    unsupported(file_, left.front(),
                "is no part of the " + what +
                    (left.size() > 1 ? ", nor are " + std::to_string(left.size() - 1) + " tensors more" : "") +
                    "; to import the layers alone give their prefix" + (prefix_.empty() ? "" : ", " + prefix_) +
                    all_modules(left));
  }

  // Says how all modules are imported, where nothing else is left; they are named as they most often run, the recurrent
  // ones first.
  std::string all_modules(const std::vector<std::string>& left) const {
    std::vector<std::string> modules = known_modules(false);
    for (const std::string& module : known_modules(true))
      if (std::ranges::find(modules, module) == modules.end()) modules.push_back(module);
    const auto is_of_module = [&](const std::string& name) {
      return std::ranges::any_of(
          modules, [&](const std::string& module) { return !module.empty() && name.starts_with(module); });
    };
    if (modules.size() < 2 || !std::ranges::all_of(left, is_of_module)) return "";
    const auto without_dot = [](const std::string& module) { return module.substr(0, module.size() - 1); };
    std::string names;
    for (const std::string& module : modules) names += (names.empty() ? "" : ",") + without_dot(module);
    return "; to import all, name the modules in the order in which they run: --prefix " + names;
  }

  PlainTensors named_;
  const TensorViews& tensors_;
  std::string_view file_;
  const ImportOptions& options_;
  std::vector<std::string> modules_;  // prefixes, in the order in which they run
  CellKind kind_{"", {}};
  std::string prefix_, label_;  // of the module that is read
  std::string recurrent_;       // the last kind of recurrent layers
  bool any_rnn_ = false;
  std::int64_t hidden_ = 0, projected_ = 0;
  std::string below_ = "x";  // the input of the next layer, and its size
  std::int64_t width_ = 0;
  std::set<std::string> used_;
  Identifiers names_;
  std::string params_;
  TensorMap weights_;
};

}  // namespace

// A tensor that no prefix asks for needs no numbers. It is there for the lists of what a file has, and may be anything.
TensorViews view_json_state_dict(const JsonValue& root, std::string_view prefix) {
  std::vector<std::string> modules;
  for (std::string_view rest = prefix; !prefix.empty(); rest.remove_prefix(rest.find(',') + 1)) {
    modules.push_back(plain_path(rest.substr(0, rest.find(','))));
    if (rest.find(',') == std::string_view::npos) break;
  }
  const auto is_wanted = [&](const std::string& key) {
    const std::string name = plain_name(key);
    const std::size_t own = name.rfind('.') + 1;  // 0 where there is no dot
    return prefix.empty() || std::any_of(modules.begin(), modules.end(), [&](const std::string& module) {
             return name.starts_with(module) && own <= module.size() + 1;
           });
  };
  TensorViews tensors;
  for (const std::string& key : root.keys()) {
    const JsonValue value = root.at(key);
    const bool wanted = is_wanted(key);
    if (!wanted && !value.is_numbers()) continue;
    Shape shape = value.shape();
    std::vector<float> values;
    if (wanted && shape.size() == 2) values = value.matrix().values;
    if (wanted && shape.size() == 1) values = value.vector();
    const auto bytes = std::as_bytes(std::span(values));
    tensors.emplace(key, TensorView::own(ElementType::F32, std::move(shape), {bytes.begin(), bytes.end()}));
  }
  return tensors;
}

namespace {

bool has_recurrent_weights(const JsonValue& value) {
  const std::vector<std::string> keys = value.keys();
  return std::any_of(keys.begin(), keys.end(), [](const std::string& key) {
    const std::string name = plain_name(key);
    return name.ends_with(kFirst) || name.ends_with(std::string(kFirst) + "_v");
  });
}

}  // namespace

std::optional<JsonValue> find_json_state_dict(const JsonValue& root) {
  if (has_recurrent_weights(root)) return root;
  std::vector<std::string> found;
  for (const std::string& key : root.keys())
    if (root.at(key).is_object() && has_recurrent_weights(root.at(key))) found.push_back(key);
  if (found.size() > 1)
    root.unsupported("there are several state_dicts: " + join(found, in_quotes) + "; keep the one that is meant");
  if (found.empty()) return std::nullopt;
  return root.at(found.front());
}

Imported import_state_dict(const TensorViews& tensors, std::string_view file, const ImportOptions& options) {
  return StateDict(tensors, file, options).run();
}

}  // namespace rnnc::files
