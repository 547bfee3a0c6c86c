// The libraries of this folder are loaded by programs of others, which hand over a model and its weights as the names
// of files or as their content. One call makes a Program of both.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <rnnc/program.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

namespace rnnc::extensions {

/// A file by its path, or the content of one; both are empty if there is none.
struct Source {
  std::string path = {}, content = {};

  bool empty() const { return path.empty() && content.empty(); }
};

struct ProgramSource {
  // The text of a model, a file that import_model reads, or the path of an artifact. The content of an artifact is
  // refused: it is machine code, and a database or a model of another format is no place to run that from.
  Source model = {};
  // A safetensors or .npz file. If it is empty, a text at m.rnn takes m.safetensors, which may be missing.
  Source weights = {};
  TensorMap tensors = {};  // weights by name, beside those of a file
  std::string cell = {};   // as in CompileOptions
  std::map<std::string, std::int64_t> dims = {};
  int threads = 1;
};

/// Reads "H=16 cell=encoder threads=2" into a source: numbers for dims, the cell or network that is meant, and the
/// threads of a call. Errors: Usage, with the word that is wrong.
Result<void> read_options(std::string_view text, ProgramSource& source);

/// Errors    those of import_model, load_tensors, compile and load_artifact; Usage for options that an artifact does
/// not
///           take
Result<Program> load_program(const ProgramSource& source);

}  // namespace rnnc::extensions
