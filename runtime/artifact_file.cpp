#include "runtime/artifact_file.hpp"

#include "runtime/archive.hpp"
#include "runtime/artifact_fields.hpp"
#include "runtime/artifact_header.hpp"
#include "runtime/check_description.hpp"
#include "runtime/check_network.hpp"

namespace rnnc::runtime {
namespace {

// What follows the header.
enum Kind : std::uint8_t { kCell, kNetwork };

template <class Write>
std::vector<std::byte> write(Kind kind, Write write_payload) {
  std::vector<std::byte> bytes(kArtifactHeaderBytes);
  Writer writer(bytes);
  writer(static_cast<std::uint8_t>(kind));
  write_payload(writer);
  put_header(bytes);
  return bytes;
}

}  // namespace

std::vector<std::byte> write_artifact(const StoredArtifact& artifact, std::span<const float> weights) {
  return write(kCell, [&](Writer& writer) {
    writer(artifact);
    writer.list(weights);
  });
}

std::vector<std::byte> write_artifact(const StoredNetwork& network) {
  return write(kNetwork, [&](Writer& writer) { writer(network); });
}

Result<AnyArtifact> read_artifact(std::span<const std::byte> content, std::string_view file) try {
  if (const auto checked = check_header(content, file); !checked) return checked.error();
  Reader reader(content.subspan(kArtifactHeaderBytes));
  std::uint8_t kind = 0;
  reader(kind);
  AnyArtifact result;
  if (kind == kCell) {
    StoredArtifact& artifact = result.emplace<StoredArtifact>();
    reader(artifact);
    reader(artifact.weights);
    check_description(artifact.description);
  } else if (kind == kNetwork) {
    StoredNetwork& network = result.emplace<StoredNetwork>();
    reader(network);
    for (const StoredCode& code : network.codes) check_description(code.description);
    check_network(network);
  } else {
    throw Damaged("it is neither of a cell nor of a network");
  }
  if (!reader.at_end()) throw Damaged("there is something after its end");
  return result;
} catch (const Damaged& error) {
  return Error{
      ErrorCode::InvalidData, {std::string(file)}, std::string("the artifact is damaged: ") + error.what(), {}};
}

}  // namespace rnnc::runtime
