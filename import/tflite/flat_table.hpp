// A flatbuffer is read table by table, and nothing is copied but numbers that are asked for. Every place is checked
// against the bytes that are there. A field that a table does not have is told by its default.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rnnc::files {

static_assert(std::endian::native == std::endian::little, "flatbuffers are little-endian");

class FlatTable {
 public:
  /// The table that a file begins with. Throws Refusal, as all below, if the file is damaged.
  static FlatTable root(std::string_view bytes, std::string_view file);

  bool has(std::size_t field) const { return place_of(field) != 0; }

  template <class T>
  T number(std::size_t field, T standard) const {
    const std::size_t place = place_of(field);
    return place == 0 ? standard : read<T>(place);
  }

  std::optional<FlatTable> table(std::size_t field) const;
  std::vector<FlatTable> tables(std::size_t field) const;
  std::string_view bytes(std::size_t field) const;  // of a text or a list of bytes; empty if the table has none

  /// Returns a list of numbers of at most `most`.
  template <class T>
  std::vector<T> numbers(std::size_t field, std::size_t most = kMostNumbers) const {
    const std::size_t count = count_of(field, sizeof(T));
    if (count > most) too_many(count);
    std::vector<T> result(count);
    if (count > 0) std::memcpy(result.data(), bytes_.data() + first_of(field), count * sizeof(T));
    return result;
  }

 private:
  static constexpr std::size_t kMostNumbers = 1 << 16;

  FlatTable(std::string_view bytes, std::string_view file, std::size_t at);

  std::size_t place_of(std::size_t field) const;  // 0 if the table does not have it
  std::size_t target_of(std::size_t place) const;
  std::size_t count_of(std::size_t field, std::size_t size) const;  // of a list; checks that it is there
  std::size_t first_of(std::size_t field) const;
  void need(std::size_t place, std::size_t size) const;
  [[noreturn]] void too_many(std::size_t count) const;

  template <class T>
  T read(std::size_t place) const {
    need(place, sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data() + place, sizeof(T));
    return value;
  }

  std::string_view bytes_, file_;
  std::size_t at_ = 0, places_ = 0, fields_ = 0;  // `places_` has an offset from `at_` for each of `fields_`
};

}  // namespace rnnc::files
