// write_seeds SOURCE OUTPUT: writes the seeds of every target into folders of OUTPUT by their names.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/fuzz/targets.hpp"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: write_seeds SOURCE OUTPUT\n");
    return 2;
  }
  for (const rnnc::fuzz::Target& target : rnnc::fuzz::targets()) {
    const std::filesystem::path folder = std::filesystem::path(argv[2]) / target.name;
    std::filesystem::create_directories(folder);
    int number = 0;
    for (const std::string& seed : rnnc::fuzz::seeds(target.name, argv[1]))
      std::ofstream(folder / ("seed-" + std::to_string(number++)), std::ios::binary) << seed;
  }
  return 0;
}
