// The fuzzers' targets run in the ordinary build on every seed, every input that once went wrong, and some thousand
// variations, which a fuzzer finds more of (scripts/fuzz).
#include <filesystem>

#include "tests/errors/file_bytes.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"

namespace rnnc::test {
namespace {

// One change of the kinds that fuzzers make.
std::string varied(std::string input, Random& random) {
  if (input.empty()) return input;
  const std::size_t at = random.below(input.size());
  const std::size_t length = 1 + random.below(std::min<std::size_t>(input.size() - at, 16));
  switch (random.below(5)) {
    case 0: input[at] = static_cast<char>(random.below(256)); break;
    case 1: input[at] = static_cast<char>(input[at] ^ (1 << random.below(8))); break;
    case 2: input.erase(at, length); break;
    case 3: input.insert(at, input.substr(random.below(input.size()), length)); break;
    default: input.resize(at); break;
  }
  return input;
}

void replay(const fuzz::Target& target, const std::string& input) {
  INFO(target.name << ", input of " << input.size() << " bytes:\n" << fuzz::text_of(bytes_of(input)));
  REQUIRE_NOTHROW(target.run(bytes_of(input)));
}

}  // namespace

TEST_CASE("every target takes its seeds and variations of them", "[fuzz]") {
  Random random(1);
  for (const fuzz::Target& target : fuzz::targets()) {
    const std::vector<std::string> seeds = fuzz::seeds(target.name, RNNC_SOURCE_DIR);
    REQUIRE_FALSE(seeds.empty());
    for (const std::string& seed : seeds) {
      replay(target, seed);
      for (int i = 0; i < 100; ++i) {
        std::string input = varied(seed, random);
        replay(target, input);
        replay(target, varied(input, random));
      }
    }
  }
}

TEST_CASE("inputs that once went wrong go right", "[fuzz]") {
  const std::string folder = RNNC_SOURCE_DIR "/tests/fuzz/regressions";
  std::size_t inputs = 0;
  for (const auto& target : std::filesystem::directory_iterator(folder))
    for (const auto& input : std::filesystem::directory_iterator(target.path())) {
      replay(fuzz::find_target(target.path().filename().string()), read_text(input.path().string()));
      ++inputs;
    }
  CHECK(inputs > 0);
}

}  // namespace rnnc::test
