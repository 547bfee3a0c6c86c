// Which dims of a graph's inputs are the time and the batch is nowhere written in an ONNX file. Each way to read them
// is a labelling; the graph itself refuses the wrong ones, since a recurrent node wants [T,B,F], so that the importer
// tries them, the likeliest first.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "import/onnx/axes.hpp"
#include "import/onnx/graph.hpp"

namespace rnnc::files {

struct OnnxLabels {
  bool is_step = false;  // no input has a time: the graph is one step
  Atom time{'T', 0}, batch{'B', 0};
  std::map<std::string, Axes> axes;  // of the inputs
};

/// Tells whether an input reaches the initial states of recurrent nodes through operators that move elements alone.
bool reaches_states(const OnnxGraph& graph, const std::string& name);

/// Tells whether an input is a state: by its name and that of an output, or since it reaches the initial states of
/// recurrent nodes through operators that move elements alone.
bool is_state(const OnnxGraph& graph, const std::string& name);

/// Returns the labellings of `inputs`, sequences before steps. `sizes` are numbers of features to try where a file has
/// none.
std::vector<OnnxLabels> labellings(const OnnxGraph& graph, const std::vector<std::string>& inputs,
                                   const std::vector<std::int64_t>& sizes);

}  // namespace rnnc::files
