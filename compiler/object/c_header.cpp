#include "compiler/object/c_header.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <set>

#include <rnnc/version.hpp>

#include "runtime/number_format.hpp"

namespace rnnc::compiler {
namespace {

using runtime::Description;
using runtime::StepList;
using runtime::TensorInfo;

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// `#define` lines and prose are templates in which @f is the name, @F the name in capitals, and @I the type of indices.
std::string filled(std::string_view text, const std::string& name, unsigned index_bytes) {
  const std::pair<char, std::string> parts[] = {
      {'f', name}, {'F', upper(name)}, {'I', index_bytes == 4 ? "int32_t" : "int64_t"}};
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto part = std::ranges::find_if(parts, [&](const auto& each) {
      return text.substr(i, 2) == std::string{'@', each.first};
    });
    if (part != std::end(parts))
      result += part->second, ++i;
    else
      result += text[i];
  }
  return result;
}

std::string define(const std::string& name, std::int64_t value, const std::string& comment) {
  return "#define " + name + " " + std::to_string(value) + " /* " + comment + " */\n";
}

std::string side_by_side(const std::vector<TensorInfo>& inputs) {
  std::string list;
  for (const TensorInfo& input : inputs) list += (list.empty() ? "" : ", ") + input.name + " " + to_string(input.shape);
  return list.empty() ? "none" : list;
}

// Turns names into parts of C names that differ from each other and from `taken`, even in capitals.
std::vector<std::string> c_names(const std::vector<std::string>& names, std::set<std::string> taken) {
  std::vector<std::string> result;
  for (std::string name : names) {
    std::ranges::replace_if(
        name, [](unsigned char c) { return std::isalnum(c) == 0 && c != '_'; }, '_');
    while (!taken.insert(upper(name)).second) name += '_';
    result.push_back(std::move(name));
  }
  return result;
}

std::string time_of(const StepList& list, const runtime::Output& output) {
  return output.time == runtime::kNoTime ? "" : list.times[static_cast<std::size_t>(output.time)];
}

// Returns the C array type of the rows of a time, without the size of a row.
std::string rows_of(const StepList& list, const std::string& time) {
  if (time.empty()) return "float[batch]";
  const std::vector<std::string> others = other_times(list);
  const auto other = std::ranges::find(others, time);
  if (other == others.end()) return "float[steps][batch]";
  const auto index = static_cast<std::size_t>(other - others.begin());
  return "float[times[@F_TIME_" + upper(c_names(others, {})[index]) + "]][batch]";
}

// Says for which number of steps the caller must provide scratch.
std::string steps_note(const StepList& list) {
  const std::string streams = list.no_streaming.empty() ? "; @f_step takes steps = 1" : "";
  return streams + (other_times(list).empty() ? "; 1 at least" : "; the most of any time, and 1 at least");
}

std::string scratch_formula(const ObjectMemory& memory) {
  std::string text = "(int64_t)(batch) * " + std::to_string(memory.once_columns + memory.cell_row) + " + " +
                     std::to_string(memory.chunk_row) + " * @F_CHUNK_ROWS(steps, batch)";
  if (memory.timed_columns > 0)
    text += " + (int64_t)(steps) * (int64_t)(batch) * " + std::to_string(memory.timed_columns);
  if (memory.has_blocks()) text += " + " + std::to_string(kLine);
  return text;
}

std::string sizes(const HeaderFacts& facts) {
  const Description& d = facts.description;
  std::string text = define("@F_INPUT_SIZE", d.input_size, "floats of a row of x: " + side_by_side(d.inputs)) +
                     define("@F_OUTPUT_SIZE", d.output_size, "floats of a row of y: " + to_string(d.output.shape)) +
                     define("@F_ALIGNMENT", runtime::kCacheLineBytes, "bytes, of state and scratch") +
                     define("@F_WEIGHTS_BYTES", facts.weights_bytes, "of read-only data in the object");
  if (facts.code_bytes > 0) text += define("@F_CODE_BYTES", facts.code_bytes, "of code and constants beside them");
  if (facts.stack_bytes > 0)
    text += define("@F_STACK_BYTES", facts.stack_bytes, "of stack at most, memcpy and memset apart");
  text += "\n";
  text += "/* Floats of the state of `batch` sequences. ";
  text += facts.program.list.starts.empty() ? "All zero is the beginning of new ones. */\n"
                                            : "@f_start makes new ones. */\n";
  text +=
      "#define @F_STATE_FLOATS(batch) ((int64_t)(batch) * " + std::to_string(facts.program.memory.state_row) + ")\n";
  const std::string chunk = std::to_string(facts.chunk_rows);
  text += "/* Floats of working memory for @f_run of `steps` steps, or fewer" + steps_note(facts.program.list) +
          ". Its content need not\n   be kept. */\n#define @F_SCRATCH_FLOATS(steps, batch) \\\n  (" +
          scratch_formula(facts.program.memory) +
          ")\n"
          "#define @F_CHUNK_ROWS(steps, batch) \\\n"
          "  ((int64_t)(batch) >= " +
          chunk + " ? (int64_t)(batch) : (int64_t)(steps) * (int64_t)(batch) < " + chunk +
          " \\\n       ? (int64_t)(steps) * (int64_t)(batch) : " + chunk + ")\n";
  return text;
}

// The compiler of the caller proves what the object relies on, if its language has assertions: C99 and C++03 have none.
std::string assertions(const HeaderFacts& facts) {
  constexpr std::int64_t kMany = 65536;  // an int has no room for its square
  const std::string many = std::to_string(kMany), rows = std::to_string(std::max(kMany, facts.chunk_rows));
  return "#if defined(__cplusplus) && __cplusplus >= 201103L\n#define @F_ASSERT static_assert\n"
         "#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L\n#define @F_ASSERT _Static_assert\n#endif\n"
         "#ifdef @F_ASSERT\n"
         "@F_ASSERT(sizeof(float) == 4, \"the floats of the object have 4 bytes\");\n"
         "@F_ASSERT(sizeof(@F_STATE_FLOATS(1)) == 8 && sizeof(@F_SCRATCH_FLOATS(1, 1)) == 8,\n"
         "         \"sizes are counted in 64 bits\");\n"
         "@F_ASSERT(@F_CHUNK_ROWS(" +
         many + ", " + many + ") == " + rows +
         ", \"rows are counted in 64 bits\");\n"
         "#undef @F_ASSERT\n#endif\n\n";
}

// Says which values the integers of a state were made for.
std::string range_of(const StatePlace& state) {
  if (std::isinf(state.low) && std::isinf(state.high)) return "";
  char text[96];
  std::snprintf(text, sizeof text, ", from %g to %g: others give NaN", static_cast<double>(state.low),
                static_cast<double>(state.high));
  return text;
}

std::string state_accessor(const StatePlace& state, const std::string& c_name) {
  const std::string base = state.before == 0 ? "" : "batch * " + std::to_string(state.before) + " + ";
  return "/* State " + state.tensor.name + " " + to_string(state.tensor.shape) +
         " of sequence b: " + std::to_string(state.size) + " floats, to read or to write between calls" +
         range_of(state) + ". */\n" + define("@F_STATE_" + upper(c_name) + "_SIZE", state.size, "floats") +
         "static inline float* @f_state_" + c_name + "(float* state, @I batch, @I b) {\n" +
         (state.before == 0 ? "  (void)batch;\n" : "") + "  return state + " + base + "b * " +
         std::to_string(state.row) + " + " + std::to_string(state.offset) + ";\n}\n\n";
}

std::string state_accessors(const HeaderFacts& facts) {
  std::vector<std::string> names;
  for (const StatePlace& state : facts.states) names.push_back(state.tensor.name);
  names = c_names(names, {});
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) text += state_accessor(facts.states[i], names[i]);
  return text;
}

