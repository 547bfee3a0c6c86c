// The graph of a TensorFlow Lite file becomes an ONNX graph.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "import/onnx/graph_writer.hpp"
#include "import/tflite/model.hpp"

namespace rnnc::files {

class TfliteGraph : public GraphWriter {
 public:
  TfliteGraph(TfliteModel model, std::size_t file_bytes, std::string_view file);

  /// Writes the whole graph. Throws Refusal.
  OnnxModel write();
  /// Writes the operators of another graph of the file that `wanted`, tensors of it, need, as nodes of a graph of their
  /// own. `names` has its inputs. Leaves the names of the wanted in `names`.
  OnnxGraph write_body(std::int32_t place, std::map<std::int32_t, std::string>& names,
                       const std::vector<std::int32_t>& wanted);
  /// Tells whether the file computes with integers where the ONNX graph computes with floats.
  bool leaves_rounding_out() const { return leaves_rounding_out_; }

  // The functions that write operators use the rest.
  const TfliteSubgraph& graph() const { return *graph_; }  // the one that is written
  const TfliteSubgraph& graph(std::int32_t place) const { return model_.graphs.at(place); }
  const TfliteModel& model() const { return model_; }
  bool is_main() const { return graph_ == &model_.graphs.at(0); }
  const TfliteTensor& tensor(std::int32_t place) const { return graph_->tensors[static_cast<std::size_t>(place)]; }
  bool is_constant(std::int32_t place) const { return place >= 0 && tensor(place).data.has_value(); }
  /// The name that the ONNX graph has for a tensor; "" for one that is left out.
  std::string value(std::int32_t place);
  /// Tells whether no operator before has this state, and that one has it now.
  bool take_state(std::int32_t place) { return states_.insert(place).second; }
  void set(std::int32_t place, const std::string& name) { names_[place] = name; }
  /// Returns what a variable holds in every call; null where that is not known.
  const TfliteTensor* held(const std::string& handle) const;
  bool knows_variables() const { return held_.has_value(); }
  /// Says what the variables hold, by the names of their handles.
  void hold(std::map<std::string, const TfliteTensor*> values) { held_ = std::move(values); }
  /// The name of a constant with the values of a tensor that has data.
  std::string constant(const TfliteTensor& from);

 private:
  std::set<std::int32_t> read_as_whole() const;
  void add_input(std::int32_t place, bool whole);
  void write_operator(const TfliteOperator& op);
  void write_operators(const std::vector<std::int32_t>& wanted);

  TfliteModel model_;
  const TfliteSubgraph* graph_;
  std::size_t operators_left_;
  std::map<std::int32_t, std::string> names_;
  std::set<std::int32_t> states_;  // of the operators that are written
  std::optional<std::map<std::string, const TfliteTensor*>> held_;
  bool leaves_rounding_out_ = false;
};

/// An operator with what is needed to write it. Each of the functions below writes it and returns whether it knew it.
class TfliteWriter {
 public:
  TfliteWriter(TfliteGraph& graph, const TfliteOperator& op) : graph_(graph), op_(op) {}

  /// Throws Refusal.
  void write();

 private:
  bool write_element_wise();
  bool write_reduction();
  bool write_product();
  bool write_move();
  bool write_slice();
  bool write_window();
  bool write_recurrent();
  bool write_loop();
  bool write_list();
  bool write_variable();

  bool write_fully_connected();
  bool write_strided_slice();
  bool write_convolution(bool is_depthwise);
  bool write_transposed_convolution();
  bool write_pool(const char* op);
  bool write_pad(const char* mode, bool has_value);
  bool write_lstm(bool both);
  bool write_rnn(bool both);
  struct Direction;
  void take_state(std::size_t i);
  void finish_both(const std::string& forward, const std::string& backward, bool merged);
  std::string lstm_direction(std::size_t first, std::size_t states, std::optional<std::size_t> norms, bool reverse,
                             const Direction& how);
  std::vector<float> of_shape(std::size_t i, const Shape& shape);

  std::int32_t input(std::size_t i) const { return i < op_.inputs.size() ? op_.inputs[i] : -1; }
  std::string in(std::size_t i) { return graph_.value(input(i)); }
  const TfliteTensor& tensor(std::size_t i) const;
  std::size_t rank(std::size_t i) const { return tensor(i).shape.size(); }
  std::vector<std::int64_t> integers(std::size_t i) const;
  std::vector<float> floats(std::size_t i) const;
  std::vector<std::int64_t> axes(std::size_t i) const;
  std::vector<std::int64_t> sizes_of_parts(std::int64_t dim) const;
  std::int64_t axis(std::int64_t given, std::size_t rank) const;
  std::string activated(std::string name, std::int8_t activation);
  void finish(std::string name, std::int8_t activation = 0);
  std::string name() const;  // of the operator
  [[noreturn]] void invalid(const std::string& why) const;
  [[noreturn]] void unsupported(const std::string& why) const;

  TfliteGraph& graph_;
  const TfliteOperator& op_;
};

}  // namespace rnnc::files
