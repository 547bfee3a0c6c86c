// The name of a flag's value becomes the values that a shell completes behind the flag.
#pragma once

#include <string>
#include <vector>

#include "tools/command_line.hpp"

namespace rnnc::tools {

struct Values {
  std::vector<std::string> words;
  std::vector<std::string> suffixes;  // those of files, such as ".npy"
  bool is_list = false;               // several words with commas between
  bool is_named = false;              // NAME= comes first

  bool any() const { return !words.empty() || !suffixes.empty(); }
};

/// `verbs` are those that VERB stands for.
Values values_of(const FlagText& flag, const std::vector<std::string>& verbs);

}  // namespace rnnc::tools
