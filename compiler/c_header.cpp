#include "compiler/c_header.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include <rnnc/version.hpp>

namespace rnnc::compiler {
namespace {

using runtime::Description;
using runtime::StateInfo;
using runtime::TensorInfo;

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// `#define` lines and prose are templates in which @f is the name, @F the name in capitals.
std::string filled(std::string_view text, const std::string& name) {
  const std::string capitals = upper(name);
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_name = text[i] == '@' && i + 1 < text.size() && (text[i + 1] == 'f' || text[i + 1] == 'F');
    if (is_name)
      result += text[++i] == 'f' ? name : capitals;
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

std::string sizes(const HeaderFacts& facts) {
  const Description& d = facts.description;
  const std::string row = std::to_string(d.doubled_row), scratch_row = std::to_string(d.doubled_row + d.step_row);
  std::string text = define("@F_INPUT_SIZE", d.input_size, "floats of a row of x: " + side_by_side(d.inputs)) +
                     define("@F_OUTPUT_SIZE", d.output_size, "floats of a row of y: " + to_string(d.output.shape)) +
                     define("@F_ALIGNMENT", 64, "bytes, of state and scratch") +
                     define("@F_WEIGHTS_BYTES", d.weights_size * 4, "of read-only data in the object") + "\n";
  text +=
      "/* Floats of the state of `batch` sequences. All zero is the beginning of new ones. */\n"
      "#define @F_STATE_FLOATS(batch) ((batch) * " +
      std::to_string(d.doubled_row + d.in_place_row) + ")\n";
  const std::string chunk = std::to_string(facts.chunk_rows);
  text +=
      "/* Floats of working memory for @f_run of `steps` steps, or fewer; @f_step takes steps = 1. Its content need "
      "not\n"
      "   be kept. */\n"
      "#define @F_SCRATCH_FLOATS(steps, batch) \\\n  ((batch) * " +
      scratch_row + " + " + std::to_string(d.sequence_row) +
      " * @F_CHUNK_ROWS(steps, batch))\n"
      "#define @F_CHUNK_ROWS(steps, batch) \\\n"
      "  ((batch) >= " +
      chunk + " ? (batch) : (steps) * (batch) < " + chunk + " ? (steps) * (batch) : " + chunk + ")\n";
  return text;
}

std::string state_accessor(const Description& d, const StateInfo& state) {
  const std::string row = std::to_string(state.doubled ? d.doubled_row : d.in_place_row);
  const std::string base = state.doubled ? "" : "batch * " + std::to_string(d.doubled_row) + " + ";
  const std::string function = "@f_state_" + state.tensor.name;
  return "/* State " + state.tensor.name + " " + to_string(state.tensor.shape) +
         " of sequence b: " + std::to_string(state.size) + " floats, to read or to write between calls. */\n" +
         define("@F_STATE_" + upper(state.tensor.name) + "_SIZE", state.size, "floats") + "static inline float* " +
         function + "(float* state, int64_t batch, int64_t b) {\n" + (state.doubled ? "  (void)batch;\n" : "") +
         "  return state + " + base + "b * " + row + " + " + std::to_string(state.offset) + ";\n}\n\n";
}

constexpr std::string_view kBegin = R"(#ifndef @F_RNNC_H
#define @F_RNNC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

)";

constexpr std::string_view kFunctions = R"(enum {
  @F_OK = 0,
  @F_BAD_SIZE = 1,   /* steps or batch is negative */
  @F_MISALIGNED = 2, /* state or scratch is not on a multiple of @F_ALIGNMENT bytes */
  @F_NO_LEVEL = 3    /* this machine runs none of the CPUs' code above */
};

/* Advances every sequence of the batch by `steps` time steps.

   state    @F_STATE_FLOATS(batch) floats, updated; the caller's, one for each batch of sequences
   scratch  @F_SCRATCH_FLOATS(steps, batch) floats
   x        float[steps][batch][@F_INPUT_SIZE]
   y        float[steps][batch][@F_OUTPUT_SIZE], written
   steps    >= 0; a sequence in pieces gives the same bits as in one call
   batch    >= 0

   Returns @F_OK, or what is wrong; nothing is written then. No memory is allocated, no lock taken, no function called but
   memcpy. Denormals count as zero inside; the caller's floating-point mode is kept. Threads may call it at the same time
   with state, scratch and y of their own. */
int @f_run(float* state, float* scratch, const float* x, float* y, int64_t steps, int64_t batch);

/* One time step: @f_run with steps = 1. x is float[batch][@F_INPUT_SIZE], y float[batch][@F_OUTPUT_SIZE]. */
int @f_step(float* state, float* scratch, const float* x, float* y, int64_t batch);

#ifdef __cplusplus
}
#endif

#endif
)";

}  // namespace

bool is_c_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && is_letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

std::string c_header(const HeaderFacts& facts) {
  std::string text = "/* Cell " + facts.description.cell + ", compiled by rnnc " + kVersion + " for " + facts.cpus +
                     ".\n   Link the object that came with this header; nothing else of rnnc is needed. */\n";
  text += std::string(kBegin) + sizes(facts) + "\n";
  for (const StateInfo& state : facts.description.states) text += state_accessor(facts.description, state);
  return filled(text + std::string(kFunctions), facts.name);
}

}  // namespace rnnc::compiler
