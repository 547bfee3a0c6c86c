// A Writer turns values into bytes and a Reader turns the bytes back into values. Numbers and enumerations are stored
// as they lie in memory, a list is stored behind its length, and a struct is stored field by field, as `fields` of
// artifact_fields.hpp names them. The reader checks every value against the bytes that are there before it uses the
// value.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

#include "runtime/artifact_fields.hpp"

namespace rnnc::runtime {

static_assert(std::endian::native == std::endian::little, "artifacts are read and written as they lie in memory");

struct Damaged : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class T>
struct IsList : std::false_type {};
template <class T>
struct IsList<std::vector<T>> : std::true_type {};
template <>
struct IsList<std::string> : std::true_type {};

template <class T>
struct IsVariant : std::false_type {};
template <class... T>
struct IsVariant<std::variant<T...>> : std::true_type {};

class Writer {
 public:
  explicit Writer(std::vector<std::byte>& bytes) : bytes_(bytes) {}

  template <class T>
  void operator()(const T& value) {
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
      raw(&value, sizeof value);
    } else if constexpr (IsList<T>::value) {
      list(std::span(value.data(), value.size()));
    } else if constexpr (IsVariant<T>::value) {
      (*this)(static_cast<std::uint8_t>(value.index()));
      std::visit(*this, value);
    } else {
      std::apply([this](const auto&... each) { ((*this)(each), ...); }, fields(value));
    }
  }

  template <class T>
  void list(std::span<const T> values) {
    (*this)(std::uint64_t{values.size()});
    if constexpr (std::is_trivially_copyable_v<T> && !std::is_class_v<T>) {
      raw(values.data(), values.size_bytes());
    } else {
      for (const T& each : values) (*this)(each);
    }
  }

 private:
  void raw(const void* data, std::size_t size) {
    if (size == 0) return;
    const std::size_t begin = bytes_.size();
    bytes_.resize(begin + size);
    std::memcpy(bytes_.data() + begin, data, size);
  }
  std::vector<std::byte>& bytes_;
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <class T>
  void operator()(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      std::uint8_t byte = 0;
      raw(&byte, 1);
      value = byte != 0;
    } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
      raw(&value, sizeof value);
    } else if constexpr (IsList<T>::value) {
      list(value);
    } else if constexpr (IsVariant<T>::value) {
      alternative(value);
    } else {
      std::apply([this](auto&... each) { ((*this)(each), ...); }, fields(value));
    }
  }

  bool at_end() const { return bytes_.empty(); }

 private:
  template <class... T>
  void alternative(std::variant<T...>& value) {
    std::uint8_t index = 0;
    (*this)(index);
    if (index >= sizeof...(T)) throw Damaged("an alternative that there is not");
    std::uint8_t i = 0;
    ((i++ == index ? (*this)(value.template emplace<T>()) : void()), ...);
  }

  // An element takes at least one byte, so a length that is larger than the rest of the file is refused before memory
  // is taken for it.
  template <class List>
  void list(List& values) {
    using T = typename List::value_type;
    std::uint64_t size = 0;
    (*this)(size);
    constexpr bool kPlain = std::is_trivially_copyable_v<T> && !std::is_class_v<T>;
    if (size > bytes_.size() / (kPlain ? sizeof(T) : 1)) throw Damaged("a length is beyond the end");
    if constexpr (kPlain) {
      values.resize(size);
      raw(values.data(), size * sizeof(T));
    } else {
      for (std::uint64_t i = 0; i < size; ++i) (*this)(values.emplace_back());
    }
  }

  void raw(void* data, std::size_t size) {
    if (size > bytes_.size()) throw Damaged("it ends too early");
    if (size > 0) std::memcpy(data, bytes_.data(), size);
    bytes_ = bytes_.subspan(size);
  }
  std::span<const std::byte> bytes_;
};

}  // namespace rnnc::runtime
