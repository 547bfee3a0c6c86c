// Memory for rows and panels: zeroed, on cache lines, never resized.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

namespace rnnc::runtime {

class AlignedBuffer {
 public:
  AlignedBuffer() = default;

  /// `size` floats, all 0. Throws std::bad_alloc.
  explicit AlignedBuffer(std::int64_t size) : size_(size) {
    if (size == 0) return;
    data_.reset(static_cast<float*>(::operator new(static_cast<std::size_t>(size) * sizeof(float), kAlign)));
    clear();
  }

  float* data() const { return data_.get(); }
  std::int64_t size() const { return size_; }
  void clear() {
    if (size_ > 0) std::memset(data_.get(), 0, static_cast<std::size_t>(size_) * sizeof(float));
  }

 private:
  static constexpr std::align_val_t kAlign{64};
  struct Free {
    void operator()(float* data) const { ::operator delete(data, kAlign); }
  };
  std::unique_ptr<float, Free> data_;
  std::int64_t size_ = 0;
};

}  // namespace rnnc::runtime
