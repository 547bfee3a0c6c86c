// Arrays that a step returns are made by NumPy, which is loaded when the first is asked for.
#pragma once

#include <cstdint>

#include "python/state.hpp"

namespace rnnc::python {

/// Makes an array [batch, size], or [size] where `rank` is 1. Throws Raised.
Object new_row(StateContent& state, std::int64_t size, int rank);

/// Runs a step of arrays without a buffer, such as tensors of PyTorch: rnnc/arrays.py lends their memory.
PyObject* step_of_others(PyObject* program, PyObject* const* arguments, Py_ssize_t count);

}  // namespace rnnc::python
