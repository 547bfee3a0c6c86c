#include "compiler/schedule/code_cache.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <memory>
#include <random>

#include "compiler/schedule/file_name.hpp"

namespace rnnc::compiler {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCodePrefix = "code-", kCodeSuffix = ".rnnc", kTemporaryPrefix = "code-new-";
constexpr std::uint64_t kMostEntryBytes = std::uint64_t{64} << 20;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const { return number_; }

 private:
  int number_;
};

bool is_private(const struct stat& status) {
  return status.st_uid == ::geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

bool is_private_folder(const std::string& path) {
  struct stat status;
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && is_private(status);
}

std::optional<std::vector<std::byte>> read_private(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status;
  if (file < 0 || ::fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || !is_private(status)) return {};
  if (status.st_size < 0 || static_cast<std::uint64_t>(status.st_size) > kMostEntryBytes) return {};
  std::vector<std::byte> bytes(static_cast<std::size_t>(status.st_size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::read(file, bytes.data() + done, bytes.size() - done);
    if (got <= 0) return {};
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

// A process whose files are limited in size is stopped by a signal when a file reaches the limit.
bool may_be_written(std::span<const std::byte> bytes) {
  rlimit limit{};
  return ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && bytes.size() <= limit.rlim_cur;
}

bool write_private(const std::string& path, std::span<const std::byte> bytes) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file < 0) return false;
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

struct Entry {
  std::string path;
  std::uint64_t bytes;
  std::int64_t written;  // nanoseconds since 1970
};

// Lists entries and the files that killed writers have left. std::filesystem is not used, since it ends the process
// where memory runs out.
std::vector<Entry> entries(const std::string& folder) {
  std::vector<Entry> list;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  if (!open) return list;
  while (const dirent* each = ::readdir(open.get())) {
    const std::string_view name = each->d_name;
    if (!name.starts_with(kCodePrefix) || !name.ends_with(kCodeSuffix)) continue;
    std::string path = folder + "/" + each->d_name;
    struct stat status;
    if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || !is_private(status)) continue;
    list.push_back({std::move(path), static_cast<std::uint64_t>(status.st_size),
                    std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec});
  }
  std::ranges::sort(list, {}, &Entry::written);
  return list;
}

// Tells whether the process that a temporary file is named after is gone. Where processes of another machine or
// container seem to be gone, their code is only not kept.
bool is_of_no_process(std::string_view name) {
  name.remove_prefix(kTemporaryPrefix.size());
  pid_t process = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), process);
  return parsed.ec == std::errc{} && process > 0 && ::kill(process, 0) != 0 && errno == ESRCH;
}

// A temporary file is a killed writer's if its process is gone, or if the file is older than kLongest: no writer takes
// so long.
void remove_abandoned(const std::string& folder) {
  constexpr std::int64_t kLongest = 600'000'000'000;  // ten minutes, in nanoseconds
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const std::int64_t old = std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec - kLongest;
  for (const Entry& entry : entries(folder)) {
    const std::string_view name = std::string_view(entry.path).substr(folder.size() + 1);
    if (name.starts_with(kTemporaryPrefix) && (entry.written < old || is_of_no_process(name)))
      ::unlink(entry.path.c_str());
  }
}

}  // namespace

std::optional<runtime::StoredEntry> read_entry(std::span<const std::byte> bytes, const std::string& key) try {
  Result<runtime::StoredEntry> entry = runtime::read_entry(bytes, "");
  if (!entry || entry->key != key || (entry->features & ~runtime::host_features()) != 0) return {};
  return std::move(*entry);
} catch (const std::exception&) {
  return {};
}

std::string CodeCache::path(const std::string& key) const {
  return folder_ + "/" + std::string(kCodePrefix) + file_name_of(key) + std::string(kCodeSuffix);
}

std::optional<runtime::StoredEntry> CodeCache::find(const std::string& key) const try {
  if (folder_.empty() || !is_private_folder(folder_)) return {};
  const auto bytes = read_private(path(key));
  return bytes ? read_entry(*bytes, key) : std::nullopt;
} catch (const std::exception&) {
  return {};
}

bool CodeCache::make_folder() const {
  std::error_code error;
  fs::create_directories(fs::path(folder_).parent_path(), error);
  return ::mkdir(folder_.c_str(), 0700) == 0 || is_private_folder(folder_);
}

void CodeCache::store(const runtime::StoredEntry& entry) const try {
  if (folder_.empty() || !make_folder()) return;
  const std::vector<std::byte> bytes = runtime::write_entry(entry);
  if (bytes.size() > kMostEntryBytes || !may_be_written(bytes)) return;
  std::random_device random;
  const std::string temporary = folder_ + "/" + std::string(kTemporaryPrefix) + std::to_string(::getpid()) + "-" +
                                std::to_string(random()) + std::string(kCodeSuffix);
  const std::string kept = path(entry.key);
  if (!write_private(temporary, bytes) || ::rename(temporary.c_str(), kept.c_str()) != 0) ::unlink(temporary.c_str());
  remove_abandoned(folder_);
  if (size().bytes > kCacheBytes) prune(kCacheBytes);
} catch (const std::exception&) {
  // A cache that cannot be written is no error: the code is generated again the next time.
}

CodeCache::Size CodeCache::size() const {
  Size size;
  if (folder_.empty()) return size;
  for (const Entry& each : entries(folder_)) size = {size.files + 1, size.bytes + each.bytes};
  return size;
}

CodeCache::Size CodeCache::prune(std::uint64_t bytes) const {
  std::uint64_t left = size().bytes;
  Size removed;
  if (folder_.empty()) return removed;
  for (const Entry& entry : entries(folder_)) {
    if (left <= bytes) break;
    left -= std::min(left, entry.bytes);
    if (::unlink(entry.path.c_str()) == 0) removed = {removed.files + 1, removed.bytes + entry.bytes};
  }
  return removed;
}

}  // namespace rnnc::compiler
