// A number of bytes becomes the name of the memory of this machine that holds them, and a text.
#pragma once

#include <string>

namespace rnnc::tools {

/// Returns the name of the smallest cache that holds a working set of `bytes`, memory where none does, and "" where the
/// system names no caches. A set that fills more than three quarters of a cache counts as one of the next,
/// since other data are there too.
std::string level_of(double bytes);

/// Returns "96 bytes", "256 KiB" or "4 MiB".
std::string size_text(double bytes);

}  // namespace rnnc::tools
