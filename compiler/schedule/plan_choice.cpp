// Choices of plans become text and text becomes choices: a user writes this text after --plan, and tuned.cpp stores it
// in a file.
#include <charconv>

#include "compiler/schedule/plan.hpp"

namespace rnnc::compiler {
namespace {

// Removes a whole number, and the character that must follow it, from the beginning of `text`.
template <class Number>
bool take(std::string_view& text, Number& number, char behind) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (behind == 0) return text.empty();
  if (!text.starts_with(behind)) return false;
  text.remove_prefix(1);
  return true;
}

bool parse_choice(std::string_view text, PlanChoice& choice) {
  return take(text, choice.stage, ':') && take(text, choice.single_blocks, '/') &&
         take(text, choice.batch_blocks, '/') && take(text, choice.panel_columns, 0);
}

}  // namespace

Result<std::vector<PlanChoice>> parse_choices(std::string_view text) {
  std::vector<PlanChoice> choices;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view one = text.substr(0, comma);
    PlanChoice choice;
    if (!parse_choice(one, choice))
      return Error{
          ErrorCode::Usage,
          {},
          "plan '" + std::string(one) + "' is not STAGE:SINGLE_BLOCKS/BATCH_BLOCKS/PANEL_COLUMNS, as in 1:2/1/256"};
    choices.push_back(choice);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return choices;
}

std::string print(const PlanChoice& choice) {
  return std::to_string(choice.stage) + ":" + std::to_string(choice.single_blocks) + "/" +
         std::to_string(choice.batch_blocks) + "/" + std::to_string(choice.panel_columns);
}

}  // namespace rnnc::compiler
