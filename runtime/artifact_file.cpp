#include "runtime/artifact_file.hpp"

#include <bit>
#include <cstring>
#include <stdexcept>
#include <type_traits>

#include <rnnc/version.hpp>

namespace rnnc::runtime {
namespace {

static_assert(std::endian::native == std::endian::little, "artifacts are read and written as they lie in memory");

// "rnncart" and the number of the format: it counts changes of what follows and of KernelArguments.
constexpr char kMagic[8] = {'r', 'n', 'n', 'c', 'a', 'r', 't', 1};
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

struct Damaged : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The fields of a struct, in one order for writing and reading: `visit` takes each in turn.
template <class T, class Visitor>
void fields(T& value, Visitor&& visit) requires std::is_same_v<std::remove_const_t<T>, TensorInfo> {
  visit(value.name), visit(value.shape);
}
template <class T, class Visitor>
void fields(T& value, Visitor&& visit) requires std::is_same_v<std::remove_const_t<T>, StateInfo> {
  visit(value.tensor), visit(value.doubled), visit(value.offset), visit(value.size);
}
template <class T, class Visitor>
void fields(T& value, Visitor&& visit) requires std::is_same_v<std::remove_const_t<T>, VectorPacking> {
  visit(value.param), visit(value.offset), visit(value.size);
}
template <class T, class Visitor>
void fields(T& value, Visitor&& visit) requires std::is_same_v<std::remove_const_t<T>, MatrixPiece> {
  visit(value.param), visit(value.row), visit(value.column), visit(value.rows), visit(value.first_row),
      visit(value.gate);
}
template <class T, class Visitor>
void fields(T& value, Visitor&& visit) requires std::is_same_v<std::remove_const_t<T>, PanelPacking> {
  visit(value.offset), visit(value.units), visit(value.columns), visit(value.gates), visit(value.lanes),
      visit(value.together), visit(value.tail_gates), visit(value.pieces);
}
template <class T, class Visitor>
void fields(T& value, Visitor&& visit) requires std::is_same_v<std::remove_const_t<T>, Description> {
  visit(value.cell), visit(value.cpu), visit(value.inputs), visit(value.params), visit(value.states);
  visit(value.output), visit(value.input_size), visit(value.output_size), visit(value.doubled_row);
  visit(value.in_place_row), visit(value.sequence_row), visit(value.step_row), visit(value.chunk_rows);
  visit(value.weights_size), visit(value.flops_per_step), visit(value.recurrent_bytes), visit(value.step_stages);
  visit(value.shared_bytes), visit(value.row_seconds), visit(value.weights_seconds), visit(value.block_groups),
      visit(value.vectors), visit(value.panels);
}
template <class T, class Visitor>
void fields(T& value, Visitor&& visit) requires std::is_same_v<std::remove_const_t<T>, CodeImage> {
  visit(value.code_begin), visit(value.run), visit(value.prepare), visit(value.bytes);
}
template <class T, class Visitor>
void fields(T& value, Visitor&& visit) requires std::is_same_v<std::remove_const_t<T>, StoredArtifact> {
  visit(value.key), visit(value.features), visit(value.description), visit(value.image);
}

template <class T>
struct IsList : std::false_type {};
template <class T>
struct IsList<std::vector<T>> : std::true_type {};
template <>
struct IsList<std::string> : std::true_type {};

class Writer {
 public:
  explicit Writer(std::vector<std::byte>& bytes) : bytes_(bytes) {}

  template <class T>
  void operator()(const T& value) {
    if constexpr (std::is_arithmetic_v<T>) {
      raw(&value, sizeof value);
    } else if constexpr (IsList<T>::value) {
      list(std::span(value.data(), value.size()));
    } else {
      fields(value, *this);
    }
  }

  template <class T>
  void list(std::span<const T> values) {
    (*this)(std::uint64_t{values.size()});
    if constexpr (std::is_trivially_copyable_v<T> && !std::is_class_v<T>) {
      raw(values.data(), values.size_bytes());
    } else {
      for (const T& each : values) (*this)(each);
    }
  }

 private:
  void raw(const void* data, std::size_t size) {
    if (size == 0) return;
    const std::size_t begin = bytes_.size();
    bytes_.resize(begin + size);
    std::memcpy(bytes_.data() + begin, data, size);
  }
  std::vector<std::byte>& bytes_;
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <class T>
  void operator()(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      std::uint8_t byte = 0;
      raw(&byte, 1);
      value = byte != 0;
    } else if constexpr (std::is_arithmetic_v<T>) {
      raw(&value, sizeof value);
    } else if constexpr (IsList<T>::value) {
      list(value);
    } else {
      fields(value, *this);
    }
  }

  bool at_end() const { return bytes_.empty(); }

 private:
  // An element takes a byte at least, so that no length asks for more memory than the file's size justifies.
  template <class List>
  void list(List& values) {
    using T = typename List::value_type;
    std::uint64_t size = 0;
    (*this)(size);
    constexpr bool kPlain = std::is_trivially_copyable_v<T> && !std::is_class_v<T>;
    if (size > bytes_.size() / (kPlain ? sizeof(T) : 1)) throw Damaged("a length is beyond the end");
    if constexpr (kPlain) {
      values.resize(size);
      raw(values.data(), size * sizeof(T));
    } else {
      for (std::uint64_t i = 0; i < size; ++i) (*this)(values.emplace_back());
    }
  }

  void raw(void* data, std::size_t size) {
    if (size > bytes_.size()) throw Damaged("it ends too early");
    if (size > 0) std::memcpy(data, bytes_.data(), size);
    bytes_ = bytes_.subspan(size);
  }
  std::span<const std::byte> bytes_;
};

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

}  // namespace

std::vector<std::byte> write_artifact(const StoredArtifact& artifact, std::span<const float> weights) {
  std::vector<std::byte> bytes(sizeof(Header));
  Writer writer(bytes);
  writer(artifact);
  writer.list(weights);
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  std::memcpy(header.version, kVersion, std::strlen(kVersion));
  header.kernel_arguments = sizeof(KernelArguments);
  const auto payload = std::span<const std::byte>(bytes).subspan(sizeof header);
  header.payload_bytes = payload.size();
  header.checksum = checksum(payload);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

Result<StoredArtifact> read_artifact(std::span<const std::byte> content, std::string_view file) try {
  if (const auto header = read_header(content, file); !header) return header.error();
  StoredArtifact artifact;
  Reader reader(content.subspan(sizeof(Header)));
  reader(artifact);
  reader(artifact.weights);
  if (!reader.at_end()) throw Damaged("there is something after its end");
  return artifact;
} catch (const Damaged& error) {
  return refuse(ErrorCode::InvalidData, file, std::string("the artifact is damaged: ") + error.what());
}

}  // namespace rnnc::runtime
