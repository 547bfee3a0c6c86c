// libFuzzer's entry point, for the target that the build names.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "tests/fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const rnnc::fuzz::Target& target = rnnc::fuzz::find_target(RNNC_FUZZ_TARGET);
  try {
    target.run({reinterpret_cast<const std::byte*>(data), size});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", RNNC_FUZZ_TARGET, error.what());
    std::abort();
  }
  return 0;
}
