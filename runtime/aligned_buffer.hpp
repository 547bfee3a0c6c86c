// This buffer owns memory for rows and panels: it is zeroed, begins on a cache line and is never resized. A large
// buffer uses huge pages if the system has them.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>

#include <rnnc/export.hpp>

#include "runtime/number_format.hpp"

namespace rnnc::runtime {

class AlignedBuffer {
 public:
  AlignedBuffer() = default;

  /// Allocates `size` floats, all 0. Throws std::bad_alloc.
  RNNC_API explicit AlignedBuffer(std::int64_t size);

  float* data() const { return data_.get(); }
  std::int64_t size() const { return size_; }
  void clear() {
    if (size_ > 0) std::memset(data_.get(), 0, static_cast<std::size_t>(bytes_of(kRowFormat, size_)));
  }

 private:
  struct Free {
    std::size_t alignment;
    RNNC_API void operator()(float* data) const;
  };
  std::unique_ptr<float, Free> data_{nullptr, Free{0}};
  std::int64_t size_ = 0;
};

}  // namespace rnnc::runtime
