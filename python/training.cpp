#include "python/training.hpp"

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <rnnc/reference.hpp>
#include <rnnc/training.hpp>

#include "python/arrays.hpp"
#include "python/calls.hpp"
#include "python/errors.hpp"
#include "python/options.hpp"
#include "python/type.hpp"

namespace rnnc::python {
namespace {

// An object computes by a Training in float32, or by a Reference in double precision: both have the same functions.
template <class Computation>
struct Content {
  std::optional<Computation> computation = {};
  // The arrays of the last forward pass are held until the backward pass has read them.
  Array x = {}, lengths = {};
  bool is_in_use = false;  // read and written with Python's lock held
};

template <class Computation>
struct ElementOf {
  using Type = float;
};
template <>
struct ElementOf<Reference> {
  using Type = double;
};
template <class Computation>
using Element = typename ElementOf<Computation>::Type;

// These raise what a call has refused.
void check(RunStatus status) {
  if (status == RunStatus::Ok) return;
  set_error(status);
  throw Raised{};
}

void check(const Result<void>& done) {
  if (!done) raise(done.error());
}

// Runs a call of the object, which is for one thread at a time, without Python's lock.
template <class Computation, class Work>
PyObject* run(Content<Computation>& content, Work work) {
  if (content.is_in_use)
    raise(ErrorCode::Usage, "the training is in use by a call of another thread; give each thread one of its own");
  content.is_in_use = true;
  const auto done = calls().run(work);
  content.is_in_use = false;
  check(done);
  Py_RETURN_NONE;
}

Model model_of(PyObject* kind, PyObject* source) {
  const std::string text = text_of(source, "the model");
  return take(text_of(kind, "kind") == "cell" ? standard_cell(text) : parse(text));
}

// Training(kind, source, weights, options, batch, max_steps, memory_bytes)
std::unique_ptr<Content<Training>> make_training(PyObject* arguments) {
  PyObject *kind = nullptr, *source = nullptr, *weights = nullptr, *options = nullptr;
  long long batch = 0, steps = 0, memory = 0;
  if (!PyArg_ParseTuple(arguments, "OOOOLLL", &kind, &source, &weights, &options, &batch, &steps, &memory))
    throw Raised{};
  const Model model = model_of(kind, source);
  const TensorMap tensors = tensors_of(weights);
  const TrainingOptions wanted{compile_options(options), batch, steps, memory};
  Result<Training> made = calls().run([&]() noexcept { return Training::make(model, tensors, wanted); });
  auto content = std::make_unique<Content<Training>>();
  content->computation.emplace(take(std::move(made)));
  return content;
}

// Reference(kind, source, weights, options, batch): arrays of float64.
std::unique_ptr<Content<Reference>> make_reference(PyObject* arguments) {
  PyObject *kind = nullptr, *source = nullptr, *weights = nullptr, *options = nullptr;
  long long batch = 0;
  if (!PyArg_ParseTuple(arguments, "OOOOL", &kind, &source, &weights, &options, &batch)) throw Raised{};
  const CompileOptions given = compile_options(options);
  auto content = std::make_unique<Content<Reference>>();
  content->computation.emplace(
      take(Reference::make(model_of(kind, source), doubles_of(weights), {given.cell, given.dims, batch})));
  return content;
}

// Calls `set` with the name and the values of each pair of a list.
template <class Element, class Set>
void set_each(PyObject* pairs, const char* what, Set set) {
  for (Py_ssize_t i = 0; i < PyList_Size(pairs); ++i) {
    PyObject* const pair = PyList_GetItem(pairs, i);
    Array values;
    if (!values.read_as<Element>(PyTuple_GetItem(pair, 1), what)) throw Raised{};
    set(text_of(PyTuple_GetItem(pair, 0), what), values.elements<const Element>());
  }
}

// forward(x, y, steps, lengths or None, [(state, values), ...] or None for new sequences)
template <class Computation>
PyObject* forward(PyObject* self, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    using E = Element<Computation>;
    PyObject *x = nullptr, *y = nullptr, *lengths = nullptr, *states = nullptr;
    long long steps = 0;
    if (!PyArg_ParseTuple(arguments, "OOLOO", &x, &y, &steps, &lengths, &states)) return nullptr;
    auto& content = content_of<Content<Computation>>(self);
    content.x.release();
    content.lengths.release();
    Array to;
    if (!content.x.template read_as<E>(x, "x") || !to.write_as<E>(y, "y") || !content.x.is_apart_from(to))
      return nullptr;
    if (lengths != Py_None && !content.lengths.read_integers(lengths, "lengths")) return nullptr;
    Computation& computation = *content.computation;
    computation.reset();
    if (states != Py_None)
      set_each<E>(states, "a state", [&](const std::string& name, std::span<const E> values) {
        check(computation.set_state(name, values));
      });
    const std::span<const std::int32_t> counts =
        lengths == Py_None ? std::span<const std::int32_t>() : content.lengths.integers();
    return run(content, [&]() noexcept {
      return computation.forward(
          {.x = content.x.template elements<const E>(), .y = to.elements<E>(), .steps = steps, .lengths = counts});
    });
  });
}

