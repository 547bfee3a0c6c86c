// This file writes the header of an artifact and checks one: format, version, and a checksum of the content behind it.
#include "runtime/artifact_header.hpp"

#include <bit>
#include <cstring>
#include <string>

#include <rnnc/version.hpp>

#include "runtime/artifact.hpp"

namespace rnnc::runtime {
namespace {

// The magic number is "rnncart" and the number of the format, which grows with every change of the content or of
// KernelArguments.
constexpr char kMagic[8] = {'r', 'n', 'n', 'c', 'a', 'r', 't', 6};
constexpr std::size_t kVersionBytes = 16;

struct Header {
  char magic[8];
  char version[kVersionBytes];
  std::uint64_t kernel_arguments;  // bytes: code and runtime must agree on them
  std::uint64_t payload_bytes;
  std::uint64_t checksum;  // of the payload
};

// Four sums run side by side, since each multiplication of one sum waits for the one before. The checksum finds
// accidental damage; it is no protection against an attacker.
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
  return {code, {std::string(file)}, message};
}

static_assert(sizeof(Header) == kArtifactHeaderBytes);

}  // namespace

Result<void> check_header(std::span<const std::byte> content, std::string_view file) {
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
  return {};
}

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

}  // namespace rnnc::runtime
