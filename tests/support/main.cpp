// This file is the test program's entry point, for both generations of Catch2.
#define CATCH_CONFIG_RUNNER
#include "tests/support/catch.hpp"

#include <cstdlib>

// Tests compile for themselves, whatever the user's cache holds; those of the program have a cache of their own.
int main(int argc, char** argv) {
  setenv("RNNC_CACHE", "off", 1);
  return Catch::Session().run(argc, argv);
}