// Defines the names of the indices of `outputs`, and their sizes.
std::string outputs_after_y(const StepList& list) {
  std::string text;
  std::vector<std::string> names;
  for (std::size_t i = 1; i < list.outputs.size(); ++i) names.push_back(list.outputs[i].port.name);
  names = c_names(names, {"SIZE"});
  for (std::size_t i = 0; i < names.size(); ++i) {
    const runtime::Output& output = list.outputs[i + 1];
    text += define("@F_OUTPUT_" + upper(names[i]), static_cast<std::int64_t>(i),
                   "of `outputs`: " + output.port.name + " " + to_string(output.port.shape) + ", " +
                       rows_of(list, time_of(list, output)) + "[@F_SIZE_OF_" + upper(names[i]) + "]") +
            define("@F_SIZE_OF_" + upper(names[i]), output.width(), "floats of a row of it");
  }
  if (!names.empty()) text += define("@F_OUTPUTS", std::ssize(names), "how many there are beside y");
  return text;
}

// Defines the names of the indices of `inputs`, `times` and `outputs`.
std::string more_arguments(const StepList& list) {
  std::string text;
  std::vector<std::string> names;
  for (const NamedPort& input : list.inputs) names.push_back(input.port.name);
  names = c_names(names, {"SIZE"});
  for (std::size_t i = 0; i < names.size(); ++i) {
    const NamedPort& input = list.inputs[i];
    text += define("@F_INPUT_" + upper(names[i]), static_cast<std::int64_t>(i),
                   "of `inputs`: " + input.port.name + " " + to_string(input.port.shape) + ", " +
                       rows_of(list, input.time) + "[" + std::to_string(input.port.size()) + "]");
  }
  if (!names.empty()) text += define("@F_INPUTS", std::ssize(names), "how many there are");
  const std::vector<std::string> times = other_times(list), time_names = c_names(times, {});
  for (std::size_t i = 0; i < times.size(); ++i)
    text += define("@F_TIME_" + upper(time_names[i]), static_cast<std::int64_t>(i),
                   "of `times`: the number of steps of time " + times[i]);
  if (!times.empty()) text += define("@F_TIMES", std::ssize(times), "how many there are");
  text += outputs_after_y(list);
  return text.empty() ? "" : text + "\n";
}

