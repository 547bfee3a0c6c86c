// This header has files and bytes for the tests of readers and writers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

#include <rnnc/result.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

namespace rnnc::test {

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

template <class T>
std::string little_endian(T value) {
  std::string text;
  for (std::size_t i = 0; i < sizeof(T); ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

inline void write_text(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
}

inline std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <class T>
void check_error(const Result<T>& result, ErrorCode code, const std::string& text) {
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().to_string() == text);
  CHECK(result.error().code == code);
}

/// Calls `parse` with every proper prefix of `file`, and with every byte of it changed to every other value.
template <class Parse>
void damage_everywhere(const std::string& file, const Parse& parse) {
  for (std::size_t size = 0; size < file.size(); ++size) {
    INFO("cut to " << size << " bytes");
    // A heap copy of exactly that size, so that the address sanitizer sees a read past its end.
    const std::string cut = file.substr(0, size);
    CHECK_FALSE(parse(cut).ok());
  }
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < file.size(); ++at) {
    std::string changed = file;
    for (int flip = 1; flip < 256; ++flip) {
      changed[at] = static_cast<char>(file[at] ^ flip);
      accepted += parse(changed).ok();
    }
  }
  CHECK(accepted > 0);  // changed elements are still elements
  CHECK(accepted < file.size() * 255);
}

}  // namespace rnnc::test
