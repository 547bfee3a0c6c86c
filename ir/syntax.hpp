// Facts of the text form that parser, printer and verifier share: reserved words, names, numbers of precedence, and
// which ops are written as a call. Everything about functions comes from the op table.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "ir/op.hpp"

namespace rnnc::ir {

// A name followed by `(` is a function, so the names of functions are free for values.
inline constexpr std::array<std::string_view, 9> kReservedWords = {"cell",   "network", "input", "state", "param",
                                                                   "output", "f32",     "inf",   "nan"};

// Names of nothing in a network.
inline constexpr std::array<std::string_view, 6> kNetworkWords = {"forward", "reverse", "bidirectional",
                                                                  "merge",   "steps",   "from"};

bool is_reserved(std::string_view word);
bool is_network_word(std::string_view word);
bool is_name(std::string_view text);  // a letter or _, then letters, digits and _; not reserved

/// How tightly an expression holds together, loosest first.
enum class Precedence { Sum, Product, Unary, Matvec, Primary };

/// Of the functions written with an operator. Precedence::Primary for those that are calls.
Precedence precedence(Function function);

/// The function that an operator with one or two operands stands for; nullptr where there is none.
const FunctionFacts* find_operator(std::string_view text, int arity);

inline constexpr std::array kCallOps = {Op::Concat, Op::Lookup, Op::Project,
                                        Op::Hoist};  // besides functions and reductions
std::string_view call_name(Op op);                   // "concat" of Op::Concat

/// Whether a call of this name, with whatever operands, is one of the tables'.
bool is_function(std::string_view name);

/// The function over time that has this name; nullptr where there is none.
const OverTimeFacts* find_over_time(std::string_view name);

/// Of `names`, the one that `name` is most likely a misspelling of, or "".
std::string closest(std::string_view name, const std::vector<std::string>& names);

/// `; did you mean X?`, or "" where no name is close.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& names);

}  // namespace rnnc::ir
