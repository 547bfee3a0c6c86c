// What rnnc bench prints, shape by shape as they come: a table for people, or a form for other programs.
#pragma once

#include <string>
#include <vector>

#include "tools/bench_result.hpp"

namespace rnnc::tools {

enum class BenchForm {
  Table,     // of columns that stand one below the other
  Csv,       // a head, and a line a shape
  Json,      // an object a line
  Markdown,  // a table, with the machine above it
};

struct NamedText {
  std::string title, text;
  std::size_t width = 9;  // characters of the longest text in the column, where its title is shorter
};

/// A row for people. All shapes of one call have the same titles; `microseconds` is how the unit is written.
std::vector<NamedText> row_of(const BenchResult& result, const std::string& microseconds);

/// Three digits, as docs/performance.md has them; less than 1 with three behind the point.
std::string three_digits(double value);

/// A ratio of the baseline's time to ours that rounds to less than 1.00.
bool is_loss(double ratio);

/// Machine, kind of code and versions, which all shapes of one call share.
std::string setting_of(const BenchResult& result);

class BenchPrinter {
 public:
  /// `shapes` are those to come, as far as they are known.
  BenchPrinter(BenchForm form, const std::vector<std::string>& shapes);

  /// Prints what comes before the first row, and a row. `notes` go with it where people read, else to standard error.
  void print(const BenchResult& result, const std::vector<std::string>& notes);

 private:
  BenchForm form_;
  std::size_t shape_width_ = 0;
  bool is_first_ = true;
};

}  // namespace rnnc::tools
