#include "tools/bench_shapes.hpp"

#include <algorithm>
#include <utility>

#include <rnnc/compile.hpp>

#include "runtime/number_format.hpp"
#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"

namespace rnnc::tools {
namespace {

constexpr std::size_t kMostShapes = 1000;

Error no_shape(const std::string& text) {
  return usage_error("--shape", "'" + text + "' is not CELL:T:B:I:H or CELL:T:B:I:H:THREADS, such as lstm:100:1:64:64");
}

Result<BenchFlags> parse_shape(const BenchFlags& common, const std::string& text) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() < 5 || parts.size() > 6 || parts[0].empty()) return no_shape(text);
  BenchFlags flags = common;
  flags.model.cell = parts[0];
  std::int64_t* const sizes[] = {&flags.steps, &flags.batch, &flags.input_size, &flags.hidden_size, &flags.threads};
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto number = whole_number(parts[i], 1, i == 5 ? kMaxThreads : kMaxSize);
    if (!number) return no_shape(text);
    *sizes[i - 1] = *number;
  }
  return flags;
}

Result<std::vector<BenchFlags>> listed_shapes(const BenchFlags& common, const ShapeLists& lists) {
  for (const auto& [flag, is_given] : {std::pair("--cell", !common.model.cell.empty()),
                                       {"--steps", !lists.steps.empty()},
                                       {"--batch", !lists.batch.empty()},
                                       {"--input-size", !lists.input_size.empty()},
                                       {"--hidden-size", !lists.hidden_size.empty()}})
    if (is_given) return usage_error(flag, "does not go with --shape, which says it already; leave one of them out");
  if (lists.threads.size() > 1)
    return usage_error("--threads", "takes one number beside --shape; give others as its last part");
  BenchFlags with_threads = common;
  if (!lists.threads.empty()) with_threads.threads = lists.threads.front();
  std::vector<BenchFlags> result;
  for (const std::string& text : lists.shapes) {
    const Result<BenchFlags> flags = parse_shape(with_threads, text);
    if (!flags) return flags.error();
    result.push_back(*flags);
  }
  return result;
}

Error too_many(const char* flag) {
  return usage_error(flag,
                     "these are more than " + std::to_string(kMostShapes) + " shapes; time them in several calls");
}

// Combines every one of `flags` with every one of `values`; without values, `flags` stay as they are.
template <class Value, class Set>
void vary(std::vector<BenchFlags>& flags, const std::vector<Value>& values, const Set& set) {
  if (values.empty()) return;
  std::vector<BenchFlags> result;
  for (const BenchFlags& one : flags)
    for (const Value& value : values) set(result.emplace_back(one), value);
  flags = std::move(result);
}

// Divides --steps into N, which are of all times, and NAME=N, which all shapes have.
Result<std::vector<std::int64_t>> steps_of(const ShapeLists& lists, BenchFlags& common) {
  std::vector<std::int64_t> of_all;
  for (const std::string& text : lists.steps) {
    if (text.find('=') != std::string::npos) {
      common.steps_of_times.push_back(text);
      continue;
    }
    const auto number = whole_number(text, 1, kMaxSize);
    if (!number) return usage_error("--steps", no_number(text, 1, kMaxSize));
    of_all.push_back(*number);
  }
  return of_all;
}

