// A machine becomes text: all its numbers for keys of caches, and the rows by which machine.cpp takes it up.
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "compiler/schedule/machine.hpp"

namespace rnnc::compiler {
namespace {

// Writes the shortest text that is read back as the same number.
std::string shortest(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

// Writes a number as machine.cpp does: 240e9, 0.9e6, 50e3. The power of ten is a multiple of three, as high as leaves
// at least a tenth before it.
std::string with_exponent(double value) {
  if (value == kBeyond) return "kBeyond";
  for (const int power : {9, 6, 3}) {
    // A quotient of three digits may differ from them in its last bits.
    constexpr double kDigits = 1e6;
    const double mantissa = std::round(value / std::pow(10, power) * kDigits) / kDigits;
    if (mantissa >= 0.1) return shortest(mantissa) + "e" + std::to_string(power);
  }
  return shortest(value);
}

}  // namespace

std::string numbers_of(const Machine& machine) {
  std::string text = shortest(machine.flops_per_second) + " " + shortest(machine.latency) + " " +
                     shortest(machine.vector_loads_per_second);
  for (const MemoryLevel& level : machine.memory)
    text += " " + shortest(level.bytes) + ":" + shortest(level.bytes_per_second);
  const LoneStream& lone = machine.lone_stream;
  if (lone.times != 1) text += " lone " + shortest(lone.bytes) + ":" + shortest(lone.times);
  return text;
}

std::string row_of(const Machine& machine, const std::string& cpu, double clock) {
  std::string name = "k" + cpu;
  std::erase_if(name, [](unsigned char c) { return std::isalnum(c) == 0; });
  name[1] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[1])));
  std::string levels;
  for (const MemoryLevel& level : machine.memory)
    levels += (levels.empty() ? "{" : ", {") + with_exponent(level.bytes) + ", " +
              with_exponent(level.bytes_per_second) + "}";
  return "constexpr Machine " + name + " = {\n    \"" + machine.name + "\", " +
         with_exponent(machine.flops_per_second) + ", " + shortest(std::round(machine.latency * clock)) + " / " +
         with_exponent(clock) + ", " + with_exponent(machine.vector_loads_per_second) + ", {{" + levels + "}}};\n" +
         "    {\"" + cpu + "\", &" + name + "},\n";
}

}  // namespace rnnc::compiler
