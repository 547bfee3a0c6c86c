// Results of rnnc bench become rows that are printed shape by shape: a table for people, or a form for other programs.
#pragma once

#include <string>
#include <vector>

#include "tools/bench_result.hpp"

namespace rnnc::tools {

enum class BenchForm {
  Table,     // its columns are aligned for a terminal
  Csv,       // a head, and a line for each shape
  Json,      // a line with an object for each shape
  Markdown,  // a table, with the machine above it
};

struct NamedText {
  std::string title, text;
  std::size_t width = 7;    // characters of the longest text in the column, where its title is shorter
  const char* colour = "";  // of the text on a terminal: the sequence that begins it
};

/// Makes a row for people. All shapes of one call have the same titles; `microseconds` is how the unit is written.
std::vector<NamedText> row_of(const BenchResult& result, const std::string& microseconds);

/// Prints a number with three digits, or all those before the point, as in docs/performance.md. A number below 1 has
/// three digits behind the point.
std::string three_digits(double value);

/// Returns "57.0 ns", "1.25 us" or "31.0 ms", with the unit of microseconds as it is given.
std::string duration(double seconds, const std::string& microseconds);

/// Tells whether a ratio of the baseline's time to ours rounds to less than 1.00.
bool is_loss(double ratio);

/// Names the machine, the kind of code and the versions, which all shapes of one call share.
std::string setting_of(const BenchResult& result);

/// Says in one line how many times as fast as the baseline rnnc is; "" where there is none.
std::string summary_of(const std::vector<BenchResult>& results);

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
