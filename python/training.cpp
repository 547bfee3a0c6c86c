#include "python/training.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <rnnc/training.hpp>

#include "python/arrays.hpp"
#include "python/calls.hpp"
#include "python/errors.hpp"
#include "python/options.hpp"

namespace rnnc::python {
namespace {

struct TrainingContent {
  std::optional<Training> training;
  // The arrays of the last forward pass are held until the backward pass has read them.
  Array x, lengths;
  bool is_in_use = false;  // read and written with Python's lock held
};

struct TrainingObject {
  PyObject head;
  TrainingContent* content;
};

TrainingContent& content_of(PyObject* self) { return *reinterpret_cast<TrainingObject*>(self)->content; }

// Runs a call of the object, which is for one thread at a time, without Python's lock.
template <class Work>
PyObject* run(TrainingContent& content, Work work) {
  if (content.is_in_use)
    raise(ErrorCode::Usage, "the training is in use by a call of another thread; give each thread one of its own");
  content.is_in_use = true;
  const RunStatus status = calls().run(work);
  content.is_in_use = false;
  if (status != RunStatus::Ok) return set_error(status), nullptr;
  Py_RETURN_NONE;
}

Model model_of(PyObject* kind, PyObject* source) {
  const std::string text = text_of(source, "the model");
  return take(text_of(kind, "kind") == "cell" ? standard_cell(text) : parse(text));
}

// Training(kind, source, weights, options, batch, max_steps, memory_bytes)
PyObject* make(PyTypeObject* type, PyObject* arguments, PyObject*) {
  return guarded([&]() -> PyObject* {
    PyObject *kind = nullptr, *source = nullptr, *weights = nullptr, *options = nullptr;
    long long batch = 0, steps = 0, memory = 0;
    if (!PyArg_ParseTuple(arguments, "OOOOLLL", &kind, &source, &weights, &options, &batch, &steps, &memory))
      return nullptr;
    const Model model = model_of(kind, source);
    const TensorMap tensors = tensors_of(weights);
    const TrainingOptions wanted{compile_options(options), batch, steps, memory};
    auto content = std::make_unique<TrainingContent>();
    Result<Training> made = calls().run([&]() noexcept { return Training::make(model, tensors, wanted); });
    content->training.emplace(take(std::move(made)));
    const auto allocate = reinterpret_cast<allocfunc>(PyType_GetSlot(type, Py_tp_alloc));
    Object self = Object::steal(allocate(type, 0));
    reinterpret_cast<TrainingObject*>(self.get())->content = content.release();
    return self.release();
  });
}

void destroy(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  delete reinterpret_cast<TrainingObject*>(self)->content;
  reinterpret_cast<freefunc>(PyType_GetSlot(type, Py_tp_free))(self);
  Py_DECREF(type);
}

// forward(x, y, steps, lengths or None, [(state, values), ...] or None for new sequences)
PyObject* forward(PyObject* self, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    PyObject *x = nullptr, *y = nullptr, *lengths = nullptr, *states = nullptr;
    long long steps = 0;
    if (!PyArg_ParseTuple(arguments, "OOLOO", &x, &y, &steps, &lengths, &states)) return nullptr;
    TrainingContent& content = content_of(self);
    content.x.release();
    content.lengths.release();
    Array to;
    if (!content.x.read(x, "x") || !to.write(y, "y") || !content.x.is_apart_from(to)) return nullptr;
    if (lengths != Py_None && !content.lengths.read_integers(lengths, "lengths")) return nullptr;
    Training& training = *content.training;
    training.reset();
    for (Py_ssize_t i = 0; states != Py_None && i < PyList_Size(states); ++i) {
      PyObject* const pair = PyList_GetItem(states, i);
      Array values;
      if (!values.read(PyTuple_GetItem(pair, 1), "a state")) return nullptr;
      const Result<void> set = training.set_state(text_of(PyTuple_GetItem(pair, 0), "a state"), values.values());
      if (!set) raise(set.error());
    }
    const std::span<const std::int32_t> counts =
        lengths == Py_None ? std::span<const std::int32_t>() : content.lengths.integers();
    return run(content, [&]() noexcept {
      return training.forward({.x = content.x.values(), .y = to.places(), .steps = steps, .lengths = counts});
    });
  });
}

// backward(dy, dx or None, [(state, cotangent), ...])
PyObject* backward(PyObject* self, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    PyObject *dy = nullptr, *dx = nullptr, *states = nullptr;
    if (!PyArg_ParseTuple(arguments, "OOO!", &dy, &dx, &PyList_Type, &states)) return nullptr;
    TrainingContent& content = content_of(self);
    Array from, to;
    if (!from.read(dy, "dy") || (dx != Py_None && !to.write(dx, "dx"))) return nullptr;
    Training& training = *content.training;
    for (Py_ssize_t i = 0; i < PyList_Size(states); ++i) {
      PyObject* const pair = PyList_GetItem(states, i);
      Array values;
      if (!values.read(PyTuple_GetItem(pair, 1), "the gradient of a state")) return nullptr;
      const Result<void> set =
          training.set_state_gradient(text_of(PyTuple_GetItem(pair, 0), "a state"), values.values());
      if (!set) raise(set.error());
    }
    training.clear_gradients();
    const std::span<float> places = dx == Py_None ? std::span<float>() : to.places();
    PyObject* const done =
        run(content, [&]() noexcept { return training.backward({.dy = from.values(), .dx = places}); });
    content.x.release();
    content.lengths.release();
    return done;
  });
}

