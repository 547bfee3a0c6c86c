// The JSON of three programs that run recurrent models on audio: RTNeural, GuitarML and NAM. Each becomes one cell.
#pragma once

#include <rnnc/import.hpp>
#include "import/json_value.hpp"

namespace rnnc::files {

// Each takes the root of a file and throws Refusal.
Imported import_rtneural(const JsonValue& root);
Imported import_guitarml(const JsonValue& root);
Imported import_nam(const JsonValue& root);

}  // namespace rnnc::files
