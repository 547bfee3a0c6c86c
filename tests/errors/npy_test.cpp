// The .npy reader and writer meet files of NumPy 1.24 byte for byte, files made by hand, and every way in which one can
// be wrong.
#include <rnnc/tensor_files.hpp>

#include <string>

#include "tests/errors/file_bytes.hpp"

namespace rnnc {
namespace {

using test::bytes_of;
using test::check_error;
using test::little_endian;
using test::read_text;
using test::TemporaryFolder;

Result<Tensor> parse(const std::string& content, const FileLimits& limits = {}) {
  return parse_npy(bytes_of(content), "x.npy", limits);
}

/// A file with this header; version 1 has two bytes for its size, the later ones four.
std::string file_of(const std::string& header, const std::string& data = "", int major = 1) {
  const std::string size = major == 1 ? little_endian(static_cast<std::uint16_t>(header.size()))
                                      : little_endian(static_cast<std::uint32_t>(header.size()));
  return std::string("\x93NUMPY") + static_cast<char>(major) + '\0' + size + header + data;
}

/// The header of NumPy for `dict`: 118 bytes, which with the ten before them make 128.
std::string numpy_file(const std::string& dict, const std::string& data) {
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + dict + std::string(117 - dict.size(), ' ') + '\n' + data;
}

void check_header(const std::string& header, const std::string& message, ErrorCode code = ErrorCode::InvalidData,
                  const std::string& data = "") {
  INFO(header);
  check_error(parse(file_of(header, data)), code, "x.npy: " + message);
}

std::string with_descr(const std::string& descr) {
  return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (2,), }\n";
}

std::string with_shape(const std::string& shape) {
  return "{'descr': '|u1', 'fortran_order': False, 'shape': " + shape + ", }\n";
}

// numpy.save of array([[1.5, -2], [0.25, 3]], '<f4')
const std::string kMatrix = numpy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }",
                                       std::string("\x00\x00\xc0?\x00\x00\x00\xc0\x00\x00\x80>\x00\x00@@", 16));

TEST_CASE("npy: an array in Fortran order is read as the same array in C order") {
  // numpy.save of asfortranarray(arange(6, dtype='u1').reshape(2, 3)), and of arange(24, dtype='<i2').reshape(2, 3, 4)
  const Tensor matrix = parse(file_of("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }",
                                      std::string("\x00\x03\x01\x04\x02\x05", 6)))
                            .value();
  CHECK(matrix.shape == Shape{2, 3});
  CHECK(matrix.to_f32() == std::vector<float>{0, 1, 2, 3, 4, 5});
  std::string data;
  for (std::uint16_t k = 0; k < 4; ++k)
    for (std::uint16_t j = 0; j < 3; ++j)
      for (std::uint16_t i = 0; i < 2; ++i) data += little_endian(static_cast<std::uint16_t>(12 * i + 4 * j + k));
  const Tensor cube = parse(file_of("{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3, 4), }", data)).value();
  std::vector<float> wanted(24);
  for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = static_cast<float>(i);
  CHECK(cube.to_f32() == wanted);
  CHECK(parse(file_of("{'descr': '|u1', 'fortran_order': True, 'shape': (0, 3), }")).value().bytes.empty());
  check_header("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }",
               "the array: shape [2,3] of U8 needs 6 bytes, but 5 follow the header; the file is cut short: copy it "
               "again",
               ErrorCode::InvalidData, "abcde");
}

