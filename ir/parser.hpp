// The recursive descent parser behind parse() is a class in four files: parse.cpp (cells and statements),
// parse_network.cpp (networks and scans), parse_type.cpp (types and dims) and parse_expression.cpp. A failure throws
// the
// private exception ParseFailure, which parse() turns into its Result. Chains of operators are loops; nested forms pass
// through Nesting, which bounds the stack.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <rnnc/result.hpp>
#include "ir/cell.hpp"
#include "ir/lexer.hpp"
#include "ir/op.hpp"
#include "ir/scan.hpp"

namespace rnnc::ir {

struct ParseFailure {
  Error error;
};

class Parser {
 public:
  explicit Parser(std::shared_ptr<const SourceText> source);

  Module parse_module();  // throws ParseFailure

 private:
  // Tokens.
  bool at(std::string_view text) const;       // a symbol or a reserved word
  bool at_name() const;                       // a name that is not reserved
  bool at_word(std::string_view word) const;  // a word that is a keyword only at this place
  bool accept_word(std::string_view word);
  Token peek() const;  // the token behind this one; End if there is none
  void advance();
  bool accept(std::string_view text);
  void expect(std::string_view text, std::string_view where);
  std::string expect_name(std::string_view what);
  std::string token_text() const;  // for messages

  // Failures.
  Place place(Location location) const { return module_.source->place(location); }
  [[noreturn]] void fail(ErrorCode code, Location location, std::string message, std::vector<Note> notes = {}) const;

  // Cells and statements (parse.cpp).
  void parse_cells();
  void parse_graph();
  void parse_dim_names();
  void parse_statement();
  void parse_declaration(Op op);
  [[noreturn]] void fail_initial_value(Op op, const std::string& name) const;
  void parse_definition();
  void parse_output();
  void bind(const std::string& name, Value value, Location location);

  // Networks and scans (parse_network.cpp).
  void skip_network();
  void parse_networks();
  bool in_network() const { return graph_.kind == Graph::Kind::Network; }
  bool at_scan();
  bool is_cell(std::string_view name);
  std::shared_ptr<const Cell> find_cell(const std::string& name);
  Value parse_scan(const std::string& name, Location location);
  void parse_direction(Scan& scan);
  void parse_scan_dims(Scan& scan);
  void parse_scan_options(Scan& scan, std::vector<Value>& operands);
  void parse_initial_states(Scan& scan, std::vector<Value>& operands);
  Value parse_final_state(Value scan, const std::string& name);
  std::string parse_path(std::string_view what);  // a.b
  std::vector<std::string> cell_names() const;
  std::string similar_cell(const std::string& name);  // the cell of this name in any case of letters, or ""

  // Types and dims (parse_type.cpp).
  Type parse_type();
  std::string parse_axis();
  Dim parse_dim();
  Dim parse_dim_product();
  Dim parse_dim_factor();
  Dim parse_dim_name();
  Dim bounded(Dim dim, Location location) const;

  // Expressions (parse_expression.cpp).
  Value parse_expression() { return parse_sum(); }
  Value parse_sum();
  Value parse_product();
  Value parse_unary();
  Value parse_matvec(Value first, Location location);
  Value parse_postfix();
  Value parse_primary();
  Value parse_slice(Value from, Location location);
  Range parse_range(Value from, std::size_t which);  // of the dim `which` of a value
  [[noreturn]] void fail_index(Value from, std::size_t which, const Dim& index, Location location) const;
  Value parse_call_with_dims(const std::string& name, Node node, Location location);
  Value parse_reference();
  Value parse_call(const std::string& name, Location location);
  Node find_callee(const std::string& name, const std::vector<Value>& operands, Location location);
  [[noreturn]] void fail_callee(const std::string& name, std::vector<std::string> known, Location location);
  bool parse_operands(std::vector<Value>& operands);  // returns whether they hold a comparison
  float parse_number(bool negative);
  Value operate(const FunctionFacts& row, std::vector<Value> operands, Location location);
  Value add(Node node, Location location);

  struct Binding {
    Value value;
    Location location;
  };

  // An object of this class counts one level of nesting while it lives.
  class Nesting {
   public:
    explicit Nesting(Parser& parser);
    ~Nesting() { --parser_.depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    Parser& parser_;
  };

  Module module_;
  Lexer lexer_;
  Token token_;
  std::unordered_map<std::string, Location> names_;  // of cells and networks
  std::size_t nodes_ = 0;                            // of all of them
  int depth_ = 0;

  // Networks are read after all cells, so that a cell may stand below the network that scans it.
  struct Skipped {
    Lexer lexer;
    Token token;
  };
  std::vector<Skipped> skipped_;
  std::unordered_map<std::string, std::shared_ptr<const Cell>> callees_;

  // These describe the cell or network that is being read.
  Graph graph_;
  std::unordered_set<std::string> dims_;
  std::unordered_map<std::string, Binding> scope_;  // "x", "c'", "%7"
};

}  // namespace rnnc::ir
