// rnnc cells lists the cells that come with rnnc, or prints the text of one with its comments.
#include <algorithm>
#include <iostream>
#include <memory>

#include <rnnc/join.hpp>
#include <rnnc/model.hpp>

#include "ir/cell.hpp"
#include "ir/syntax.hpp"
#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

// Returns the beginning of the comment that a text begins with, to the first stop of any kind.
std::string title_of(const std::string& text) {
  std::string comment;
  for (std::size_t begin = 0; text.compare(begin, 3, "// ") == 0;) {
    const std::size_t end = std::min(text.find('\n', begin), text.size() - 1);
    comment += text.substr(begin + 3, end - begin - 3) + " ";
    begin = end + 1;
  }
  comment.resize(std::min({comment.find_first_of(":,;("), comment.find(". "), comment.size() - 1}));
  return comment.substr(0, comment.find_last_not_of(' ') + 1);
}

Result<int> show_cells(const std::string& name) {
  const std::vector<std::string> names = standard_cell_names();
  if (!name.empty()) {
    const Result<Model> cell = standard_cell(name);
    if (!cell)
      return usage_error(
          "CELL", "there is no standard cell '" + name + "'" + ir::did_you_mean(name, names) + "\nsee: rnnc cells");
    std::cout << cell->module().source->text;
    return kOk;
  }
  const std::size_t width = std::ranges::max(names, {}, &std::string::size).size();
  for (const std::string& each : names) {
    const Result<Model> cell = standard_cell(each);
    if (!cell) return cell.error();
    std::cout << each << std::string(width + 2 - each.size(), ' ') << title_of(cell->module().source->text) << "\n";
  }
  return kOk;
}

}  // namespace

Verb add_cells(CLI::App& program) {
  CLI::App& app = add_verb(program, "cells", {"rnnc cells", "rnnc cells lstm > mine.rnn"},
                           "Lists the standard cells that --cell and networks name, or prints one as it was written.");
  auto name = std::make_shared<std::string>();
  app.add_option("CELL", *name, "the cell to print; without it, all are listed")->type_name("CELL");
  return {&app, [name] { return show_cells(*name); }};
}

}  // namespace rnnc::tools
