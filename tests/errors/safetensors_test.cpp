// The safetensors reader and writer meet legal files made by hand, and every way in which a file can be wrong.
#include <rnnc/tensor_files.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "tests/errors/file_bytes.hpp"
#include "tests/support/small_disk.hpp"

namespace rnnc {
namespace {

using test::bytes_of;
using test::check_error;
using test::read_text;
using test::SmallDisk;
using test::TemporaryFolder;
using test::write_text;

std::string file_of(const std::string& header, const std::string& data = "") {
  return test::little_endian<std::uint64_t>(header.size()) + header + data;
}

Result<TensorMap> parse(const std::string& content, const FileLimits& limits = {}) {
  return parse_safetensors(bytes_of(content), "w.safetensors", limits);
}

/// The message for a header whose data is `data_bytes` zeros, without the name of the file.
void check_header(const std::string& header, ErrorCode code, const std::string& message, std::size_t data_bytes = 0) {
  INFO(header);
  check_error(parse(file_of(header, std::string(data_bytes, '\0'))), code, "w.safetensors: " + message);
}

std::string text(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()};
}

// 1.0f and -2.0f, then one u8: written down byte by byte, not by our writer.
const std::string kTwoFloats("\x00\x00\x80\x3f\x00\x00\x00\xc0", 8);
const std::string kSmall =
    file_of(R"({"__metadata__":{"format":"pt"},"b":{"dtype":"U8","shape":[],"data_offsets":[8,9]},)"
            R"("a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}  )",
            kTwoFloats + "\x05");

TEST_CASE("safetensors: a file made by hand is read") {
  const auto tensors = parse(kSmall);
  REQUIRE(tensors.ok());
  REQUIRE(tensors->size() == 2);
  CHECK(tensors->at("a").type == ElementType::F32);
  CHECK(tensors->at("a").shape == Shape{1, 2});
  CHECK(tensors->at("a").to_f32() == std::vector<float>{1, -2});
  CHECK(tensors->at("b").type == ElementType::U8);
  CHECK(tensors->at("b").shape == Shape{});
  CHECK(tensors->at("b").to_f32() == std::vector<float>{5});
}

TEST_CASE("safetensors: unaligned data, empty tensors and names of any kind are legal") {
  const auto tensors = parse(file_of(R"({"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                     R"("\u00e9\n":{"dtype":"F32","shape":[2],"data_offsets":[1,9]},)"
                                     R"("none":{"dtype":"F64","shape":[16777216,16777216,16777216,0],)"
                                     R"("data_offsets":[1,1]},"end":{"dtype":"I8","shape":[0],"data_offsets":[9,9]}})",
                                     "\x05" + kTwoFloats));
  REQUIRE(tensors.ok());
  CHECK(tensors->at("\xc3\xa9\n").to_f32() == std::vector<float>{1, -2});
  CHECK(tensors->at("").to_f32() == std::vector<float>{5});
  CHECK(tensors->at("none").elements() == 0);
  CHECK(tensors->at("none").shape.size() == 4);
  CHECK(tensors->contains("end"));
  CHECK(parse(file_of("{}")).value().empty());
  CHECK(parse(file_of(R"({"__metadata__":{}})")).value().empty());
}

TEST_CASE("safetensors: every type of the list is read") {
  for (const auto& [dtype, size] : std::vector<std::pair<std::string, int>>{{"F64", 8},
                                                                            {"F32", 4},
                                                                            {"F16", 2},
                                                                            {"BF16", 2},
                                                                            {"I64", 8},
                                                                            {"I32", 4},
                                                                            {"I16", 2},
                                                                            {"I8", 1},
                                                                            {"U64", 8},
                                                                            {"U32", 4},
                                                                            {"U16", 2},
                                                                            {"U8", 1},
                                                                            {"BOOL", 1}}) {
    const auto tensors = parse(
        file_of(R"({"w":{"dtype":")" + dtype + R"(","shape":[3],"data_offsets":[0,)" + std::to_string(3 * size) + "]}}",
                std::string(3 * static_cast<std::size_t>(size), '\0')));
    REQUIRE(tensors.ok());
    CHECK(name(tensors->at("w").type) == dtype);
  }
}

TEST_CASE("safetensors: a file cut anywhere is an error, and no changed byte does harm") {
  test::damage_everywhere(kSmall, [](const std::string& content) { return parse(content); });
}