TEST_CASE("npy: files of NumPy are read") {
  const Tensor matrix = parse(kMatrix).value();
  CHECK(matrix.type == ElementType::F32);
  CHECK(matrix.shape == Shape{2, 2});
  CHECK(matrix.to_f32() == std::vector<float>{1.5f, -2.0f, 0.25f, 3.0f});

  const Tensor scalar = parse(numpy_file("{'descr': '<i8', 'fortran_order': False, 'shape': (), }",
                                         std::string("\x07\x00\x00\x00\x00\x00\x00\x00", 8)))
                            .value();
  CHECK(scalar.type == ElementType::I64);
  CHECK(scalar.shape == Shape{});
  CHECK(scalar.to_f32() == std::vector<float>{7});

  const Tensor flags =
      parse(numpy_file("{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }", std::string("\x01\x00\x01", 3)))
          .value();
  CHECK(flags.type == ElementType::Bool);
  CHECK(flags.to_f32() == std::vector<float>{1, 0, 1});

  const Tensor empty = parse(numpy_file("{'descr': '<f2', 'fortran_order': False, 'shape': (0, 3), }", "")).value();
  CHECK(empty.type == ElementType::F16);
  CHECK(empty.shape == Shape{0, 3});
}

TEST_CASE("npy: other legal headers are read") {
  const std::string two(2, '\x05');
  for (const int major : {1, 2, 3}) CHECK(parse(file_of(with_shape("(2,)"), two, major)).ok());
  for (const std::string header : {"{'shape':(1,2),'fortran_order':False,'descr':'<u1'}",
                                   "{\"descr\": \"|u1\", \"fortran_order\": False, \"shape\": (2, 1,)}   \n\n",
                                   " { 'fortran_order' : False , 'shape' : ( 2 , ) , 'descr' : '|u1' } "}) {
    INFO(header);
    const auto tensor = parse(file_of(header, two));
    REQUIRE(tensor.ok());
    CHECK(tensor->to_f32() == std::vector<float>{5, 5});
  }
}

TEST_CASE("npy: every type of the list is read") {
  for (const auto& [descr, type] : std::vector<std::pair<std::string, ElementType>>{{"<f2", ElementType::F16},
                                                                                    {"<f4", ElementType::F32},
                                                                                    {"<f8", ElementType::F64},
                                                                                    {"|i1", ElementType::I8},
                                                                                    {"<i2", ElementType::I16},
                                                                                    {"<i4", ElementType::I32},
                                                                                    {"<i8", ElementType::I64},
                                                                                    {"|u1", ElementType::U8},
                                                                                    {"<u2", ElementType::U16},
                                                                                    {"<u4", ElementType::U32},
                                                                                    {"<u8", ElementType::U64},
                                                                                    {"|b1", ElementType::Bool},
                                                                                    {"<i1", ElementType::I8}}) {
    const auto tensor = parse(file_of(with_descr(descr), std::string(2 * size_bytes(type), '\0')));
    REQUIRE(tensor.ok());
    CHECK(tensor->type == type);
  }
}

TEST_CASE("npy: a file cut anywhere is an error, and no changed byte does harm") {
  test::damage_everywhere(kMatrix, [](const std::string& content) { return parse(content); });
  test::damage_everywhere(file_of(with_shape("(2,)"), "ab", 3),
                          [](const std::string& content) { return parse(content); });
}

