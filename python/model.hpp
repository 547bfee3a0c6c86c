// A text, a file or bytes become a compiled program, by the options that Python gives.
#pragma once

#include "python/program.hpp"

namespace rnnc::python {

/// Compiles what `kind` says: "text", "path", "bytes" or "cell", with a dict of options. Throws Raised.
std::unique_ptr<ProgramContent> compile_from(PyObject* kind, PyObject* source, PyObject* weights, PyObject* options);

/// Returns a dict of the parameters of a text, with their shapes as tuples of dims in words. Throws Raised.
PyObject* parameters_of(PyObject* kind, PyObject* source, PyObject* cell);

}  // namespace rnnc::python
