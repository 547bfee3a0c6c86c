#include "import/identifiers.hpp"

#include <cctype>

#include "ir/syntax.hpp"

namespace rnnc::files {
std::string Identifiers::make(std::string_view in_file) {
  std::string name;
  for (const char c : in_file) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  while (name.ends_with('_')) name.pop_back();
  if (name.empty() || std::isalpha(static_cast<unsigned char>(name[0])) == 0) name = "m" + name;
  if (name.size() == 1) name += "_";  // x, T and B have meanings
  if (!ir::is_name(name) || ir::is_network_word(name)) name += "_";
  if (used_.insert(name).second) return name;
  name += "_";
  // Numbers that are taken are not tried again, since a file may have many layers of one name.
  int& next = next_numbers_.try_emplace(name, 2).first->second;
  for (std::string other = name;; other = name + std::to_string(next++))
    if (used_.insert(other).second) return other;
}

}  // namespace rnnc::files
