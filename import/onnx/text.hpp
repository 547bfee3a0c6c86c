// The text of a network, or of a cell that is one step, while it is written: its inputs, parameters and statements, and
// what each of its values is.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <rnnc/tensor.hpp>
#include "import/onnx/values.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {

/// Returns the refusal of a graph that needs more than FileLimits::max_graph_work.
Refusal too_much_work(std::uint64_t most);

/// A named value of the text.
struct Source {
  std::string name;
  std::int64_t size = 1;
  bool scalar = false;    // f32, not f32[1]
  bool sequence = false;  // of a network: one vector for each step
};

struct Expression {
  std::string text;
  bool sequence = false, scalar = false;
};

class NetworkText {
 public:
  /// `is_step` tells that the text is the equations of one step. Parameters have at most `most_bytes`, and the work is
  /// at most `most_work`.
  NetworkText(bool is_step, std::size_t most_bytes, std::uint64_t most_work);

  bool is_step() const { return is_step_; }
  /// Returns how much was computed and written, in elements and characters.
  std::size_t work() const { return work_; }
  /// Adds to the work. Throws Refusal where it becomes more than is allowed, which bounds the time and the memory.
  void count_work(std::size_t amount);

  /// Returns a name that no other value has, made from `wish`, which may have any characters.
  std::string fresh(const std::string& wish);

  /// Goes on to a layer, after which values and parameters are named that have no other name. "" for none.
  void begin_layer(const std::string& name) { layer_ = name; }

  /// Adds a parameter and returns its name.
  std::string param(const std::string& wish, Tensor tensor);
  /// Returns the parameter that was added before with the same key, or adds what `make` returns.
  std::string param(const std::string& wish, const std::string& key, const std::function<Tensor()>& make);

  /// Adds a statement and returns its source.
  std::int32_t let(const std::string& wish, const std::string& expression, Source what);
  /// Adds a statement. Throws Refusal, as all that adds text, if there is too much work.
  void state(const std::string& statement);

  /// Tells whether a value stands in the text that was written.
  bool is_used(std::int32_t source) const { return used_.contains(source); }

  std::int32_t add(Source source);
  const Source& source(std::int32_t index) const { return sources_[static_cast<std::size_t>(index)]; }
  Elements all(std::int32_t source) const;

  /// Returns the text of a vector of these elements, in this order; of one element of a scalar it is the scalar.
  Expression express(std::span<const Element> elements);
  /// The same, but never a scalar.
  Expression vector(std::span<const Element> elements);
  /// Returns the text of one element as a scalar.
  Expression scalar(Element element);

  /// Computes a function of several operands element by element. The lists have one length. Elements that occur more
  /// than once are computed once.
  Elements each(const std::vector<Elements>& operands,
                const std::function<std::string(const std::vector<std::string>&)>& function);

  /// Returns a value whose steps stand in order, made of one whose steps may be turned round.
  OnnxValue in_order(OnnxValue value);

  /// Adds a cell of the network; it returns the cell's name. `body` is what stands behind the name.
  std::string cell(const std::string& wish, const std::string& body);

  std::vector<std::string> statements;
  std::string params, cells;
  TensorMap weights;

 private:
  std::string one();
  std::vector<std::vector<std::size_t>> groups_of(const std::vector<const Element*>& sorted, std::size_t arity) const;
  bool stand_in_order(const std::vector<Elements>& operands);
  Elements group(const std::vector<Elements>& operands,
                 const std::function<std::string(const std::vector<std::string>&)>& function);

  bool is_step_;
  std::string layer_;
  std::size_t most_bytes_, parameter_bytes_ = 0, work_ = 0;
  std::uint64_t most_work_;
  std::set<std::string> names_;
  std::map<std::string, int> next_numbers_;  // of names that are asked for again
  std::vector<Source> sources_;
  std::set<std::int32_t> used_;
  std::map<std::string, std::string> known_params_, known_cells_;
  std::map<Element, std::string> scalars_;
};

}  // namespace rnnc::files