TEST_CASE("safetensors: a size that does not fit the file is an error") {
  check_error(parse("abc"), ErrorCode::InvalidData,
              "w.safetensors: the file has 3 bytes, but the size of a safetensors header alone takes 8; "
              "copy the file again");
  check_error(parse(std::string(8, '\xff') + "{}"), ErrorCode::InvalidData,
              "w.safetensors: the header should have 18446744073709551615 bytes, but 2 follow; "
              "the file is cut short or no safetensors file");
  check_error(parse(file_of("")), ErrorCode::InvalidData,
              "w.safetensors: the header does not begin with \"{\"; this is no safetensors file, or a damaged one");
  check_error(
      parse(file_of("{}", "x")), ErrorCode::InvalidData,
      "w.safetensors: the tensors take 0 bytes, but 1 follow the header; remove the rest or save the file again");
  check_header(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", ErrorCode::InvalidData,
               "the tensors take 8 bytes, but 7 follow the header; the file is cut short: copy it again", 7);
}

TEST_CASE("safetensors: a header that is no JSON is an error with its place") {
  const auto invalid = ErrorCode::InvalidData;
  const std::string not_an_object =
      "the header does not begin with \"{\"; this is no safetensors file, or a damaged one";
  check_header(" {}", invalid, not_an_object);
  check_header("[]", invalid, not_an_object);
  check_header("\xef\xbb\xbf{}", invalid, not_an_object);
  check_header("{", invalid, "the header is not valid JSON at its byte 2; save or copy the file again");
  check_header("{} x", invalid, "the header is not valid JSON at its byte 4; save or copy the file again");
  check_header("{}{}", invalid, "the header is not valid JSON at its byte 3; save or copy the file again");
  check_header(std::string("{}\0", 3), invalid,
               "the header is not valid JSON at its byte 3; save or copy the file again");
  check_header("{\"a\xff\":{}}", invalid, "the header is not valid UTF-8 at its byte 4; save or copy the file again");
  check_header(R"({"w":{"shape":[1e999]}})", invalid,
               "the header is not valid JSON at its byte 20; save or copy the file again");
}

TEST_CASE("safetensors: a key that stands twice is an error") {
  const std::string entry = R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  check_header(R"({"w":)" + entry + R"(,"w":)" + entry + "}", ErrorCode::InvalidData,
               "header: key \"w\" stands there twice; keep one");
  check_header(R"({"__metadata__":{},"__metadata__":{}})", ErrorCode::InvalidData,
               "header: key \"__metadata__\" stands there twice; keep one");
  check_header(R"({"w":{"dtype":"U8","dtype":"U8"}})", ErrorCode::InvalidData,
               "tensor \"w\": key \"dtype\" stands there twice; keep one");
  check_header(R"({"__metadata__":{"a":"1","a":"2"}})", ErrorCode::InvalidData,
               "__metadata__: key \"a\" stands there twice; keep one");
}

TEST_CASE("safetensors: an entry of the wrong form is an error that names the tensor") {
  const auto invalid = ErrorCode::InvalidData;
  check_header(R"({"w":5})", invalid, "tensor \"w\": must be an object, not a number; save the file again");
  check_header(R"({"w":[{}]})", invalid, "tensor \"w\": must be an object, not an array; save the file again");
  check_header(R"({"w":{"dtype":4}})", invalid,
               "tensor \"w\": dtype must be a string, not a number; save the file again");
  check_header(R"({"w":{"dtype":null}})", invalid,
               "tensor \"w\": dtype must be a string, not null; save the file again");
  check_header(R"({"w":{"shape":{}}})", invalid,
               "tensor \"w\": shape must be an array, not an object; save the file again");
  check_header(R"({"w":{"shape":[-1]}})", invalid,
               "tensor \"w\": shape must hold whole numbers of at least 0, not a negative number; save the file again");
  check_header(R"({"w":{"shape":[1.5]}})", invalid,
               "tensor \"w\": shape must hold whole numbers of at least 0, not a fraction or a number past 2^64; "
               "save the file again");
  check_header(R"({"w":{"data_offsets":"0"}})", invalid,
               "tensor \"w\": data_offsets must be an array, not a string; save the file again");
  check_header(R"({"w":{"data_offsets":[0,true]}})", invalid,
               "tensor \"w\": data_offsets must hold whole numbers of at least 0, not a boolean; save the file again");
  for (const char* offsets : {"[0]", "[]", "[0,1,2]"}) {
    check_header(std::string(R"({"w":{"data_offsets":)") + offsets + "}}", invalid,
                 "tensor \"w\": data_offsets must be two numbers, begin and end; save the file again");
  }
  check_header(R"({"w":{"dtype":"F8_E5M2"}})", invalid,
               "tensor \"w\": dtype \"F8_E5M2\" is not one of F64 F32 F16 BF16 I64 I32 I16 I8 U64 U32 U16 U8 BOOL; "
               "convert the tensor and save it again");
  check_header(R"({"w":{"strides":[1]}})", invalid,
               "tensor \"w\": unknown key \"strides\"; an entry has dtype, shape and data_offsets only");
  check_header(R"({"w":{"dtype":"U8","data_offsets":[0,0]}})", invalid,
               "tensor \"w\": shape is missing; save the file again");
  check_header(R"({"w":{}})", invalid, "tensor \"w\": dtype is missing; save the file again");
  check_header(R"({"w":{"dtype":"U8","shape":[]}})", invalid,
               "tensor \"w\": data_offsets is missing; save the file again");
  check_header(R"({"__metadata__":{"a":1}})", invalid,
               "__metadata__: every value must be a string, not a number; save the file again");
  check_header(R"({"__metadata__":"a"})", invalid,
               "__metadata__: must be an object, not a string; save the file again");
}

