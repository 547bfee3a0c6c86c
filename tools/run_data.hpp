// Files that the flags of rnnc run name become a batch, and results become files.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <rnnc/result.hpp>

#include "ir/interpret_network.hpp"
#include "tools/flags.hpp"
#include "tools/load_model.hpp"
#include "tools/sequence.hpp"

namespace rnnc::tools {

struct RunFlags {
  ModelFlags model;
  std::vector<std::string> outputs, inputs, lengths, steps, states, final_states;
  std::string layout = kStepsFirst;
  bool expects = false;  // outputs and final_states name files to compare with, which --expect and --expect-state say
  std::int64_t threads = 1;
};

/// A value of --output or --expect: the file of the first output, or NAME=FILE.
struct OutputFile {
  std::string name;  // "" for the first output
  std::string path;
};
OutputFile parse_output(const std::string& text);

/// Returns where --output writes: `-` is standard output.
std::string written_path(const OutputFile& file);

/// Holds what the flags ask for, read and checked.
struct Job {
  std::map<std::string, std::vector<float>> behind_the_end = {};  // a row of outputs of an ONNX graph, by their names
  bool batch_first = false;                                       // sequences lie as [B,T,F] in files
  ir::NetworkBatch batch;
  ir::NamedVectors states;                                                      // the initial ones
  Assignments final_states;                                                     // files by name
  Assignments outputs;                                                          // files by name
  std::map<std::string, std::pair<GraphValue, std::string>> graph_finals = {};  // files by an ONNX graph's output
};

/// Reads NAME=N, the steps of a time. Errors: Usage, with the times that there are.
Result<Steps> parse_steps(const std::vector<std::string>& texts, const Interface& interface);

/// Gives every time `others` steps but those that `own` names, as NAME=N. Errors: those of parse_steps.
Result<Steps> steps_of_times(const std::vector<std::string>& own, std::int64_t others, const Interface& interface);

/// Returns [b, a, ...] of [a, b, ...].
Tensor with_first_axes_swapped(const Tensor& tensor);

/// Writes into an output, [T, B, O], what the ONNX graph has behind the ends of sequences. A program gives zeros there.
void fill_behind_the_end(const NamedType& output, const Job& job, std::vector<float>& values);

/// Gives the batch the lengths that the model itself has, if it has some. Errors: ShapeMismatch.
Result<void> take_lengths(const std::vector<std::int32_t>& lengths, ir::NetworkBatch& batch);

/// `given` is what the model said itself. Errors: those of the files, ShapeMismatch, and Usage.
Result<Job> read_job(const RunFlags& flags, const Interface& interface, const GivenByModel& given);

/// Writes the files and prints a line for each file that was read as a sequence or written, with its shape; none of
/// them where a file is standard output. Errors: those of `result` and of the files.
Result<int> write_results(const Interface& interface, const Job& job, const Result<SequenceResult>& result);

}  // namespace rnnc::tools
