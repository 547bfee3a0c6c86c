#include "tests/support/shared_object.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tests/support/temporary_folder.hpp"

namespace rnnc::test {
namespace {

void write(const std::string& path, const void* data, std::size_t bytes) {
  std::ofstream(path, std::ios::binary).write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
}

std::string read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

SharedObject::SharedObject(const ObjectFiles& files, const std::string& source) {
  const TemporaryFolder folder;
  write(folder / "m.o", files.object.data(), files.object.size());
  write(folder / "m.h", files.header.data(), files.header.size());
  write(folder / "main.c", source.data(), source.size());
  const std::string command = "cd '" + folder.path() +
                              "' && cc -std=c99 -Wall -Wextra -Wpedantic -Werror -O1 -fPIC -shared main.c m.o "
                              "-o m.so >log.txt 2>&1";
  if (std::system(command.c_str()) != 0) throw std::runtime_error(read(folder / "log.txt") + files.header);
  library_ = dlopen((folder / "m.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library_ == nullptr) throw std::runtime_error(dlerror());
}

SharedObject::~SharedObject() { dlclose(library_); }

void* SharedObject::at(const std::string& name) const { return dlsym(library_, name.c_str()); }

}  // namespace rnnc::test
