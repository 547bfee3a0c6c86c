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

static std::string below(const Place& place) { return place.excerpt.empty() ? "" : '\n' + place.excerpt; }

std::string Note::to_string(const char* kind) const { return at(place) + kind + ": " + message + below(place); }

std::string Error::to_string() const {
  std::string text = at(place) + message + below(place);
  for (const Note& note : notes) text += '\n' + note.to_string();
  return text;
}

}  // namespace rnnc