TEST_CASE("npy: a file of another kind, version or size is an error") {
  const auto invalid = ErrorCode::InvalidData;
  const std::string not_npy =
      "x.npy: this is no .npy file: it does not begin with \\x93NUMPY; write it with numpy.save";
  check_error(parse("PK\x03\x04"), invalid, not_npy);
  check_error(parse("\x93NUMPX\x01"), invalid, not_npy);
  check_error(parse(""), invalid, "x.npy: the file ends after 0 bytes, within its header; copy or save it again");
  check_error(parse("\x93"), invalid, "x.npy: the file ends after 1 byte, within its header; copy or save it again");
  check_error(parse(file_of("{}", "", 4)), invalid,
              "x.npy: .npy version 4.0 is unknown; versions 1.0, 2.0 and 3.0 are read");
  check_error(parse(std::string("\x93NUMPY\x01\x01\x00\x00", 10)), invalid,
              "x.npy: .npy version 1.1 is unknown; versions 1.0, 2.0 and 3.0 are read");
  check_error(parse(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff{}", 14)), invalid,
              "x.npy: the file ends after 14 bytes, within its header; copy or save it again");
  check_error(parse(file_of(with_shape("(2,)"), "a")), invalid,
              "x.npy: the array: shape [2] of U8 needs 2 bytes, but 1 follow the header; "
              "the file is cut short: copy it again");
  check_error(parse(file_of(with_shape("(2,)"), "abc")), invalid,
              "x.npy: the array: shape [2] of U8 needs 2 bytes, but 3 follow the header; "
              "remove the rest or save the array again");
}

TEST_CASE("npy: an array of another type or order is an error that says what to save instead") {
  check_header(with_descr(">f4"),
               "type \">f4\" is big-endian; save a.astype(a.dtype.newbyteorder('<')) in place of the array a");
  check_header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }",
               "the array has a structured type; save each of its fields by itself");
  for (const char* descr : {"<c8", "|O", "<U5", "=f4", "|f4", "f4", "", "<f16", "<"}) {
    check_header(with_descr(descr), "type \"" + std::string(descr) +
                                        "\" is not one of f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1, little-endian; "
                                        "convert the array with astype");
  }
}

TEST_CASE("npy: a header that is not such a dict is an error with its place") {
  const std::string again = "; save the array again with numpy.save";
  check_header("", "expected '{' at byte 1 of the header, but it ends there" + again);
  check_header("[1]", "expected '{' at byte 1 of the header, but there is \"[\"" + again);
  check_header("{5: 6}", "expected a string at byte 2 of the header, but there is \"5\"" + again);
  check_header("{'descr", "expected a string that ends at byte 2 of the header, but there is \"'\"" + again);
  check_header("{'descr' '<f4'}", "expected ':' at byte 10 of the header, but there is \"'\"" + again);
  check_header("{'descr': <f4}", "expected a string at byte 11 of the header, but there is \"<\"" + again);
  check_header("{'descr': '<f4' 'shape': ()}", "expected ',' at byte 17 of the header, but there is \"'\"" + again);
  check_header("{'descr': '<f4', ", "expected a string at byte 18 of the header, but it ends there" + again);
  check_header("{'fortran_order': 0}",
               "expected True or False for fortran_order at byte 19 of the header, but there is \"0\"" + again);
  check_header(with_shape("()") + "x",
               "expected only spaces after the dict at byte 57 of the header, but there is \"x\"" + again);
  check_header("{\xff", "expected a string at byte 2 of the header, but there is \"\\ufffd\"" + again);
  check_header(std::string("{\0}", 3), "expected a string at byte 2 of the header, but there is \"\\u0000\"" + again);
}

TEST_CASE("npy: a shape that is not a tuple of whole numbers is an error with its place") {
  const std::string again = "; save the array again with numpy.save";
  check_header(with_shape("[2]"), "expected '(' at byte 51 of the header, but there is \"[\"" + again);
  check_header(with_shape("(2)"),
               "expected a comma: (3,) is a tuple, (3) is not at byte 54 of the header, but there is \",\"" + again);
  check_header(with_shape("(2 2)"), "expected ',' at byte 54 of the header, but there is \"2\"" + again);
  for (const char* wrong : {"-1", ",", "a", "+1"}) {
    check_header(with_shape(std::string("(") + wrong + ",)"),
                 "expected a whole number of at least 0 in the shape at byte 52 of the header, but there is \"" +
                     std::string(1, wrong[0]) + "\"" + again);
  }
}

TEST_CASE("npy: a key that is missing, unknown or there twice is an error that names it") {
  const std::string again = "; save the array again with numpy.save";
  check_header("{'fortran_order': False, 'shape': ()}", "the key 'descr' is missing" + again);
  check_header("{'descr': '<f4', 'shape': ()}", "the key 'fortran_order' is missing" + again);
  check_header("{'descr': '<f4', 'fortran_order': False}", "the key 'shape' is missing" + again);
  check_header("{'order': 'C'}", "unknown key \"order\"" + again);
  check_header("{'shape': (), 'shape': ()}", "the key 'shape' stands there twice" + again);
}

