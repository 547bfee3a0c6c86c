// The bits of many programs against those in bits.csv, which an earlier version of rnnc gave: a line has a program's
// name and hashes of its outputs and of its final states. RNNC_BLESS=1 writes the file anew, for a change of bits that
// is meant.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <rnnc/compile.hpp>
#include <rnnc/program.hpp>

#include "compiler/llvm/resolve_target.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/kept_programs.hpp"
#include "tests/support/random.hpp"

namespace rnnc::test {
namespace {

const std::string kFile = RNNC_SOURCE_DIR "/tests/differential/bits.csv";
constexpr std::string_view kFields = "name,y,states";
constexpr std::size_t kEvery = 10;  // of the programs, on the other levels too
constexpr int kMostNames = 20;      // in one message

// FNV-1a of 64 bits (Fowler, Noll & Vo).
class Hash {
 public:
  void add(std::uint8_t byte) { value_ = (value_ ^ byte) * 0x100000001b3; }
  void add(std::string_view text) {
    for (const char character : text) add(static_cast<std::uint8_t>(character));
  }
  // The bits of a NaN beside its being one depend on which operand an instruction takes first: all NaN are equal.
  void add(float number) {
    const std::uint32_t bits = std::isnan(number) ? 0x7fc00000 : std::bit_cast<std::uint32_t>(number);
    for (int shift = 0; shift < 32; shift += 8) add(static_cast<std::uint8_t>(bits >> shift));
  }
  void add(std::span<const float> numbers) {
    for (const float number : numbers) add(number);
  }
  std::uint64_t value() const { return value_; }
  std::string hex() const {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value_));
    return text;
  }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325;
};

enum class Values {
  Fractions,  // within 1
  Whole,      // that lookups find
  Special,    // fractions with zeros of either sign, denormals, huge numbers, infinities and NaN among them
};

struct Shape {
  std::int64_t steps, batch;
  Values values;
  bool ragged;  // sequences differ in length, from 0 on
};

constexpr Shape kShapes[] = {{1, 1, Values::Fractions, false},
                             {7, 3, Values::Fractions, true},
                             {4, 5, Values::Whole, false},
                             {3, 9, Values::Special, false}};

std::vector<float> draw(Random& random, std::int64_t count, Values values) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kSpecial[] = {0, -0.0f, 1e-40f, -1e-40f, 1e30f, -1e30f, 100, -100, kInfinity, -kInfinity, kNan};
  std::vector<float> drawn = random.vector(static_cast<std::size_t>(count), -1, 1);
  for (float& value : drawn) {
    if (values == Values::Whole) value = static_cast<float>(random.below(3));
    if (values == Values::Special && random.chance(0.06)) value = random.pick(kSpecial);
  }
  return drawn;
}

std::int64_t size_of(const Port& port) {
  std::int64_t size = 1;
  for (const std::int64_t dim : port.shape) size *= dim;
  return size;
}

// Everything that a call reads, drawn in the order of names, so that no other order matters.
struct Call {
  struct Time {
    std::int64_t steps;
    std::vector<std::int32_t> lengths;
  };
  Call(const Program& program, const Shape& shape, Random& random);

  std::map<std::string, Time> times;
  std::map<std::string, std::vector<float>> inputs, states;
  std::vector<float> x;
};

Call::Call(const Program& program, const Shape& shape, Random& random) {
  times["T"] = {shape.steps, {}};
  for (const NamedPort& input : program.named_inputs())
    if (!input.time.empty()) times[input.time].steps = input.time == "T" ? shape.steps : shape.steps / 2 + 1;
  for (auto& [name, time] : times)
    for (std::int64_t b = 0; shape.ragged && b < shape.batch; ++b)
      time.lengths.push_back(static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(time.steps) + 1)));
  x = draw(random, shape.steps * shape.batch * program.input_size(), shape.values);
  std::map<std::string, std::int64_t> sizes;
  for (const NamedPort& input : program.named_inputs())
    sizes[input.port.name] = (input.time.empty() ? 1 : times.at(input.time).steps) * shape.batch * size_of(input.port);
  for (const auto& [name, size] : sizes) inputs[name] = draw(random, size, shape.values);
  sizes.clear();
  for (const Port& port : program.states()) sizes[port.name] = shape.batch * size_of(port);
  for (const auto& [name, size] : sizes) states[name] = draw(random, size, Values::Fractions);
}

struct Hashes {
  Hash y, states, outputs;  // `outputs` of those after y
  bool has_outputs = false;
};

// Names of states are left out: another name has the same bits.
void add_states(const Program& program, const State& state, Hash& hash) {
  std::map<std::string, std::vector<float>> values;
  for (const Port& port : program.states()) values[port.name] = state.get(port.name).value();
  for (const auto& [name, numbers] : values) hash.add(numbers);
}

