// This file writes errors as lines of text.
#include <rnnc/result.hpp>

namespace rnnc {

std::string Place::to_string() const {
  std::string text = file;
  if (line > 0) {
    if (!text.empty()) text += ':';
    text += std::to_string(line) + ':' + std::to_string(column);
  }
  return text;
}

static std::string at(const Place& place) {
  const std::string text = place.to_string();
  return text.empty() ? text : text + ": ";
}

std::string Error::to_string() const {
  std::string text = at(place) + message;
  for (const Note& note : notes) text += '\n' + at(note.place) + "note: " + note.message;
  return text;
}

}  // namespace rnnc
