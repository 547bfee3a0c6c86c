#include "python/state.hpp"

#include <span>

#include "python/arrays.hpp"
#include "python/errors.hpp"
#include "python/type.hpp"

namespace rnnc::python {

bool Use::is_granted() const noexcept {
  if (!is_refused_) return true;
  set_error(Error{
      ErrorCode::Usage, {}, "the state is in use by a call of another thread; give each thread a state of its own"});
  return false;
}

namespace {

// Returns a state that has met its program. Throws Raised.
State& attached(StateContent& content) {
  if (!content.state)
    raise(ErrorCode::Usage,
          "the state was unpickled and has met no program yet: run it, or restore() its bytes into program.state()");
  return *content.state;
}

std::vector<std::byte> bytes_of(PyObject* object) {
  char* data = nullptr;
  Py_ssize_t size = 0;
  if (PyBytes_AsStringAndSize(object, &data, &size) != 0) throw Raised{};
  const auto bytes = std::as_bytes(std::span(data, static_cast<std::size_t>(size)));
  return {bytes.begin(), bytes.end()};
}

// State(program, batch, max_steps), or State(None, batch, saved bytes).
std::unique_ptr<StateContent> make(PyObject* arguments) {
  PyObject *program = nullptr, *third = nullptr;
  long long batch = 0;
  if (!PyArg_ParseTuple(arguments, "OLO", &program, &batch, &third)) throw Raised{};
  auto content = std::make_unique<StateContent>();
  content->batch = batch;
  if (program == Py_None) {
    content->saved = bytes_of(third);
    return content;
  }
  if (!is_a<ProgramContent>(program)) {
    PyErr_SetString(PyExc_TypeError, "a State is made of a Program");
    throw Raised{};
  }
  const Program& compiled = content_of<ProgramContent>(program).program;
  content->steps = integer_of(third);
  content->state.emplace(take(compiled.try_make_state(batch, content->steps)));
  content->program = Object::share(program);
  return content;
}

PyObject* reset(PyObject* self, PyObject*) {
  return guarded([&]() -> PyObject* {
    StateContent& content = content_of<StateContent>(self);
    const Use use(content);
    if (!use.is_granted()) return nullptr;
    attached(content).reset();
    Py_RETURN_NONE;
  });
}

// get(name, array) copies one state into floats [batch, size].
PyObject* get(PyObject* self, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    PyObject *name = nullptr, *array = nullptr;
    if (!PyArg_ParseTuple(arguments, "OO", &name, &array)) return nullptr;
    StateContent& content = content_of<StateContent>(self);
    const Use use(content);
    Array to;
    if (!use.is_granted() || !to.write(array, "the array")) return nullptr;
    const std::vector<float> values = take(attached(content).get(text_of(name, "the name of a state")));
    if (values.size() != to.places().size())
      raise(ErrorCode::ShapeMismatch, "the array has another size than the state");
    std::copy(values.begin(), values.end(), to.places().begin());
    Py_RETURN_NONE;
  });
}

PyObject* set(PyObject* self, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    PyObject *name = nullptr, *array = nullptr;
    if (!PyArg_ParseTuple(arguments, "OO", &name, &array)) return nullptr;
    StateContent& content = content_of<StateContent>(self);
    const Use use(content);
    Array from;
    if (!use.is_granted() || !from.read(array, "the state")) return nullptr;
    const Result<void> done = attached(content).set(text_of(name, "the name of a state"), from.values());
    if (!done) raise(done.error());
    Py_RETURN_NONE;
  });
}

PyObject* save(PyObject* self, PyObject*) {
  return guarded([&]() -> PyObject* {
    StateContent& content = content_of<StateContent>(self);
    const Use use(content);
    if (!use.is_granted()) return nullptr;
    const std::vector<std::byte> saved = content.state ? content.state->save() : content.saved;
    return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(saved.data()),
                                     static_cast<Py_ssize_t>(saved.size()));
  });
}

PyObject* restore(PyObject* self, PyObject* saved) {
  return guarded([&]() -> PyObject* {
    StateContent& content = content_of<StateContent>(self);
    const Use use(content);
    if (!use.is_granted()) return nullptr;
    const std::vector<std::byte> bytes = bytes_of(saved);
    const Result<void> done = attached(content).restore(bytes);
    if (!done) raise(done.error());
    Py_RETURN_NONE;
  });
}

PyObject* batch(PyObject* self, void*) { return PyLong_FromLongLong(content_of<StateContent>(self).batch); }

PyObject* program(PyObject* self, void*) {
  PyObject* program = content_of<StateContent>(self).program.get();
  return Py_NewRef(program ? program : Py_None);
}

PyMethodDef methods[] = {
    {"reset", reset, METH_NOARGS, "Begins new sequences."},
    {"_get", get, METH_VARARGS, nullptr},
    {"_set", set, METH_VARARGS, nullptr},
    {"save", save, METH_NOARGS, "Returns all states as bytes, which restore() takes."},
    {"restore", restore, METH_O, "Sets all states from the bytes of save()."},
    {},
};

PyGetSetDef properties[] = {
    {"batch", batch, nullptr, "The number of sequences.", nullptr},
    {"program", program, nullptr, "The program that the state belongs to, or None while it has met none.", nullptr},
    {},
};

}  // namespace

StateContent& state_for(PyObject* state, PyObject* program) {
  if (!is_a<StateContent>(state)) {
    PyErr_Format(PyExc_TypeError, "state must be a State, which program.state() makes, not %R", Py_TYPE(state));
    throw Raised{};
  }
  StateContent& content = content_of<StateContent>(state);
  if (content.state) return content;
  const Program& compiled = content_of<ProgramContent>(program).program;
  State made = take(compiled.try_make_state(content.batch));
  const Result<void> restored = made.restore(content.saved);
  if (!restored) raise(restored.error());
  content.state.emplace(std::move(made));
  content.program = Object::share(program);
  content.saved.clear();
  return content;
}

bool add_state_type(PyObject* module) {
  return add_type<StateContent, make>(module, "rnnc._rnnc.State", Py_TPFLAGS_BASETYPE,
                                      {{Py_tp_methods, methods}, {Py_tp_getset, properties}});
}

}  // namespace rnnc::python
