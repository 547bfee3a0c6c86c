#include "compiler/object/object_sizes.hpp"

#include <llvm/BinaryFormat/ELF.h>
#include <llvm/Object/ELFObjectFile.h>
#include <llvm/Support/DataExtractor.h>

#include "ir/check.hpp"

namespace rnnc::compiler {
namespace {

template <class T>
T expect(llvm::Expected<T> value) {
  if (!value) ir::internal_error(nullptr, "reading generated code: " + llvm::toString(value.takeError()));
  return std::move(*value);
}

// The section has for each function its address, which the linker fills in, and its bytes of stack as a LEB128.
std::int64_t stack_of(llvm::StringRef section, bool is_little, std::uint8_t address_bytes) {
  const llvm::DataExtractor data(section, is_little, address_bytes);
  std::int64_t sum = 0;
  for (std::uint64_t at = 0; at < section.size();) {
    at += address_bytes;
    sum += static_cast<std::int64_t>(data.getULEB128(&at));
  }
  return sum;
}

}  // namespace

ObjectSizes sizes_of(std::span<const std::byte> object) {
  const llvm::StringRef bytes(reinterpret_cast<const char*>(object.data()), object.size());
  const auto file = expect(llvm::object::ObjectFile::createELFObjectFile({bytes, "rnnc"}));
  ObjectSizes sizes;
  for (const llvm::object::SectionRef& each : file->sections()) {
    const llvm::object::ELFSectionRef section(each);
    const bool is_loaded = (section.getFlags() & llvm::ELF::SHF_ALLOC) != 0;
    if (is_loaded && (section.getFlags() & llvm::ELF::SHF_WRITE) == 0)
      sizes.read_only_bytes += static_cast<std::int64_t>(section.getSize());
    if (expect(section.getName()) == ".stack_sizes")
      sizes.stack_bytes += stack_of(expect(section.getContents()), file->isLittleEndian(), file->getBytesInAddress());
  }
  return sizes;
}

}  // namespace rnnc::compiler