TEST_CASE("npy: each limit is named when it is passed") {
  const auto limit = ErrorCode::Limit;
  check_header(with_shape("(1,1,1,1,1,1,1,1,1)"),
               "the shape has more than the limit of 8 dimensions; reshape the array", limit);
  check_header(with_shape("(16777217,)"),
               "the shape has a dimension of 16777217, more than the limit of 16777216; split the array", limit);
  check_header(with_shape("(99999999999999999999,)"),
               "the shape has a dimension of 99999999999999999999, more than the limit of 16777216; split the array",
               limit);
  check_header(with_shape("(16777216, 16777216, 16777216)"),
               "the array: shape [16777216,16777216,16777216] of U8 needs more than 2^64 bytes; correct the shape");
  FileLimits limits;
  limits.max_file_bytes = 100;
  check_error(parse(kMatrix, limits), limit,
              "x.npy: the file has 144 bytes, more than the limit of 100; raise the limit or split the array");
  limits = {};
  limits.max_header_bytes = 117;
  check_error(parse(kMatrix, limits), limit,
              "x.npy: the header has 118 bytes, more than the limit of 117; raise the limit");
}

TEST_CASE("npy: what is written is what NumPy writes, and is read back") {
  const TemporaryFolder folder;
  const std::string path = folder / "x.npy";
  REQUIRE(save_npy(path, parse(kMatrix).value()).ok());
  CHECK(read_text(path) == kMatrix);
  for (const Shape& shape : {Shape{}, Shape{3}, Shape{0}, Shape{2, 0, 3}, Shape{1, 2, 3, 4, 1, 1, 1, 1}}) {
    Tensor tensor{ElementType::I16, shape, {}};
    for (std::int64_t i = 0; i < 2 * tensor.elements(); ++i) tensor.bytes.push_back(static_cast<std::byte>(i));
    REQUIRE(save_npy(path, tensor).ok());
    CHECK((read_text(path).size() - tensor.bytes.size()) % 64 == 0);
    const Tensor back = load_npy(path).value();
    CHECK(back.type == tensor.type);
    CHECK(back.shape == tensor.shape);
    CHECK(back.bytes == tensor.bytes);
  }
}

TEST_CASE("npy: every type that NumPy has is written") {
  const TemporaryFolder folder;
  const std::string path = folder / "x.npy";
  for (const ElementType type :
       {ElementType::F64, ElementType::F32, ElementType::F16, ElementType::I64, ElementType::I32, ElementType::I16,
        ElementType::I8, ElementType::U64, ElementType::U32, ElementType::U16, ElementType::U8, ElementType::Bool}) {
    REQUIRE(save_npy(path, {type, {1}, std::vector<std::byte>(size_bytes(type))}).ok());
    CHECK(load_npy(path).value().type == type);
  }
}

TEST_CASE("npy: what cannot be written or read is an error and leaves no file") {
  const TemporaryFolder folder;
  const std::string path = folder / "x.npy";
  check_error(save_npy(path, {ElementType::BF16, {0}, {}}), ErrorCode::InvalidData,
              path + ": NumPy has no type for BF16; convert the tensor to F32 or save it as safetensors");
  check_error(save_npy(path, {ElementType::F32, {2}, {}}), ErrorCode::InvalidData,
              path + ": the array: shape [2] of F32 needs 8 bytes, but it has 0; make bytes and shape agree");
  check_error(save_npy(folder / "no/x.npy", Tensor::from_f32({}, {1})), ErrorCode::File,
              folder / "no/x.npy" + (": cannot create a file in \"" + folder / "no" + "\": ") +
                  "No such file or directory; check the path");
  check_error(load_npy(path), ErrorCode::File, path + ": cannot open it: No such file or directory; check the path");
  CHECK(folder.names().empty());
}

}  // namespace
}  // namespace rnnc