constexpr std::string_view kBegin = R"(#ifndef @F_RNNC_H
#define @F_RNNC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

)";

constexpr std::string_view kStatus = R"(enum {
  @F_OK = 0,
  @F_BAD_SIZE = 1,   /* steps or batch is negative, or so large that the sizes above do not fit into memory */
  @F_MISALIGNED = 2, /* state or scratch is not on a multiple of @F_ALIGNMENT bytes */
  @F_NO_LEVEL = 3    /* this machine runs none of the CPUs' code above */
};

)";

constexpr std::string_view kReturns = R"(
   Returns @F_OK, or what is wrong; nothing is written then. No memory is allocated, no lock taken, no function called but
   memcpy and memset)";

constexpr std::string_view kThreads =
    R"(. Denormals count as zero inside; the caller's floating-point mode is kept. Threads may
   call it at the same time with state, scratch and y of their own. */
)";

constexpr std::string_view kStart =
    R"(/* Makes sequences [first, end) of the batch new ones; @f_start(state, batch, 0, batch) makes a whole state. Returns @F_OK, or
   @F_BAD_SIZE where not 0 <= first <= end <= batch, or batch is too large. */
int @f_start(float* state, @I batch, @I first, @I end);

)";

constexpr std::string_view kEnd = R"(#ifdef __cplusplus
}
#endif

#endif
)";

std::string argument(const std::string& name, const std::string& text) {
  return "   " + name + std::string(9 - name.size(), ' ') + text + "\n";
}

std::string run_comment(const HeaderFacts& facts) {
  const StepList& list = facts.program.list;
  std::string text = "/* Advances every sequence of the batch by `steps` time steps.\n\n";
  text += argument("state", "@F_STATE_FLOATS(batch) floats, updated; the caller's, one for each batch of sequences");
  text += argument("scratch", "@F_SCRATCH_FLOATS(steps, batch) floats");
  const bool reads_x = facts.description.input_size > 0;
  text += argument("x", reads_x ? rows_of(list, "T") + "[@F_INPUT_SIZE]" : "not read; may be NULL");
  text += argument("y", rows_of(list, time_of(list, list.outputs[0])) + "[@F_OUTPUT_SIZE], written");
  if (list.no_streaming.empty())
    text += argument("steps", ">= 0; a sequence in pieces gives the same bits as in one call");
  else
    text += argument("steps", ">= 0; a call is of whole sequences, and there is no @f_step:") +
            argument("", list.no_streaming);
  text += argument("batch", ">= 0; all its sequences are of as many steps");
  if (!list.inputs.empty()) text += argument("inputs", "@F_INPUTS pointers, in the order above");
  if (!other_times(list).empty()) text += argument("times", "@F_TIMES numbers, each >= 0");
  if (list.outputs.size() > 1)
    text += argument("outputs", "@F_OUTPUTS pointers, in the order above; NULL for an output that is not wanted");
  const std::string doubles =
      facts.calls_doubles ? ", and for\n   sums over time the functions for double of the C compiler's library" : "";
  return text + std::string(kReturns) + doubles + std::string(kThreads);
}

std::string functions(const HeaderFacts& facts) {
  const StepList& list = facts.program.list;
  std::string more;
  if (!list.inputs.empty()) more += ",\n          const float* const* inputs";
  if (!other_times(list).empty()) more += ",\n          const @I* times";
  if (list.outputs.size() > 1) more += ",\n          float* const* outputs";
  std::string text = run_comment(facts) +
                     "int @f_run(float* state, float* scratch, const float* x, float* y, @I steps, @I batch" + more +
                     ");\n\n";
  const std::string of_step = list.outputs[0].time != runtime::kNoTime ? "" : ", of this step";
  if (list.no_streaming.empty())
    text +=
        "/* One time step: @f_run with steps = 1. x is float[batch][@F_INPUT_SIZE], y float[batch][@F_OUTPUT_SIZE]" +
        of_step + ". */\nint @f_step(float* state, float* scratch, const float* x, float* y, @I batch" + more +
        ");\n\n";
  return text + std::string(kStart);
}

}  // namespace

bool is_c_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && is_letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

std::string c_header(const HeaderFacts& facts) {
  std::string text = "/* " + facts.description.cell + ", compiled by rnnc " + kVersion + " for " + facts.cpus +
                     ".\n   Link the object that came with this header; nothing else of rnnc is needed. */\n";
  text += std::string(kBegin) + sizes(facts) + "\n" + assertions(facts) + more_arguments(facts.program.list) +
          state_accessors(facts) + std::string(kStatus) + functions(facts) + std::string(kEnd);
  return filled(text, facts.name, facts.index_bytes);
}

}  // namespace rnnc::compiler
