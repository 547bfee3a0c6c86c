// The type Program: compiled code, its names and sizes, and the calls that run it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <rnnc/program.hpp>
#include <rnnc/tensor.hpp>

#include "python/object.hpp"

namespace rnnc::python {

struct StateContent;

struct ProgramContent {
  Program program;
  std::string text;  // of the model; "" of an artifact
  std::map<std::string, std::int64_t> dims;
  std::string not_streaming;  // why a step is refused; "" if it is not
  std::int64_t input_size, output_size;
  std::int64_t weights_bytes;
  bool keeps_rows;  // between its layers, so that a call of many steps needs memory for them
  std::shared_ptr<const TensorMap> weights = {};  // as they were before they were packed; null if none are kept
  // The state of the last call that was given none, for the next one: memory is slow to get.
  std::shared_ptr<StateContent> spare = {};
};

/// Adds the type to the module. Returns false with Python's exception set.
bool add_program_type(PyObject* module);

}  // namespace rnnc::python
