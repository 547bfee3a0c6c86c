// Memory of the caller's arrays, through Python's buffer protocol: NumPy's arrays, memoryviews and array.array alike,
// without a copy and without NumPy's headers.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "python/object.hpp"

namespace rnnc::python {

/// Holds the memory of one array from `read` or `write` until it is destroyed; NumPy, array.array and bytearray do not
/// free or move it as long.
class Array {
 public:
  Array() = default;
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array() { release(); }

  /// Takes hold of floats in C order. Returns false with Python's exception set: `what` has another type, strides with
  /// gaps, or cannot be written.
  bool read(PyObject* object, const char* what) noexcept { return take(object, what, PyBUF_RECORDS_RO, 'f'); }
  bool write(PyObject* object, const char* what) noexcept { return take(object, what, PyBUF_RECORDS, 'f'); }
  /// The same for double precision, or float32: whatever the elements are to be.
  template <class Element>
  bool read_as(PyObject* object, const char* what) noexcept {
    return take(object, what, PyBUF_RECORDS_RO, kLetter<Element>);
  }
  template <class Element>
  bool write_as(PyObject* object, const char* what) noexcept {
    return take(object, what, PyBUF_RECORDS, kLetter<Element>);
  }
  /// The same for 32-bit integers.
  bool read_integers(PyObject* object, const char* what) noexcept { return take(object, what, PyBUF_RECORDS_RO, 'i'); }
  void release() noexcept;

  int rank() const noexcept { return view_.ndim; }
  std::int64_t dim(int index) const noexcept { return view_.shape[index]; }
  std::span<const float> values() const noexcept { return elements<const float>(); }
  std::span<float> places() const noexcept { return elements<float>(); }
  std::span<const std::int32_t> integers() const noexcept { return elements<const std::int32_t>(); }
  /// The elements, of the type that was asked for.
  template <class Element>
  std::span<Element> elements() const noexcept {
    return {static_cast<Element*>(view_.buf), static_cast<std::size_t>(view_.len) / sizeof(Element)};
  }
  std::string shape() const;  // "(3, 16)"

  /// Returns true if a call that reads this array may write into `other`. Sets Python's exception if both share memory:
  /// the call would read what it has written.
  bool is_apart_from(const Array& other) const noexcept;

 private:
  // The letters of the struct module.
  template <class Element>
  static constexpr char kLetter = sizeof(Element) == sizeof(double) ? 'd' : 'f';

  bool take(PyObject* object, const char* what, int flags, char type) noexcept;

  Py_buffer view_{};
};

}  // namespace rnnc::python
