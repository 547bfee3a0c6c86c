// This file has the targets of what is kept between runs: artifacts, entries of the cache, saved states.
#include <rnnc/artifact.hpp>
#include <rnnc/compile.hpp>
#include <rnnc/session.hpp>

#include <algorithm>

#include "compiler/schedule/code_cache.hpp"
#include "runtime/artifact_file.hpp"
#include "tests/fuzz/stored.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/support/seal_artifact.hpp"

namespace rnnc::fuzz {
namespace {

constexpr std::int64_t kBatch = 2, kSteps = 3;
constexpr std::int64_t kMostFloats = 1 << 16;

void run(const Program& program) {
  if (program.input_size() > kMostFloats || program.output_size() > kMostFloats ||
      program.state_bytes(kBatch, kSteps) > 4 * kMostFloats)
    return;
  State state = program.make_state(kBatch, kSteps);
  std::vector<float> x(static_cast<std::size_t>(kBatch * kSteps * program.input_size()));
  std::vector<float> y(static_cast<std::size_t>(kBatch * kSteps * program.output_size()));
  std::vector<std::vector<float>> values;
  std::vector<NamedInput> inputs;
  std::vector<NamedTime> times;
  for (const NamedPort& input : program.named_inputs()) {
    std::int64_t size = 1;
    for (const std::int64_t dim : input.port.shape) size *= dim;
    if (size > kMostFloats) return;
    values.emplace_back(static_cast<std::size_t>(kBatch * kSteps * size));
    inputs.push_back({input.port.name, values.back()});
    times.push_back({input.time, kSteps});
  }
  std::vector<std::vector<float>> written;
  std::vector<NamedOutput> outputs;
  const std::vector<NamedPort> ports = program.outputs();
  for (std::size_t i = 1; i < ports.size(); ++i) {
    std::int64_t size = 1;
    for (const std::int64_t dim : ports[i].port.shape) size *= dim;
    if (size > kMostFloats) return;
    written.emplace_back(static_cast<std::size_t>(kBatch * kSteps * size));
    outputs.push_back({ports[i].port.name, written.back()});
  }
  const std::int32_t lengths[kBatch] = {1, kSteps};
  for (const std::size_t given : {0, 2})
    (void)program.run(state, {.x = x,
                              .y = y,
                              .steps = kSteps,
                              .lengths = std::span(lengths).first(given),
                              .inputs = inputs,
                              .times = times,
                              .outputs = outputs});
  state.restore(state.save()).value();
  for (const Port& port : program.states()) state.get(port.name).value();
}

// The bytes of a file are code too: what runs here is code that returns at once.
void load(Bytes file) {
  Result<runtime::StoredProgram> stored = runtime::read_artifact(file, "fuzz.rnnc");
  if (!stored) return require(!stored.error().message.empty(), "an error says nothing");
  for (runtime::StoredLevel& level : stored->levels)
    for (runtime::StoredCode& code : level.codes) code.image = code_that_returns();
  const std::vector<std::byte> written = runtime::write_artifact(*stored);
  for (const runtime::StoredLevel& level : stored->levels)
    if (const Result<Program> program = parse_artifact(written, "fuzz.rnnc", {.cpu = level.cpu})) run(*program);
}

}  // namespace

void fuzz_artifact(Bytes bytes) {
  load(bytes);
  load(test::seal_artifact(bytes));
}

void fuzz_cache(Bytes bytes) {
  require(!compiler::read_entry(bytes, kSeedKey), "an entry without a checksum is found");
  const auto found = compiler::read_entry(test::seal_artifact(bytes), kSeedKey);
  if (!found) return;
  require(found->key == kSeedKey, "an entry of another key is found");
  require((found->features & ~runtime::host_features()) == 0, "an entry for another CPU is found");
}

void fuzz_state(Bytes bytes) {
  static const Program program = seed_program();
  static State state = program.make_state(kBatch);
  const std::vector<std::byte> before = state.save();
  if (state.restore(bytes))
    require(std::ranges::equal(state.save(), bytes), "a restored state is another");
  else
    require(state.save() == before, "a state that is refused is not left alone");
  static Sessions sessions = Sessions::make(program, kBatch).value();
  static const std::int64_t slot = sessions.join().value();
  const std::vector<std::byte> session = sessions.save(slot).value();
  if (sessions.restore(slot, bytes))
    require(std::ranges::equal(sessions.save(slot).value(), bytes), "a restored stream is another");
  else
    require(sessions.save(slot).value() == session, "a stream that is refused is not left alone");
}

}  // namespace rnnc::fuzz
