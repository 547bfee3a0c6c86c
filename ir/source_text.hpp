// The text that a model was read from is kept with its graphs, so that an error of the parser or of any later pass
// shows the line that it speaks of.
#pragma once

#include <string>

#include <rnnc/result.hpp>

namespace rnnc::ir {

/// The place in the text that a node or statement came from; line 0 if it came from a builder or a pass.
struct Location {
  int line = 0;
  int column = 0;
};

struct SourceText {
  std::string file;  // for messages; "" where there is none
  std::string text;

  Place place(Location at) const;

  /// Returns the line of `at` with its number before it and a caret below its column, as Place::excerpt has them; "" if
  /// the text has no such line, or is no text.
  std::string excerpt(Location at) const;
};

}  // namespace rnnc::ir