Result<std::vector<BenchFlags>> combined_shapes(BenchFlags common, const ShapeLists& lists) {
  const std::vector<std::string> cells = split(common.model.cell, ',');
  const Result<std::vector<std::int64_t>> steps = steps_of(lists, common);
  if (!steps) return steps.error();
  double shapes = static_cast<double>(cells.size());
  for (const auto* values : {&*steps, &lists.batch, &lists.input_size, &lists.hidden_size, &lists.threads})
    shapes *= static_cast<double>(std::max<std::size_t>(values->size(), 1));
  if (shapes > kMostShapes) return too_many("--steps");
  std::vector<BenchFlags> result = {common};
  vary(result, cells, [](BenchFlags& flags, const std::string& cell) { flags.model.cell = cell; });
  for (const auto& [values, member] : {std::pair(&*steps, &BenchFlags::steps),
                                       {&lists.batch, &BenchFlags::batch},
                                       {&lists.input_size, &BenchFlags::input_size},
                                       {&lists.hidden_size, &BenchFlags::hidden_size},
                                       {&lists.threads, &BenchFlags::threads}})
    vary(result, *values, [to = member](BenchFlags& flags, std::int64_t value) { flags.*to = value; });
  return result;
}

}  // namespace

void add_shape_flags(CLI::App& app, ShapeLists& lists) {
  app.get_option("--cell")
      ->description(
          "which cell of MODEL; without MODEL, a standard cell: lstm, gru, rnn, ...; several with commas between")
      ->multi_option_policy(CLI::MultiOptionPolicy::Join)
      ->delimiter(',')
      ->type_name("NAME,...");
  app.add_option("--steps", lists.steps,
                 "time steps (default: those that the file fixes, else 100); this and the next four take several "
                 "numbers, and every combination is timed; S=20 is of the time S alone")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("N,...");
  add_numbers(app, "--batch", lists.batch, 1, kMaxSize,
              "sequences side by side (default: those that the file fixes, else 1)");
  add_numbers(app, "--input-size", lists.input_size, 1, kMaxSize, "dim I of the cell");
  add_numbers(app, "--hidden-size", lists.hidden_size, 1, kMaxSize, "dim H of the cell");
  add_numbers(app, "--threads", lists.threads, 1, kMaxThreads, "threads to run on (default 1)");
  app.add_option(
         "--shape", lists.shapes,
         "instead of --cell and sizes: cell, steps, batch, input size, hidden size, and threads where they are "
         "not --threads; several with commas between, or by repeating the flag: lstm:100:1:64:64,gru:1:1:4:40:2; of an "
         "ONNX model, NAME=1x512, the shape of an input whose sizes the file leaves open")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("CELL:T:B:I:H[:THREADS],...");
}

Result<std::vector<BenchFlags>> each_shape(const BenchFlags& common, const ShapeLists& lists) {
  if (lists.shapes.size() > kMostShapes) return too_many("--shape");
  Result<std::vector<BenchFlags>> shapes =
      lists.shapes.empty() ? combined_shapes(common, lists) : listed_shapes(common, lists);
  if (!shapes) return shapes;
  vary(*shapes, lists.weights_as,
       [](BenchFlags& flags, const std::string& format) { flags.model.weights_as = format; });
  // Beside those of integers, formats of floats are timed as they are.
  for (BenchFlags& flags : *shapes)
    if (lists.weights_as.size() > 1 && !runtime::is_integer(weight_format(flags.model))) flags.model.sparse = false;
  if (shapes->size() > kMostShapes) return too_many("--weights-as");
  const auto is_integer = [](const BenchFlags& flags) { return runtime::is_integer(weight_format(flags.model)); };
  if (std::ranges::any_of(*shapes, is_integer))  // else load_source says what is wrong with --ranges
    for (BenchFlags& flags : *shapes)
      if (!is_integer(flags)) flags.model.ranges.clear();
  return shapes;
}

std::string shape_of(const BenchFlags& flags) {
  std::string text = flags.model.cell.empty() ? "?" : flags.model.cell;
  for (const std::int64_t size : {flags.steps, flags.batch, flags.input_size, flags.hidden_size, flags.threads})
    text += ":" + (size > 0 ? std::to_string(size) : "?");
  for (const std::string& time : flags.steps_of_times) text += " " + time;
  if (flags.model.weights_as != "f32") text += " " + flags.model.weights_as;
  if (flags.model.sparse) text += " sparse";
  return text;
}

}  // namespace rnnc::tools
