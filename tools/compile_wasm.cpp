#include "tools/compile_wasm.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "import/write_file.hpp"
#include "tools/exit_code.hpp"
#include "tools/given_weights.hpp"

namespace rnnc::tools {
namespace {

namespace fs = std::filesystem;

// The files of rnnc begin with a line that says so, and modules with the mark of all modules.
bool is_of_rnnc(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string line;
  std::getline(file, line);
  return line.find(", compiled by rnnc ") != std::string::npos || line.starts_with("rnnc weights ") ||
         line.starts_with(std::string("\0asm", 4));
}

WasmOptions options_of(const WasmRequest& request) {
  return {fs::path(request.output).filename().string(), request.weights_apart, request.worklet};
}

std::string beside(const WasmRequest& request, const std::string& name) {
  return (fs::path(request.output).parent_path() / name).string();
}

// Says what was made. The files come in the order of `compile_wasm`.
void tell(const WasmRequest& request, const std::string& name, const std::vector<std::string>& paths) {
  auto target = request.targets.begin();
  std::string script;
  for (const std::string& path : paths) {
    if (path.ends_with(".wasm")) std::cout << path << ": " << name << " for " << *target++ << "\n";
    if (path.ends_with(".weights")) std::cout << path << ": its weights\n";
    if (path.ends_with(".mjs")) script = path;
    if (path.ends_with(".d.mts")) std::cout << script << ": its script, with types in " << path << "\n";
    if (path.ends_with(".worklet.js")) std::cout << path << ": its processor for an AudioWorklet\n";
  }
}

}  // namespace

std::vector<std::string> wasm_paths(const WasmRequest& request) {
  ObjectOptions options;
  options.targets = request.targets;
  std::vector<std::string> paths;
  for (const std::string& name : wasm_file_names(options, options_of(request))) paths.push_back(beside(request, name));
  return paths;
}

Result<void> check_wasm_paths(const WasmRequest& request) {
  for (const std::string& path : wasm_paths(request)) {
    std::error_code ignored;
    const bool is_named = path == beside(request, options_of(request).file);
    if (is_named || !fs::is_regular_file(path, ignored) || fs::file_size(path, ignored) == 0 || is_of_rnnc(path))
      continue;
    return usage_error("-o", "would also write " + path +
                                 ", which is there and was not made by rnnc; move it, or name another module");
  }
  return {};
}

Result<void> write_wasm(const WasmRequest& request, const Source& source, const ObjectOptions& options) {
  const auto made = compile_wasm(source.model, source.weights, options, options_of(request));
  if (!made) return about_weights(made.error(), source);
  std::vector<std::string> paths;
  std::vector<files::NewFile> all;
  for (const WasmFile& file : *made) {
    paths.push_back(beside(request, file.name));
    all.push_back({paths.back(), {file.content}});
  }
  if (const auto written = files::write_files(all); !written) return written.error();
  tell(request, source.graph().name, paths);
  return {};
}

}  // namespace rnnc::tools