TEST_CASE("safetensors: a long or broken name is shown short and escaped") {
  check_header(R"({")" + std::string(100, 'n') + R"(":5})", ErrorCode::InvalidData,
               "tensor \"" + std::string(80, 'n') + "...\": must be an object, not a number; save the file again");
  check_header(R"({"\u001b\u00e9":5})", ErrorCode::InvalidData,
               "tensor \"\\u001b\\u00e9\": must be an object, not a number; save the file again");
}

TEST_CASE("safetensors: offsets that disagree with shape or neighbours are an error") {
  const auto invalid = ErrorCode::InvalidData;
  check_header(R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,20]}})", invalid,
               "tensor \"w\": shape [2,3] of F32 needs 24 bytes, but data_offsets [0,20] hold 20; "
               "correct the shape or save the file again",
               20);
  check_header(R"({"w":{"dtype":"U8","shape":[2],"data_offsets":[2,0]}})", invalid,
               "tensor \"w\": data_offsets [2,0] end before they begin; save the file again", 2);
  check_header(R"({"w":{"dtype":"F64","shape":[16777216,16777216,16777216],"data_offsets":[0,0]}})", invalid,
               "tensor \"w\": shape [16777216,16777216,16777216] of F64 needs more than 2^64 bytes; correct the shape");
  const std::string a = R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)";
  check_header(a + R"("b":{"dtype":"U8","shape":[2],"data_offsets":[5,7]}})", invalid,
               "tensor \"b\" begins at byte 5, but tensor \"a\" before it ends at 4: that leaves a hole; "
               "save the file again",
               7);
  check_header(a + R"("b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}})", invalid,
               "tensor \"b\" begins at byte 3, but tensor \"a\" before it ends at 4: that overlaps; "
               "save the file again",
               5);
  check_header(a + R"("b":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}})", invalid,
               "tensor \"b\" begins at byte 2, but tensor \"a\" before it ends at 4: that overlaps; "
               "save the file again",
               4);
  check_header(R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", invalid,
               "tensor \"w\" begins at byte 1, but the data begins at 0: that leaves a hole; save the file again", 2);
}

TEST_CASE("safetensors: each limit is named when it is passed") {
  const auto limit = ErrorCode::Limit;
  check_header(R"({"w":{"shape":[1,1,1,1,1,1,1,1,1]}})", limit,
               "tensor \"w\": shape has more than the limit of 8 dimensions; reshape it");
  check_header(R"({"w":{"shape":[16777217]}})", limit,
               "tensor \"w\": shape has a dimension of 16777217, more than the limit of 16777216; split it");
  FileLimits limits;
  limits.max_file_bytes = 9;
  check_error(parse(file_of("{}"), limits), limit,
              "w.safetensors: the file has 10 bytes, more than the limit of 9; raise the limit or split the file");
  limits = {};
  limits.max_header_bytes = 1;
  check_error(parse(file_of("{}"), limits), limit,
              "w.safetensors: the header has 2 bytes, more than the limit of 1; raise the limit or split the file");
  limits = {};
  limits.max_nesting = 2;
  check_error(parse(kSmall, limits), limit,
              "w.safetensors: tensor \"b\": objects and arrays nest deeper than the limit of 2; raise it");
  // A header of nothing but brackets is refused at the first, whatever its depth.
  check_header(R"({"w":{"shape":)" + std::string(1'000'000, '[') + "}}", ErrorCode::InvalidData,
               "tensor \"w\": shape must hold whole numbers of at least 0, not an array; save the file again");
}

