// The module rnnc._rnnc, which the package rnnc is written around.
#include <rnnc/compile.hpp>
#include <rnnc/version.hpp>

#include "python/calls.hpp"
#include "python/model.hpp"
#include "python/program.hpp"
#include "python/run.hpp"
#include "python/state.hpp"

namespace {

using namespace rnnc::python;

PyObject* finish(PyObject*, PyObject*) {
  calls().finish();
  Py_RETURN_NONE;
}

PyObject* forget(PyObject*, PyObject*) {
  calls().forget();
  Py_RETURN_NONE;
}

PyObject* standard_cells(PyObject*, PyObject*) {
  return guarded([] {
    Object list = Object::steal(PyList_New(0));
    for (const std::string& name : rnnc::standard_cell_names()) {
      const Object text = Object::steal(string_of(name));
      if (PyList_Append(list.get(), text.get()) != 0) throw Raised{};
    }
    return list.release();
  });
}

PyObject* parameters(PyObject*, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    PyObject *kind = nullptr, *source = nullptr, *cell = nullptr;
    if (PyArg_ParseTuple(arguments, "OOO", &kind, &source, &cell) == 0) return nullptr;
    return parameters_of(kind, source, cell);
  });
}

PyMethodDef functions[] = {
    {"finish", finish, METH_NOARGS, "Waits for all calls; later ones keep Python's lock."},
    {"forget", forget, METH_NOARGS, "Forgets the calls of threads that a forked child does not have."},
    {"parameters", parameters, METH_VARARGS, "Returns the parameters of a text and their shapes."},
    {"standard_cells", standard_cells, METH_NOARGS, "Returns the names of the cells that come with rnnc."},
    {},
};

PyModuleDef definition{PyModuleDef_HEAD_INIT,
                       "rnnc._rnnc",
                       "Compiled recurrent networks.",
                       -1,
                       functions,
                       nullptr,
                       nullptr,
                       nullptr,
                       nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__rnnc() {
  PyObject* module = PyModule_Create(&definition);
  if (!module) return nullptr;
  const bool is_made = add_program_type(module) && add_state_type(module) && add_bound_type(module) &&
                       PyModule_AddStringConstant(module, "version", rnnc::kVersion) == 0 &&
                       PyModule_AddIntConstant(module, "has_code_generator", RNNC_HAS_LLVM) == 0;
  if (is_made) return module;
  Py_DECREF(module);
  return nullptr;
}
