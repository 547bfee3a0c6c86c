// The header of an object in an HDF5 file becomes the list of its messages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <rnnc/tensor.hpp>
#include "import/hdf5_cursor.hpp"

namespace rnnc::files {

/// The types of messages that are read; a header may have others.
enum class Hdf5Message : std::uint16_t {
  Dataspace = 0x1,
  LinkInfo = 0x2,
  Datatype = 0x3,
  Link = 0x6,
  Layout = 0x8,
  Attribute = 0xc,
  Continuation = 0x10,
  SymbolTable = 0x11,
};

struct Hdf5Header {
  struct Part {
    Hdf5Message type;
    Hdf5Cursor content;
  };
  std::vector<Part> parts;

  const Hdf5Cursor* find(Hdf5Message type) const;
};

/// Reads the messages of the object at an address, in either of the two versions of headers. Each message takes one
/// from `budget`, which cannot run out where no two objects share messages.
Hdf5Header read_hdf5_header(const Hdf5Cursor& file, std::uint64_t address, std::uint64_t& budget);

/// Reads a message of the dims; a scalar has none. Nothing where the dataset is said to have no elements at all.
std::optional<Shape> read_dataspace(Hdf5Cursor cursor);

struct Hdf5Type {
  std::optional<ElementType> element;  // where it is a number that Tensor has
  std::uint64_t text_bytes = 0;        // where it is a text of a fixed size
  bool variable_text = false;          // where it is a text that lies in the global heap
};

Hdf5Type read_datatype(Hdf5Cursor cursor);

/// Reads the text of an attribute's message, with its name. Nothing where it is no single text.
struct Hdf5Text {
  std::string name;
  std::optional<std::string> value;
};
Hdf5Text read_text_attribute(const Hdf5Cursor& file, Hdf5Cursor cursor);

}  // namespace rnnc::files
