// This file implements State::save and State::restore: a header, then the row of each sequence as a session saves it.
#include <cstring>
#include <string>

#include "runtime/saved_row.hpp"

namespace rnnc {
namespace {

struct Header {
  char magic[8] = {'r', 'n', 'n', 'c', 's', 't', 'a', 't'};
  std::uint32_t version = 1;
  std::uint32_t reserved = 0;
  std::int64_t batch = 0;
};

Error wrong_data(const std::string& what) { return {ErrorCode::InvalidData, {}, "saved state: " + what}; }

}  // namespace

std::vector<std::byte> State::save() const {
  if (!content_) return {};
  Header header;
  header.batch = batch();
  std::vector<std::byte> bytes(sizeof header);
  std::memcpy(bytes.data(), &header, sizeof header);
  for (std::int64_t b = 0; b < batch(); ++b) runtime::save_row(*content_, b, bytes);
  return bytes;
}

Result<void> State::restore(std::span<const std::byte> saved) {
  if (!content_) return Error{ErrorCode::Usage, {}, "the state was moved from", {}};
  Header expected, header;
  expected.batch = batch();
  if (saved.size() < sizeof header) return wrong_data("it is cut short");
  std::memcpy(&header, saved.data(), sizeof header);
  if (std::memcmp(header.magic, expected.magic, sizeof header.magic) != 0 || header.version != expected.version ||
      header.reserved != 0)
    return wrong_data("not of version " + std::to_string(expected.version));
  if (header.batch != expected.batch)
    return wrong_data("of batch " + std::to_string(header.batch) + ", but this state is of batch " +
                      std::to_string(expected.batch));
  saved = saved.subspan(sizeof header);
  const std::size_t row = batch() == 0 ? 0 : runtime::saved_row_bytes(*content_);
  if (saved.size() != row * static_cast<std::size_t>(batch())) return wrong_data("its size does not fit the program");
  const auto part = [&](std::int64_t b) { return saved.subspan(static_cast<std::size_t>(b) * row, row); };
  for (std::int64_t b = 0; b < batch(); ++b)
    if (const Result<void> checked = runtime::check_saved_row(*content_, part(b)); !checked) return checked.error();
  for (std::int64_t b = 0; b < batch(); ++b) runtime::restore_row(*content_, b, part(b));
  return {};
}

}  // namespace rnnc
