// The .npz reader meets files of NumPy, files made by hand, and the ways in which one can be wrong.
#include <rnnc/import.hpp>
#include <rnnc/tensor_files.hpp>

#include <string>
#include <vector>

#include "import/inflate.hpp"
#include "tests/errors/file_bytes.hpp"

namespace rnnc {
namespace {

using test::bytes_of;
using test::check_error;
using test::little_endian;

Result<TensorMap> parse(const std::string& content, const FileLimits& limits = {}) {
  return parse_npz(bytes_of(content), "w.npz", limits);
}

std::string npy_file(const std::string& descr, const std::string& shape, const std::string& data) {
  const std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + "}";
  return std::string("\x93NUMPY\x01\0", 8) + little_endian(static_cast<std::uint16_t>(header.size())) + header + data;
}

// CRC-32 bit by bit, as the reader's table must be.
std::uint32_t checksum_of(const std::string& text) {
  std::uint32_t value = ~0u;
  for (const char character : text) {
    value ^= static_cast<unsigned char>(character);
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xedb88320u : 0u);
  }
  return ~value;
}

struct Entry {
  std::string name, content, packed = {};
  std::uint16_t method = 0, flags = 0;
  std::string extra = {};  // of the local header, as NumPy has one there
};

std::string zip_file(const std::vector<Entry>& entries, const std::string& comment = "") {
  std::string file, directory;
  for (const Entry& entry : entries) {
    const std::string& packed = entry.method == 0 ? entry.content : entry.packed;
    const std::string fields = little_endian(entry.flags) + little_endian(entry.method) + std::string(4, '\0') +
                               little_endian(checksum_of(entry.content)) +
                               little_endian(static_cast<std::uint32_t>(packed.size())) +
                               little_endian(static_cast<std::uint32_t>(entry.content.size())) +
                               little_endian(static_cast<std::uint16_t>(entry.name.size()));
    directory += std::string("PK\1\2\x14\0\x14\0", 8) + fields + std::string(12, '\0') +
                 little_endian(static_cast<std::uint32_t>(file.size())) + entry.name;
    file += std::string("PK\3\4\x14\0", 6) + fields + little_endian(static_cast<std::uint16_t>(entry.extra.size())) +
            entry.name + entry.extra + packed;
  }
  const auto count = little_endian(static_cast<std::uint16_t>(entries.size()));
  return file + directory + std::string("PK\5\6\0\0\0\0", 8) + count + count +
         little_endian(static_cast<std::uint32_t>(directory.size())) +
         little_endian(static_cast<std::uint32_t>(file.size())) +
         little_endian(static_cast<std::uint16_t>(comment.size())) + comment;
}

const std::string kBytes = npy_file("|u1", "(2,3)", "\1\2\3\4\5\6");

// zlib.compressobj(9, zlib.DEFLATED, -15) of bytes(1000)
const std::string kZeros("\x63\x60\x18\x05\xa3\x60\x14\x0c\x77\x00\x00", 11);

TEST_CASE("npz: arrays are read by name") {
  const std::string extra("\1\0\x10\0", 4);
  const TensorMap tensors = parse(zip_file({{"Wi.npy", kBytes, "", 0, 0, extra + std::string(16, '\0')},
                                            {"layer/b.npy", npy_file("<f4", "(1,)", std::string("\0\0\xc0?", 4))}},
                                           "a comment"))
                                .value();
  CHECK(tensors.size() == 2);
  CHECK(tensors.at("Wi").shape == Shape{2, 3});
  CHECK(tensors.at("Wi").to_f32() == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(tensors.at("layer/b").to_f32() == std::vector<float>{1.5f});
  CHECK(parse(zip_file({})).value().empty());
  CHECK(format_of(bytes_of(zip_file({{"a.npy", kBytes}}))) == FileFormat::Zip);
}

TEST_CASE("npz: a state_dict of numpy.savez is a model") {
  const std::string file = zip_file({{"rnn.weight_ih_l0.npy", npy_file("<f4", "(1,1)", std::string("\0\0\x80?", 4))},
                                     {"rnn.weight_hh_l0.npy", npy_file("<f4", "(1,1)", std::string("\0\0\0@", 4))}});
  const Imported imported = import_model(bytes_of(file)).value();
  CHECK(imported.model.text() == "network model {\n  input x : seq f32[1]\n\n  l0 = rnn<H=1>(x)\n  output l0\n}\n");
  CHECK(imported.weights.at("l0.U").to_f32() == std::vector<float>{2});
}

TEST_CASE("npz: compressed arrays are read where there is zlib, and refused in words elsewhere") {
  std::string zeros(1000, '\0');
  const Entry entry{"z.npy", npy_file("|u1", "(1000,)", zeros), "", 8, 0, ""};
  const std::string header = entry.content.substr(0, entry.content.size() - zeros.size());
  // A stored block of deflate, and behind it the packed zeros.
  const auto size = static_cast<std::uint16_t>(header.size());
  const std::string block = '\0' + little_endian(size) + little_endian(static_cast<std::uint16_t>(~size)) + header;
  const auto with = [&](const std::string& packed) {
    Entry changed = entry;
    changed.packed = packed;
    return zip_file({changed});
  };
  if (!files::can_inflate()) {
    check_error(
        parse(with(block + kZeros)), ErrorCode::Unsupported,
        "w.npz: \"z.npy\": is compressed, and this rnnc was built without zlib; save with numpy.savez, or build "
        "with zlib");
    return;
  }
  CHECK(parse(with(block + kZeros)).value().at("z").to_f32() == std::vector<float>(1000, 0));
  const std::string damaged = "w.npz: \"z.npy\": cannot be unpacked; the file is damaged: copy it again";
  check_error(parse(with(block + kZeros.substr(0, 5))), ErrorCode::InvalidData, damaged);
  check_error(parse(with(block + kZeros + "more")), ErrorCode::InvalidData, damaged);
  check_error(parse(with(block + kZeros.substr(0, 2) + "\xff" + kZeros.substr(3))), ErrorCode::InvalidData, damaged);
}

TEST_CASE("npz: what is wrong is said with its entry") {
  const auto check = [](const std::string& file, const std::string& message, ErrorCode code = ErrorCode::InvalidData) {
    check_error(parse(file), code, "w.npz: " + message);
  };
  const std::string good = zip_file({{"a.npy", kBytes}}),
                    misfit =
                        "the directory of this zip file and its content do not fit each other; copy or write it again";
  check(good.substr(0, good.size() - 1), "this zip file has no directory at its end; it is cut short: copy it again");
  check(zip_file({{"a.npy", kBytes}, {"a.npy", kBytes}}), "\"a.npy\": stands there twice; keep one");
  check(zip_file({{"a.txt", "text"}}), "\"a.txt\": is no array; a .npz file of numpy.savez has arrays alone",
        ErrorCode::Unsupported);
  check(zip_file({{"m/data.pkl", "text"}}),
        "this is a file of torch.save: a program in pickle, which rnnc never runs; save the state_dict with "
        "safetensors.torch.save_file",
        ErrorCode::Unsupported);
  check(zip_file({{"a.npy", kBytes, "", 0, 1, ""}}), "\"a.npy\": is encrypted; write the file without a password",
        ErrorCode::Unsupported);
  check(zip_file({{"a.npy", kBytes, kBytes, 14, 0, ""}}),
        "\"a.npy\": is packed by method 14; only what is stored or deflated can be read", ErrorCode::Unsupported);
  std::string changed = good;
  changed[good.find("\1\2\3\4\5\6")] = '\7';
  check(changed, "\"a.npy\": has another checksum than the file says; it is damaged: copy it again");
  changed = good;
  changed[good.rfind("PK\1\2") + 42] = '\1';  // where the entry begins
  check(changed, "\"a.npy\": " + misfit);
  changed = good;
  changed[good.rfind("PK\1\2") + 24] = '\1';  // its size
  check(changed, "\"a.npy\": " + misfit);
  changed = good;
  changed[good.rfind("PK\5\6") + 16] = '\1';  // where the directory begins
  check(changed, misfit);
  changed = good;
  changed[good.rfind("PK\5\6") + 4] = '\1';
  check(changed, "this zip file has several parts, or is of the kind for more than 4 GiB; write it in one part",
        ErrorCode::Unsupported);
  // Unpacked, the entries of a small file could take any memory if they shared their bytes.
  std::string shared = zip_file({{"a.npy", npy_file("|u1", "(1000,)", std::string(1000, 'x'))}, {"b.npy", ""}});
  const std::size_t first = shared.find("PK\1\2"), second = shared.rfind("PK\1\2");
  shared.replace(second + 16, 12, shared.substr(first + 16, 12));  // checksum and sizes
  shared.replace(second + 42, 4, std::string(4, '\0'));            // where it begins
  check(shared, "\"b.npy\": " + misfit);
  check_error(parse(zip_file({{"a.npy", kBytes}}), {.max_file_bytes = 50}), ErrorCode::Limit,
              "w.npz: unpacked, the file has more than the limit of 50 bytes; raise the limit");
  const auto inside = parse(zip_file({{"a.npy", "no array"}}));
  REQUIRE_FALSE(inside.ok());
  CHECK(inside.error().to_string().starts_with("w.npz, \"a.npy\": this is no .npy file"));
}

TEST_CASE("npz: a file that is cut or changed anywhere is read or refused") {
  test::damage_everywhere(zip_file({{"a.npy", kBytes}, {"b.npy", npy_file("<f2", "()", "ab")}}),
                          [](const std::string& file) { return parse(file); });
}

}  // namespace
}  // namespace rnnc
