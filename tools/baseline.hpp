// A job becomes a baseline: the same model on the same data, computed by another library, ready to be timed in turns
// with rnnc.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <rnnc/result.hpp>

#include "tools/bench_job.hpp"
#include "tools/timing.hpp"

namespace rnnc::tools {

struct Baseline {
  std::string name, version;             // as --against has it; "2.6.3"
  std::string title;                     // as people write it: "oneDNN"
  Contestant contestant;                 // empty where there is no baseline
  std::optional<SequenceResult> result;  // of the job's data; nothing where the mathematics differ
  bool is_f32 = true;                    // the result is as close as two f32 implementations are
  std::vector<std::string> notes = {};   // lines for people
};

/// Holds a library that was found and loaded, for any number of jobs.
class BaselineLibrary {
 public:
  virtual ~BaselineLibrary() = default;

  /// Finds what of a model this library cannot run, before the first shape is timed. Errors: Unsupported.
  virtual Result<void> check(const Source& source, const ir::Network& network) const = 0;

  /// Errors: Unsupported where the library has no such model, or refuses the shape; those of its files.
  virtual Result<Baseline> make(const BenchJob& job) const = 0;
};

/// Returns the values that --against takes.
std::vector<std::string> baseline_names();

/// Returns the name that people write for a value of --against.
std::string baseline_title(const std::string& name);

/// Loads what --against names. `library` is the file that --library gives; "" for one that is installed.
///
/// Errors    Unsupported: it is not there, cannot be loaded, or is too old; the message says how to get it
Result<std::unique_ptr<BaselineLibrary>> load_baseline(const std::string& name, const std::string& library);

Result<std::unique_ptr<BaselineLibrary>> load_onednn(const std::string& name);
Result<std::unique_ptr<BaselineLibrary>> load_onnx_runtime(const std::string& library);
Result<std::unique_ptr<BaselineLibrary>> load_torch(const std::string& python);

}  // namespace rnnc::tools
