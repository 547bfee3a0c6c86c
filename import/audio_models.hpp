// Each reader takes the JSON of a program that runs recurrent models (RTNeural, GuitarML, NAM on audio, ICU on text)
// and returns one cell with its weights.
#pragma once

#include <rnnc/import.hpp>
#include "import/json_value.hpp"

namespace rnnc::files {

// Each of these takes the root of a file and throws Refusal.
Imported import_rtneural(const JsonValue& root);
Imported import_guitarml(const JsonValue& root);
Imported import_nam(const JsonValue& root);
Imported import_icu(const JsonValue& root);

}  // namespace rnnc::files
