#include "import/onnx/state_names.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>

namespace rnnc::files {
namespace {

// Tells whether a name speaks of a state: an input frame_in and an output frame_out are none.
bool speaks_of_state(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* word :
       {"state", "hidden", "cache", "memory", "buffer", "context", "past", "carry", "lstm", "gru", "rnn"})
    if (name.find(word) != std::string::npos) return true;
  static const std::set<std::string> short_names = {"h",   "c",    "h0",   "c0",     "hx",     "cx",     "h_0",
                                                    "c_0", "h_in", "c_in", "h_prev", "c_prev", "h_init", "c_init",
                                                    "hin", "cin",  "mem",  "buf",    "ctx"};
  return short_names.contains(name);
}

// Tells whether an output is named as the new value of an input: h and hn, state_in and state_out, cache and new_cache.
bool names_match(std::string input, std::string output) {
  const auto words = [](std::string name) {
    std::set<std::string> result;
    std::string word;
    for (const char c : name + "_") {
      if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
        word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        continue;
      }
      static const std::set<std::string> meaningless = {"in",      "out",     "input", "output", "new",
                                                        "next",    "prev",    "old",   "past",   "cur",
                                                        "present", "updated", "last",  "n",      "o"};
      if (!word.empty() && !meaningless.contains(word)) result.insert(word);
      word.clear();
    }
    return result;
  };
  const auto a = words(input), b = words(output);
  if (!a.empty() && a == b && input != output) return true;
  const auto lower = [](std::string& name) {
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  };
  lower(input);
  lower(output);
  for (const char* end : {"n", "o", "out", "new", "next"})
    if (output == input + end) return true;
  for (const char* begin : {"i", "in", "0"})
    for (const char* end : {"o", "out", "n", "1"})
      if (input.ends_with(begin) && output.ends_with(end) &&
          input.substr(0, input.size() - std::string_view(begin).size()) ==
              output.substr(0, output.size() - std::string_view(end).size()))
        return true;
  return false;
}

}  // namespace

bool is_state_by_name(const std::string& input, const std::string& output) {
  return speaks_of_state(input) && names_match(input, output);
}

}  // namespace rnnc::files
