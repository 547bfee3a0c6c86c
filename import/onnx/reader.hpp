// This class reads a graph, node by node, into the text of a network, or of one step. Its members are in files by kind:
// reader.cpp (the walk over the nodes), quantized_nodes.cpp (those that compute with integers), scans.cpp (recurrent
// nodes of a network), steps.cpp (those of one step) and results.cpp (outputs, states and the whole text).
#pragma once

#include <set>

#include <rnnc/import.hpp>
#include "import/onnx/labels.hpp"
#include "import/onnx/layer_names.hpp"
#include "import/onnx/recurrent.hpp"
#include "import/onnx/scope.hpp"

namespace rnnc::files {

class GraphReader {
 public:
  GraphReader(const OnnxModel& model, const FileContent& content, std::string_view file, const ImportOptions& options,
              OnnxFiles& beside, const OnnxLabels& labels);

  /// Throws Refusal.
  Imported read();

  /// Returns how many nodes were read before the refusal.
  std::size_t progress() const { return progress_; }
  /// Returns what the caller could say to make the graph one that can be read; "" if there is nothing.
  const std::string& hint() const { return hint_; }
  /// Says how to make a model without the operator that was refused; "" where none was unknown.
  const std::string& cut() const { return cut_; }
  /// Returns how much was computed and written, in elements and characters.
  std::size_t work() const { return text_.work(); }

 private:
  struct GraphInput {
    std::string name;
    std::int32_t source = -1;
    bool has_time = false;
    const Tensor* given = nullptr;  // its value, of an initial state
    std::string state;              // of one step: the new value of the state that it is
  };
  // A state that begins with `initial` and ends as `final`, each a vector of one sequence.
  struct StateLink {
    Elements initial, final;
  };
  struct Scan {
    std::string name, text;  // text without its initial states
    std::size_t statement = 0;
    std::int64_t size = 0;  // of its output
    std::vector<std::string> states;
    std::vector<StateLink> links;
  };

  // Behind the arguments of a scan that are all the same at each step, so that they have no time.
  static constexpr const char* kOverTheTime = " steps T";

  // An output of the text: its name there and its expression.
  struct WrittenOutput {
    std::string graph_name, name, text;
    std::int64_t size = 0;
    bool has_time = false;
  };

  // A QuantizeLinear node, and its input: what it gives is written where it is not made floats again at once.
  struct Unrounded {
    OnnxNode node;
    OnnxValue value;
  };

  // A list of tensors: one that it began with, the stack of those that steps added, and the last one; "" for none.
  struct List {
    std::string first, stack, last;
  };
  // A list that began with a tensor, joined along an axis: what the steps added, and the last one.
  struct History {
    OnnxValue steps, last;
    std::size_t axis = 0;
  };
  // A tensor without elements, since one of its dims is 0.
  struct Empty {
    std::size_t rank = 0, axis = 0;
  };

  class ScanOperator;
  class LoopOperator;
  class FloatNodes;

  std::string layer_or_kind(const OnnxNode& node) const;
  void add_inputs();
  void read_nodes(const OnnxGraph& graph);
  void read_node(const OnnxNode& node, bool is_needed);
  std::string how_to_cut(const OnnxNode& node) const;
  void forget(const std::string& name);
  void forget_inputs(const OnnxNode& node);
  void keep(const std::string& name, const OnnxValue& value);
  void read_if(const OnnxNode& node);
  std::string inputs_behind(const std::string& name) const;
  void read_scan(const OnnxNode& node);
  void read_loop(const OnnxNode& node);
  bool read_list(const OnnxNode& node);
  void begin_list(const OnnxNode& node);
  bool read_empty(const OnnxNode& node);
  void split(const OnnxNode& node);
  void take_item(const OnnxNode& node, const List& list);
  void keep_joined(const OnnxNode& node, const std::string& name, const List& list, std::size_t axis, bool is_new);
  bool read_history(const OnnxNode& node);
  void read_glue(const OnnxNode& node);

  bool read_quantized(const OnnxNode& node);
  void write_integers(const std::string& name);
  OnnxNode with_floats(const OnnxNode& lstm);
  void leave_rounding_out(const OnnxNode& node);

  void find_needed(const OnnxGraph& graph, const std::set<std::string>& wanted,
                   std::set<const OnnxNode*>& needed) const;
  const OnnxValue* find(const std::string& name) const;

  void read_recurrent_node(const OnnxNode& node);
  std::string mask_of(const OnnxNode& node, const OnnxValue& x);
  void add_scans(const OnnxNode& node, OnnxRecurrent& recurrent, const OnnxValue& x);
  void add_steps(const OnnxNode& node, OnnxRecurrent& recurrent, const OnnxValue& x);
  void add_lengths(const OnnxNode& node);
  void check_no_length_is_0(const OnnxNode& node, std::size_t state) const;
  Elements initial(const OnnxNode& node, std::size_t input, const OnnxRecurrent& recurrent, std::size_t direction,
                   std::int64_t rows, std::int64_t row);

  const OnnxValue& output(const std::string& name) const;
  const GraphInput* input_of(const Elements& elements) const;
  bool is_state(const GraphInput& input, const StateLink& link) const;
  void finish_scans();
  void pair_states();
  std::optional<std::string> linked_output(const GraphInput& input) const;
  std::optional<std::string> named_output(const GraphInput& input) const;
  std::optional<std::string> output_of_state(const GraphInput& input) const;
  void give(const GraphInput& input, const Elements& elements, const std::string& state);
  std::set<std::string> write_states(std::string& statements);
  void check_carried_states() const;
  void check_carried_on() const;
  std::string declarations();
  bool is_final(const OnnxValue& value) const;
  void describe_graph(const std::vector<WrittenOutput>& outputs);
  std::vector<WrittenOutput> write_outputs(const std::set<std::string>& states);
  std::string network_around_step(const std::vector<WrittenOutput>& outputs);
  std::string text();
  std::vector<float> behind_the_end(const std::string& inputs, const std::string& output);

  [[noreturn]] void invalid(const OnnxNode& node, const std::string& why) const;
  [[noreturn]] void unsupported(const OnnxNode& node, const std::string& why) const;

  const OnnxModel& model_;
  std::string_view file_;
  const ImportOptions& options_;
  const OnnxLabels& labels_;
  OnnxConstants constants_;
  OnnxCounts counts_;
  LayerNames layers_;
  NetworkText text_;
  OnnxScope scope_;
  std::vector<GraphInput> inputs_;
  std::vector<Scan> scans_;
  std::vector<StateLink> links_;
  std::set<std::string> made_, main_;
  std::set<const OnnxNode*> needed_, needed_by_main_;
  std::map<std::string, std::string>
      broken_;  // values that other outputs than the first need, and why they are not there
  std::map<std::string, Unrounded> unrounded_;  // outputs of QuantizeLinear that are not written yet
  std::optional<std::string> lengths_;          // the graph's name of sequence_lens; "" for none
  std::string output_;                          // the graph output that becomes y
  std::size_t progress_ = 0;
  std::map<std::string, List> lists_;
  std::map<std::string, History> histories_;
  std::map<std::string, Empty> empty_;
  int depth_ = 0;
  std::string hint_, cut_;
  Imported result_{Model(nullptr), {}, {}, {}, {}};
};

}  // namespace rnnc::files
