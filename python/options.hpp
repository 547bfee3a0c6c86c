// Options of a compilation, from a dict that rnnc/program.py has filled.
#pragma once

#include <map>
#include <string>

#include <rnnc/artifact.hpp>
#include <rnnc/compile.hpp>
#include <rnnc/import.hpp>

#include "python/object.hpp"

namespace rnnc::python {

/// Throw Raised, with a message that names the option.
CompileOptions compile_options(PyObject* options);
ImportOptions import_options(PyObject* options);
LoadOptions load_options(PyObject* options);

/// Reads a dict of float32 arrays by name. Throws Raised.
TensorMap tensors_of(PyObject* dict);
/// Reads a dict of float64 arrays by name. Throws Raised.
TensorMap doubles_of(PyObject* dict);

}  // namespace rnnc::python
