// The type Bound: a step whose state and arrays stay the same, so that a call has nothing to check but that nobody else
// uses the state.
#include <memory>
#include <span>

#include "python/arrays.hpp"
#include "python/calls.hpp"
#include "python/errors.hpp"
#include "python/run.hpp"
#include "python/state.hpp"

namespace rnnc::python {
namespace {

struct BoundContent {
  Object program, state;
  Array x, y;
  std::span<const float> from = {};
  std::span<float> to = {};
  bool is_long = false;
  ProgramContent* compiled = nullptr;
  StateContent* content = nullptr;
};

struct BoundObject {
  PyObject head;
  BoundContent* content;
};

bool is_step(const Array& array, std::int64_t batch, std::int64_t size) {
  return (array.rank() == 2 && array.dim(0) == batch && array.dim(1) == size) ||
         (array.rank() == 1 && batch == 1 && array.dim(0) == size);
}

// Bound(program, state, x, y)
PyObject* make(PyTypeObject* type, PyObject* arguments, PyObject*) {
  return guarded([&]() -> PyObject* {
    PyObject *program = nullptr, *state = nullptr, *x = nullptr, *y = nullptr;
    if (!PyArg_ParseTuple(arguments, "O!OOO", ProgramObject::type, &program, &state, &x, &y)) return nullptr;
    auto content = std::make_unique<BoundContent>();
    content->compiled = reinterpret_cast<ProgramObject*>(program)->content;
    content->content = &state_for(state, program);
    if (content->content->program.get() != program) return set_error(RunStatus::WrongState), nullptr;
    if (!content->compiled->not_streaming.empty()) raise(ErrorCode::Unsupported, content->compiled->not_streaming);
    if (!content->x.read(x, "x") || !content->y.write(y, "y") || !content->x.is_apart_from(content->y)) return nullptr;
    const std::int64_t batch = content->content->batch;
    const auto check = [&](const char* name, const Array& array, std::int64_t size) {
      if (!is_step(array, batch, size))
        raise(ErrorCode::ShapeMismatch, std::string(name) + " has shape " + array.shape() + ", but a step takes (" +
                                            std::to_string(batch) + ", " + std::to_string(size) + ")");
    };
    check("x", content->x, content->compiled->input_size);
    check("y", content->y, content->compiled->output_size);
    content->from = content->x.values(), content->to = content->y.places();
    content->is_long = is_long(*content->compiled, batch);
    content->program = Object::share(program), content->state = Object::share(state);
    const auto allocate = reinterpret_cast<allocfunc>(PyType_GetSlot(type, Py_tp_alloc));
    Object self = Object::steal(allocate(type, 0));
    reinterpret_cast<BoundObject*>(self.get())->content = content.release();
    return self.release();
  });
}

void destroy(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  delete reinterpret_cast<BoundObject*>(self)->content;
  reinterpret_cast<freefunc>(PyType_GetSlot(type, Py_tp_free))(self);
  Py_DECREF(type);
}

PyObject* call(PyObject* self, PyObject* arguments, PyObject* keywords) {
  if (PyTuple_Size(arguments) != 0 || keywords)
    return PyErr_SetString(PyExc_TypeError, "a bound step takes no arguments"), nullptr;
  BoundContent& bound = *reinterpret_cast<BoundObject*>(self)->content;
  const Use use(*bound.content);
  if (!use.is_granted()) return nullptr;
  const auto step = [&]() noexcept {
    return bound.compiled->program.step(*bound.content->state, bound.from, bound.to);
  };
  const RunStatus status = bound.is_long ? calls().run(step) : step();
  if (status == RunStatus::Ok) Py_RETURN_NONE;
  set_error(status);
  return nullptr;
}

PyObject* state(PyObject* self, void*) { return Py_NewRef(reinterpret_cast<BoundObject*>(self)->content->state.get()); }

PyGetSetDef properties[] = {{"state", state, nullptr, "The state that each call advances.", nullptr}, {}};

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(make)},
    {Py_tp_dealloc, reinterpret_cast<void*>(destroy)},
    {Py_tp_call, reinterpret_cast<void*>(call)},
    {Py_tp_getset, properties},
    {},
};

}  // namespace

bool add_bound_type(PyObject* module) {
  PyType_Spec spec{"rnnc._rnnc.Bound", sizeof(BoundObject), 0, Py_TPFLAGS_DEFAULT, slots};
  const Object type = Object::share(PyType_FromSpec(&spec));
  return type && PyModule_AddObjectRef(module, "Bound", type.get()) == 0;
}

}  // namespace rnnc::python
