// The type Bound: a step whose state and arrays stay the same, so that a call has nothing to check but that nobody else
// uses the state.
#include <memory>
#include <span>

#include "python/arrays.hpp"
#include "python/calls.hpp"
#include "python/errors.hpp"
#include "python/run.hpp"
#include "python/state.hpp"
#include "python/type.hpp"

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

bool is_step(const Array& array, std::int64_t batch, std::int64_t size) {
  return (array.rank() == 2 && array.dim(0) == batch && array.dim(1) == size) ||
         (array.rank() == 1 && batch == 1 && array.dim(0) == size);
}

// Bound(program, state, x, y)
std::unique_ptr<BoundContent> make(PyObject* arguments) {
  PyObject *program = nullptr, *state = nullptr, *x = nullptr, *y = nullptr;
  if (!PyArg_ParseTuple(arguments, "O!OOO", Instance<ProgramContent>::type, &program, &state, &x, &y)) throw Raised{};
  auto content = std::make_unique<BoundContent>();
  content->compiled = &content_of<ProgramContent>(program);
  content->content = &state_for(state, program);
  if (content->content->program.get() != program) {
    set_error(RunStatus::WrongState);
    throw Raised{};
  }
  if (!content->compiled->not_streaming.empty()) raise(ErrorCode::Unsupported, content->compiled->not_streaming);
  if (!content->x.read(x, "x") || !content->y.write(y, "y") || !content->x.is_apart_from(content->y)) throw Raised{};
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
  return content;
}

PyObject* call(PyObject* self, PyObject* arguments, PyObject* keywords) {
  if (PyTuple_Size(arguments) != 0 || keywords)
    return PyErr_SetString(PyExc_TypeError, "a bound step takes no arguments"), nullptr;
  BoundContent& bound = content_of<BoundContent>(self);
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

PyObject* state(PyObject* self, void*) { return Py_NewRef(content_of<BoundContent>(self).state.get()); }

PyGetSetDef properties[] = {{"state", state, nullptr, "The state that each call advances.", nullptr}, {}};

}  // namespace

bool add_bound_type(PyObject* module) {
  return add_type<BoundContent, make>(module, "rnnc._rnnc.Bound", 0,
                                      {{Py_tp_call, reinterpret_cast<void*>(call)}, {Py_tp_getset, properties}});
}

}  // namespace rnnc::python
