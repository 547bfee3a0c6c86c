// The module rnnc._rnnc, which the package rnnc is written around.
#include <rnnc/compile.hpp>
#include <rnnc/dropout.hpp>
#include <rnnc/version.hpp>

#include "python/arrays.hpp"
#include "python/calls.hpp"
#include "python/model.hpp"
#include "python/program.hpp"
#include "python/run.hpp"
#include "python/state.hpp"
#include "python/training.hpp"

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

// fill_dropout(mask, rate, seed)
PyObject* fill_dropout(PyObject*, PyObject* arguments) {
  PyObject* array = nullptr;
  float rate = 0;
  unsigned long long seed = 0;
  Array mask;
  if (PyArg_ParseTuple(arguments, "OfK", &array, &rate, &seed) == 0 || !mask.write(array, "the mask")) return nullptr;
  rnnc::fill_dropout(mask.places(), rate, seed);
  Py_RETURN_NONE;
}

PyMethodDef functions[] = {
    {"fill_dropout", fill_dropout, METH_VARARGS, "Fills a mask with 0 or 1 / (1 - rate), by the numbers of a seed."},
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
                       add_training_types(module) &&
                       PyModule_AddStringConstant(module, "version", rnnc::kVersion) == 0 &&
                       PyModule_AddIntConstant(module, "has_code_generator", RNNC_HAS_LLVM) == 0;
  if (is_made) return module;
  Py_DECREF(module);
  return nullptr;
}
