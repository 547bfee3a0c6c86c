// A mapped file gives the memory of its own parts back, which are read again where they are used, and no other memory.
#include <cstddef>
#include <fstream>
#include <string>
#include <vector>

#include "import/file_content.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

namespace rnnc::test {

TEST_CASE("a file that gives memory back keeps its bytes, and the memory of others too", "[import]") {
  const TemporaryFolder folder;
  const std::string path = folder / "content";
  std::ofstream(path, std::ios::binary) << std::string(1 << 16, 'f');
  const auto content = files::FileContent::open(path, 1 << 20);
  REQUIRE(content.ok());
  const std::vector<std::byte> others(1 << 16, std::byte{'o'});
  content->release(others);
  content->release(content->bytes());
  CHECK(others == std::vector<std::byte>(1 << 16, std::byte{'o'}));
  CHECK(content->text() == std::string(1 << 16, 'f'));
}

}  // namespace rnnc::test
