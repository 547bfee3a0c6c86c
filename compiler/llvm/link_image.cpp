#include "compiler/llvm/link_image.hpp"

#include <llvm/BinaryFormat/ELF.h>
#include <llvm/Object/ELFObjectFile.h>
#include <llvm/Support/MathExtras.h>

#include <cstring>
#include <map>
#include <string>

#include "ir/check.hpp"

namespace rnnc::compiler {
namespace {

using llvm::object::ELF64LEObjectFile;
using llvm::object::ELFRelocationRef;
using llvm::object::ELFSectionRef;
using llvm::object::ELFSymbolRef;
using llvm::object::SectionRef;
using llvm::object::SymbolRef;

[[noreturn]] void fail(const std::string& message) {
  ir::internal_error(nullptr, "linking generated code: " + message);
}

// The compiler made the object itself, so that a failure here is a bug.
template <class T>
T expect(llvm::Expected<T> value) {
  if (!value) fail(llvm::toString(value.takeError()));
  return std::move(*value);
}

// Tells whether a relocation asks for the 32-bit distance from its own place.
bool is_distance(Arch arch, std::uint64_t type) {
  switch (arch) {
    case Arch::X86_64: return type == llvm::ELF::R_X86_64_PC32 || type == llvm::ELF::R_X86_64_PLT32;
    case Arch::AArch64:
    case Arch::Wasm32:
    case Arch::Thumb7em:
    case Arch::Thumb81m:
    case Arch::Arm7a:
    case Arch::RiscV64:
    case Arch::RiscV32: return false;  // they have no images
  }
  return false;
}

class Linker {
 public:
  Linker(Arch arch, const ELF64LEObjectFile& object) : arch_(arch), object_(object) {}

  runtime::CodeImage run() {
    place(false);
    image_.code_begin = llvm::alignTo(image_.bytes.size(), runtime::kImagePage);
    image_.bytes.resize(image_.code_begin);
    place(true);
    for (const SectionRef& section : object_.sections()) relocate(section);
    image_.run = entry(runtime::kRunSymbol);
    image_.prepare = entry(runtime::kPrepareSymbol);
    return std::move(image_);
  }

 private:
  // Tables for unwinding are left out, since no frame of generated code is ever unwound.
  bool is_placed(const ELFSectionRef& section) const {
    return (section.getFlags() & llvm::ELF::SHF_ALLOC) != 0 && expect(section.getName()) != ".eh_frame";
  }

  void place(bool code) {
    for (const SectionRef& each : object_.sections()) {
      const ELFSectionRef section(each);
      if (!is_placed(section) || section.isText() != code || section.getSize() == 0) continue;
      if ((section.getFlags() & llvm::ELF::SHF_WRITE) != 0) fail("a writable section");
      const llvm::StringRef content = expect(section.getContents());
      const std::size_t begin = llvm::alignTo(image_.bytes.size(), section.getAlignment().value());
      image_.bytes.resize(begin + content.size());
      std::memcpy(image_.bytes.data() + begin, content.data(), content.size());
      places_[section.getIndex()] = begin;
    }
  }

  std::uint64_t address(const SymbolRef& symbol) const {
    const auto section = expect(symbol.getSection());
    const auto found = section == object_.section_end() ? places_.end() : places_.find(section->getIndex());
    if (found == places_.end()) fail("undefined symbol " + expect(symbol.getName()).str());
    return found->second + expect(symbol.getValue());
  }

  void relocate(const SectionRef& table) {
    const auto target = expect(table.getRelocatedSection());
    const auto place = target == object_.section_end() ? places_.end() : places_.find(target->getIndex());
    if (place == places_.end()) return;
    for (const ELFRelocationRef relocation : table.relocations()) {
      const std::uint64_t at = place->second + relocation.getOffset();
      const std::uint64_t to = address(*relocation.getSymbol());
      const auto addend = static_cast<std::uint64_t>(expect(relocation.getAddend()));
      fill(relocation.getType(), at, static_cast<std::int64_t>(to + addend - at));
    }
  }

  void fill(std::uint64_t type, std::uint64_t at, std::int64_t distance) {
    if (!is_distance(arch_, type)) fail("relocation type " + std::to_string(type));
    const auto value = static_cast<std::int32_t>(distance);
    if (value != distance || at + sizeof value > image_.bytes.size()) fail("a relocation out of reach");
    std::memcpy(image_.bytes.data() + at, &value, sizeof value);
  }

  std::uint64_t entry(const char* name) const {
    for (const SymbolRef& symbol : object_.symbols())
      if (expect(symbol.getName()) == name) return address(symbol);
    fail(std::string("no symbol ") + name);
  }

  Arch arch_;
  const ELF64LEObjectFile& object_;
  runtime::CodeImage image_;
  std::map<std::uint64_t, std::uint64_t> places_;  // the offset of each section in the image
};

}  // namespace

runtime::CodeImage link_image(Arch arch, std::span<const std::byte> object) {
  if (!facts(arch).has_images) fail(std::string("no images of code for ") + facts(arch).name);
  const llvm::StringRef bytes(reinterpret_cast<const char*>(object.data()), object.size());
  const ELF64LEObjectFile file = expect(ELF64LEObjectFile::create({bytes, "rnnc"}));
  return Linker(arch, file).run();
}

}  // namespace rnnc::compiler
