// The layouts are those of the HDF5 File Format Specification 3.0, sections II (superblock), III.A, III.C and III.D
// (groups). Groups are kept in two ways: a tree of tables of symbols, whose names are in a heap, or messages of links.
#include "import/hdf5.hpp"

#include <set>
#include <vector>

#include "import/file_error.hpp"
#include "import/hdf5_cursor.hpp"
#include "import/hdf5_messages.hpp"
#include "import/refusal.hpp"
#include "import/tensor_size.hpp"

namespace rnnc::files {
namespace {

constexpr std::uint64_t kNowhere = ~std::uint64_t{0};  // the address of what is not there
constexpr int kMostDepth = 32;                         // of groups and of trees
// Names and texts may be shared by many objects of a small file, so that they are bounded by themselves.
constexpr std::size_t kMostPath = 512, kMostTexts = 64;

class ObjectReader {
 public:
  ObjectReader(std::span<const std::byte> content, std::string_view file, const FileLimits& limits)
      : file_(content, file), limits_(limits), bytes_(content.size()), budget_(content.size() / 4) {}

  Hdf5File run() {
    const std::uint64_t root = find_root();
    object("", root, 0);
    return std::move(found_);
  }

 private:
  std::uint64_t find_root() {
    Hdf5Cursor cursor = file_;
    cursor.skip(8);
    const std::uint64_t version = cursor.number(1);
    if (version > 3) cursor.unknown("a superblock of version " + std::to_string(version));
    if (version < 2) cursor.skip(4);
    if (cursor.number(1) != 8 || cursor.number(1) != 8) cursor.unknown("addresses that have not 8 bytes");
    cursor.skip(version < 2 ? 1 + 2 + 2 + 4 : 1);
    if (version == 1) cursor.skip(4);
    if (cursor.address() != 0) cursor.unknown("a block of the user's in front");
    cursor.skip(version < 2 ? 3 * 8 + 8 : 2 * 8);  // behind it, in the older versions, the name of the root
    return cursor.address();
  }

  void visit(std::uint64_t address) {
    if (!visited_.insert(address).second) file_.damaged("a part that stands in two places");
  }

  void object(const std::string& path, std::uint64_t address, int depth) {
    if (depth > kMostDepth || path.size() > kMostPath) file_.damaged("the depth of groups");
    visit(address);
    const Hdf5Header header = read_hdf5_header(file_, address, budget_);
    if (path.empty())
      for (const auto& [type, content] : header.parts)
        if (type == Hdf5Message::Attribute) {
          if (++attributes_ > kMostTexts) file_.damaged("the number of attributes");
          Hdf5Text text = read_text_attribute(file_, content);
          if (text.value) found_.texts[text.name] = std::move(*text.value);
        }
    const std::string folder = path.empty() ? "" : path + "/";
    if (const Hdf5Cursor* table = header.find(Hdf5Message::SymbolTable)) {
      Hdf5Cursor cursor = *table;
      const std::uint64_t tree = cursor.address();
      symbols(folder, tree, cursor.address(), depth);
    }
    if (const Hdf5Cursor* info = header.find(Hdf5Message::LinkInfo)) {
      Hdf5Cursor cursor = *info;
      cursor.skip(1);
      cursor.skip((cursor.number(1) & 1) != 0 ? 8 : 0);
      if (cursor.address() != kNowhere) cursor.unknown("a group whose links are in a heap (libver='latest')");
    }
    for (const auto& [type, content] : header.parts)
      if (type == Hdf5Message::Link) link(folder, content, depth);
    if (header.find(Hdf5Message::Layout) != nullptr) dataset(path, header);
  }

  void symbols(const std::string& folder, std::uint64_t tree, std::uint64_t heap, int depth) {
    Hdf5Cursor cursor = file_.at(heap);
    cursor.expect("HEAP", "the heap of names");
    cursor.skip(4);
    const std::uint64_t bytes = cursor.number(8);
    cursor.skip(8);
    const Hdf5Cursor names = file_.at(cursor.address(), bytes);
    nodes(folder, tree, names, depth, 0);
  }

