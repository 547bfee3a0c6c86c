// A Folder runs the real program the way a shell does, in a folder of its own.
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <rnnc/tensor_files.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

namespace rnnc::test {

struct Finished {
  int code = -1;  // 128 + signal where it crashed
  std::string out, err;
};

/// A folder that is gone afterwards. Figures of this machine are cached in it too.
class Folder {
 public:
  std::string operator/(std::string_view name) const { return folder_ / name; }

  /// `rnnc ARGUMENTS` with this folder as the current one.
  Finished rnnc(const std::string& arguments) const {
    const std::string command = "cd '" + folder_.path() + "' && RNNC_CACHE=on RNNC_CACHE_DIR='" + folder_.path() +
                                "/cache' '" RNNC_PROGRAM "' " + arguments + " >out.txt 2>err.txt </dev/null";
    const int status = std::system(command.c_str());
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
    return {code, text("out.txt"), text("err.txt")};
  }

  /// The most memory that `rnnc ARGUMENTS`, which succeeds, has at a time.
  double peak_bytes(const std::string& arguments) const {
    const pid_t child = ::fork();
    if (child == 0) std::_Exit(rnnc(arguments).code);
    int status = -1;
    rusage usage{};
    REQUIRE(::wait4(child, &status, 0, &usage) == child);
    REQUIRE((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    return 1024.0 * static_cast<double>(usage.ru_maxrss);
  }

  std::string text(const std::string& name) const {
    std::ifstream file(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }
  void write(const std::string& name, Shape shape, const std::vector<float>& values) const {
    save_npy(folder_ / name, Tensor::from_f32(std::move(shape), values)).value();
  }

  std::vector<float> values(const std::string& name) const { return load_npy(folder_ / name).value().to_f32(); }

  bool has(const std::string& name) const { return std::filesystem::exists(folder_ / name); }

  /// Names that end in .npy or look like what is left of one.
  std::vector<std::string> outputs() const {
    std::vector<std::string> names;
    for (const std::string& name : folder_.names())
      if (name.starts_with("y") || name.starts_with("final") || name.starts_with(".y")) names.push_back(name);
    return names;
  }

 private:
  TemporaryFolder folder_;
};

/// What `rnnc ARGUMENTS`, which succeeds, wrote to y.npy.
inline std::vector<float> y_of(const Folder& folder, const std::string& arguments) {
  const Finished finished = folder.rnnc(arguments);
  INFO(finished.err);
  REQUIRE(finished.code == 0);
  return folder.values("y.npy");
}

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The JSON that stands on the last line of a report.
inline nlohmann::json last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of('\n') + 1;
  const std::size_t begin = text.substr(0, end).find_last_of('\n') + 1;
  return nlohmann::json::parse(text.substr(begin, end - begin));
}

/// `rnnc ARGUMENTS` ends with `code`, says `message` and leaves no output behind.
inline Finished check_fails(const Folder& folder, const std::string& arguments, int code, const std::string& message) {
  Finished finished = folder.rnnc(arguments);
  INFO(arguments << "\n" << finished.out << finished.err);
  CHECK(finished.code == code);
  CHECK(finished.err.find(message) != std::string::npos);
  CHECK(folder.outputs().empty());
  return finished;
}

}  // namespace rnnc::test