TEST_CASE("safetensors: a file that cannot be read is an error that names it") {
  const TemporaryFolder folder;
  const std::string missing = folder / "no.safetensors";
  check_error(load_safetensors(missing), ErrorCode::File,
              missing + ": cannot open it: No such file or directory; check the path");
  check_error(load_safetensors(folder.path()), ErrorCode::File,
              folder.path() + ": cannot read it: it is a folder; name a file in it");
  const std::string large = folder / "large";
  write_text(large, "");
  std::filesystem::resize_file(large, std::uintmax_t{3} << 30);  // sparse: nothing is read or allocated
  check_error(load_safetensors(large), ErrorCode::Limit,
              large +
                  ": the file has 3221225472 bytes, more than the limit of 2147483648; "
                  "raise the limit or split the file");
  FileLimits limits;
  limits.max_file_bytes = 100;
  check_error(load_safetensors("/dev/zero", limits), ErrorCode::Limit,
              "/dev/zero: the file has at least 1048576 bytes, more than the limit of 100; "
              "raise the limit or split the file");
}

TensorMap sample() {
  TensorMap tensors;
  tensors["a.flag"] = {ElementType::Bool, {3}, std::vector<std::byte>(3, std::byte{1})};
  tensors["b \"quoted\" \xc3\xa9"] = Tensor::from_f32({2, 2}, {1, 2, 3, 4});
  tensors["c"] = {ElementType::F64, {}, std::vector<std::byte>(8, std::byte{7})};
  tensors["empty"] = {ElementType::BF16, {0, 5}, {}};
  return tensors;
}

TEST_CASE("safetensors: what is written is read back") {
  const TemporaryFolder folder;
  const std::string path = folder / "w.safetensors";
  REQUIRE(save_safetensors(path, sample(), {{"made by", "a test"}}).ok());
  const TensorMap tensors = load_safetensors(path).value();
  REQUIRE(tensors.size() == 4);
  for (const auto& [name, tensor] : sample()) {
    REQUIRE(tensors.contains(name));
    CHECK(tensors.at(name).type == tensor.type);
    CHECK(tensors.at(name).shape == tensor.shape);
    CHECK(text(tensors.at(name)) == text(tensor));
  }
  REQUIRE(save_safetensors(path, {}).ok());
  CHECK(read_text(path) == file_of("{}      "));
}

TEST_CASE("safetensors: the written bytes are the format's") {
  const TemporaryFolder folder;
  const std::string path = folder / "w.safetensors";
  TensorMap tensors;
  tensors["flag"] = {ElementType::U8, {1}, {std::byte{9}}};
  tensors["w"] = Tensor::from_f32({2}, {1, -2});
  REQUIRE(save_safetensors(path, tensors, {{"k", "v"}}).ok());
  std::string header = R"({"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                       R"("flag":{"dtype":"U8","shape":[1],"data_offsets":[8,9]}})";
  header.append(7 - (header.size() + 7) % 8, ' ');
  CHECK(read_text(path) == file_of(header, kTwoFloats + "\x09"));
}

TEST_CASE("safetensors: what cannot be written is an error and leaves no file") {
  const TemporaryFolder folder;
  const std::string path = folder / "w.safetensors";
  const Tensor one = Tensor::from_f32({1}, {1});
  check_error(save_safetensors(path, {{"__metadata__", one}}), ErrorCode::InvalidData,
              path + ": a tensor cannot be named __metadata__; choose another name");
  check_error(save_safetensors(path, {{"a\xff", one}}), ErrorCode::InvalidData,
              path + ": the name of a tensor or a text of the metadata is not valid UTF-8; correct it");
  check_error(save_safetensors(path, {{"a", {ElementType::F32, {2}, one.bytes}}}), ErrorCode::InvalidData,
              path + ": tensor \"a\": shape [2] of F32 needs 8 bytes, but it has 4; make bytes and shape agree");
  check_error(save_safetensors(path, {{"a", {ElementType::F32, {-1}, {}}}}), ErrorCode::InvalidData,
              path + ": tensor \"a\": shape [-1] has a negative dimension; write it again");
  check_error(save_safetensors(path, {{"a", {ElementType::F32, Shape(9, 1), one.bytes}}}), ErrorCode::Limit,
              path + ": tensor \"a\" has 9 dimensions, more than the limit of 8; reshape it");
  check_error(save_safetensors(path, {{"a", {ElementType::U8, {0, 1 << 25}, {}}}}), ErrorCode::Limit,
              path +
                  ": tensor \"a\": shape [0,33554432] has a dimension of 33554432, more than the limit of 16777216; "
                  "split it");
  CHECK(folder.names().empty());
}

