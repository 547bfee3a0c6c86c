// The types Training and Reference, by which rnnc.torch computes gradients of a text: in float32, and in double
// precision.
#pragma once

#include "python/object.hpp"

namespace rnnc::python {

bool add_training_types(PyObject* module);

}  // namespace rnnc::python
