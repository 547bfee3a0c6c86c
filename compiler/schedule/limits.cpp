#include "compiler/schedule/limits.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "compiler/schedule/kept_files.hpp"
#include "ir/environment.hpp"

namespace rnnc::compiler {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 2;  // the version of the file; another way of measuring gets another one
constexpr std::string_view kLimitsPrefix = "limits-", kLimitsSuffix = ".json";
constexpr std::size_t kMostLimitsBytes = 1 << 16;

bool is_rate(double rate) { return std::isfinite(rate) && rate > 1e6 && rate < 1e15; }
bool is_time(double seconds) { return std::isfinite(seconds) && seconds > 1e-12 && seconds < 1e-3; }

bool are_levels(const std::array<MemoryLevel, 4>& memory) {
  for (std::size_t i = 0; i < memory.size(); ++i) {
    const MemoryLevel& level = memory[i];
    if (!is_rate(level.bytes_per_second) || !std::isfinite(level.bytes) || level.bytes < 1 || level.bytes > kBeyond)
      return false;
    if (i == 0) continue;
    const MemoryLevel& before = memory[i - 1];
    const bool rises = level.bytes > before.bytes || (before.bytes == kBeyond && level.bytes == kBeyond);
    if (!rises || level.bytes_per_second > before.bytes_per_second) return false;
  }
  return memory.back().bytes == kBeyond;
}

bool is_sound(const MeasuredCore& core) {
  constexpr int kMostChains = 128;  // many times what any CPU needs
  const Machine& machine = core.machine;
  if (core.lanes != 4 && core.lanes != 8 && core.lanes != 16) return false;
  if (!is_rate(core.clock) || !is_rate(machine.flops_per_second) || !is_rate(machine.vector_loads_per_second) ||
      !is_time(machine.latency) || !are_levels(machine.memory))
    return false;
  const int chains = machine.chains(core.lanes);
  return chains >= 1 && chains <= kMostChains && (core.flag_seconds == 0 || is_time(core.flag_seconds));
}

bool are_sound(const Limits& limits) {
  double expected = kSmallestSet;
  for (const ReadSpeed& read : limits.reads) {
    if (read.bytes != expected || !is_rate(read.bytes_per_second)) return false;
    expected *= 2;
  }
  return expected == 2.0 * kLargestSet && is_rate(limits.flops_per_second) && (!limits.core || is_sound(*limits.core));
}

Json core_fields(const MeasuredCore& core) {
  Json memory = Json::array();
  for (const MemoryLevel& level : core.machine.memory) memory.push_back({level.bytes, level.bytes_per_second});
  return {{"lanes", core.lanes},
          {"clock", core.clock},
          {"flops_per_second", core.machine.flops_per_second},
          {"latency", core.machine.latency},
          {"vector_loads_per_second", core.machine.vector_loads_per_second},
          {"memory", memory},
          {"flag_seconds", core.flag_seconds},
          {"noisy", core.is_noisy}};
}

// Throws where a field is missing or of another kind.
MeasuredCore core_of(const Json& fields) {
  MeasuredCore core;
  core.lanes = fields.at("lanes").get<int>();
  core.clock = fields.at("clock").get<double>();
  core.machine.name = kMeasuredHere;
  core.machine.flops_per_second = fields.at("flops_per_second").get<double>();
  core.machine.latency = fields.at("latency").get<double>();
  core.machine.vector_loads_per_second = fields.at("vector_loads_per_second").get<double>();
  for (std::size_t i = 0; i < core.machine.memory.size(); ++i) {
    const Json& level = fields.at("memory").at(i);
    core.machine.memory[i] = {level.at(0).get<double>(), level.at(1).get<double>()};
  }
  core.flag_seconds = fields.at("flag_seconds").get<double>();
  core.is_noisy = fields.at("noisy").get<bool>();
  return core;
}

// Reads limits of whatever machine.
std::optional<Limits> limits_of(std::string_view text) try {
  const Json content = Json::parse(text);
  if (content.at("version").get<int>() != kVersion) return std::nullopt;
  Limits limits{content.at("cpu").get<std::string>(), content.at("target").get<std::string>(),
                content.at("flops_per_second").get<double>()};
  for (const Json& read : content.at("reads"))
    limits.reads.push_back({read.at(0).get<double>(), read.at(1).get<double>()});
  if (content.contains("core")) limits.core = core_of(content.at("core"));
  if (!are_sound(limits)) return std::nullopt;
  return limits;
} catch (const nlohmann::json::exception&) {
  return std::nullopt;
}

std::string text_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMostLimitsBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return text;
}

std::string first_model_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

}  // namespace

const std::string& cpu_model() {
  static const std::string name = first_model_name();
  return name;
}

std::string limits_path(const std::string& cache_folder, const std::string& cpu, const std::string& target) {
  if (cache_folder.empty()) return {};
  std::string name = target.empty() ? cpu : target + "-" + cpu;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' ? c : '_';
  return cache_folder + "/" + std::string(kLimitsPrefix) + std::to_string(kVersion) + "-" + name.substr(0, 100) +
         std::string(kLimitsSuffix);
}

std::string text_of(const Limits& limits) {
  Json reads = Json::array();
  for (const ReadSpeed& read : limits.reads) reads.push_back({read.bytes, read.bytes_per_second});
  Json content = {{"version", kVersion},
                  {"cpu", limits.cpu},
                  {"target", limits.target},
                  {"flops_per_second", limits.flops_per_second},
                  {"reads", reads}};
  if (limits.core) content["core"] = core_fields(*limits.core);
  return content.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::optional<Limits> parse_limits(std::string_view text, const std::string& cpu, const std::string& target) {
  std::optional<Limits> limits = limits_of(text);
  return limits && limits->cpu == cpu && limits->target == target ? std::move(limits) : std::nullopt;
}

std::optional<Limits> read_limits(const std::string& path, const std::string& cpu, const std::string& target) {
  return path.empty() ? std::nullopt : parse_limits(text_of_file(path), cpu, target);
}

std::vector<KeptLimits> kept_limits(const std::string& cache_folder) {
  std::vector<KeptLimits> kept;
  for (const std::string& path : kept_files(cache_folder, kLimitsPrefix, kLimitsSuffix))
    if (std::optional<Limits> limits = limits_of(text_of_file(path))) kept.push_back({path, std::move(*limits)});
  return kept;
}

std::vector<std::uint64_t> remove_limits(const std::string& cache_folder) {
  return remove_kept(cache_folder, kLimitsPrefix, kLimitsSuffix);
}

std::optional<Machine> measured_machine(const Target& target) {
  if (!is_host(target)) return std::nullopt;
  const Environment environment = read_environment();
  if (!environment.cache_reads || environment.cache_dir.empty()) return std::nullopt;
  const std::string& cpu = cpu_model();
  const std::string path = limits_path(environment.cache_dir, cpu, name_of(target));
  const std::optional<Limits> limits = read_limits(path, cpu, name_of(target));
  if (!limits || !limits->core || limits->core->is_noisy || limits->core->lanes != target.lanes) return std::nullopt;
  Machine machine = limits->core->machine;
  machine.lone_stream = machine_of(target).lone_stream;
  return machine;
}

}  // namespace rnnc::compiler
