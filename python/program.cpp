#include "python/program.hpp"

#include <array>
#include <memory>

#include "python/arrays.hpp"
#include "python/calls.hpp"
#include "python/errors.hpp"
#include "python/model.hpp"
#include "python/run.hpp"

namespace rnnc::python {

PyTypeObject* ProgramObject::type = nullptr;

namespace {

ProgramContent& content_of(PyObject* self) { return *reinterpret_cast<ProgramObject*>(self)->content; }

// Program(kind, source, weights, options): rnnc/program.py decides all four.
PyObject* make(PyTypeObject* type, PyObject* arguments, PyObject*) {
  return guarded([&]() -> PyObject* {
    PyObject *kind = nullptr, *source = nullptr, *weights = nullptr, *options = nullptr;
    if (!PyArg_ParseTuple(arguments, "OOOO", &kind, &source, &weights, &options)) return nullptr;
    std::unique_ptr<ProgramContent> content(compile_from(kind, source, weights, options));
    const auto allocate = reinterpret_cast<allocfunc>(PyType_GetSlot(type, Py_tp_alloc));
    Object self = Object::steal(allocate(type, 0));
    reinterpret_cast<ProgramObject*>(self.get())->content = content.release();
    return self.release();
  });
}

void destroy(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  delete reinterpret_cast<ProgramObject*>(self)->content;
  reinterpret_cast<freefunc>(PyType_GetSlot(type, Py_tp_free))(self);
  Py_DECREF(type);
}

Object tuple_of(const Shape& shape) {
  Object tuple = Object::steal(PyTuple_New(static_cast<Py_ssize_t>(shape.size())));
  for (std::size_t i = 0; i < shape.size(); ++i)
    PyTuple_SetItem(tuple.get(), static_cast<Py_ssize_t>(i), PyLong_FromLongLong(shape[i]));
  return tuple;
}

// Makes (name, shape, time) of a port.
Object port_of(const Port& port, const std::string& time) {
  const Object shape = tuple_of(port.shape);
  return Object::steal(Py_BuildValue("sOs", port.name.c_str(), shape.get(), time.c_str()));
}

template <class Ports, class Make>
PyObject* list_of(const Ports& ports, Make make_port) {
  return guarded([&] {
    Object list = Object::steal(PyList_New(0));
    for (const auto& port : ports)
      if (PyList_Append(list.get(), make_port(port).get()) != 0) throw Raised{};
    return list.release();
  });
}

PyObject* inputs(PyObject* self, void*) {
  return list_of(content_of(self).program.inputs(), [](const Port& port) { return port_of(port, "T"); });
}

PyObject* states(PyObject* self, void*) {
  return list_of(content_of(self).program.states(), [](const Port& port) { return port_of(port, ""); });
}

PyObject* named_inputs(PyObject* self, void*) {
  return list_of(content_of(self).program.named_inputs(),
                 [](const NamedPort& port) { return port_of(port.port, port.time); });
}

PyObject* outputs(PyObject* self, void*) {
  return list_of(content_of(self).program.outputs(),
                 [](const NamedPort& port) { return port_of(port.port, port.time); });
}

PyObject* dims(PyObject* self, void*) {
  return guarded([&] {
    Object dict = Object::steal(PyDict_New());
    for (const auto& [name, value] : content_of(self).dims) {
      const Object number = Object::steal(PyLong_FromLongLong(value));
      if (PyDict_SetItemString(dict.get(), name.c_str(), number.get()) != 0) throw Raised{};
    }
    return dict.release();
  });
}

PyObject* name(PyObject* self, void*) { return string_of(content_of(self).program.name()); }
PyObject* cpu(PyObject* self, void*) { return string_of(content_of(self).program.cpu()); }
PyObject* fallback(PyObject* self, void*) { return string_of(content_of(self).program.fallback()); }
PyObject* text(PyObject* self, void*) { return string_of(content_of(self).text); }
PyObject* not_streaming(PyObject* self, void*) { return string_of(content_of(self).not_streaming); }
PyObject* output_time(PyObject* self, void*) { return string_of(content_of(self).program.output_time()); }
PyObject* input_size(PyObject* self, void*) { return PyLong_FromLongLong(content_of(self).input_size); }
PyObject* output_size(PyObject* self, void*) { return PyLong_FromLongLong(content_of(self).output_size); }
PyObject* weights_bytes(PyObject* self, void*) { return PyLong_FromLongLong(content_of(self).weights_bytes); }
PyObject* backend(PyObject* self, void*) {
  return PyUnicode_FromString(content_of(self).program.backend() == Backend::Portable ? "portable" : "jit");
}

PyObject* wait_for_code(PyObject* self, PyObject*) {
  return guarded([&]() -> PyObject* {
    const Program& program = content_of(self).program;
    const Result<void> done = calls().run([&]() noexcept { return program.wait_for_code(); });
    if (!done) raise(done.error());
    Py_RETURN_NONE;
  });
}

template <class Function>
PyCFunction fast(Function function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyMethodDef methods[] = {
    {"step", fast(step), METH_FASTCALL,
     "step(state, x, y=None)\n--\n\nRuns one time step: x is [B, I] or [I] of one sequence. Returns y, or writes into "
     "the array given."},
    {"_run", fast(run), METH_FASTCALL, nullptr},
    {"wait_for_code", wait_for_code, METH_NOARGS, "Waits until a program of backend='tiered' has its generated code."},
    {},
};

PyGetSetDef properties[] = {
    {"name", name, nullptr, "The name of the cell or network.", nullptr},
    {"cpu", cpu, nullptr, "The CPU that the code is for.", nullptr},
    {"backend", backend, nullptr, "'jit' or 'portable', whichever runs the program now.", nullptr},
    {"fallback", fallback, nullptr, "Why a program stays with the portable executor, or ''.", nullptr},
    {"text", text, nullptr, "The text of the model; '' of an artifact.", nullptr},
    {"dims", dims, nullptr, "The numbers of the dims.", nullptr},
    {"not_streaming", not_streaming, nullptr, "Why step() is refused, or ''.", nullptr},
    {"output_time", output_time, nullptr, "The time of y: 'T', another time, or '' if y is [B, O].", nullptr},
    {"input_size", input_size, nullptr, "Floats of a row of x.", nullptr},
    {"output_size", output_size, nullptr, "Floats of a row of y.", nullptr},
    {"weights_bytes", weights_bytes, nullptr, "The bytes of the packed weights.", nullptr},
    {"_inputs", inputs, nullptr, nullptr, nullptr},
    {"_states", states, nullptr, nullptr, nullptr},
    {"_named_inputs", named_inputs, nullptr, nullptr, nullptr},
    {"_outputs", outputs, nullptr, nullptr, nullptr},
    {},
};

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(make)},
    {Py_tp_dealloc, reinterpret_cast<void*>(destroy)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {},
};

}  // namespace

bool add_program_type(PyObject* module) {
  PyType_Spec spec{"rnnc._rnnc.Program", sizeof(ProgramObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};
  ProgramObject::type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  return ProgramObject::type &&
         PyModule_AddObjectRef(module, "Program", reinterpret_cast<PyObject*>(ProgramObject::type)) == 0;
}

}  // namespace rnnc::python
