// This part of the parser finds networks in a file and reads scans of cells over sequences. The rest of a network is
// expressions.
#include <algorithm>
#include <new>

#include <rnnc/model.hpp>
#include "ir/character.hpp"
#include "ir/parser.hpp"
#include "ir/syntax.hpp"
#include "ir/verify.hpp"

namespace rnnc::ir {

void Parser::skip_network() {
  skipped_.push_back({lexer_, token_});
  int depth = 0;
  for (;;) {
    advance();
    if (token_.kind == Token::Kind::End) return;  // a missing brace is reported when the network is read
    if (at("{")) ++depth;
    if (at("}") && --depth <= 0) return advance();
    if (depth == 0 && (at("cell") || at("network"))) return;
  }
}

void Parser::parse_networks() {
  for (const Skipped& skipped : skipped_) {
    lexer_ = skipped.lexer;
    token_ = skipped.token;
    graph_ = {};
    graph_.kind = Graph::Kind::Network;
    expect("network", "here");
    parse_graph();
    module_.networks.emplace_back(std::move(graph_));
  }
}

std::vector<std::string> Parser::cell_names() const {
  std::vector<std::string> names = standard_cell_names();
  for (const Cell& cell : module_.cells) names.push_back(cell.name);
  return names;
}

std::string Parser::similar_cell(const std::string& name) {
  if (is_cell(name)) return name;
  const std::vector<std::string> names = cell_names();
  const auto found = std::ranges::find_if(names, [&](const auto& each) { return equal_but_for_case(each, name); });
  return found == names.end() ? "" : *found;
}

bool Parser::is_cell(std::string_view name) {
  const std::vector<std::string> names = cell_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Returns a cell of the file, or a standard cell if the file has none of that name.
std::shared_ptr<const Cell> Parser::find_cell(const std::string& name) {
  std::shared_ptr<const Cell>& cell = callees_[name];
  if (cell) return cell;
  if (const Cell* own = module_.find(name)) return cell = std::make_shared<const Cell>(*own);
  const Location location = token_.location;
  if (!is_cell(name)) {
    fail(ErrorCode::Name, location, "there is no cell " + quote(name) + did_you_mean(name, cell_names()));
  }
  const Result<Model> standard = standard_cell(name);
  if (!standard) throw std::bad_alloc();  // the text of a standard cell is right, so only memory can be missing
  return cell = std::make_shared<const Cell>(standard->module().cells.at(0));
}

// Tells whether the expression is a scan: it begins with a direction, or with a cell and `<` or `(`.
bool Parser::at_scan() {
  if (at_word("forward") || at_word("reverse") || at_word("bidirectional")) return true;
  if (!at_name()) return false;
  const Token next = peek();
  if (next.kind != Token::Kind::Symbol || (next.text != "<" && next.text != "(")) return false;
  // A value may have the name of a cell: a comparison cannot stand here.
  if (next.text == "<" && scope_.count(std::string(token_.text)) == 0) return true;
  if (!is_cell(token_.text)) return false;
  if (!is_function(token_.text)) return true;
  fail(ErrorCode::Name, token_.location,
       std::string(token_.text) + " is a function and a cell; give the cell another name");
}

Value Parser::parse_scan(const std::string& name, Location location) {
  Scan scan;
  parse_direction(scan);
  const Location callee = token_.location;
  if (!at_name()) expect_name("the name of a cell");
  scan.cell = find_cell(std::string(token_.text));
  advance();
  nodes_ += scan.cell->nodes.size();  // each scan counts the nodes of its cell, also if the cell is written once
  if (accept("<")) parse_scan_dims(scan);
  std::vector<Value> operands;
  expect("(", "before the arguments of " + scan.cell->name);
  if (!accept(")")) {
    do {
      operands.push_back(parse_expression());
    } while (accept(","));
    expect(")", "after the arguments of " + scan.cell->name);
  }
  parse_scan_options(scan, operands);
  if (scope_.count(name) != 0) bind(name, {}, location);  // reports that the name is taken
  const auto shared = std::make_shared<const Scan>(std::move(scan));
  return add({.op = Op::Scan, .operands = std::move(operands), .scan = shared, .name = name}, callee);
}

void Parser::parse_direction(Scan& scan) {
  if (accept_word("forward")) return;
  if (accept_word("reverse")) {
    scan.direction = Direction::Reverse;
  } else if (accept_word("bidirectional")) {
    scan.direction = Direction::Bidirectional;
  }
}

void Parser::parse_scan_dims(Scan& scan) {
  do {
    const Location location = token_.location;
    const std::string name = expect_name("the name of a dim of " + scan.cell->name);
    expect("=", "and a value, as in " + name + "=128");
    if (!scan.dims.try_emplace(name, parse_dim()).second) {
      fail(ErrorCode::Name, location, "dim " + name + " has two values");
    }
  } while (accept(","));
  expect(">", "after the dims of " + scan.cell->name);
}

void Parser::parse_scan_options(Scan& scan, std::vector<Value>& operands) {
  if (accept_word("merge")) {
    const std::optional<Merge> merge = token_.kind == Token::Kind::Name ? find_merge(token_.text) : std::nullopt;
    if (!merge) {
      fail(ErrorCode::Syntax, token_.location, "directions merge by concat, sum, mean or mul, not by " + token_text());
    }
    scan.merge = *merge;
    advance();
  }
  if (accept_word("steps")) {
    if (token_.kind == Token::Kind::Number || dims_.count(std::string(token_.text)) != 0) {
      fail(ErrorCode::Syntax, token_.location,
           "steps takes a name, as in steps S, whose number is given at run time, not " + token_text());
    }
    scan.steps = expect_name("a name for the number of steps, as in steps S");
  }
  if (accept_word("from")) parse_initial_states(scan, operands);
  for (const std::string_view word : {"merge", "steps", "from"}) {
    if (at_word(word)) {
      fail(ErrorCode::Syntax, token_.location, "behind a scan stand merge, steps and from, in this order and once");
    }
  }
}

void Parser::parse_initial_states(Scan& scan, std::vector<Value>& operands) {
  expect("(", "before initial states, as in from (h = v)");
  do {
    scan.initial.push_back(parse_path("the name of a state"));
    expect("=", "and an initial value");
    operands.push_back(parse_expression());
  } while (accept(","));
  expect(")", "after initial states");
}

std::string Parser::parse_path(std::string_view what) {
  std::string path = expect_name(what);
  while (accept(".")) path += "." + expect_name(what);
  return path;
}

Value Parser::parse_final_state(Value scan, const std::string& name) {
  const Location location = token_.location;
  expect(".", "after " + name);
  return add({.op = Op::FinalState, .operands = {scan}, .name = parse_path("the name of a state of " + name)},
             location);
}

}  // namespace rnnc::ir
