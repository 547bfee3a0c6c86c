// A builder and its values share this object: the graph so far and the first mistake.
#pragma once

#include <rnnc/builder.hpp>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ir/cell.hpp"

namespace rnnc {

struct BuilderGraph {
  using Pointer = std::shared_ptr<BuilderGraph>;

  ir::Graph graph;
  std::vector<ir::Cell> cells;  // cells that a network scans by name; they are searched before the standard ones
  std::optional<Error> error;

  void fail(Error mistake) {
    if (!error) error = std::move(mistake);
  }
  void fail(ErrorCode code, std::string message) { fail(Error{code, {}, std::move(message)}); }

  static Value handle(const Pointer& graph, std::optional<ir::Value> node);
  std::optional<ir::Value> use(const Value& value, std::string_view user);
  bool use_all(std::span<const Value> operands, std::string_view user, ir::Node& node);  // adds them to `node`
  std::optional<ir::Value> append(ir::Node node);
  static Value call(ir::Node node, std::span<const Value> operands, std::string_view user);
  static Value unknown(std::string_view function, std::span<const Value> operands);
  static Value declare(const Pointer& graph, ir::Op op, std::string_view name, std::initializer_list<Dim> shape,
                       std::string_view axis = "");
  static Value say(ir::Statement::Kind kind, std::string_view name, const Value& value, const Pointer& graph);
  static const ir::Dim& of(const Dim& dim) { return *dim.dim_; }
  static Dim make(const ir::Dim& dim) { return Dim(dim); }
};

}  // namespace rnnc
