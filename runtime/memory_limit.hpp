// This function refuses memory that the machine does not have. Systems give out more memory than there is, and end a
// process when it touches what is missing; a caller is told before.
#pragma once

#include <cstdint>
#include <new>
#include <string>

#include <rnnc/export.hpp>

namespace rnnc::runtime {

/// `what` needs more memory than there is; the text has both sizes.
class NotEnoughMemory : public std::bad_alloc {
 public:
  explicit NotEnoughMemory(std::string text) : text_(std::move(text)) {}
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
};

/// Returns the bytes that this process can get now: what the system can give out, or less where a control group of the
/// process has a limit.
RNNC_API std::int64_t available_memory();

/// Throws NotEnoughMemory if `bytes` are more than this process can get now. Small sizes are not looked at.
void require_memory(std::int64_t bytes, const std::string& what);

}  // namespace rnnc::runtime
