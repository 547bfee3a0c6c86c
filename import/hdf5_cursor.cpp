#include "import/hdf5_cursor.hpp"

#include <algorithm>

#include "import/refusal.hpp"

namespace rnnc::files {

Hdf5Cursor Hdf5Cursor::at(std::uint64_t address, std::uint64_t bytes) const {
  if (address > content_.size() || bytes > content_.size() - address) damaged("an address");
  Hdf5Cursor cursor(content_, file_);
  cursor.part_ = content_.subspan(address, bytes);
  return cursor;
}

Hdf5Cursor Hdf5Cursor::at(std::uint64_t address) const {
  if (address > content_.size()) damaged("an address");
  return at(address, content_.size() - address);
}

std::uint64_t Hdf5Cursor::number(std::size_t bytes) {
  std::uint64_t value = 0;
  const std::span<const std::byte> taken = take(bytes);
  for (std::size_t i = 0; i < bytes; ++i) value |= static_cast<std::uint64_t>(taken[i]) << (8 * i);
  return value;
}

std::span<const std::byte> Hdf5Cursor::take(std::uint64_t bytes) {
  if (bytes > left()) damaged("a size");
  const auto taken = part_.subspan(at_, bytes);
  at_ += bytes;
  return taken;
}

std::string Hdf5Cursor::text(std::uint64_t bytes) {
  const auto taken = take(bytes);
  const auto end = std::find(taken.begin(), taken.end(), std::byte{0});
  return {reinterpret_cast<const char*>(taken.data()), static_cast<std::size_t>(end - taken.begin())};
}

std::string Hdf5Cursor::text_within(std::uint64_t bytes) {
  const std::uint64_t looked = std::min(bytes, left());
  std::string found = text(looked);
  if (found.size() == looked) damaged("a name");
  return found;
}

void Hdf5Cursor::expect(std::string_view signature, const char* what) {
  const auto taken = take(signature.size());
  if (std::string_view(reinterpret_cast<const char*>(taken.data()), taken.size()) != signature) damaged(what);
}

void Hdf5Cursor::damaged(const char* what) const {
  invalid(file_, "",
          std::string("this HDF5 file is damaged or cut short: ") + what + " is wrong; copy or save it again");
}

void Hdf5Cursor::unknown(const std::string& what) const {
  unsupported(
      file_, "",
      "this HDF5 file has " + what + ", which is not read; save the model with Keras's or h5py's usual settings");
}

}  // namespace rnnc::files
