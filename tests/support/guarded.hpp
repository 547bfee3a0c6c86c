// Guarded memory lies between two pages that nobody may touch: generated code that reads or writes past a buffer
// faults, where sanitizers would see nothing.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <span>
#include <vector>

namespace rnnc::test {

class Guarded {
 public:
  /// `size` floats that end right before the upper guard page, or begin right behind the lower one.
  Guarded(std::size_t size, bool at_end) : size_(size) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t inner = (size * sizeof(float) + page - 1) / page * page;
    length_ = inner + 2 * page;
    void* map = mmap(nullptr, length_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<char*>(map);
    if (inner > 0 && mprotect(base_ + page, inner, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    data_ = reinterpret_cast<float*>(base_ + page + (at_end ? inner - size * sizeof(float) : 0));
  }
  Guarded(const std::vector<float>& values, bool at_end) : Guarded(values.size(), at_end) {
    std::copy(values.begin(), values.end(), data_);
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded() { munmap(base_, length_); }

  float* data() const { return data_; }
  std::span<float> span() const { return {data_, size_}; }
  std::vector<float> values() const { return {data_, data_ + size_}; }

 private:
  std::size_t size_, length_ = 0;
  char* base_ = nullptr;
  float* data_ = nullptr;
};

}  // namespace rnnc::test