// backward(dy or None, dx or None, [(state, cotangent), ...])
template <class Computation>
PyObject* backward(PyObject* self, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    using E = Element<Computation>;
    PyObject *dy = nullptr, *dx = nullptr, *states = nullptr;
    if (!PyArg_ParseTuple(arguments, "OOO!", &dy, &dx, &PyList_Type, &states)) return nullptr;
    auto& content = content_of<Content<Computation>>(self);
    Array from, to;
    if ((dy != Py_None && !from.read_as<E>(dy, "dy")) || (dx != Py_None && !to.write_as<E>(dx, "dx"))) return nullptr;
    Computation& computation = *content.computation;
    set_each<E>(states, "the gradient of a state", [&](const std::string& name, std::span<const E> values) {
      check(computation.set_state_gradient(name, values));
    });
    computation.clear_gradients();
    PyObject* const done = run(content, [&]() noexcept {
      return computation.backward({.dy = from.elements<const E>(), .dx = to.elements<E>()});
    });
    content.x.release();
    content.lengths.release();
    return done;
  });
}

// Copies what each name of a list stands for into the array at its place of another list.
template <class E, class Get>
PyObject* copy_named(PyObject* arguments, const Get& get) {
  return guarded([&]() -> PyObject* {
    PyObject *names = nullptr, *arrays = nullptr;
    if (!PyArg_ParseTuple(arguments, "O!O!", &PyList_Type, &names, &PyList_Type, &arrays)) return nullptr;
    if (PyList_Size(names) != PyList_Size(arrays)) raise(ErrorCode::Usage, "there must be an array for each name");
    for (Py_ssize_t i = 0; i < PyList_Size(names); ++i) {
      const std::string name = text_of(PyList_GetItem(names, i), "a name");
      Array to;
      if (!to.write_as<E>(PyList_GetItem(arrays, i), "the result")) return nullptr;
      const auto& values = get(name);
      const std::span<E> places = to.elements<E>();
      if (places.size() != values.size())
        raise(ErrorCode::ShapeMismatch, "the result of " + name + " has " + std::to_string(places.size()) +
                                            " elements, not " + std::to_string(values.size()));
      std::ranges::copy(values, places.begin());
    }
    Py_RETURN_NONE;
  });
}

// These copy by names: gradients(names, results), states(names, results), state_gradients(names,
// results).
template <class Computation>
PyObject* gradients(PyObject* self, PyObject* arguments) {
  return copy_named<Element<Computation>>(arguments, [&](const std::string& name) {
    return content_of<Content<Computation>>(self).computation->gradient(name);
  });
}

