// This file computes with dims: sums, products, substitution, and text.
#include "ir/dim.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "ir/check.hpp"

namespace rnnc::ir {

static constexpr std::int64_t kMost = std::int64_t{1} << 62;

static std::int64_t saturate(std::int64_t value) { return std::clamp(value, -kMost, kMost); }

static std::int64_t add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return a < 0 ? -kMost : kMost;
  return saturate(sum);
}

static std::int64_t multiply(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return (a < 0) == (b < 0) ? kMost : -kMost;
  return saturate(product);
}

Dim::Dim(std::int64_t value) {
  if (value != 0) terms_[{}] = saturate(value);
}

Dim Dim::symbol(std::string name) {
  Dim dim;
  dim.terms_[{std::move(name)}] = 1;
  return dim;
}

bool Dim::is_constant() const { return terms_.empty() || (terms_.size() == 1 && terms_.begin()->first.empty()); }

std::int64_t Dim::value() const {
  RNNC_ASSERT(is_constant(), nullptr);
  return terms_.empty() ? 0 : terms_.begin()->second;
}

Dim Dim::substitute(const DimBindings& bindings) const {
  Dim result;
  for (const auto& [names, coefficient] : terms_) {
    Dim term(coefficient);
    for (const std::string& name : names) {
      const auto found = bindings.find(name);
      term = term * (found == bindings.end() ? symbol(name) : Dim(found->second));
    }
    result = result + term;
  }
  return result;
}

Dim Dim::replace(const DimValues& values) const {
  Dim result;
  for (const auto& [names, coefficient] : terms_) {
    Dim term(coefficient);
    for (const std::string& name : names) {
      const auto found = values.find(name);
      term = term * (found == values.end() ? symbol(name) : found->second);
      if (term.size() > kMaxDimSize) return term;
    }
    result = result + term;
    if (result.size() > kMaxDimSize) return result;
  }
  return result;
}

std::optional<Dim> Dim::solve(const std::string& name, const Dim& value) const {
  const Dim offset = substitute({{name, 0}});
  const Dim factor = substitute({{name, 1}}) - offset, rest = value - offset;
  if (substitute({{name, 2}}) - offset != Dim(2) * factor || !factor.is_constant() || rest.size() > kMaxDimSize)
    return std::nullopt;
  if (factor == Dim(1)) return rest;
  if (factor == Dim(0) || !rest.is_constant() || rest.value() % factor.value() != 0) return std::nullopt;
  return Dim(rest.value() / factor.value());
}

// Divides polynomials by their leading terms, those of the most names and of these the first in the alphabet: the order
// stays the same if both sides are multiplied with a name, so that an exact quotient is found term by term.
std::optional<Dim> Dim::divide(const Dim& divisor) const {
  if (divisor.terms_.empty()) return std::nullopt;
  const auto leading = [](const Dim& dim) {
    return *std::ranges::min_element(dim.terms_, [](const auto& a, const auto& b) {
      return a.first.size() != b.first.size() ? a.first.size() > b.first.size() : a.first < b.first;
    });
  };
  const auto [divisor_names, divisor_factor] = leading(divisor);
  Dim rest = *this, quotient;
  while (!rest.terms_.empty()) {
    const auto [names, factor] = leading(rest);
    const bool divides = std::ranges::includes(names, divisor_names) && factor % divisor_factor == 0;
    if (!divides) return std::nullopt;
    Dim term;
    std::vector<std::string> left;
    std::ranges::set_difference(names, divisor_names, std::back_inserter(left));
    term.terms_[std::move(left)] = factor / divisor_factor;
    quotient = quotient + term;
    rest = rest - term * divisor;
    if (quotient.size() > kMaxDimSize || rest.size() > kMaxDimSize) return std::nullopt;
  }
  return quotient;
}

std::string Dim::linear_symbol() const {
  std::string symbol;
  for (const auto& [names, coefficient] : terms_) {
    if (names.empty()) continue;
    if (names.size() > 1 || !symbol.empty()) return "";
    symbol = names.front();
  }
  return symbol;
}

std::vector<std::string> Dim::symbols() const {
  std::set<std::string> symbols;
  for (const auto& [names, coefficient] : terms_) symbols.insert(names.begin(), names.end());
  return {symbols.begin(), symbols.end()};
}

std::size_t Dim::size() const {
  std::size_t size = terms_.size();
  for (const auto& [names, coefficient] : terms_) size += names.size();
  return size;
}

static std::string term_text(const std::vector<std::string>& names, std::int64_t magnitude) {
  std::string text = names.empty() || magnitude != 1 ? std::to_string(magnitude) : "";
  for (const std::string& name : names) text += (text.empty() ? "" : "*") + name;
  return text;
}

std::string Dim::to_string() const {
  std::string text;
  const auto write = [&](const std::vector<std::string>& names, std::int64_t coefficient) {
    if (coefficient < 0) {
      text += '-';
    } else if (!text.empty()) {
      text += '+';
    }
    text += term_text(names, coefficient < 0 ? -coefficient : coefficient);
  };
  for (const auto& [names, coefficient] : terms_) {
    if (!names.empty()) write(names, coefficient);
  }
  const auto constant = terms_.find({});
  if (constant != terms_.end()) write({}, constant->second);
  return text.empty() ? "0" : text;
}

Dim operator+(const Dim& a, const Dim& b) {
  Dim sum = a;
  for (const auto& [names, coefficient] : b.terms_) {
    const auto [term, added] = sum.terms_.try_emplace(names, coefficient);
    if (added) continue;
    term->second = add(term->second, coefficient);
    if (term->second == 0) sum.terms_.erase(term);
  }
  return sum;
}

Dim operator-(const Dim& a, const Dim& b) { return a + Dim(-1) * b; }

Dim operator*(const Dim& a, const Dim& b) {
  Dim product;
  for (const auto& [a_names, a_coefficient] : a.terms_) {
    for (const auto& [b_names, b_coefficient] : b.terms_) {
      Dim term;
      std::vector<std::string> names = a_names;
      names.insert(names.end(), b_names.begin(), b_names.end());
      std::sort(names.begin(), names.end());
      term.terms_[std::move(names)] = multiply(a_coefficient, b_coefficient);
      product = product + term;
    }
  }
  return product;
}

}  // namespace rnnc::ir
