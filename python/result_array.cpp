#include "python/result_array.hpp"

namespace rnnc::python {
namespace {

// Returns numpy.empty, which every later call shares.
PyObject* numpy_empty() {
  static PyObject* empty = nullptr;
  if (!empty) {
    const Object numpy = Object::steal(PyImport_ImportModule("numpy"));
    empty = PyObject_GetAttrString(numpy.get(), "empty");
  }
  return empty;
}

// Makes the arguments (shape, dtype) of numpy.empty.
Object arguments_of(std::int64_t batch, std::int64_t size, int rank) {
  const Object numpy = Object::steal(PyImport_ImportModule("numpy"));
  const Object dtype = Object::steal(PyObject_CallMethod(numpy.get(), "dtype", "s", "f4"));
  const Object shape =
      Object::steal(rank == 1 ? Py_BuildValue("(L)", static_cast<long long>(size))
                              : Py_BuildValue("(LL)", static_cast<long long>(batch), static_cast<long long>(size)));
  return Object::steal(PyTuple_Pack(2, shape.get(), dtype.get()));
}

}  // namespace

Object new_row(StateContent& state, std::int64_t size, int rank) {
  Object& arguments = rank == 1 ? state.row_result : state.step_result;
  if (!arguments) arguments = arguments_of(state.batch, size, rank);
  PyObject* empty = numpy_empty();
  if (!empty) throw Raised{};
  return Object::steal(PyObject_Call(empty, arguments.get(), nullptr));
}

PyObject* step_of_others(PyObject* program, PyObject* const* arguments, Py_ssize_t count) {
  const Object module = Object::steal(PyImport_ImportModule("rnnc.arrays"));
  return PyObject_CallMethod(module.get(), "step", "OOOO", program, arguments[0], arguments[1],
                             count == 3 ? arguments[2] : Py_None);
}

}  // namespace rnnc::python
