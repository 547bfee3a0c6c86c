#include "tools/limits.hpp"

#include <algorithm>
#include <filesystem>
#include <span>
#include <system_error>

#include "compiler/llvm/resolve_target.hpp"
#include "import/write_file.hpp"
#include "ir/environment.hpp"
#include "runtime/aligned_buffer.hpp"
#include "tools/best_rate.hpp"
#include "tools/limit_kernels.hpp"

namespace rnnc::tools {
namespace {

constexpr double kSecondsPerFigure = 0.04;

std::string host_name() {
  const Result<compiler::Target> host = compiler::resolve_target("host");
  return host ? compiler::name_of(*host) : "";
}

}  // namespace

double measure_flops(double seconds) {
  const LimitKernels kernels = limit_kernels();
  volatile float sink = 0;
  return best_rate(kernels.flops, seconds, [&](std::int64_t n) { sink = kernels.multiply_add(n); });
}

double measure_reading(double bytes, double seconds) {
  const LimitKernels kernels = limit_kernels();
  volatile float sink = 0;
  const runtime::AlignedBuffer set(static_cast<std::int64_t>(bytes) / 4);
  return best_rate(bytes, seconds, [&](std::int64_t n) { sink = kernels.read(set.data(), set.size(), n); });
}

Limits measure_limits() {
  Limits limits{compiler::cpu_model(), host_name()};
  limits.flops_per_second = measure_flops(kSecondsPerFigure);
  for (std::int64_t bytes = compiler::kSmallestSet; bytes <= compiler::kLargestSet; bytes *= 2) {
    const auto amount = static_cast<double>(bytes);
    limits.reads.push_back({amount, measure_reading(amount, kSecondsPerFigure)});
  }
  // A smaller set is never slower to read; where it measured slower, something else was running.
  for (std::size_t i = limits.reads.size() - 1; i > 0; --i)
    limits.reads[i - 1].bytes_per_second =
        std::max(limits.reads[i - 1].bytes_per_second, limits.reads[i].bytes_per_second);
  return limits;
}

Limits load_limits() {
  const Environment environment = read_environment();
  if (environment.cache_reads) {
    const std::string cpu = compiler::cpu_model(), host = host_name();
    if (const auto kept = compiler::read_limits(compiler::limits_path(environment.cache_dir, cpu, host), cpu, host))
      return *kept;
  }
  Limits measured = measure_limits();
  (void)keep_limits(measured);
  return measured;
}

std::string keep_limits(const Limits& limits) {
  const Environment environment = read_environment();
  const std::string path = compiler::limits_path(environment.cache_dir, limits.cpu, limits.target);
  if (path.empty() || !environment.cache_writes) return "";
  std::error_code ignored;
  std::filesystem::create_directories(environment.cache_dir, ignored);
  const std::string text = compiler::text_of(limits);
  return files::write_file(path, {std::as_bytes(std::span(text))}).ok() ? path : "";
}

}  // namespace rnnc::tools
