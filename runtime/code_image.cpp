#include "runtime/code_image.hpp"

#include <sys/mman.h>

#include <cstring>

namespace rnnc::runtime {
namespace {

struct Pages {
  explicit Pages(std::size_t size)
      : size_(size), data_(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {}
  ~Pages() {
    if (valid()) munmap(data_, size_);
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  bool valid() const { return data_ != MAP_FAILED; }
  std::byte* data() const { return static_cast<std::byte*>(data_); }

  bool protect(std::size_t code_begin) const {
    return (code_begin == 0 || mprotect(data_, code_begin, PROT_READ) == 0) &&
           mprotect(data() + code_begin, size_ - code_begin, PROT_READ | PROT_EXEC) == 0;
  }

 private:
  std::size_t size_;
  void* data_;
};

bool is_sound(const CodeImage& image) {
  const std::uint64_t size = image.bytes.size();
  const auto in_code = [&](std::uint64_t entry) { return entry >= image.code_begin && entry < size; };
  return image.code_begin % kImagePage == 0 && in_code(image.run) && in_code(image.prepare);
}

template <class Function>
Function entry(std::byte* address) {
  return reinterpret_cast<Function>(reinterpret_cast<std::uintptr_t>(address));
}

}  // namespace

Result<MappedCode> map_code(const CodeImage& image) {
  if (!is_sound(image)) return Error{ErrorCode::InvalidData, {}, "the code's entries lie outside of it"};
  const auto pages = std::make_shared<Pages>(image.bytes.size());
  if (!pages->valid()) return Error{ErrorCode::Limit, {}, "not enough memory for the code"};
  std::memcpy(pages->data(), image.bytes.data(), image.bytes.size());
  if (!pages->protect(image.code_begin))
    return Error{
        ErrorCode::Unsupported, {}, "this system lets no program make code at run time; link an object instead"};
  __builtin___clear_cache(reinterpret_cast<char*>(pages->data()),
                          reinterpret_cast<char*>(pages->data() + image.bytes.size()));
  return MappedCode{pages, entry<RunKernel>(pages->data() + image.run),
                    entry<PrepareKernel>(pages->data() + image.prepare)};
}

bool may_map_code() noexcept {
  const Pages pages(kImagePage);
  return pages.valid() && pages.protect(0);
}

}  // namespace rnnc::runtime
