// A reference to an object of Python that gives itself back. The module is written in Python's own C interface, in the
// part that stays the same from Python 3.11 on: one binary serves all later versions, and a call costs what Python
// itself asks for. docs/python.md has the figures that decided this.
#pragma once

#include <Python.h>

#include <exception>
#include <new>
#include <string>
#include <utility>

namespace rnnc::python {

/// Python's exception is set already; whoever catches this returns null to Python.
struct Raised {};

class Object {
 public:
  Object() = default;
  Object(Object&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Object& operator=(Object&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  ~Object() { Py_XDECREF(object_); }

  /// Takes over a new reference. Throws Raised for null.
  static Object steal(PyObject* object) {
    if (!object) throw Raised{};
    return Object(object);
  }

  /// Adds a reference to one that somebody else owns.
  static Object share(PyObject* object) {
    Py_XINCREF(object);
    return Object(object);
  }

  PyObject* get() const noexcept { return object_; }
  PyObject* release() noexcept { return std::exchange(object_, nullptr); }
  explicit operator bool() const noexcept { return object_ != nullptr; }

 private:
  explicit Object(PyObject* object) noexcept : object_(object) {}

  PyObject* object_ = nullptr;
};

/// Runs what a function of the module does, and turns exceptions of C++ into Python's.
template <class Function>
PyObject* guarded(Function function) noexcept {
  try {
    return function();
  } catch (const Raised&) {
    return nullptr;
  } catch (const std::bad_alloc& error) {
    PyErr_SetString(PyExc_MemoryError, error.what());
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

/// Returns the text of a string of Python. Throws Raised if it is none; `what` begins the message.
inline std::string text_of(PyObject* object, const char* what) {
  Py_ssize_t size = 0;
  const char* text = PyUnicode_Check(object) ? PyUnicode_AsUTF8AndSize(object, &size) : nullptr;
  if (text) return {text, static_cast<std::size_t>(size)};
  if (!PyErr_Occurred()) PyErr_Format(PyExc_TypeError, "%s must be a str, not %R", what, Py_TYPE(object));
  throw Raised{};
}

inline PyObject* string_of(const std::string& text) {
  return PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size()));
}

/// Returns a whole number of Python. Throws Raised if it is none.
inline long long integer_of(PyObject* object) {
  const long long value = PyLong_AsLongLong(object);
  if (value == -1 && PyErr_Occurred()) throw Raised{};
  return value;
}

}  // namespace rnnc::python
