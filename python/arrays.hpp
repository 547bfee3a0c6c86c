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
  /// The same for 32-bit integers.
  bool read_integers(PyObject* object, const char* what) noexcept { return take(object, what, PyBUF_RECORDS_RO, 'i'); }
  void release() noexcept;

  int rank() const noexcept { return view_.ndim; }
  std::int64_t dim(int index) const noexcept { return view_.shape[index]; }
  std::int64_t elements() const noexcept {
    return view_.len / std::int64_t{4};
  }  // all types that are taken have 4 bytes
  std::span<const float> values() const noexcept {
    return {static_cast<const float*>(view_.buf), static_cast<std::size_t>(elements())};
  }
  std::span<float> places() const noexcept {
    return {static_cast<float*>(view_.buf), static_cast<std::size_t>(elements())};
  }
  std::span<const std::int32_t> integers() const noexcept {
    return {static_cast<const std::int32_t*>(view_.buf), static_cast<std::size_t>(elements())};
  }
  std::string shape() const;  // "(3, 16)"

  /// Returns true if a call that reads this array may write into `other`. Sets Python's exception if both share memory:
  /// the call would read what it has written.
  bool is_apart_from(const Array& other) const noexcept;

 private:
  bool take(PyObject* object, const char* what, int flags, char type) noexcept;

  Py_buffer view_{};
};

}  // namespace rnnc::python
