#include "python/program.hpp"

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "python/arrays.hpp"
#include "python/calls.hpp"
#include "python/errors.hpp"
#include "python/model.hpp"
#include "python/run.hpp"
#include "python/type.hpp"

namespace rnnc::python {

namespace {

ProgramContent& of(PyObject* self) { return content_of<ProgramContent>(self); }

// Program(kind, source, weights, options): rnnc/program.py decides all four.
std::unique_ptr<ProgramContent> make(PyObject* arguments) {
  PyObject *kind = nullptr, *source = nullptr, *weights = nullptr, *options = nullptr;
  if (!PyArg_ParseTuple(arguments, "OOOO", &kind, &source, &weights, &options)) throw Raised{};
  return compile_from(kind, source, weights, options);
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
  return list_of(of(self).program.inputs(), [](const Port& port) { return port_of(port, "T"); });
}

PyObject* states(PyObject* self, void*) {
  return list_of(of(self).program.states(), [](const Port& port) { return port_of(port, ""); });
}

PyObject* named_inputs(PyObject* self, void*) {
  return list_of(of(self).program.named_inputs(), [](const NamedPort& port) { return port_of(port.port, port.time); });
}

PyObject* outputs(PyObject* self, void*) {
  return list_of(of(self).program.outputs(), [](const NamedPort& port) { return port_of(port.port, port.time); });
}

PyObject* dims(PyObject* self, void*) {
  return guarded([&] {
    Object dict = Object::steal(PyDict_New());
    for (const auto& [name, value] : of(self).dims) {
      const Object number = Object::steal(PyLong_FromLongLong(value));
      if (PyDict_SetItemString(dict.get(), name.c_str(), number.get()) != 0) throw Raised{};
    }
    return dict.release();
  });
}

// Returns a list of (name, shape, bytes of float32), or None if the program keeps no weights.
PyObject* weights(PyObject* self, PyObject*) {
  return guarded([&]() -> PyObject* {
    const auto kept = of(self).weights;
    if (!kept) Py_RETURN_NONE;
    Object list = Object::steal(PyList_New(0));
    for (const auto& [name, tensor] : *kept) {
      const std::vector<float> values = tensor.to_f32();
      const auto bytes = std::as_bytes(std::span(values));
      const Object shape = tuple_of(tensor.shape);
      const Object content = Object::steal(PyBytes_FromStringAndSize(reinterpret_cast<const char*>(bytes.data()),
                                                                     static_cast<Py_ssize_t>(bytes.size())));
      const Object entry = Object::steal(Py_BuildValue("sOO", name.c_str(), shape.get(), content.get()));
      if (PyList_Append(list.get(), entry.get()) != 0) throw Raised{};
    }
    return list.release();
  });
}

PyObject* name(PyObject* self, void*) { return string_of(of(self).program.name()); }
PyObject* cpu(PyObject* self, void*) { return string_of(of(self).program.cpu()); }
PyObject* fallback(PyObject* self, void*) { return string_of(of(self).program.fallback()); }
PyObject* text(PyObject* self, void*) { return string_of(of(self).text); }
PyObject* not_streaming(PyObject* self, void*) { return string_of(of(self).not_streaming); }
PyObject* output_time(PyObject* self, void*) { return string_of(of(self).program.output_time()); }
PyObject* input_size(PyObject* self, void*) { return PyLong_FromLongLong(of(self).input_size); }
PyObject* output_size(PyObject* self, void*) { return PyLong_FromLongLong(of(self).output_size); }
PyObject* weights_bytes(PyObject* self, void*) { return PyLong_FromLongLong(of(self).weights_bytes); }
PyObject* backend(PyObject* self, void*) {
  return PyUnicode_FromString(of(self).program.backend() == Backend::Portable ? "portable" : "jit");
}

PyObject* wait_for_code(PyObject* self, PyObject*) {
  return guarded([&]() -> PyObject* {
    const Program& program = of(self).program;
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
    {"_weights", weights, METH_NOARGS, nullptr},
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

}  // namespace

bool add_program_type(PyObject* module) {
  return add_type<ProgramContent, make>(module, "rnnc._rnnc.Program", Py_TPFLAGS_BASETYPE,
                                        {{Py_tp_methods, methods}, {Py_tp_getset, properties}});
}

}  // namespace rnnc::python
