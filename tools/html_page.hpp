// Parts of the pages of rnnc: each page is one file without scripts and without fonts or pictures from elsewhere.
#pragma once

#include <string>

namespace rnnc::tools {

/// Returns all before the body. Nothing is fetched by a page that begins so.
std::string page_head(const std::string& title);

/// Returns a figure under its name, for a list of class tiles.
std::string page_tile(const std::string& name, const std::string& value);

/// Returns the day, as in 2026-11-29.
std::string today();

}  // namespace rnnc::tools
