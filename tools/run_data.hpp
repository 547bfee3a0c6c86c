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
  std::int64_t threads = 1;
};

/// A value of --output: the file of the first output, or NAME=FILE.
struct OutputFile {
  std::string name;  // "" for the first output
  std::string path;
};
OutputFile parse_output(const std::string& text);

/// Holds what the flags ask for, read and checked.
struct Job {
  std::map<std::string, std::vector<float>> behind_the_end = {};  // a row of outputs of an ONNX graph, by their names
  ir::NetworkBatch batch;
  ir::NamedVectors states;   // the initial ones
  Assignments final_states;  // files by name
  Assignments outputs;       // files by name
};

/// Gives the batch the lengths that the model itself has, if it has some. Errors: ShapeMismatch.
Result<void> take_lengths(const std::vector<std::int32_t>& lengths, ir::NetworkBatch& batch);

/// `given` is what the model said itself. Errors: those of the files, ShapeMismatch, and Usage.
Result<Job> read_job(const RunFlags& flags, const Interface& interface, const GivenByModel& given);

/// Errors: those of `result` and of the files.
Result<int> write_results(const Interface& interface, const Job& job, const Result<SequenceResult>& result);

}  // namespace rnnc::tools
