// Boxes become a drawing: inputs above, outputs below, and arrows between them.
#pragma once

#include <string>
#include <vector>

#include "tools/network_boxes.hpp"

namespace rnnc::tools {

struct Drawing {
  std::string svg;
  double width = 0;  // pixels at which its text is as large as that of the page
};

/// Draws boxes row by row, each below all that it reads. States are an arrow from a layer to itself.
Drawing draw(const std::vector<Box>& boxes, const std::string& title);

}  // namespace rnnc::tools