// Copies elements of ours into an array.
PyObject* copy(std::span<const float> values, PyObject* array) {
  Array to;
  if (!to.write(array, "the result")) return nullptr;
  if (to.places().size() != values.size())
    raise(ErrorCode::ShapeMismatch,
          "the result has " + std::to_string(to.places().size()) + " elements, not " + std::to_string(values.size()));
  std::ranges::copy(values, to.places().begin());
  Py_RETURN_NONE;
}

// These copy what a name stands for: gradient(name, result), state(name, result), state_gradient(name, result).
template <class Get>
PyObject* copy_named(PyObject* arguments, const Get& get) {
  return guarded([&]() -> PyObject* {
    PyObject *name = nullptr, *array = nullptr;
    if (!PyArg_ParseTuple(arguments, "OO", &name, &array)) return nullptr;
    return copy(get(text_of(name, "a name")), array);
  });
}

PyObject* gradient(PyObject* self, PyObject* arguments) {
  return copy_named(arguments, [&](const std::string& name) { return content_of(self).training->gradient(name); });
}

PyObject* state(PyObject* self, PyObject* arguments) {
  return copy_named(arguments, [&](const std::string& name) { return take(content_of(self).training->state(name)); });
}

PyObject* state_gradient(PyObject* self, PyObject* arguments) {
  return copy_named(arguments,
                    [&](const std::string& name) { return take(content_of(self).training->state_gradient(name)); });
}

// update([(parameter, values), ...])
PyObject* update(PyObject* self, PyObject* weights) {
  return guarded([&]() -> PyObject* {
    Training& training = *content_of(self).training;
    for (Py_ssize_t i = 0; i < PyList_Size(weights); ++i) {
      PyObject* const pair = PyList_GetItem(weights, i);
      const std::string name = text_of(PyTuple_GetItem(pair, 0), "a parameter");
      Array values;
      if (!values.read(PyTuple_GetItem(pair, 1), name.c_str())) return nullptr;
      const std::span<float> to = training.weight(name);
      if (to.size() != values.values().size())
        raise(ErrorCode::ShapeMismatch, "parameter " + name + " has " + std::to_string(to.size()) + " elements, not " +
                                            std::to_string(values.values().size()));
      std::ranges::copy(values.values(), to.begin());
    }
    const Result<void> done = calls().run([&]() noexcept { return training.update(); });
    if (!done) raise(done.error());
    Py_RETURN_NONE;
  });
}

// Returns the sentences about parameters whose gradient is always 0.
PyObject* warnings(PyObject* self, PyObject*) {
  return guarded([&]() -> PyObject* {
    Object list = Object::steal(PyList_New(0));
    for (const Note& note : content_of(self).training->warnings()) {
      const Object text = Object::steal(string_of(note.message));
      if (PyList_Append(list.get(), text.get()) != 0) throw Raised{};
    }
    return list.release();
  });
}

PyObject* bytes_of_step(PyObject* self, void*) {
  return PyLong_FromLongLong(content_of(self).training->bytes_of_step());
}

PyObject* steps_kept(PyObject* self, void*) { return PyLong_FromLongLong(content_of(self).training->steps_kept()); }

PyMethodDef methods[] = {
    {"forward", forward, METH_VARARGS, "Computes y and keeps what backward needs."},
    {"backward", backward, METH_VARARGS, "Computes the gradients of the last forward pass."},
    {"gradient", gradient, METH_VARARGS, "Copies the gradient of a parameter."},
    {"state", state, METH_VARARGS, "Copies a state behind the last step."},
    {"state_gradient", state_gradient, METH_VARARGS, "Copies the gradient of a state before the first step."},
    {"update", update, METH_O, "Replaces parameters."},
    {"warnings", warnings, METH_NOARGS, "Tells of parameters whose gradient is 0."},
    {},
};

PyGetSetDef properties[] = {
    {"bytes_of_step", bytes_of_step, nullptr, "Bytes that a step of all sequences keeps.", nullptr},
    {"steps_kept", steps_kept, nullptr, "Steps that are kept at once.", nullptr},
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

bool add_training_type(PyObject* module) {
  PyType_Spec spec{"rnnc._rnnc.Training", sizeof(TrainingObject), 0, Py_TPFLAGS_DEFAULT, slots};
  const Object type = Object::share(PyType_FromSpec(&spec));
  return type && PyModule_AddObjectRef(module, "Training", type.get()) == 0;
}

}  // namespace rnnc::python
