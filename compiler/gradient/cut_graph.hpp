// Parts of a graph become cells of their own: what a part needs of the others is an input or a column of an output.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/cell.hpp"

namespace rnnc::compiler {

/// Returns a value as a vector: a scalar has one element, rows lie one after another.
ir::Value flat(ir::Graph& graph, ir::Value value);

/// Returns the sum over the features of a vector, a scalar, or of each of p rows, f32[p,1]. In a network it is a cell
/// that sums, since a sum of a sequence is one over time there.
ir::Value sum_features(ir::Graph& graph, ir::Value value);

/// Returns a vector of `elements(type)` elements as a value of `type`, which may be a scalar or rows.
ir::Value shaped(ir::Graph& graph, ir::Value vector, const ir::Type& type);

/// A graph that is made of parts of another one.
class CutGraph {
 public:
  CutGraph(const ir::Graph& from, ir::Graph& to) : from_(from), to_(to) {}

  /// Declares an input that stands for `value`: a vector of its elements, or in a network a scalar if it is one. Names
  /// must be free.
  void read(ir::Value value, const std::string& name);

  /// Does so as soon as a copy needs the value.
  void offer(ir::Value value, const std::string& name) { offered_[value] = name; }

  /// Declares a state that stands for `state`, which is one.
  void keep_state(ir::Value state);

  /// Copies the value and all that it is computed of, up to what read() and keep_state() have declared. Parameters are
  /// declared when they are needed.
  ir::Value copy(ir::Value value);

  /// Returns the copy of a value that is here.
  bool has(ir::Value value) const { return copies_.contains(value); }

  /// Gives scans their names, and the copies of named values theirs as far as these are free.
  void say_names(const std::vector<ir::NamedValue>& names);

 private:
  const ir::Graph& from_;
  ir::Graph& to_;
  std::map<ir::Value, ir::Value> copies_;
  std::map<ir::Value, std::string> offered_;
};

/// Collects columns of an output: each value once.
class CollectedColumns {
 public:
  /// Returns the first column of the value, which it adds if it is new.
  std::int64_t add(const ir::Graph& graph, ir::Value value) {
    const auto [entry, is_new] = begins_.try_emplace(value, width_);
    if (is_new) {
      values_.push_back(value);
      width_ += elements(graph[value].type);
    }
    return entry->second;
  }

  const std::vector<ir::Value>& values() const { return values_; }
  std::int64_t width() const { return width_; }

 private:
  std::map<ir::Value, std::int64_t> begins_;
  std::vector<ir::Value> values_;
  std::int64_t width_ = 0;
};

}  // namespace rnnc::compiler