// One call, and one step more of those that stream.
void run(const Program& program, const Shape& shape, Random& random, Hashes& hashes) {
  const Call call(program, shape, random);
  State state = program.make_state(shape.batch, shape.steps + 1);
  for (const auto& [name, values] : call.states) state.set(name, values).value();
  std::vector<NamedInput> inputs;
  for (const auto& [name, values] : call.inputs) inputs.push_back({name, values});
  std::vector<NamedTime> times;
  for (const auto& [name, time] : call.times)
    if (name != "T") times.push_back({name, time.steps, time.lengths});
  const std::vector<NamedPort> ports = program.outputs();
  std::vector<std::vector<float>> written;
  std::vector<NamedOutput> outputs;
  for (const auto& [port, time] : ports) {
    const std::int64_t row = shape.batch * size_of(port);
    // NaN shows an element that nobody wrote.
    written.emplace_back(static_cast<std::size_t>(time.empty() ? row : call.times.at(time).steps * row),
                         std::numeric_limits<float>::quiet_NaN());
  }
  for (std::size_t i = 1; i < ports.size(); ++i) outputs.push_back({ports[i].port.name, written[i]});
  const RunStatus status = program.run(state, {.x = call.x,
                                               .y = written[0],
                                               .steps = shape.steps,
                                               .lengths = call.times.at("T").lengths,
                                               .inputs = inputs,
                                               .times = times,
                                               .outputs = outputs});
  if (status != RunStatus::Ok) throw std::runtime_error("run failed: " + std::to_string(static_cast<int>(status)));
  hashes.y.add(written[0]);
  for (std::size_t i = 1; i < written.size(); ++i) hashes.outputs.add(written[i]), hashes.has_outputs = true;
  add_states(program, state, hashes.states);
  if (!program.streams() || !inputs.empty()) return;
  std::vector<float> y(static_cast<std::size_t>(shape.batch * program.output_size()));
  if (program.step(state, call.x, y) != RunStatus::Ok) throw std::runtime_error("step failed");
  hashes.y.add(y);
  add_states(program, state, hashes.states);
}

using Lines = std::map<std::string, std::string>;  // by name

// Adds the hashes of one program on one level, as the file has them. Outputs after y have a line of their own.
void add_lines(const KeptProgram& kept, const std::string& level, Lines& lines) {
  const Weighted weighted = kept.load();
  const Program program = compile(weighted.model, weighted.weights,
                                  {.cell = weighted.graph, .cpu = level, .backend = Backend::Jit, .cache = false})
                              .value();
  Hash seed;
  seed.add(kept.name);
  Random random(seed.value());
  Hashes hashes;
  for (const Shape& shape : kShapes) run(program, shape, random, hashes);
  const std::string states = "," + hashes.states.hex();
  REQUIRE(lines.emplace(kept.name, hashes.y.hex() + states).second);
  if (hashes.has_outputs) lines[kept.name + "/outputs"] = hashes.outputs.hex() + states;
}

// The CPU levels of this machine whose bits are all the same.
std::vector<std::string> levels_with_fma() {
  std::vector<std::string> levels;
  for (const std::string& level : compiler::runnable_levels())
    if (compiler::resolve_target(level).value().fma) levels.push_back(level);
  return levels;
}

Lines read_lines() {
  std::ifstream file(kFile);
  Lines lines;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) lines[line.substr(0, line.find(','))] = line.substr(line.find(',') + 1);
  return lines;
}

// What is wrong with `found`; "" where it has the lines that are kept.
std::string differences(const Lines& kept, const Lines& found) {
  std::string text;
  int count = 0;
  const auto tell = [&](const std::string& name, const std::string& what) {
    if (++count <= kMostNames) text += name + what + "\n";
  };
  for (const auto& [name, line] : found) {
    const auto there = kept.find(name);
    if (there == kept.end())
      tell(name, " is not in bits.csv");
    else if (there->second != line)
      tell(name, " is " + line + " and was " + there->second);
  }
  for (const auto& [name, line] : kept)
    if (!found.contains(name)) tell(name, " is in bits.csv alone");
  if (count > kMostNames) text += "and " + std::to_string(count - kMostNames) + " more\n";
  return text;
}

}  // namespace

TEST_CASE("generated code has the bits that are kept", "[differential]") {
  const std::vector<std::string> levels = levels_with_fma();
  if (levels.empty()) {
    WARN("skipped: this machine has no fused multiply-add");
    return;
  }
  Lines found;
  for (const KeptProgram& kept : kept_programs()) {
    INFO(kept.name);
    add_lines(kept, levels.front(), found);
  }
  if (std::getenv("RNNC_BLESS") == nullptr) {
    CHECK(differences(read_lines(), found) == "");
    return;
  }
  std::ofstream file(kFile);
  file << kFields << "\n";
  for (const auto& [name, line] : found) file << name << "," << line << "\n";
}

TEST_CASE("every CPU level with fused multiply-add has the bits that are kept", "[differential]") {
  const std::vector<KeptProgram> programs = kept_programs();
  const Lines all = read_lines();
  for (const std::string& level : levels_with_fma()) {
    INFO(level);
    Lines kept, found;
    for (std::size_t i = 0; i < programs.size(); i += kEvery) {
      add_lines(programs[i], level, found);
    }
    for (const auto& [name, line] : found) kept[name] = all.at(name);
    CHECK(differences(kept, found) == "");
  }
}

}  // namespace rnnc::test