  void nodes(const std::string& folder, std::uint64_t address, const Hdf5Cursor& names, int depth, int level) {
    if (level > kMostDepth) file_.damaged("the depth of a tree");
    visit(address);
    Hdf5Cursor cursor = file_.at(address);
    if (cursor.left() >= 4 && file_.at(address).text(4) == "SNOD") return leaf(folder, cursor, names, depth);
    cursor.expect("TREE", "a tree of names");
    if (cursor.number(1) != 0) cursor.damaged("a tree of names");
    cursor.skip(1);
    const std::uint64_t count = cursor.number(2);
    cursor.skip(2 * 8 + 8);  // the neighbours, and the first name
    for (std::uint64_t i = 0; i < count; ++i) {
      nodes(folder, cursor.address(), names, depth, level + 1);
      cursor.skip(8);
    }
  }

  void leaf(const std::string& folder, Hdf5Cursor cursor, const Hdf5Cursor& names, int depth) {
    cursor.skip(6);
    const std::uint64_t count = cursor.number(2);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t name = cursor.address(), address = cursor.address(), kind = cursor.number(4);
      cursor.skip(4 + 16);
      Hdf5Cursor own = names;
      own.skip(name);
      const std::string path = folder + own.text_within(kMostPath);
      if (kind == 2) cursor.unknown("a symbolic link, " + in_quotes(path));
      object(path, address, depth + 1);
    }
  }

  void link(const std::string& folder, Hdf5Cursor cursor, int depth) {
    cursor.skip(1);
    const std::uint64_t flags = cursor.number(1), kind = (flags & 8) != 0 ? cursor.number(1) : 0;
    cursor.skip(((flags & 4) != 0 ? 8 : 0) + ((flags & 16) != 0 ? 1 : 0));
    const std::uint64_t bytes = cursor.number(std::size_t{1} << (flags & 3));
    if (bytes > kMostPath) cursor.damaged("a name");
    const std::string path = folder + cursor.text(bytes);
    if (kind != 0) cursor.unknown("a symbolic or external link, " + in_quotes(path));
    object(path, cursor.address(), depth + 1);
  }

  void dataset(const std::string& path, const Hdf5Header& header) {
    Hdf5Dataset& found = found_.datasets[path];
    const Hdf5Cursor *space = header.find(Hdf5Message::Dataspace), *type = header.find(Hdf5Message::Datatype);
    if (space == nullptr || type == nullptr) {
      found.unreadable = "has no type or shape of its own";
      return;
    }
    const std::optional<Shape> shape = read_dataspace(*space);
    const std::optional<ElementType> element = read_datatype(*type).element;
    if (!shape || !element) {
      found.unreadable = "is of a type that no tensor has";
      return;
    }
    found.tensor.type = *element;
    found.tensor.shape = *shape;
    const Result<std::uint64_t> bytes = tensor_bytes(*element, *shape, limits_, file_.file(), in_quotes(path));
    if (!bytes) throw Refusal{bytes.error()};
    Hdf5Cursor layout = *header.find(Hdf5Message::Layout);
    const std::uint64_t version = layout.number(1), kind = layout.number(1);
    if (version != 3 && version != 4) {
      found.unreadable = "has a layout of version " + std::to_string(version) + ", which is not read";
    } else if (kind == 0) {
      found.tensor.bytes = layout.take(layout.number(2));
    } else if (kind == 1) {
      const std::uint64_t address = layout.address(), held = layout.number(8);
      if (address != kNowhere || held > 0) found.tensor.bytes = file_.at(address, held).take(held);
    } else {
      found.unreadable = "is stored in chunks, which are not read; save it without chunks and compression";
    }
    // Tensors that share their bytes would be as many times in memory as they are read.
    if ((total_ += found.tensor.bytes.size()) > bytes_) file_.damaged("the place of a dataset");
    if (found.unreadable.empty() && found.tensor.bytes.size() != *bytes)
      invalid(file_.file(), in_quotes(path),
              "has " + std::to_string(found.tensor.bytes.size()) + " bytes but its shape needs " +
                  std::to_string(*bytes) + "; save the model again");
  }

  Hdf5Cursor file_;
  const FileLimits& limits_;
  std::uint64_t bytes_, total_ = 0;  // of the file and of all datasets
  std::uint64_t budget_;             // of messages
  std::size_t attributes_ = 0;
  std::set<std::uint64_t> visited_;
  Hdf5File found_;
};

}  // namespace

Hdf5File read_hdf5(std::span<const std::byte> content, std::string_view file, const FileLimits& limits) {
  return ObjectReader(content, file, limits).run();
}

}  // namespace rnnc::files
