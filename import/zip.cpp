// The layout is that of PKWARE's APPNOTE.TXT, sections 4.3.7 (local header), 4.3.12 (directory) and 4.3.16 (its end).
#include "import/zip.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "import/file_error.hpp"
#include "import/inflate.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

constexpr std::size_t kLocalBytes = 30, kDirectoryBytes = 46, kEndBytes = 22;
constexpr std::size_t kMostComment = 0xffff;
constexpr std::uint64_t kMostRatio = 1032;  // deflate's: 258 bytes for two bits

using Bytes = std::span<const std::byte>;

template <class T>
T read(Bytes bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

bool has_signature(Bytes bytes, std::size_t at, std::uint32_t signature) {
  return at + sizeof signature <= bytes.size() && read<std::uint32_t>(bytes, at) == signature;
}

// Returns where the end of the directory begins: the last place that fits, since only a comment follows it.
std::size_t find_end(Bytes content, std::string_view file) {
  for (std::size_t back = kEndBytes; back <= std::min(content.size(), kEndBytes + kMostComment); ++back) {
    const std::size_t at = content.size() - back;
    if (has_signature(content, at, 0x06054b50) && read<std::uint16_t>(content, at + 20) == back - kEndBytes) return at;
  }
  invalid(file, "", "this zip file has no directory at its end; it is cut short: copy it again");
}

std::uint32_t checksum_of(Bytes bytes) {
  static constexpr auto kTable = [] {  // CRC-32 of ISO 3309, bits reflected
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xedb88320u : 0u);
      table[i] = value;
    }
    return table;
  }();
  std::uint32_t value = ~0u;
  for (const std::byte byte : bytes) value = (value >> 8) ^ kTable[(value ^ static_cast<std::uint32_t>(byte)) & 0xff];
  return ~value;
}

class Directory {
 public:
  Directory(Bytes content, std::string_view file) : content_(content), file_(file) {}

  std::vector<ZipEntry> list(const FileLimits& limits) {
    const std::size_t end = find_end(content_, file_);
    const std::size_t count = read<std::uint16_t>(content_, end + 10);
    std::size_t at = read<std::uint32_t>(content_, end + 16);
    if (read<std::uint16_t>(content_, end + 4) != 0 || read<std::uint16_t>(content_, end + 8) != count ||
        count == 0xffff || at == 0xffffffff)
      unsupported(file_, "",
                  "this zip file has several parts, or is of the kind for more than 4 GiB; write it in one part");
    std::vector<ZipEntry> entries;
    std::set<std::string> names;
    std::uint64_t total = 0, packed = 0;
    for (std::size_t i = 0; i < count; ++i) {
      entries.push_back(entry(at, end));
      if (!names.insert(entries.back().name).second)
        invalid(file_, in_quotes(entries.back().name), "stands there twice; keep one");
      if ((packed += entries.back().packed.size()) > content_.size()) damaged(in_quotes(entries.back().name));
      if ((total += entries.back().size) > limits.max_file_bytes)
        refuse(ErrorCode::Limit, file_, "",
               "unpacked, the file has more than the limit of " + std::to_string(limits.max_file_bytes) +
                   " bytes; raise the limit");
    }
    return entries;
  }

 private:
  [[noreturn]] void damaged(const std::string& name) const {
    invalid(file_, name,
            "the directory of this zip file and its content do not fit each other; copy or write it again");
  }

  // Reads the entry of the directory at `at`, which then is behind it.
  ZipEntry entry(std::size_t& at, std::size_t end) const {
    if (!has_signature(content_, at, 0x02014b50) || at + kDirectoryBytes > end) damaged("");
    const std::size_t name_bytes = read<std::uint16_t>(content_, at + 28);
    const std::size_t rest = read<std::uint16_t>(content_, at + 30) + read<std::uint16_t>(content_, at + 32);
    if (at + kDirectoryBytes + name_bytes + rest > end) damaged("");
    ZipEntry entry;
    entry.name.assign(reinterpret_cast<const char*>(content_.data()) + at + kDirectoryBytes, name_bytes);
    const auto method = read<std::uint16_t>(content_, at + 10);
    if ((read<std::uint16_t>(content_, at + 8) & 1) != 0)
      unsupported(file_, in_quotes(entry.name), "is encrypted; write the file without a password");
    if (method != 0 && method != 8)
      unsupported(file_, in_quotes(entry.name),
                  "is packed by method " + std::to_string(method) + "; only what is stored or deflated can be read");
    entry.deflated = method == 8;
    entry.checksum = read<std::uint32_t>(content_, at + 16);
    entry.size = read<std::uint32_t>(content_, at + 24);
    entry.packed = packed(read<std::uint32_t>(content_, at + 42), read<std::uint32_t>(content_, at + 20), entry.name);
    if (entry.size > (entry.deflated ? kMostRatio * entry.packed.size() : entry.packed.size()) ||
        (!entry.deflated && entry.size != entry.packed.size()))
      damaged(in_quotes(entry.name));
    at += kDirectoryBytes + name_bytes + rest;
    return entry;
  }

  // The local header repeats the name and may have more fields than the directory.
  Bytes packed(std::size_t local, std::size_t bytes, const std::string& name) const {
    if (!has_signature(content_, local, 0x04034b50) || local + kLocalBytes > content_.size()) damaged(in_quotes(name));
    const std::size_t begin =
        local + kLocalBytes + read<std::uint16_t>(content_, local + 26) + read<std::uint16_t>(content_, local + 28);
    if (begin > content_.size() || bytes > content_.size() - begin) damaged(in_quotes(name));
    return content_.subspan(begin, bytes);
  }

  Bytes content_;
  std::string_view file_;
};

}  // namespace

std::vector<ZipEntry> list_zip(Bytes content, std::string_view file, const FileLimits& limits) {
  return Directory(content, file).list(limits);
}

std::vector<std::byte> unpack(const ZipEntry& entry, std::string_view file) {
  std::vector<std::byte> bytes;
  if (!entry.deflated) {
    bytes.assign(entry.packed.begin(), entry.packed.end());
  } else {
    if (!can_inflate())
      unsupported(file, in_quotes(entry.name),
                  "is compressed, and this rnnc was built without zlib; save with numpy.savez, or build with zlib");
    auto inflated = inflate(entry.packed, entry.size);
    if (!inflated) invalid(file, in_quotes(entry.name), "cannot be unpacked; the file is damaged: copy it again");
    bytes = std::move(*inflated);
  }
  if (checksum_of(bytes) != entry.checksum)
    invalid(file, in_quotes(entry.name), "has another checksum than the file says; it is damaged: copy it again");
  return bytes;
}

}  // namespace rnnc::files
