// This class words the errors of a node that does not check: with its place, the shapes of its operands and the places
// where they were declared.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include <rnnc/result.hpp>
#include "ir/graph.hpp"

namespace rnnc::ir {

class Mistakes {
 public:
  Mistakes(const Graph& graph, const Node& node) : graph_(graph), node_(node) {}

  const Type& type(std::size_t i) const { return graph_[node_.operands[i]].type; }
  std::string is(std::size_t i) const;  // "x is f32[3]", of operand i
  std::string is_but(std::size_t i, std::size_t j) const { return is(i) + " but " + is(j); }
  static std::string counted(std::size_t count, std::string_view noun);

  Error error(ErrorCode code, std::string message) const;

  /// Returns a ShapeMismatch with notes that tell where the operands were declared.
  Error mismatch(std::string message, std::initializer_list<std::size_t> operands) const;
  Error wrong_count(const std::string& what, const std::string& wanted) const;
  Error matrix_misused(std::size_t i) const;

 protected:
  const Graph& graph_;
  const Node& node_;

 private:
  bool find_origin(Value value, Note& note) const;
};

}  // namespace rnnc::ir
