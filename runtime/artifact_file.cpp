#include "runtime/artifact_file.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include <rnnc/version.hpp>

#include "runtime/archive.hpp"
#include "runtime/artifact_fields.hpp"
#include "runtime/check_description.hpp"
#include "runtime/check_network.hpp"

namespace rnnc::runtime {
namespace {

// "rnncart" and the number of the format: it counts changes of what follows and of KernelArguments.
constexpr char kMagic[8] = {'r', 'n', 'n', 'c', 'a', 'r', 't', 3};
constexpr std::size_t kVersionBytes = 16;

struct Header {
  char magic[8];
  char version[kVersionBytes];
  std::uint64_t kernel_arguments;  // bytes: code and runtime must agree on them
  std::uint64_t payload_bytes;
  std::uint64_t checksum;  // of the payload
};

// Four sums side by side, as one would wait for each multiplication. It finds accidents; it keeps no enemy out.
std::uint64_t checksum(std::span<const std::byte> bytes) {
  constexpr std::uint64_t kPrime = 0x100000001b3u, kStart = 0xcbf29ce484222325u;
  std::uint64_t sums[4] = {kStart, kStart + 1, kStart + 2, kStart + 3};
  const auto add = [&](std::size_t lane, std::uint64_t word) {
    sums[lane] = std::rotl((sums[lane] ^ word) * kPrime, 29);
  };
  std::size_t i = 0;
  for (; i + 32 <= bytes.size(); i += 32)
    for (std::size_t lane = 0; lane < 4; ++lane) {
      std::uint64_t word;
      std::memcpy(&word, bytes.data() + i + 8 * lane, sizeof word);
      add(lane, word);
    }
  for (; i < bytes.size(); ++i) add(i % 4, std::to_integer<std::uint64_t>(bytes[i]));
  std::uint64_t all = bytes.size();
  for (const std::uint64_t sum : sums) all = std::rotl((all ^ sum) * kPrime, 31);
  return all;
}

Error refuse(ErrorCode code, std::string_view file, const std::string& message) {
  return {code, {std::string(file)}, message, {}};
}

Result<Header> read_header(std::span<const std::byte> content, std::string_view file) {
  Header header;
  if (content.size() < sizeof header || std::memcmp(content.data(), kMagic, sizeof kMagic - 1) != 0)
    return refuse(ErrorCode::InvalidData, file, "this is no artifact of rnnc; make one with `rnnc compile -o m.rnnc`");
  std::memcpy(&header, content.data(), sizeof header);
  char version[kVersionBytes] = {};
  std::memcpy(version, kVersion, std::strlen(kVersion));
  if (header.magic[7] != kMagic[7] || std::memcmp(header.version, version, kVersionBytes) != 0 ||
      header.kernel_arguments != sizeof(KernelArguments))
    return refuse(
        ErrorCode::Unsupported, file,
        "the artifact was made by another version of rnnc; compile the model again with rnnc " + std::string(kVersion));
  const auto payload = content.subspan(sizeof header);
  if (payload.size() != header.payload_bytes || checksum(payload) != header.checksum)
    return refuse(ErrorCode::InvalidData, file, "the artifact is damaged; compile the model again");
  return header;
}

// What follows the header.
enum Kind : std::uint8_t { kCell, kNetwork };

// The header of what follows it in `bytes`, into the room that is kept for it.
void put_header(std::vector<std::byte>& bytes) {
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  std::memcpy(header.version, kVersion, std::strlen(kVersion));
  header.kernel_arguments = sizeof(KernelArguments);
  const auto payload = std::span<const std::byte>(bytes).subspan(sizeof header);
  header.payload_bytes = payload.size();
  header.checksum = checksum(payload);
  std::memcpy(bytes.data(), &header, sizeof header);
}

template <class Write>
std::vector<std::byte> write(Kind kind, Write write_payload) {
  std::vector<std::byte> bytes(sizeof(Header));
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

std::vector<std::byte> seal_artifact(std::span<const std::byte> payload) {
  std::vector<std::byte> bytes(sizeof(Header) + payload.size());
  std::ranges::copy(payload, bytes.begin() + sizeof(Header));
  put_header(bytes);
  return bytes;
}

Result<AnyArtifact> read_artifact(std::span<const std::byte> content, std::string_view file) try {
  if (const auto header = read_header(content, file); !header) return header.error();
  Reader reader(content.subspan(sizeof(Header)));
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
  return refuse(ErrorCode::InvalidData, file, std::string("the artifact is damaged: ") + error.what());
}

}  // namespace rnnc::runtime
