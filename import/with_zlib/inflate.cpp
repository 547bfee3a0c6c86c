#include "import/inflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace rnnc::files {

bool can_inflate() { return true; }

std::optional<std::vector<std::byte>> inflate(std::span<const std::byte> deflated, std::size_t size) {
  z_stream stream = {};
  if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) return std::nullopt;  // a raw stream, as zip files have them
  constexpr std::size_t kMost = std::numeric_limits<uInt>::max();        // zlib counts bytes in 32 bits
  std::vector<std::byte> bytes(size);
  std::byte beyond = {};  // shows that a stream gives more bytes than it should
  std::size_t taken = 0, given = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    const std::size_t in = std::min(deflated.size() - taken, kMost), out = std::min(size - given, kMost);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(deflated.data() + taken));
    stream.avail_in = static_cast<uInt>(in);
    stream.next_out = reinterpret_cast<Bytef*>(out > 0 ? bytes.data() + given : &beyond);
    stream.avail_out = static_cast<uInt>(out > 0 ? out : 1);
    status = ::inflate(&stream, Z_NO_FLUSH);
    taken += in - stream.avail_in;
    if (out > 0)
      given += out - stream.avail_out;
    else if (stream.avail_out == 0)
      status = Z_DATA_ERROR;
  }
  ::inflateEnd(&stream);
  if (status != Z_STREAM_END || given != size || taken != deflated.size()) return std::nullopt;
  return bytes;
}

}  // namespace rnnc::files
