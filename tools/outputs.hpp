// Results become files, all of them or none, and no file becomes the end of another one that the same command reads or
// writes.
#pragma once

#include <string>
#include <vector>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "tools/flags.hpp"

namespace rnnc::tools {

/// A file and the flag that names it, for messages.
struct NamedFile {
  std::string flag, path;
};

/// Lists the files that the flags read: the model and its weights, also those that stand beside a text.
std::vector<NamedFile> files_of(const ModelFlags& flags);

/// Lists the files of a flag's texts, each of which is a path or NAME=PATH.
std::vector<NamedFile> files_of(const std::string& flag, const std::vector<std::string>& texts);

/// Errors: Usage where one of `written` is, under whatever name, one of `read` or another one of `written`. Paths that
/// are empty name none.
Result<void> check_outputs(const std::vector<NamedFile>& written, const std::vector<NamedFile>& read);

/// Checks the path of a page of --html before the work, since a bad one would otherwise come to light after minutes. ""
/// is none. Errors: Usage where the page would overwrite a file of the model; File where its folder is not there.
Result<void> check_page_path(const std::string& path, const ModelFlags& flags);

/// Errors: Usage where the texts that RNNC_DEBUG and RNNC_DUMP_DIR ask for may overwrite the file `path`, which MODEL
/// names.
Result<void> check_dumps(const std::string& path);

struct Output {
  std::string path;
  Tensor tensor;
};

/// Writes .npy files. Errors: File; InvalidData, Limit where a tensor does not fit into a file.
Result<void> write_outputs(const std::vector<Output>& outputs);

}  // namespace rnnc::tools
