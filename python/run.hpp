// The calls of a program: a step, a sequence, and a step of arrays that stay the same.
#pragma once

#include <cstdint>

#include "python/program.hpp"

namespace rnnc::python {

/// step(state, x, y=None): y is made by NumPy if it is not given.
PyObject* step(PyObject* program, PyObject* const* arguments, Py_ssize_t count);

/// _run(state, x, y, steps, lengths, inputs, times, outputs): rnnc/program.py has made all arrays. Without a
/// state, sequences begin anew.
PyObject* run(PyObject* program, PyObject* const* arguments, Py_ssize_t count);

/// Tells whether a step of `batch` sequences takes so long that other threads of Python should run in the meantime.
///
/// To give the lock away and to take it back costs 20 ns where nobody waits for it, and up to 5 ms where another thread
/// computes. Steps that read less than 1 MiB of weights, which take some 10 us, keep it.
inline bool is_long(const ProgramContent& content, std::int64_t batch) noexcept {
  return content.weights_bytes * batch >= (std::int64_t{1} << 20);
}

/// Adds the type Bound, which Program.bind() makes.
bool add_bound_type(PyObject* module);

}  // namespace rnnc::python
