// Parser, printer and verifier share these facts of the text form: reserved words, names, precedence, and the ops that
// are written as a call. The op table has all facts of functions.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "ir/op.hpp"

namespace rnnc::ir {

// A name followed by `(` is a function, so values may have the names of functions.
inline constexpr std::array<std::string_view, 9> kReservedWords = {"cell",   "network", "input", "state", "param",
                                                                   "output", "f32",     "inf",   "nan"};

// No value of a network may have these names.
inline constexpr std::array<std::string_view, 6> kNetworkWords = {"forward", "reverse", "bidirectional",
                                                                  "merge",   "steps",   "from"};

bool is_reserved(std::string_view word);
bool is_network_word(std::string_view word);
bool is_name(std::string_view text);  // a letter or _, then letters, digits and _; not reserved

/// The precedence of an expression, loosest first.
enum class Precedence { Sum, Product, Unary, Matvec, Primary };

/// Returns the precedence of a function that is written with an operator; Precedence::Primary for one that is a call.
Precedence precedence(Function function);

/// Returns the function of an operator with one or two operands; nullptr if there is none.
const FunctionFacts* find_operator(std::string_view text, int arity);

// These ops are written as calls of their own names, besides functions, reductions and row ops.
inline constexpr std::array kCallOps = {Op::Concat, Op::Lookup, Op::Project, Op::Hoist, Op::Fill};

/// Returns the number of dims that a call of this op takes behind its operands: `windows(v, 3, 1)` has two.
int dim_arguments(Op op, RowOp row_op);

/// Returns the row op that has this name; nullptr if there is none.
const RowOpFacts* find_row_op(std::string_view name);

std::string_view call_name(Op op);  // "concat" of Op::Concat

/// Tells whether the tables have a call of this name, with any operands.
bool is_function(std::string_view name);

/// Returns the function over time that has this name; nullptr if there is none.
const OverTimeFacts* find_over_time(std::string_view name);

/// Returns the one of `names` that `name` is most likely a misspelling of, or "".
std::string closest(std::string_view name, const std::vector<std::string>& names);

/// Returns `; did you mean X?`, or "" if no name is close.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& names);

}  // namespace rnnc::ir
