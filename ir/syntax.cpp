// This file has the facts of the text form.
#include "ir/syntax.hpp"

#include <algorithm>
#include <numeric>

#include "ir/character.hpp"

namespace rnnc::ir {

static constexpr std::string_view kOpTexts[] = {
#define RNNC_OP(enumerator, text) text,
#define RNNC_NETWORK_OP(enumerator, text) text,
#include "ir/ops.def"
};

bool is_reserved(std::string_view word) {
  return std::find(kReservedWords.begin(), kReservedWords.end(), word) != kReservedWords.end();
}

bool is_network_word(std::string_view word) {
  return std::find(kNetworkWords.begin(), kNetworkWords.end(), word) != kNetworkWords.end();
}

bool is_name(std::string_view text) {
  const auto inside = [](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return !text.empty() && is_letter(text[0]) && std::all_of(text.begin(), text.end(), inside) && !is_reserved(text);
}

Precedence precedence(Function function) {
  const FunctionFacts& row = facts(function);
  if (is_letter(row.name[0])) return Precedence::Primary;
  if (row.arity == 1) return Precedence::Unary;
  return row.name == "+" || row.name == "-" ? Precedence::Sum : Precedence::Product;
}

const FunctionFacts* find_operator(std::string_view text, int arity) {
  for (const FunctionFacts& row : kFunctions) {
    if (row.name == text && row.arity == arity && !is_letter(row.name[0])) return &row;
  }
  return nullptr;
}

const OverTimeFacts* find_over_time(std::string_view name) {
  const auto* row = std::find_if(kOverTimes.begin(), kOverTimes.end(), [&](const auto& r) { return r.name == name; });
  return row == kOverTimes.end() ? nullptr : row;
}

bool is_function(std::string_view name) {
  const auto in = [&](const auto& rows) {
    return std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.name == name; });
  };
  const bool call = std::any_of(kCallOps.begin(), kCallOps.end(), [&](Op op) { return call_name(op) == name; });
  return call || in(kRowOps) || in(kAllFunctions) || in(kReductions) || in(kOverTimes);
}

int dim_arguments(Op op, RowOp row_op) {
  if (op == Op::Quantize) return 2;
  return op == Op::Fill ? 1 : op == Op::Rows ? facts(row_op).dims : 0;
}

const RowOpFacts* find_row_op(std::string_view name) {
  const auto* row = std::find_if(kRowOps.begin(), kRowOps.end(), [&](const auto& r) { return r.name == name; });
  return row == kRowOps.end() ? nullptr : row;
}

std::string_view call_name(Op op) {
  const std::string_view text = kOpTexts[static_cast<std::size_t>(op)];
  return text.substr(0, text.find('('));
}

// Longer names are not compared: the comparison takes time, and few such names are misspellings of each other.
static constexpr std::size_t kLongestCompared = 32;

// Returns the least number of letters to insert, drop, replace or swap with their neighbour (optimal string alignment).
static std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, above);
    std::swap(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j - 1] + (a[i - 1] != b[j - 1]), above[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row.back();
}

std::string closest(std::string_view name, const std::vector<std::string>& names) {
  for (const std::string& candidate : names)
    if (candidate != name && equal_but_for_case(candidate, name)) return candidate;
  if (name.size() > kLongestCompared) return "";
  // A third of the letters may differ, but at least one: `Wj` for `Wi` is a misspelling. `x` for `h` is not.
  const std::size_t allowed = name.size() < 2 ? 0 : std::max<std::size_t>(1, name.size() / 3);
  std::size_t best = allowed + 1;
  std::string found;
  for (const std::string& candidate : names) {
    if (candidate.size() > name.size() + allowed || name.size() > candidate.size() + allowed) continue;
    const std::size_t d = distance(name, candidate);
    if (d < best || (d == best && !found.empty() && candidate < found)) {
      best = d;
      found = candidate;
    }
  }
  return found;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& names) {
  const std::string found = closest(name, names);
  return found.empty() ? "" : "; did you mean " + found + "?";
}

}  // namespace rnnc::ir
