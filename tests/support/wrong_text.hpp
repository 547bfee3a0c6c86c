// This header pairs wrong texts of cells with the messages that they get, for the tests of errors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/parse.hpp"
#include "tests/support/catch.hpp"

namespace rnnc::test {

struct Wrong {
  std::string text;
  std::string message;  // with t.rnn as the file; notes on lines of their own
};

/// Returns the messages alone, without the lines of text that follow each.
inline std::string without_excerpts(Error error) {
  error.place.excerpt.clear();
  for (Note& note : error.notes) note.place.excerpt.clear();
  return error.to_string();
}

inline std::string error_of(std::string_view text) {
  const Result<ir::Module> module = ir::parse(text, "t.rnn");
  return module ? "" : without_excerpts(module.error());
}

inline void check(const std::vector<Wrong>& table) {
  for (const Wrong& wrong : table) {
    INFO(wrong.text);
    CHECK(error_of(wrong.text) == wrong.message);
  }
}

/// A statement in a cell with x : f32[I], k : f32, a state h : f32[H] (all on line 1), W : f32[H, I] and v : f32[H] on
/// line 2; the statement is line 3.
inline std::string in_cell(const std::string& statement) {
  return "cell t<I, H> { input x : f32[I] input k : f32 state h : f32[H] h' = h output h'\nparam W : f32[H, I] param v "
         ": "
         "f32[H]\n" +
         statement + " }";
}

inline std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

}  // namespace rnnc::test
