#include "python/arrays.hpp"

#include "python/errors.hpp"

namespace rnnc::python {
namespace {

// Compares a format of the struct module with one type, which may have a byte order before it that is this machine's.
bool is_format(const char* format, char type) noexcept {
  if (!format) return false;
  if (*format == '@' || *format == '=' || *format == '<') ++format;
  // The letters of 32-bit integers differ: l is one where long has 32 bits, and never on this system.
  return format[0] == type && format[1] == 0;
}

bool is_in_order(const Py_buffer& view) noexcept {
  if (view.len == 0) return true;
  if (!view.strides) return true;
  Py_ssize_t expected = view.itemsize;
  for (int i = view.ndim - 1; i >= 0; --i) {
    if (view.shape[i] != 1 && view.strides[i] != expected) return false;
    expected *= view.shape[i];
  }
  return true;
}

}  // namespace

void Array::release() noexcept {
  if (view_.obj) PyBuffer_Release(&view_);
}

bool Array::take(PyObject* object, const char* what, int flags, char type) noexcept {
  if (PyObject_GetBuffer(object, &view_, flags) != 0) {
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
      PyErr_Clear();
      PyErr_Format(PyExc_TypeError, "%s must be an array, not %R", what, Py_TYPE(object));
    } else if ((flags & PyBUF_WRITABLE) != 0) {
      PyErr_Clear();
      PyErr_Format(PyExc_ValueError, "%s cannot be written: it is read-only", what);
    }
    return false;
  }
  const char* wanted = type == 'f' ? "float32" : type == 'd' ? "float64" : "int32";
  const std::size_t alignment = type == 'd' ? alignof(double) : alignof(float);
  if (!is_format(view_.format, type)) {
    PyErr_Format(
        PyExc_TypeError,
        "%s must have dtype %s, but its elements have format '%s'; convert it with numpy.asarray(%s, numpy.%s)", what,
        wanted, view_.format ? view_.format : "B", what, wanted);
  } else if (!is_in_order(view_)) {
    PyErr_Format(PyExc_ValueError,
                 "%s does not lie row after row in memory; numpy.ascontiguousarray(%s) makes a copy that does", what,
                 what);
  } else if (view_.len != 0 && reinterpret_cast<std::uintptr_t>(view_.buf) % alignment != 0) {
    PyErr_Format(PyExc_ValueError, "%s is not aligned to %d bytes; numpy.array(%s) makes a copy that is", what,
                 static_cast<int>(alignment), what);
  } else {
    return true;
  }
  release();
  return false;
}

bool Array::is_apart_from(const Array& other) const noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(view_.buf), end = begin + view_.len;
  const auto others = reinterpret_cast<std::uintptr_t>(other.view_.buf), end_of_other = others + other.view_.len;
  if (end <= others || end_of_other <= begin || view_.len == 0 || other.view_.len == 0) return true;
  PyErr_SetString(PyExc_ValueError,
                  "x and y share memory; a call reads x after it has written y: give it another array for y");
  return false;
}

std::string Array::shape() const {
  std::string text = "(";
  for (int i = 0; i < view_.ndim; ++i)
    text += (i > 0 ? ", " : "") + std::to_string(view_.shape[i]) + (view_.ndim == 1 ? "," : "");
  return text + ")";
}

}  // namespace rnnc::python
