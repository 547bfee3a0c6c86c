// The layouts are those of the HDF5 File Format Specification 3.0, sections IV.A.1 (headers) and IV.A.2 (messages).
#include "import/hdf5_messages.hpp"

#include <algorithm>

namespace rnnc::files {
namespace {

constexpr std::size_t kMostDims = 32;  // the format's limit

struct Block {
  std::uint64_t address, bytes;
};

void read_messages(Hdf5Cursor cursor, int version, bool has_order, std::vector<Hdf5Header::Part>& parts,
                   std::vector<Block>& more, std::uint64_t& budget) {
  const std::uint64_t head = version == 1 ? 8 : has_order ? 6 : 4;
  while (cursor.left() >= head) {
    const auto type = static_cast<Hdf5Message>(cursor.number(version == 1 ? 2 : 1));
    const std::uint64_t bytes = cursor.number(2), flags = cursor.number(1);
    cursor.skip(head - (version == 1 ? 5 : 4));
    const auto content = cursor.take(bytes);
    if (budget == 0) cursor.damaged("the number of messages");
    --budget;
    Hdf5Cursor own = cursor.at(static_cast<std::uint64_t>(content.data() - cursor.whole().data()), bytes);
    if (type == Hdf5Message::Continuation) {
      const std::uint64_t address = own.address();
      more.push_back({address, own.number(8)});
    } else if ((flags & 2) == 0) {  // a message that is shared lies elsewhere; it is as if it were not there
      parts.push_back({type, own});
    }
  }
}

}  // namespace

const Hdf5Cursor* Hdf5Header::find(Hdf5Message type) const {
  for (const Part& part : parts)
    if (part.type == type) return &part.content;
  return nullptr;
}

Hdf5Header read_hdf5_header(const Hdf5Cursor& file, std::uint64_t address, std::uint64_t& budget) {
  Hdf5Header header;
  std::vector<Block> blocks;
  Hdf5Cursor cursor = file.at(address);
  const bool is_new = cursor.left() >= 4 && file.at(address).text(4) == "OHDR";
  bool has_order = false;
  if (is_new) {
    cursor.skip(5);
    const std::uint64_t flags = cursor.number(1);
    has_order = (flags & 4) != 0;
    cursor.skip(((flags & 0x20) != 0 ? 16 : 0) + ((flags & 0x10) != 0 ? 4 : 0));
    const std::uint64_t bytes = cursor.number(std::size_t{1} << (flags & 3));
    const auto content = cursor.take(bytes);
    blocks.push_back({static_cast<std::uint64_t>(content.data() - cursor.whole().data()), bytes});
  } else {
    if (cursor.number(1) != 1) cursor.damaged("the header of an object");
    cursor.skip(7);
    const std::uint64_t bytes = cursor.number(4);
    blocks.push_back({address + 16, bytes});
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto [begin, bytes] = blocks[i];
    Hdf5Cursor block = file.at(begin, bytes);
    if (is_new && i > 0) {  // a continuation has a signature and a checksum of its own
      block.expect("OCHK", "the header of an object");
      if (block.left() < 4) block.damaged("the header of an object");
      block = file.at(begin + 4, bytes - 8);
    }
    read_messages(block, is_new ? 2 : 1, has_order, header.parts, blocks, budget);
  }
  return header;
}

std::optional<Shape> read_dataspace(Hdf5Cursor cursor) {
  const std::uint64_t version = cursor.number(1), rank = cursor.number(1);
  cursor.skip(1);
  if ((version != 1 && version != 2) || rank > kMostDims) cursor.damaged("a shape");
  const std::uint64_t kind = version == 2 ? cursor.number(1) : 0;
  if (version == 1) cursor.skip(5);
  if (version == 2 && kind == 2) return std::nullopt;
  Shape shape;
  for (std::uint64_t i = 0; i < rank; ++i) {
    const std::uint64_t dim = cursor.number(8);
    if (dim > (std::uint64_t{1} << 62)) cursor.damaged("a shape");
    shape.push_back(static_cast<std::int64_t>(dim));
  }
  return shape;
}

Hdf5Type read_datatype(Hdf5Cursor cursor) {
  const std::uint64_t kind = cursor.number(1) & 0xf, bits = cursor.number(3), bytes = cursor.number(4);
  const bool big_endian = (bits & 1) != 0;
  Hdf5Type type;
  if (kind == 0 && !big_endian) {
    const bool is_signed = (bits & 8) != 0;
    if (cursor.number(2) != 0 || cursor.number(2) != 8 * bytes) return type;
    if (bytes == 1) type.element = is_signed ? ElementType::I8 : ElementType::U8;
    if (bytes == 2) type.element = is_signed ? ElementType::I16 : ElementType::U16;
    if (bytes == 4) type.element = is_signed ? ElementType::I32 : ElementType::U32;
    if (bytes == 8) type.element = is_signed ? ElementType::I64 : ElementType::U64;
  } else if (kind == 1 && !big_endian) {
    const std::uint64_t offset = cursor.number(2), precision = cursor.number(2);
    cursor.skip(1);
    const std::uint64_t exponent = cursor.number(1);
    cursor.skip(1);
    const std::uint64_t mantissa = cursor.number(1);
    if (offset != 0 || precision != 8 * bytes) return type;
    if (bytes == 2 && exponent == 5 && mantissa == 10) type.element = ElementType::F16;
    if (bytes == 2 && exponent == 8 && mantissa == 7) type.element = ElementType::BF16;
    if (bytes == 4 && exponent == 8 && mantissa == 23) type.element = ElementType::F32;
    if (bytes == 8 && exponent == 11 && mantissa == 52) type.element = ElementType::F64;
  } else if (kind == 3) {
    type.text_bytes = bytes;
  } else if (kind == 9) {
    type.variable_text = (bits & 0xf) == 1;
  }
  return type;
}

namespace {

// A text of any length lies in a collection of the global heap, of which an object has a number.
std::string read_heap_text(const Hdf5Cursor& file, Hdf5Cursor reference) {
  const std::uint64_t bytes = reference.number(4), address = reference.address(), wanted = reference.number(4);
  Hdf5Cursor heap = file.at(address);
  heap.expect("GCOL", "the heap of texts");
  heap.skip(4);
  const std::uint64_t all = heap.number(8);
  heap = file.at(address, all);
  heap.skip(16);
  while (heap.left() >= 16) {
    const std::uint64_t number = heap.number(2);
    heap.skip(6);
    const std::uint64_t size = heap.number(8);
    if (number == 0) break;  // free space ends a collection
    if (number == wanted) return heap.text(std::min(bytes, size));
    heap.skip(size);
    heap.align(8);
  }
  file.damaged("a text");
}

}  // namespace

Hdf5Text read_text_attribute(const Hdf5Cursor& file, Hdf5Cursor cursor) {
  const std::uint64_t version = cursor.number(1);
  if (version < 1 || version > 3) cursor.unknown("attributes of version " + std::to_string(version));
  const bool is_shared = version > 1 && (cursor.number(1) & 3) != 0;
  if (version == 1) cursor.skip(1);
  const std::uint64_t name_bytes = cursor.number(2), type_bytes = cursor.number(2), space_bytes = cursor.number(2);
  if (version == 3) cursor.skip(1);
  const auto padded = [&](std::uint64_t bytes) { return version == 1 ? (bytes + 7) / 8 * 8 : bytes; };
  const auto part = [&](std::uint64_t bytes) {
    const auto taken = cursor.take(padded(bytes));
    return file.at(static_cast<std::uint64_t>(taken.data() - file.whole().data()), bytes);
  };
  Hdf5Text text{part(name_bytes).text(name_bytes), std::nullopt};
  const Hdf5Cursor type_part = part(type_bytes), space_part = part(space_bytes);
  if (is_shared) return text;
  const Hdf5Type type = read_datatype(type_part);
  const std::optional<Shape> shape = read_dataspace(space_part);
  if (!shape || !shape->empty()) return text;
  if (type.text_bytes > 0) text.value = cursor.text(type.text_bytes);
  if (type.variable_text) text.value = read_heap_text(file, cursor);
  return text;
}

}  // namespace rnnc::files
