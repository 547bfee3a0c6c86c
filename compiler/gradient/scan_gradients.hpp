// The scans of a network become scans that save values, and behind them scans that go back over the same steps.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compiler/gradient/cell_gradient.hpp"
#include "compiler/gradient/network_gradient.hpp"

namespace rnnc::compiler {

/// A scan of the network, and what becomes of it.
struct ScanParts {
  CellGradient gradient;
  std::string name;  // in the given network; its weights have the prefix
  ir::Value scan;    // gives y and the saved values
  std::vector<ir::Value> arguments, initial;
  std::optional<ir::Value> cotangent = {};                 // of y, a vector
  std::map<std::string, ir::Value> final_cotangents = {};  // by state
  std::optional<ir::Value> backward = {}, after = {};

  /// The prefix of the network's names of weights and states.
  std::string prefix() const { return name.empty() ? "" : name + "."; }
};

/// A WeightTerm whose values are known, and whose networks are not yet.
struct TermValue {
  struct Columns {
    ir::Value value;
    std::int64_t begin = 0, width = 0;
  };
  Term::Kind kind = Term::Kind::Sum;
  std::string weight;
  Window window;
  std::int64_t count = 1;
  Columns left, right = {};
};

class ScanGradients {
 public:
  /// `from` has no scan of two directions. `joint` gets all nodes. Both outlive the object.
  ScanGradients(const ir::Network& from, ir::Network& joint);

  /// Appends a scan that saves values, of `given` with operands in `joint`, and returns it.
  ir::Value add(const ir::Node& given, std::vector<ir::Value> operands);

  /// Adds the cotangents of an op of networks, as Reverse::Visit says.
  void visit(Reverse& reverse, ir::Value value, std::optional<ir::Value> cotangent);

  /// Appends an input that only the backward network has.
  ir::Value declare(BackwardInput::Kind kind, const std::string& of, const std::string& name, const ir::Type& type);

  const std::map<ir::Value, BackwardInput>& inputs() const { return inputs_; }
  const std::vector<ScanParts>& scans() const { return scans_; }
  const std::vector<TermValue>& terms() const { return terms_; }
  bool begins_anew(const std::string& state) const { return begun_.contains(state); }

 private:
  const CellGradient& gradient_of_cell(const ir::Cell& cell);
  ScanParts* find(ir::Value scan);
  ir::Value argument_at(const ScanParts& parts, std::int64_t column) const;
  ir::Value columns(Reverse& reverse, const ScanParts& parts, const Column& column);
  TermValue::Columns factor(Reverse& reverse, const ScanParts& parts, const Column& column);
  void reverse_scan(Reverse& reverse, ScanParts& parts);
  void add_scans(Reverse& reverse, ScanParts& parts);
  void add_cotangents(Reverse& reverse, const ScanParts& parts);
  ir::Value scan(Reverse& reverse, const ScanParts& parts, const std::vector<Column>& reads, ir::Scan content,
                 std::vector<ir::Value> initial, const std::string& suffix);

  const ir::Network& from_;
  ir::Network& joint_;
  const std::set<std::string> begun_;              // states whose first values the text gives at each call
  std::map<std::string, CellGradient> gradients_;  // by the text of the cell
  std::set<std::string> cell_names_;
  std::vector<ScanParts> scans_;
  std::vector<TermValue> terms_;
  std::map<ir::Value, BackwardInput> inputs_;
  std::optional<ir::Value> is_new_;
};

}  // namespace rnnc::compiler