template <class Computation>
PyObject* states(PyObject* self, PyObject* arguments) {
  return copy_named<Element<Computation>>(arguments, [&](const std::string& name) {
    return take(content_of<Content<Computation>>(self).computation->state(name));
  });
}

template <class Computation>
PyObject* state_gradients(PyObject* self, PyObject* arguments) {
  return copy_named<Element<Computation>>(arguments, [&](const std::string& name) {
    return take(content_of<Content<Computation>>(self).computation->state_gradient(name));
  });
}

// update([(parameter, values), ...])
template <class Computation>
PyObject* update(PyObject* self, PyObject* weights) {
  return guarded([&]() -> PyObject* {
    using E = Element<Computation>;
    Computation& computation = *content_of<Content<Computation>>(self).computation;
    set_each<E>(weights, "a parameter", [&](const std::string& name, std::span<const E> values) {
      const std::span<E> to = computation.weight(name);
      if (to.size() != values.size())
        raise(ErrorCode::ShapeMismatch, "parameter " + name + " has " + std::to_string(to.size()) + " elements, not " +
                                            std::to_string(values.size()));
      std::ranges::copy(values, to.begin());
    });
    if constexpr (std::is_same_v<Computation, Training>)
      check(calls().run([&]() noexcept { return computation.update(); }));
    Py_RETURN_NONE;
  });
}

// Returns the sentences about parameters whose gradient is always 0.
PyObject* warnings(PyObject* self, PyObject*) {
  return guarded([&]() -> PyObject* {
    Object list = Object::steal(PyList_New(0));
    for (const Note& note : content_of<Content<Training>>(self).computation->warnings()) {
      const Object text = Object::steal(string_of(note.message));
      if (PyList_Append(list.get(), text.get()) != 0) throw Raised{};
    }
    return list.release();
  });
}

PyObject* bytes_of_step(PyObject* self, void*) {
  return PyLong_FromLongLong(content_of<Content<Training>>(self).computation->bytes_of_step());
}

PyObject* steps_kept(PyObject* self, void*) {
  return PyLong_FromLongLong(content_of<Content<Training>>(self).computation->steps_kept());
}

PyGetSetDef properties[] = {
    {"bytes_of_step", bytes_of_step, nullptr, "Bytes that a step of all sequences keeps.", nullptr},
    {"steps_kept", steps_kept, nullptr, "Steps that are kept at once.", nullptr},
    {},
};

// Returns the table of methods, of those that both types have and of `others`. It stays as long as the process.
template <class Computation>
PyMethodDef* methods(std::initializer_list<PyMethodDef> others) {
  static std::vector<PyMethodDef> all = {
      {"forward", forward<Computation>, METH_VARARGS, "Computes y and keeps what backward needs."},
      {"backward", backward<Computation>, METH_VARARGS, "Computes the gradients of the last forward pass."},
      {"gradients", gradients<Computation>, METH_VARARGS, "Copies the gradients of parameters."},
      {"states", states<Computation>, METH_VARARGS, "Copies states behind the last step."},
      {"state_gradients", state_gradients<Computation>, METH_VARARGS,
       "Copies the gradients of states before the first step."},
      {"update", update<Computation>, METH_O, "Replaces parameters."},
  };
  all.insert(all.end(), others);
  all.push_back({});
  return all.data();
}

}  // namespace

bool add_training_types(PyObject* module) {
  PyMethodDef* const of_training =
      methods<Training>({{"warnings", warnings, METH_NOARGS, "Tells of parameters whose gradient is 0."}});
  return add_type<Content<Training>, make_training>(module, "rnnc._rnnc.Training", 0,
                                                    {{Py_tp_methods, of_training}, {Py_tp_getset, properties}}) &&
         add_type<Content<Reference>, make_reference>(module, "rnnc._rnnc.Reference", 0,
                                                      {{Py_tp_methods, methods<Reference>({})}});
}

}  // namespace rnnc::python
