#include "tools/limits.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "import/write_file.hpp"
#include "ir/environment.hpp"
#include "runtime/aligned_buffer.hpp"
#include "tools/limit_kernels.hpp"

namespace rnnc::tools {
namespace {

constexpr int kVersion = 1;  // the version of the file; another way of measuring gets another one
constexpr std::int64_t kSmallestSet = 16 * 1024, kLargestSet = 64 * 1024 * 1024;
constexpr double kSecondsPerRepeat = 0.01;
constexpr int kRepeats = 4;

// Returns the best rate of `work(n)`, which does n * `amount`, since other processes only ever slow work down.
template <class Work>
double best_rate(double amount, const Work& work) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [&](std::int64_t n) {
    const auto start = Clock::now();
    work(n);
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  std::int64_t n = 1;
  double rate = 0;
  for (double time = seconds(n); time < kSecondsPerRepeat && n < (std::int64_t{1} << 40); time = seconds(n)) n *= 2;
  for (int repeat = 0; repeat < kRepeats; ++repeat) rate = std::max(rate, static_cast<double>(n) * amount / seconds(n));
  return rate;
}

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string cache_path(const std::string& folder, const std::string& cpu) {
  std::string name;
  for (const char c : cpu) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return folder + "/limits-" + std::to_string(kVersion) + "-" + name.substr(0, 100) + ".json";
}

std::string to_text(const Limits& limits) {
  nlohmann::json reads = nlohmann::json::array();
  for (const ReadSpeed& read : limits.reads) reads.push_back({read.bytes, read.bytes_per_second});
  const nlohmann::json content = {
      {"version", kVersion}, {"cpu", limits.cpu}, {"flops_per_second", limits.flops_per_second}, {"reads", reads}};
  return content.dump(1) + "\n";
}

// Reads what `to_text` wrote. Anything else, or figures that no machine has, throws or yields no limits.
bool from_text(const std::string& text, Limits& limits) {
  const nlohmann::json content = nlohmann::json::parse(text);
  const auto sound = [](double rate) { return std::isfinite(rate) && rate > 1e6 && rate < 1e15; };
  if (content.at("version").get<int>() != kVersion || content.at("cpu").get<std::string>() != limits.cpu) return false;
  limits.flops_per_second = content.at("flops_per_second").get<double>();
  double expected = kSmallestSet;
  for (const auto& read : content.at("reads")) {
    limits.reads.push_back({read.at(0).get<double>(), read.at(1).get<double>()});
    if (limits.reads.back().bytes != expected || !sound(limits.reads.back().bytes_per_second)) return false;
    expected *= 2;
  }
  return expected == 2.0 * kLargestSet && sound(limits.flops_per_second);
}

bool read_cached(const std::string& path, Limits& limits) try {
  std::ifstream file(path, std::ios::binary);
  std::string text(1 << 16, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return !text.empty() && from_text(text, limits);
} catch (const nlohmann::json::exception&) {
  return false;
}

// A cache that cannot be written is no reason to complain.
void write_cached(const std::string& path, const Limits& limits) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  const std::string text = to_text(limits);
  (void)files::write_file(path, {std::as_bytes(std::span(text))}).ok();
}

}  // namespace

Limits measure_limits() {
  const LimitKernels kernels = limit_kernels();
  Limits limits;
  limits.cpu = cpu_name();
  volatile float sink = 0;
  limits.flops_per_second = best_rate(kernels.flops, [&](std::int64_t n) { sink = kernels.multiply_add(n); });
  for (std::int64_t bytes = kSmallestSet; bytes <= kLargestSet; bytes *= 2) {
    const runtime::AlignedBuffer set(bytes / 4);
    const auto sweep = [&](std::int64_t n) { sink = kernels.read(set.data(), set.size(), n); };
    limits.reads.push_back({static_cast<double>(bytes), best_rate(static_cast<double>(bytes), sweep)});
  }
  // A smaller set is never slower to read; where it measured slower, something else was running.
  for (std::size_t i = limits.reads.size() - 1; i > 0; --i)
    limits.reads[i - 1].bytes_per_second =
        std::max(limits.reads[i - 1].bytes_per_second, limits.reads[i].bytes_per_second);
  return limits;
}

Limits load_limits() {
  const Environment environment = read_environment();
  if (environment.cache_dir.empty()) return measure_limits();
  const std::string cpu = cpu_name();
  const std::string path = cache_path(environment.cache_dir, cpu);
  if (Limits cached{cpu, 0, {}}; environment.cache_reads && read_cached(path, cached)) return cached;
  const Limits measured = measure_limits();
  if (environment.cache_writes) write_cached(path, measured);
  return measured;
}

}  // namespace rnnc::tools
