// Calls whose cells have the same text become one kind: Kinds makes a thing once for each kind, whatever the weights of
// its calls are.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include <rnnc/result.hpp>

#include "ir/print.hpp"

namespace rnnc::compiler {

template <class Kind>
class Kinds {
 public:
  /// Returns the number of the kind of `cell`. `make` returns a Result<Kind> and is called once for each kind.
  template <class Make>
  Result<std::size_t> number_of(const ir::Cell& cell, const Make& make) {
    const auto [entry, is_new] = numbers_.try_emplace(ir::print(cell), kinds_.size());
    if (!is_new) return std::size_t{entry->second};
    Result<Kind> made = make(cell);
    if (!made) return made.error();
    kinds_.push_back(std::move(*made));
    return std::size_t{entry->second};
  }

  std::size_t size() const { return kinds_.size(); }
  const Kind& operator[](std::size_t number) const { return kinds_[number]; }  // the reference stays valid
  const std::deque<Kind>& all() const { return kinds_; }

 private:
  std::map<std::string, std::size_t> numbers_;  // the number of each cell's text
  std::deque<Kind> kinds_;
};

}  // namespace rnnc::compiler
