// This part of the parser reads expressions. From loosest to tightest: + and -, * and /, the minus sign, @, slices and
// calls. @ groups to the right, so W @ V @ x is a product of vectors; the others group to the left. A minus sign and
// the number behind it are one constant. Since a newline is white space, `a = b` with `-c` on the next line is a
// subtraction.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "ir/hints.hpp"
#include "ir/parser.hpp"
#include "ir/print.hpp"
#include "ir/syntax.hpp"
#include "ir/verify.hpp"

namespace rnnc::ir {

Value Parser::add(Node node, Location location) {
  if (++nodes_ > kMaxNodes) fail(ErrorCode::Limit, location, "more than 1000000 operations");
  node.location = location;
  Result<Type> type = infer_type(graph_, node);
  if (!type) throw ParseFailure{type.error()};
  node.type = std::move(*type);
  graph_.nodes.push_back(std::move(node));
  return Value{static_cast<std::uint32_t>(graph_.nodes.size() - 1)};
}

Value Parser::operate(const FunctionFacts& row, std::vector<Value> operands, Location location) {
  return add({.op = Op::Map, .function = row.function, .operands = std::move(operands)}, location);
}

Value Parser::parse_sum() {
  Value value = parse_product();
  while (at("+") || at("-")) {
    const Token sign = token_;
    advance();
    value = operate(*find_operator(sign.text, 2), {value, parse_product()}, sign.location);
  }
  return value;
}

Value Parser::parse_product() {
  Value value = parse_unary();
  while (at("*") || at("/")) {
    const Token sign = token_;
    advance();
    if (sign.text == "*" && at("*"))
      fail(ErrorCode::Syntax, sign.location, "unexpected '**'" + std::string(kPowerHint));
    value = operate(*find_operator(sign.text, 2), {value, parse_unary()}, sign.location);
  }
  return value;
}

Value Parser::parse_unary() {
  std::vector<Location> signs;
  Location last = token_.location;
  while (at("-")) {
    last = token_.location;
    signs.push_back(last);
    advance();
  }
  Value value;
  const bool number = token_.kind == Token::Kind::Number || at("inf") || at("nan");
  if (number && !signs.empty()) {
    signs.pop_back();
    value = parse_matvec(add({.op = Op::Constant, .constant = parse_number(true)}, last), last);
  } else {
    const Location location = token_.location;
    value = parse_matvec(parse_postfix(), location);
  }
  for (; !signs.empty(); signs.pop_back()) value = operate(*find_operator("-", 1), {value}, signs.back());
  return value;
}

Value Parser::parse_matvec(Value first, Location location) {
  std::vector<Binding> operands{{first, location}};
  while (accept("@")) {
    const Location begin = token_.location;
    if (at("-")) {  // W @ -x; the sign takes the rest of the chain
      const Nesting nesting(*this);
      operands.push_back({parse_unary(), begin});
    } else {
      operands.push_back({parse_postfix(), begin});
    }
  }
  Value value = operands.back().value;
  for (operands.pop_back(); !operands.empty(); operands.pop_back()) {
    value = add({.op = Op::Matvec, .operands = {operands.back().value, value}}, operands.back().location);
  }
  return value;
}

Value Parser::parse_postfix() {
  const Location location = token_.location;
  Value value = parse_primary();
  while (at("[")) value = parse_slice(value, location);
  return value;
}

Value Parser::parse_slice(Value from, Location location) {
  std::vector<Range> ranges;
  expect("[", "before a slice");
  do {
    ranges.push_back(parse_range(from, ranges.size()));
    if (ranges.size() > 2) fail(ErrorCode::Syntax, location, "a slice has at most two ranges");
  } while (accept(","));
  expect("]", "after a slice");
  return add({.op = Op::Slice, .operands = {from}, .ranges = std::move(ranges)}, location);
}

Range Parser::parse_range(Value from, std::size_t which) {
  const Location location = token_.location;
  const Type& type = graph_[from].type;
  Range range;
  if (!at(":")) range.begin = parse_dim();
  if (!at(":")) fail_index(from, which, range.begin, location);
  advance();
  // An end that the text leaves out is the size of the dim.
  range.end = !at("]") && !at(",") ? parse_dim() : which < type.rank() ? type.dims[which] : Dim(0);
  return range;
}

// Says how one element, or one row, is written. An index below 0 counts from the end in other languages.
void Parser::fail_index(Value from, std::size_t which, const Dim& index, Location location) const {
  const Type& type = graph_[from].type;
  const bool from_end = index.is_constant() && index.value() < 0 && which < type.rank();
  const Dim begin = from_end ? type.dims[which] + index : index;
  const std::string slice = "[" + begin.to_string() + ":" + (begin + Dim(1)).to_string() + "]";
  const std::string described = describe(graph_, from);
  const std::string value = is_name(described) ? described : "(...)";
  std::string message = "a slice is [begin:end]" + std::string(from_end ? ", counted from 0" : "");
  if (which > 0 || type.is_sequence() || type.rank() == 0) {
    message += "; for one element write " + slice;
  } else if (type.rank() == 1) {
    message += "; " + slice + " is a vector of one element, and sum(" + value + slice + ") is the scalar";
  } else if (type.is_rows) {
    message += "; " + slice + " is rows, of which there is one, and flatten(" + value + slice + ") is the vector";
  } else {
    message += "; " + slice + " is a matrix of one row";
    if (index.is_constant() && !from_end)
      message += ", and lookup(" + value + ", " + index.to_string() + ") is the row as a vector";
  }
  fail(ErrorCode::Syntax, location, message);
}

Value Parser::parse_primary() {
  const Location location = token_.location;
  if (at("(")) {
    const Nesting nesting(*this);
    advance();
    const Value value = parse_expression();
    expect(")", "to close the parenthesis");
    return value;
  }
  if (token_.kind == Token::Kind::Number || at("inf") || at("nan"))
    return add({.op = Op::Constant, .constant = parse_number(false)}, location);
  if (at_name() || token_.kind == Token::Kind::Temporary) return parse_reference();
  fail(ErrorCode::Syntax, location, "expected a value, not " + token_text());
}

Value Parser::parse_reference() {
  const Location location = token_.location;
  std::string name(token_.text);
  const bool temporary = token_.kind == Token::Kind::Temporary;
  advance();
  if (!temporary && at("(")) return parse_call(name, location);
  const bool prime = !temporary && accept("'");
  const auto found = scope_.find(prime ? name + "'" : name);
  if (found != scope_.end()) {
    const Value value = found->second.value;
    if (at(".") && peek().text == "T" && graph_[value].op != Op::Scan)
      fail(ErrorCode::Syntax, token_.location, "unexpected '.T'" + std::string(kTransposeHint));
    return in_network() && at(".") ? parse_final_state(value, name) : value;
  }
  if (prime && scope_.count(name) != 0) {
    const bool state = graph_[scope_.at(name).value].op == Op::State;
    fail(ErrorCode::Name, location,
         state ? name + "' is read before it is defined; put " + name + "' = ... above"
               : name + " is not a state, so there is no " + name + "'");
  }
  if (dims_.count(name) != 0) fail(ErrorCode::Name, location, name + " is a dim; it stands in types and slices only");
  if (in_network() && at("<") && is_cell(name)) fail_callee(name, {}, location);
  std::vector<std::string> names;
  for (const auto& [known, binding] : scope_) names.push_back(known);
  const std::string hint = did_you_mean(name, names);
  fail(ErrorCode::Name, location,
       "unknown name " + quote(name) + (hint.empty() ? "; a value is declared or defined above its first use" : hint));
}

bool Parser::parse_operands(std::vector<Value>& operands) {
  bool compared = false;
  expect("(", "before operands");
  do {
    operands.push_back(parse_expression());
    if (operands.size() == 1 && (at(">") || at("<"))) {
      compared = true;
      const bool swapped = at("<");
      advance();
      operands.push_back(parse_expression());
      if (swapped) std::swap(operands[0], operands[1]);
    }
  } while (accept(","));
  expect(")", "after operands");
  return compared;
}

Value Parser::parse_call(const std::string& name, Location location) {
  const Nesting nesting(*this);
  std::vector<Value> operands;
  if (name == call_name(Op::Fill)) return parse_call_with_dims(name, {.op = Op::Fill}, location);
  if (const RowOpFacts* row = find_row_op(name); row && row->dims > 0)
    return parse_call_with_dims(name, {.op = Op::Rows, .row_op = row->row_op}, location);
  const bool compared = parse_operands(operands);
  Node node = find_callee(name, operands, location);
  const bool compares = node.op == Op::Map && node.function == Function::Select;
  if (compares && !compared) {
    fail(ErrorCode::Syntax, location, name + " begins with a comparison, as in " + name + "(a > b, x, y)");
  }
  if (compared && !compares) {
    fail(ErrorCode::Syntax, location,
         "a comparison stands in " + std::string(facts(Function::Select).name) + "(a > b, x, y) only");
  }
  node.operands = std::move(operands);
  return add(std::move(node), location);
}

// Reads a call whose last arguments are dims, as those of windows(v, 3, 1).
Value Parser::parse_call_with_dims(const std::string& name, Node node, Location location) {
  expect("(", "before operands");
  node.operands = {parse_expression()};
  Dim dims[2];
  const int count = dim_arguments(node.op, node.row_op);
  for (int i = 0; i < count; ++i) {
    if (!at(",")) {
      fail(ErrorCode::ShapeMismatch, location, name + " takes a value and " + (count == 1 ? "a dim" : "two dims"));
    }
    advance();
    dims[2 - count + i] = parse_dim();
  }
  expect(")", "after operands");
  node.ranges = {{dims[0], dims[1]}};
  return add(std::move(node), location);
}

// Returns a node of the op that the tables have for the name and the operands.
Node Parser::find_callee(const std::string& name, const std::vector<Value>& operands, Location location) {
  std::vector<std::string> names;
  std::string arities;
  const auto matches = [&](std::string_view row, int arity) {
    names.emplace_back(row);
    if (row != name) return false;
    arities += (arities.empty() ? "" : " or ") + std::to_string(arity);
    return operands.size() == static_cast<std::size_t>(arity);
  };
  for (const Op op : kCallOps) {
    names.emplace_back(call_name(op));
    if (names.back() == name) return {.op = op};
  }
  for (const ReductionFacts& row : kReductions) {
    if (!matches(row.name, row.arity)) continue;
    return over_time(graph_, {.op = Op::Reduce, .reduction = row.reduction}, name, operands);
  }
  for (const RowOpFacts& row : kRowOps) {
    const int arity = row.operands == 0 ? static_cast<int>(operands.size()) : row.operands;
    if (matches(row.name, arity)) return {.op = Op::Rows, .row_op = row.row_op};
  }
  for (const FunctionFacts& row : kAllFunctions) {
    if (is_name(row.name) && matches(row.name, row.arity)) return {.op = Op::Map, .function = row.function};
  }
  if (arities.empty() && in_network() && find_over_time(name)) {
    if (operands.size() == 1) return over_time(graph_, {}, name, operands);
    arities = "1";
  }
  if (!arities.empty()) {
    fail(ErrorCode::ShapeMismatch, location,
         name + " takes " + arities + (arities == "1" ? " operand" : " operands") + ", not " +
             std::to_string(operands.size()));
  }
  fail_callee(name, std::move(names), location);
}

void Parser::fail_callee(const std::string& name, std::vector<std::string> known, Location location) {
  if (const auto found = scope_.find(name); found != scope_.end()) {
    const Type& type = graph_[found->second.value].type;
    const bool is_matrix = type.rank() == 2 && !type.is_rows;
    fail(ErrorCode::Name, location,
         name + " is a " + (is_matrix ? "matrix" : "value") + ", not a function; to multiply, write " + name +
             (is_matrix ? " @ (...)" : " * (...)"));
  }
  if (in_network() && is_cell(name)) {
    fail(ErrorCode::Syntax, location,
         name + " is a cell; scan it in a statement of its own, whose name its weights get: a = " + name + "(...)");
  }
  if (in_network()) {
    for (std::string& cell : cell_names()) known.push_back(std::move(cell));
    for (const OverTimeFacts& row : kOverTimes) known.emplace_back(row.name);
  }
  std::string hint = hint_for_function(name);
  if (const std::string cell = in_network() ? "" : similar_cell(name); !cell.empty())
    hint = "; " + cell + " is a cell, which a network runs over a sequence, and a cell has no others in it";
  fail(ErrorCode::Name, location,
       "unknown function " + std::string(in_network() ? "or cell " : "") + quote(name) +
           (hint.empty() ? did_you_mean(name, known) : hint));
}

namespace {

// Tells whether a decimal number that no double holds is too large rather than too small.
bool is_huge(std::string_view text) {
  const std::size_t e = text.find_first_of("eE");
  const std::string_view mantissa = text.substr(0, e);
  std::int64_t exponent = 0;
  if (e != std::string_view::npos) {
    std::string_view digits = text.substr(e + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (result.ec == std::errc::result_out_of_range) return !digits.starts_with('-');
  }
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::size_t first = mantissa.find_first_of("123456789");
  if (first == std::string_view::npos) return false;
  const auto leading = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
  return exponent > -leading;
}

}  // namespace

float Parser::parse_number(bool negative) {
  const Token token = token_;
  advance();
  float value = 0;
  if (token.kind != Token::Kind::Number) {
    value = token.text == "inf" ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  } else {
    const auto result = std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
    const bool outside = result.ec == std::errc::result_out_of_range;
    if ((outside && is_huge(token.text)) || std::isinf(value)) {
      fail(ErrorCode::Limit, token.location, quote(token.text) + " is past the largest f32, 3.4028235e38");
    }
    if (outside) value = 0;
  }
  return negative ? -value : value;
}

}  // namespace rnnc::ir
