#include "tools/outputs.hpp"

#include <regex>

#include "import/npy.hpp"
#include "import/real_path.hpp"
#include "import/write_file.hpp"
#include "ir/environment.hpp"
#include "tools/exit_code.hpp"
#include "tools/write_model.hpp"

namespace rnnc::tools {
namespace {

// Says of which name of the same file `other` is, unless the two are spelled alike.
std::string also_known(const NamedFile& file, const NamedFile& other) {
  return file.path == other.path ? file.path : other.path + " under the name " + file.path;
}

}  // namespace

std::vector<NamedFile> files_of(const ModelFlags& flags) {
  std::vector<NamedFile> files = {{"MODEL", flags.model}, {"--weights", flags.weights}, {"--ranges", flags.ranges}};
  if (flags.weights.empty() && flags.weights_beside && flags.model.ends_with(".rnn"))
    for (const std::string& path : weights_beside(flags.model)) files.push_back({"MODEL", path});
  return files;
}

// Which of the two a text is can follow from the model alone, which is not read yet. Both count: nobody needs an output
// of the name that is left over.
std::vector<NamedFile> files_of(const std::string& flag, const std::vector<std::string>& texts) {
  std::vector<NamedFile> files;
  for (const std::string& text : texts) {
    files.push_back({flag, text});
    if (const std::size_t equals = text.find('='); equals != std::string::npos)
      files.push_back({flag, text.substr(equals + 1)});
  }
  return files;
}

Result<void> check_outputs(const std::vector<NamedFile>& written, const std::vector<NamedFile>& read) {
  for (std::size_t i = 0; i < written.size(); ++i) {
    const NamedFile& file = written[i];
    if (file.path.empty()) continue;
    for (const NamedFile& input : read)
      if (!input.path.empty() && files::is_same_file(file.path, input.path))
        return usage_error(file.flag, "would overwrite " + also_known(file, input) + ", which " + input.flag +
                                          " reads; name another file");
    for (std::size_t k = 0; k < i; ++k)
      if (!written[k].path.empty() && files::is_same_file(file.path, written[k].path))
        return usage_error(file.flag, "would overwrite " + also_known(file, written[k]) + ", which " + written[k].flag +
                                          " writes; name another file");
  }
  return {};
}

Result<void> check_page_path(const std::string& path, const ModelFlags& flags) {
  if (path.empty()) return {};
  if (const auto checked = check_outputs({{"--html", path}}, files_of(flags)); !checked) return checked.error();
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code ignored;
  if (!folder.empty() && !std::filesystem::is_directory(folder, ignored))
    return Error{ErrorCode::File, {path}, "cannot write the file: there is no folder " + folder.string()};
  return {};
}

Result<void> check_dumps(const std::string& path) {
  const Environment environment = read_environment();
  const auto real = files::real_path(path), folder = files::real_path(environment.dump_dir);
  if (environment.dump_dir.empty() || !real || !folder || files::folder_of(*real) != *folder) return {};
  const std::pair<bool, const char*> kDumps[] = {{environment.debug_ir, ".+-[0-9]+-.+\\.rnn"},
                                                 {environment.debug_plan, ".+-plan\\.txt"},
                                                 {environment.debug_llvm, ".+-kernel\\.ll"},
                                                 {environment.debug_asm, ".+-kernel\\.s"}};
  for (const auto& [is_written, name] : kDumps)
    if (is_written && std::regex_match(real->substr(folder->size() + 1), std::regex(name)))
      return usage_error(
          "MODEL", "a text of RNNC_DEBUG may overwrite " + path + "; copy it, or name another folder in RNNC_DUMP_DIR");
  return {};
}

Result<void> write_outputs(const std::vector<Output>& outputs) {
  std::vector<std::string> heads;
  for (const Output& output : outputs) {
    Result<std::string> head = files::npy_head(output.tensor, output.path);
    if (!head) return head.error();
    heads.push_back(std::move(*head));
  }
  std::vector<files::NewFile> all;
  for (std::size_t i = 0; i < outputs.size(); ++i)
    all.push_back({outputs[i].path, {std::as_bytes(std::span(heads[i])), files::Bytes(outputs[i].tensor.bytes)}});
  return files::write_files(all);
}

}  // namespace rnnc::tools
