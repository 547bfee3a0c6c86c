// Machine code that runs at any address: constants, then code, with no relocation left. To load it is to copy it into
// fresh pages and to protect them; no linker, no LLVM. Pages are writable while they are filled and executable after,
// never both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <rnnc/export.hpp>
#include <rnnc/result.hpp>

#include "runtime/artifact.hpp"

namespace rnnc::runtime {

// Largest page of the systems we run on, so that an image does not depend on the machine it was made on.
inline constexpr std::uint64_t kImagePage = 65536;

struct CodeImage {
  std::vector<std::byte> bytes;  // constants up to code_begin, code from there on
  std::uint64_t code_begin = 0;  // a multiple of kImagePage
  std::uint64_t run = 0;         // where the entries lie in `bytes`
  std::uint64_t prepare = 0;
};

/// Entries, valid as long as `owner` lives.
struct MappedCode {
  std::shared_ptr<void> owner;
  RunKernel run = nullptr;
  PrepareKernel prepare = nullptr;
};

/// Copies `image` into pages of its own.
/// Errors: InvalidData where its offsets lie outside of it; Limit where there is no memory; Unsupported where the
/// system lets no program make code at run time.
RNNC_API Result<MappedCode> map_code(const CodeImage& image);

/// Whether the system lets this process make code at run time.
RNNC_API bool may_map_code() noexcept;

}  // namespace rnnc::runtime
