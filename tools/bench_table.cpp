#include "tools/bench_table.hpp"

#include <unistd.h>
#include <algorithm>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>

namespace rnnc::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kThroughput = 12;  // characters of a figure such as 4.10M step/s
constexpr std::size_t kRatio = 11;       // and of 0.75 slower

// A table for a terminal is no wider. The columns that follow from others are left out first.
constexpr std::size_t kMostColumns = 100;
constexpr const char* kLeftOut[] = {"GFLOP/s", "compile ms", "throughput", "p99 us"};

// The colours of SGR, ECMA-48.
constexpr const char *kRed = "\33[31m", *kGreen = "\33[32m", *kPlain = "\33[0m";

bool is_win(double ratio) { return ratio >= 1.005; }

std::string formatted(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string with_prefix(double value) {
  for (const char* prefix : {"", "k", "M"}) {
    if (value < 999.5) return three_digits(value) + prefix;
    value /= 1000;
  }
  return three_digits(value) + "G";
}

double number(const Json& fields, const char* key) { return fields.at(key).get<double>(); }

std::string throughput(const Json& fields) {
  const bool single_steps = fields.at("steps").get<std::int64_t>() == 1;
  return single_steps ? with_prefix(number(fields, "steps_per_second")) + " step/s"
                      : with_prefix(number(fields, "sequences_per_second")) + " seq/s";
}

std::string ratio_text(double ratio) { return formatted("%.2f", ratio) + (is_loss(ratio) ? " slower" : ""); }

// ---- CSV: the fields of JSON, those of objects inside with the object's name before theirs ----

void flatten(const Json& object, const std::string& prefix, std::vector<NamedText>& to) {
  for (const auto& [key, value] : object.items()) {
    if (key == "core") continue;  // figures of the machine, not of a shape
    if (value.is_object())
      flatten(value, prefix + key + "_", to);
    else
      to.push_back({prefix + key, value.is_string() ? value.get<std::string>() : value.dump()});
  }
}

// RFC 4180 tells which texts are quoted, and how.
std::string csv_text(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv_line(const std::vector<NamedText>& row, std::string NamedText::*part) {
  std::string line;
  for (const NamedText& cell : row) line += (&cell == row.data() ? "" : ",") + csv_text(cell.*part);
  return line + "\n";
}

// ---- Markdown ----

std::string markdown_text(const std::string& text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

std::string markdown_line(const std::vector<NamedText>& row, std::string NamedText::*part) {
  std::string line = "|";
  for (const NamedText& cell : row) {
    const bool is_shape = &cell == row.data() && part == &NamedText::text;
    const bool is_slower = (cell.*part).ends_with(" slower");
    const std::string mark = is_shape ? "`" : is_slower ? "**" : "";
    line += " " + mark + markdown_text(cell.*part) + mark + " |";
  }
  return line + "\n";
}

std::string markdown_head(const BenchResult& result, const std::vector<NamedText>& row) {
  std::string rule = "|---|";
  for (std::size_t i = 1; i < row.size(); ++i) rule += "---:|";
  return setting_of(result) + "\n\n" + markdown_line(row, &NamedText::title) + rule + "\n";
}

// ---- the table for a terminal ----

std::size_t width_of(const NamedText& cell) { return std::max(cell.title.size(), cell.width) + 2; }

std::vector<NamedText> fitting(std::vector<NamedText> row, std::size_t shape_width) {
  for (const char* title : kLeftOut) {
    std::size_t width = shape_width;
    for (std::size_t i = 1; i < row.size(); ++i) width += width_of(row[i]);
    if (width <= kMostColumns) break;
    std::erase_if(row, [&](const NamedText& cell) { return cell.title == title; });
  }
  return row;
}

std::string table_line(const std::vector<NamedText>& row, std::string NamedText::*part, std::size_t shape_width,
                       bool in_colour) {
  std::string line;
  for (const NamedText& cell : row) {
    const std::string& text = cell.*part;
    const bool is_shape = &cell == row.data(), has_colour = in_colour && part == &NamedText::text && *cell.colour != 0;
    const std::size_t width = is_shape ? shape_width : width_of(cell);
    const std::string space(width > text.size() ? width - text.size() : 0, ' ');
    line += is_shape ? text + space : space + (has_colour ? cell.colour + text + kPlain : text);
  }
  return line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
}

// NO_COLOR is of no-color.org.
bool shows_colours() {
  const char *unwanted = std::getenv("NO_COLOR"), *terminal = std::getenv("TERM");
  return isatty(STDOUT_FILENO) != 0 && (unwanted == nullptr || *unwanted == 0) &&
         (terminal == nullptr || std::strcmp(terminal, "dumb") != 0);
}

}  // namespace

std::vector<NamedText> row_of(const BenchResult& result, const std::string& microseconds) {
  const Json& fields = result.fields;
  const auto time = [&](const Json& from, const char* key) { return three_digits(number(from, key)); };
  std::vector<NamedText> row = {
      {"shape", result.shape},
      {"min " + microseconds, (result.noise.is_noisy() ? "~" : "") + time(fields, "time_us_min")},
      {"median " + microseconds, time(fields, "time_us_median")},
      {"p99 " + microseconds, time(fields, "time_us_p99")},
      {"throughput", throughput(fields), kThroughput}};
  if (fields.at("limit_fraction").is_number()) {
    row.insert(row.end() - 1, {"GFLOP/s", three_digits(number(fields, "gflops"))});
    row.push_back({"of limit", formatted("%.0f %%", 100 * number(fields, "limit_fraction"))});
  }
  if (const auto ragged = fields.find("ragged"); ragged != fields.end()) {
    row.push_back({"ragged " + microseconds, time(*ragged, "time_us_min")});
    row.push_back({"of whole", formatted("%.2f", number(*ragged, "of_whole"))});
  }
  if (const auto sessions = fields.find("sessions"); sessions != fields.end()) {
    row.push_back({"together " + microseconds, time(*sessions, "time_us_min")});
    row.push_back({"of single steps", formatted("%.2f", number(*sessions, "of_single_steps"))});
  }
  if (const auto baseline = fields.find("baseline"); baseline != fields.end()) {
    const double ratio = number(fields, "ratio");
    row.push_back({result.baseline_title + " " + microseconds, time(*baseline, "time_us_min")});
    row.push_back({result.baseline_title + "/rnnc", ratio_text(ratio), kRatio,
                   is_loss(ratio)  ? kRed
                   : is_win(ratio) ? kGreen
                                   : ""});
  }
  row.push_back({result.knows_limit ? "compile ms" : "load ms", three_digits(number(fields, "compile_ms"))});
  if (fields.at("max_error").is_number()) row.push_back({"error", formatted("%.0e", number(fields, "max_error"))});
  return row;
}

std::string three_digits(double value) {
  return formatted(value < 1 ? "%.3f" : value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value);
}

std::string duration(double seconds, const std::string& microseconds) {
  if (seconds < 1e-6) return three_digits(seconds * 1e9) + " ns";
  return seconds < 1e-2 ? three_digits(seconds * 1e6) + " " + microseconds : three_digits(seconds * 1e3) + " ms";
}

bool is_loss(double ratio) { return ratio < 0.995; }

std::string setting_of(const BenchResult& result) {
  const Json& fields = result.fields;
  std::string text = fields.at("core").at("cpu").get<std::string>() + ", " +
                     formatted("%.0f GFLOP/s a core", number(fields.at("core"), "peak_gflops")) + ", code for " +
                     fields.at("isa").get<std::string>();
  const auto layers = fields.at("layers").get<std::int64_t>();
  if (layers > 1) text += ", " + std::to_string(layers) + " layers";
  if (fields.at("directions").get<std::int64_t>() > 1) text += ", both directions";
  if (fields.contains("sessions"))
    text += ", a call is a step of each of " + fields.at("sessions").at("count").dump() + " sessions";
  if (fields.contains("baseline"))
    text += ", " + result.baseline_title + " " + fields.at("baseline").at("version").get<std::string>();
  return text;
}

std::string summary_of(const std::vector<BenchResult>& results) {
  if (results.empty() || !results.front().fields.contains("ratio")) return "";
  double least = 1e300, most = 0;
  std::size_t faster = 0;
  for (const BenchResult& result : results) {
    const double ratio = number(result.fields, "ratio");
    least = std::min(least, ratio);
    most = std::max(most, ratio);
    faster += ratio > 1;
  }
  const BenchResult& first = results.front();
  const std::string other = first.baseline_title + " " + first.fields.at("baseline").at("version").get<std::string>();
  const std::string begin = "rnnc is ", end = " times as fast as " + other;
  const auto times = [](double ratio) { return formatted(ratio < 10 ? "%.2g" : "%.0f", ratio); };
  if (results.size() > 1)
    return begin + times(least) + " to " + times(most) + end + ", and faster at " + std::to_string(faster) + " of " +
           std::to_string(results.size()) + " shapes";
  const auto threads = first.fields.at("threads").get<std::int64_t>();
  return begin + times(most) + end + " (" + (threads == 1 ? "one thread" : std::to_string(threads) + " threads") +
         ", T=" + first.fields.at("steps").dump() + ", B=" + first.fields.at("batch").dump() + ")";
}

BenchPrinter::BenchPrinter(BenchForm form, const std::vector<std::string>& shapes) : form_(form) {
  for (const std::string& shape : shapes) shape_width_ = std::max(shape_width_, shape.size());
}

void BenchPrinter::print(const BenchResult& result, const std::vector<std::string>& notes) {
  shape_width_ = std::max(shape_width_, result.shape.size());
  for (const std::string& note : notes) (form_ == BenchForm::Table ? std::cout : std::cerr) << "  " << note << "\n";
  switch (form_) {
    case BenchForm::Json: std::cout << result.fields.dump() << "\n"; break;
    case BenchForm::Csv: {
      std::vector<NamedText> row;
      flatten(result.fields, "", row);
      if (is_first_) std::cout << csv_line(row, &NamedText::title);
      std::cout << csv_line(row, &NamedText::text);
      break;
    }
    case BenchForm::Markdown: {
      const std::vector<NamedText> row = row_of(result, "µs");
      if (is_first_) std::cout << markdown_head(result, row);
      std::cout << markdown_line(row, &NamedText::text);
      break;
    }
    case BenchForm::Table: {
      const std::vector<NamedText> row = fitting(row_of(result, "us"), shape_width_);
      const bool in_colour = shows_colours();
      if (is_first_)
        std::cout << setting_of(result) << "\n" << table_line(row, &NamedText::title, shape_width_, in_colour);
      std::cout << table_line(row, &NamedText::text, shape_width_, in_colour);
      break;
    }
  }
  std::cout << std::flush;
  is_first_ = false;
}

}  // namespace rnnc::tools
