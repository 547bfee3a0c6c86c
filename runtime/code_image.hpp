// A code image is machine code that runs at any address: constants, then code, with no relocation left. It is loaded by
// copying it into new pages and protecting them, without a linker and without LLVM. Pages are writable while they are
// filled and executable afterwards, never both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <rnnc/export.hpp>
#include <rnnc/result.hpp>

#include "runtime/artifact.hpp"

namespace rnnc::runtime {

// This is the largest page of the systems that we run on, so that an image does not depend on the machine that made it.
inline constexpr std::uint64_t kImagePage = 65536;

struct CodeImage {
  std::vector<std::byte> bytes;  // constants up to code_begin, code from there on
  std::uint64_t code_begin = 0;  // a multiple of kImagePage
  std::uint64_t run = 0;         // offsets of the entry points in `bytes`
  std::uint64_t prepare = 0;
};

/// The entry points, which are valid as long as `owner` lives.
struct MappedCode {
  std::shared_ptr<void> owner;
  RunKernel run = nullptr;
  PrepareKernel prepare = nullptr;
};

/// Copies `image` into new pages.
/// Errors: InvalidData if its offsets lie outside of it; Limit if there is no memory; Unsupported if the system does
/// not let programs make code at run time.
RNNC_API Result<MappedCode> map_code(const CodeImage& image);

/// Tells whether the system lets this process make code at run time.
RNNC_API bool may_map_code() noexcept;

}  // namespace rnnc::runtime
