#include "runtime/artifact_file.hpp"

#include "runtime/archive.hpp"
#include "runtime/artifact_header.hpp"
#include "runtime/check_description.hpp"
#include "runtime/check_program.hpp"

namespace rnnc::runtime {
namespace {

// The kinds of content that may follow the header.
enum Kind : std::uint8_t { kEntry, kProgram };

template <class Stored>
std::vector<std::byte> write(Kind kind, const Stored& stored) {
  std::vector<std::byte> bytes(kArtifactHeaderBytes);
  Writer writer(bytes);
  writer(static_cast<std::uint8_t>(kind));
  writer(stored);
  put_header(bytes);
  return bytes;
}

template <class Stored, class Check>
Result<Stored> read(Kind wanted, std::span<const std::byte> content, std::string_view file, const Check& check) try {
  const auto refuse = [&](const std::string& message) {
    return Error{ErrorCode::InvalidData, {std::string(file)}, message};
  };
  if (const auto checked = check_header(content, file); !checked) return checked.error();
  Reader reader(content.subspan(kArtifactHeaderBytes));
  std::uint8_t kind = 0;
  reader(kind);
  if (kind > kProgram) throw Damaged("it is of no kind that there is");
  if (kind != wanted)
    return refuse(wanted == kProgram ? "it is code of the cache, without weights; compile the model with -o m.rnnc"
                                     : "it is an artifact, and no code of the cache");
  Stored stored;
  reader(stored);
  check(stored);
  if (!reader.at_end()) throw Damaged("there is something after its end");
  return stored;
} catch (const Damaged& error) {
  return Error{ErrorCode::InvalidData, {std::string(file)}, std::string("the artifact is damaged: ") + error.what()};
}

}  // namespace

std::vector<std::byte> write_artifact(const StoredProgram& program) { return write(kProgram, program); }

std::vector<std::byte> write_entry(const StoredEntry& entry) { return write(kEntry, entry); }

Result<StoredProgram> read_artifact(std::span<const std::byte> content, std::string_view file) {
  return read<StoredProgram>(kProgram, content, file, [](const StoredProgram& program) {
    for (const StoredLevel& level : program.levels)
      for (const StoredCode& code : level.codes) check_description(code.description);
    check_program(program);
  });
}

Result<StoredEntry> read_entry(std::span<const std::byte> content, std::string_view file) {
  return read<StoredEntry>(kEntry, content, file,
                           [](const StoredEntry& entry) { check_description(entry.code.description); });
}

}  // namespace rnnc::runtime