TEST_CASE("writing into a place that is not there is an error") {
  const TemporaryFolder folder;
  const std::string missing = folder / "no";
  check_error(save_safetensors(missing + "/w", sample()), ErrorCode::File,
              missing + "/w: cannot create a file in \"" + missing + "\": No such file or directory; check the path");
  const std::string file = folder / "file";
  write_text(file, "old");
  check_error(save_safetensors(file + "/w", sample()), ErrorCode::File,
              file + "/w: cannot write it: Not a directory; a part of the path is a file, not a folder");
  check_error(save_safetensors(folder.path(), sample()), ErrorCode::File,
              folder.path() + ": cannot write it: it is a folder; name a file in it");
  CHECK(read_text(file) == "old");
  CHECK(folder.names() == std::set<std::string>{"file"});
}

TEST_CASE("a disk that fills up leaves the old file and nothing else") {
  const TemporaryFolder folder;
  const std::string path = folder / "w";
  const Tensor large = Tensor::from_f32({5000}, std::vector<float>(5000));
  for (const bool there : {false, true}) {
    if (there) write_text(path, "old");
    Result<void> result;
    {
      const SmallDisk disk(4096);
      result = save_safetensors(path, {{"w", large}});
    }
    check_error(result, ErrorCode::File,
                path + ": cannot write it: File too large; free some space or choose another place");
    CHECK(folder.names() == (there ? std::set<std::string>{"w"} : std::set<std::string>{}));
    CHECK(read_text(path) == (there ? "old" : ""));
  }
  check_error(save_npy("/dev/full", large), ErrorCode::File,
              "/dev/full: cannot write it: No space left on device; free some space or choose another place");
}

TEST_CASE("a written file replaces the old one, keeps its permissions and follows a link") {
  const TemporaryFolder folder;
  const std::string path = folder / "w", link = folder / "link";
  write_text(path, std::string(10'000, 'x'));
  using std::filesystem::perms;
  std::filesystem::permissions(path, perms::owner_read | perms::owner_write | perms::group_read);
  std::filesystem::create_symlink("w", link);
  REQUIRE(save_safetensors(link, {}).ok());
  CHECK(read_text(path) == file_of("{}      "));
  CHECK(std::filesystem::is_symlink(link));
  CHECK(std::filesystem::status(path).permissions() == (perms::owner_read | perms::owner_write | perms::group_read));
  CHECK(folder.names() == std::set<std::string>{"w", "link"});
}

TEST_CASE("devices, pipes and inherited descriptors are written directly") {
  const TemporaryFolder folder;
  CHECK(save_safetensors("/dev/null", sample()).ok());
  CHECK(std::filesystem::is_character_file("/dev/null"));

  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  CHECK(save_safetensors("/dev/fd/" + std::to_string(ends[1]), {}).ok());
  char got[64];
  CHECK(::read(ends[0], got, sizeof got) == 16);
  CHECK(std::string(got, 16) == file_of("{}      "));
  ::close(ends[0]);
  ::close(ends[1]);

  const std::string log = folder / "log";
  const int descriptor = ::open(log.c_str(), O_WRONLY | O_CREAT, 0600);
  REQUIRE(::write(descriptor, "head", 4) == 4);
  CHECK(save_safetensors("/proc/self/fd/" + std::to_string(descriptor), {}).ok());
  CHECK(read_text(log) == "head" + file_of("{}      "));
  ::close(descriptor);
  const std::string closed = "/dev/fd/" + std::to_string(descriptor);
  check_error(save_safetensors(closed, {}), ErrorCode::File, closed + ": cannot open it to write: Bad file descriptor");
}

}  // namespace
}  // namespace rnnc
