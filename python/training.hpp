// The type Training, by which rnnc.torch trains modules whose cell or network is a text.
#pragma once

#include "python/object.hpp"

namespace rnnc::python {

bool add_training_type(PyObject* module);

}  // namespace rnnc::python
