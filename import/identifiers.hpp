// The names of modules and layers in a file become names of the language.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace rnnc::files {

class Identifiers {
 public:
  /// Returns a name that resembles the one in the file and that no network has a meaning for. It differs from all that
  /// were returned before.
  std::string make(std::string_view in_file);

 private:
  std::set<std::string> used_;
  std::map<std::string, int> next_numbers_;  // of names that are asked for again
};

}  // namespace rnnc::files
