// These are the programs whose bits are kept: each has a name and a function that gives its model with its weights, the
// same on every machine.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <rnnc/model.hpp>
#include <rnnc/tensor.hpp>

namespace rnnc::test {

struct Weighted {
  Model model;
  TensorMap weights;
  std::string graph = {};  // as CompileOptions::cell
};

struct KeptProgram {
  std::string name;  // unique, without commas
  std::function<Weighted()> load;
};

/// The standard cells in several sizes, the first random cells and networks, the sample networks, the examples with
/// trained weights, and the files that the tests import.
std::vector<KeptProgram> kept_programs();

}  // namespace rnnc::test
