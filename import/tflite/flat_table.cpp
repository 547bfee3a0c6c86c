#include "import/tflite/flat_table.hpp"

#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

constexpr std::size_t kMostTables = 1 << 20;

}  // namespace

FlatTable FlatTable::root(std::string_view bytes, std::string_view file) {
  FlatTable before(bytes, file, 0);
  return {bytes, file, before.target_of(0)};
}

// A table begins with the distance to the list of its fields' places, which begins with its own size and the table's.
FlatTable::FlatTable(std::string_view bytes, std::string_view file, std::size_t at)
    : bytes_(bytes), file_(file), at_(at) {
  if (at == 0) return;
  const std::int64_t places = static_cast<std::int64_t>(at) - read<std::int32_t>(at);
  if (places < 0) need(bytes_.size(), 1);
  places_ = static_cast<std::size_t>(places);
  const std::size_t size = read<std::uint16_t>(places_);
  if (size < 4) need(bytes_.size(), 1);
  need(places_, size);
  fields_ = (size - 4) / 2;
  places_ += 4;
}

void FlatTable::need(std::size_t place, std::size_t size) const {
  if (size <= bytes_.size() && place <= bytes_.size() - size) return;
  invalid(file_, "",
          "it is cut short or damaged: it names a place behind its end, which is byte " +
              std::to_string(bytes_.size()) + "; convert the model again");
}

void FlatTable::too_many(std::size_t count) const {
  refuse(ErrorCode::Limit, file_, "", "it has a list of " + std::to_string(count) + " numbers where few are expected");
}

std::size_t FlatTable::place_of(std::size_t field) const {
  if (field >= fields_) return 0;
  const std::size_t offset = read<std::uint16_t>(places_ + 2 * field);
  return offset == 0 ? 0 : at_ + offset;
}

std::size_t FlatTable::target_of(std::size_t place) const {
  const std::size_t target = place + read<std::uint32_t>(place);
  need(target, 4);
  return target;
}

std::size_t FlatTable::count_of(std::size_t field, std::size_t size) const {
  const std::size_t place = place_of(field);
  if (place == 0) return 0;
  const std::size_t list = target_of(place), count = read<std::uint32_t>(list);
  need(list + 4, count * size);
  return count;
}

std::size_t FlatTable::first_of(std::size_t field) const { return target_of(place_of(field)) + 4; }

std::optional<FlatTable> FlatTable::table(std::size_t field) const {
  const std::size_t place = place_of(field);
  if (place == 0) return std::nullopt;
  return FlatTable(bytes_, file_, target_of(place));
}

std::vector<FlatTable> FlatTable::tables(std::size_t field) const {
  const std::size_t count = count_of(field, 4);
  if (count > kMostTables) too_many(count);
  std::vector<FlatTable> result;
  for (std::size_t i = 0; i < count; ++i)
    result.push_back(FlatTable(bytes_, file_, target_of(first_of(field) + 4 * i)));
  return result;
}

std::string_view FlatTable::bytes(std::size_t field) const {
  const std::size_t count = count_of(field, 1);
  return count == 0 ? std::string_view() : bytes_.substr(first_of(field), count);
}

}  // namespace rnnc::files
