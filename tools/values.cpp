#include "tools/values.hpp"

#include <rnnc/model.hpp>

#include "compiler/llvm/cpu_names.hpp"
#include "compiler/passes/pass.hpp"

namespace rnnc::tools {
namespace {

// These suffixes are usual for the files that import_model_file and load_artifact read. Both tell a format by its
// content, not by the suffix.
const std::vector<std::string> kModelSuffixes = {".rnn", ".rnnc", ".onnx", ".safetensors", ".json", ".nam"};

std::vector<std::string> cpus() {
  std::vector<std::string> names = compiler::cpu_names();
  names.insert(names.begin(), "host");
  return names;
}

std::vector<std::string> passes() {
  std::vector<std::string> names;
  for (const compiler::Pass& pass : compiler::kPasses) names.emplace_back(pass.name);
  return names;
}

}  // namespace

Values values_of(const FlagText& flag, const std::vector<std::string>& verbs) {
  std::string value = flag.value;
  Values values;
  if (value == "FILE") values.suffixes = kModelSuffixes;
  if (value == "CELL") values.words = standard_cell_names();
  if (value == "CPU" || value == "CPU,...") values.words = cpus(), values.is_list = value != "CPU";
  if (value == "PASS") values.words = passes();
  if (value == "VERB") values.words = verbs;
  if (values.any()) return values;
  if (const std::size_t equals = value.find('='); equals != std::string::npos)
    values.is_named = true, value = value.substr(equals + 1);
  for (const std::string& part : split(value, '|')) {
    const std::size_t dot = part.rfind('.');
    const bool is_word = !part.empty() && part.front() >= 'a' && part.front() <= 'z';
    if (dot != std::string::npos && dot + 1 < part.size())
      values.suffixes.push_back(part.substr(dot));
    else if (is_word)
      values.words.push_back(part);
  }
  return values;
}

}  // namespace rnnc::tools
