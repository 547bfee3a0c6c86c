#include "import/real_path.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <memory>

namespace rnnc::files {
namespace {

constexpr int kMostLinks = 40;  // as many as Linux follows

std::optional<std::string> canonical(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
  if (!real) return std::nullopt;
  return std::string(real.get());
}

std::optional<std::string> target_of_link(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t size = ::readlink(path.c_str(), target, sizeof target);
  if (size < 0) return std::nullopt;
  std::string text(target, static_cast<std::size_t>(size));
  return text.starts_with('/') ? text : folder_of(path) + "/" + text;
}

bool holds_data(const struct stat& status) { return S_ISREG(status.st_mode) || S_ISBLK(status.st_mode); }

}  // namespace

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::optional<std::string> real_path(const std::string& path) {
  std::string at = path;
  for (int links = 0; links <= kMostLinks; ++links) {
    if (auto whole = canonical(at)) return whole;
    if (errno != ENOENT) return std::nullopt;
    // Either nothing has this name, or a link of this name leads to nothing.
    if (auto target = target_of_link(at)) {
      at = std::move(*target);
      continue;
    }
    const auto folder = canonical(folder_of(at));
    if (!folder) return std::nullopt;
    return (*folder == "/" ? "" : *folder) + "/" + at.substr(at.rfind('/') + 1);
  }
  errno = ELOOP;
  return std::nullopt;
}

std::optional<int> inherited_descriptor(std::string_view path) {
  if (path == "/dev/stdin") return STDIN_FILENO;
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!path.starts_with(folder)) continue;
    const std::string_view digits = path.substr(folder.size());
    int number = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc{} && end == digits.data() + digits.size()) return number;
  }
  return std::nullopt;
}

bool is_same_file(const std::string& a, const std::string& b) {
  const auto one = inherited_descriptor(a), other = inherited_descriptor(b);
  if (one && one == other) return false;
  struct stat first, second;
  const bool has_first = ::stat(a.c_str(), &first) == 0, has_second = ::stat(b.c_str(), &second) == 0;
  if (has_first && has_second) {
    if (!holds_data(first) || !holds_data(second)) return false;
    if (S_ISBLK(first.st_mode) && S_ISBLK(second.st_mode)) return first.st_rdev == second.st_rdev;
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
  }
  if (has_first || has_second) return false;
  const auto real = real_path(a);
  return real ? real == real_path(b) : a == b;
}

}  // namespace rnnc::files
