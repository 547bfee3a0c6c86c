#include "compiler/schedule/tuned.hpp"

#include <fstream>

#include "compiler/schedule/file_name.hpp"
#include "ir/print.hpp"

namespace rnnc::compiler {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;
constexpr const char* kHeader = "rnnc plan 1\n";

// Returns the facts on which a plan depends: the CPU, the numbers of a measured machine, and the text of the bound
// cell.
std::string subject(const TunedFor& what) {
  const std::string machine = what.machine ? "machine " + numbers_of(*what.machine) + "\n" : "";
  return "cpu " + name_of(what.target) + "\n" + machine + ir::print(what.cell);
}

}  // namespace

std::string tuned_path(const std::string& cache_folder, const TunedFor& what) {
  if (cache_folder.empty()) return {};
  return cache_folder + "/plan-" + file_name_of(subject(what)) + ".txt";
}

std::string tuned_text(const TunedFor& what, const std::vector<PlanChoice>& choices) {
  std::string list;
  for (const PlanChoice& choice : choices) list += (list.empty() ? "" : ",") + print(choice);
  return kHeader + list + "\n" + subject(what);
}

std::vector<PlanChoice> read_tuned(const std::string& path, const TunedFor& what) {
  if (path.empty()) return {};
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  std::string text(kMostBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (!text.starts_with(kHeader)) return {};
  const std::size_t begin = std::string_view(kHeader).size(), end = text.find('\n', begin);
  if (end == std::string::npos || text.substr(end + 1) != subject(what)) return {};
  const auto choices = parse_choices(std::string_view(text).substr(begin, end - begin));
  return choices ? *choices : std::vector<PlanChoice>{};
}

}  // namespace rnnc::compiler
