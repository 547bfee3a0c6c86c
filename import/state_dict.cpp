// A state_dict has weights only: the module's kind and sizes follow from the shapes, its layers and directions from the
// names (weight_ih_l0, weight_ih_l0_reverse, ...). Gates are stacked in one tensor and there are two biases.
#include "import/state_dict.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "import/file_error.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

struct Kind {
  const char* cell;
  std::vector<std::string> gates;  // in PyTorch's order, by the names of the standard cells
};

constexpr const char* kFirst = "weight_ih_l0";

class StateDict {
 public:
  StateDict(const TensorViews& tensors, std::string_view file, const ImportOptions& options)
      : tensors_(tensors), file_(file), options_(options), prefix_(choose_prefix()) {}

  Imported run() {
    find_kind();
    std::string body, below = "x";
    const std::int64_t inputs = take(kFirst, 2).shape[1];
    std::int64_t width = inputs;
    const bool both = has(std::string(kFirst) + "_reverse");
    for (int layer = 0; has("weight_ih_l" + std::to_string(layer)); ++layer) {
      const std::string name = "l" + std::to_string(layer), suffix = "_l" + std::to_string(layer);
      if (both) add_weights(name + ".fwd.", suffix, width), add_weights(name + ".bwd.", suffix + "_reverse", width);
      if (!both) add_weights(name + ".", suffix, width);
      body += "  " + name + " = " + (both ? "bidirectional " : "") + kind_.cell + "<H=" + std::to_string(hidden_) +
              (projected_ > 0 ? ", P=" + std::to_string(projected_) : "") + ">(" + below + ")\n";
      below = name;
      width = (both ? 2 : 1) * (projected_ > 0 ? projected_ : hidden_);
    }
    check_all_used();
    const std::string text = "// from PyTorch's state_dict" + (prefix_.empty() ? "" : ", module " + prefix_) +
                             "\nnetwork model {\n  input x : seq f32[" + std::to_string(inputs) + "]\n\n" + body +
                             "  output " + below + "\n}\n";
    Result<Model> model = parse(text, file_);
    if (!model) throw Refusal{model.error()};
    return {std::move(*model), std::move(weights_)};
  }

 private:
  static std::string joined(const std::vector<std::string>& names) {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + in_quotes(name);
    return list;
  }

  std::string choose_prefix() const {
    std::vector<std::string> known;
    for (const auto& [name, tensor] : tensors_)
      if (name.ends_with(kFirst)) known.push_back(name.substr(0, name.size() - std::string_view(kFirst).size()));
    if (known.empty())
      unsupported(file_, "",
                  "no tensor is called weight_ih_l0: this is no state_dict of torch.nn.RNN, LSTM or GRU; "
                  "weights of a model go with --weights");
    if (options_.prefix.empty()) {
      if (known.size() == 1) return known[0];
      unsupported(file_, "", "there are several modules; choose one by its prefix: " + joined(known));
    }
    const auto found = std::find_if(known.begin(), known.end(), [&](const std::string& prefix) {
      return prefix == options_.prefix || prefix == options_.prefix + ".";
    });
    if (found == known.end())
      invalid(file_, "",
              "there is no module with the prefix " + in_quotes(options_.prefix) + "; there are: " + joined(known));
    return *found;
  }

  bool has(const std::string& name) const { return tensors_.contains(prefix_ + name); }

  const TensorView& take(const std::string& name, std::size_t rank) {
    const auto found = tensors_.find(prefix_ + name);
    if (found == tensors_.end()) invalid(file_, prefix_ + name, "is missing; other tensors of its layer are there");
    if (found->second.shape.size() != rank)
      invalid(file_, prefix_ + name,
              "is " + to_string(found->second.shape) + " but must have " + std::to_string(rank) + " dims");
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
      invalid(file_, prefix_ + "weight_hh_l0",
              "is " + to_string(U) + ", which is of no RNN (1 gate), GRU (3) or LSTM (4)" +
                  (projected_ > 0 ? " with a projection" : ""));
    if (options_.relu && gates != 1) invalid(file_, "", "relu is for an RNN, but this is a " + std::string(kind_.cell));
  }

  void check_size(const std::string& name, const Shape& found, const Shape& wanted) const {
    if (found != wanted) invalid(file_, prefix_ + name, "is " + to_string(found) + " but must be " + to_string(wanted));
  }

  std::vector<float> bias(const std::string& name, std::int64_t size) {
    if (!has(name)) return {};
    const TensorView& tensor = take(name, 1);
    check_size(name, tensor.shape, {size});
    return tensor.to_f32();
  }

  // `prefix` is ours. A module without biases gets zeros, which change nothing.
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
      if (gate == "n")  // the recurrent one stays inside the product with r
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

  // Nothing is left out in silence: of the module always, of the file where no prefix says what is meant.
  void check_all_used() const {
    std::vector<std::string> left;
    for (const auto& [name, tensor] : tensors_)
      if (!used_.contains(name) &&
          (options_.prefix.empty() || name.starts_with(prefix_ + "weight_") || name.starts_with(prefix_ + "bias_")))
        left.push_back(name);
    if (left.empty()) return;
    unsupported(file_, left.front(),
                "is no part of the " + std::string(kind_.cell) + " layers" +
                    (left.size() > 1 ? ", nor are " + std::to_string(left.size() - 1) + " tensors more" : "") +
                    "; to import the layers alone give their prefix" + (prefix_.empty() ? "" : ", " + prefix_));
  }

  const TensorViews& tensors_;
  std::string_view file_;
  const ImportOptions& options_;
  std::string prefix_;
  Kind kind_{"", {}};
  std::int64_t hidden_ = 0, projected_ = 0;
  std::set<std::string> used_;
  TensorMap weights_;
};

}  // namespace

Imported import_state_dict(const TensorViews& tensors, std::string_view file, const ImportOptions& options) {
  return StateDict(tensors, file, options).run();
}

}  // namespace rnnc::files
