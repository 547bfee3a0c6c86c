#include "runtime/program.hpp"

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "runtime/flush_denormals.hpp"
#include "runtime/pack.hpp"
#include "runtime/sharing.hpp"
#include "runtime/thread_pool.hpp"

namespace rnnc {

using runtime::Description;
using runtime::StateContent;
using runtime::StateInfo;

namespace runtime {
namespace {

std::int64_t chunk_steps(const Description& description, std::int64_t batch) {
  return std::max<std::int64_t>(1, description.chunk_rows / std::max<std::int64_t>(1, batch));
}

RunStatus check(const LoadedProgram& program, const RunArguments& arguments, const StateContent& state) noexcept {
  if (state.program.get() != &program) return RunStatus::WrongState;
  if (arguments.batch != state.batch) return RunStatus::BatchMismatch;
  if (arguments.steps < 0) return RunStatus::NegativeSteps;
  if (arguments.steps == 0 || arguments.batch == 0) return RunStatus::Ok;
  const bool needs_x = program.description.input_size > 0;
  if ((needs_x && !arguments.x) || !arguments.y) return RunStatus::MissingPointer;
  if (arguments.lengths)
    for (std::int64_t b = 0; b < arguments.batch; ++b)
      if (arguments.lengths[b] < 0 || arguments.lengths[b] > arguments.steps) return RunStatus::BadLength;
  return RunStatus::Ok;
}

KernelArguments kernel_arguments(const LoadedProgram& program, const RunArguments& arguments,
                                 StateContent& state) noexcept {
  const Description& description = program.description;
  return {.x = arguments.x,
          .y = arguments.y,
          .current = state.buffers[state.current].data(),
          .next = state.buffers[1 - state.current].data(),
          .in_place = state.in_place.data(),
          .sequence = state.sequence.data(),
          .step = state.step.data(),
          .weights = program.weights.data(),
          .x_step = arguments.batch * description.input_size,
          .y_step = arguments.batch * description.output_size,
          .steps = arguments.steps,
          .batch = arguments.batch,
          .chunk_steps = state.chunk_steps,
          .flags = state.flags.data(),
          .part = 0,
          .parts = 1,
          .yield = [] { std::this_thread::yield(); }};
}

// The arguments for `count` sequences from `first`, which are rows of the whole call's.
KernelArguments slice(const Description& description, const KernelArguments& whole, std::int64_t first,
                      std::int64_t count) noexcept {
  KernelArguments part = whole;
  part.x += first * description.input_size;
  part.y += first * description.output_size;
  part.current += first * description.doubled_row;
  part.next += first * description.doubled_row;
  part.in_place += first * description.in_place_row;
  part.sequence += first * whole.chunk_steps * description.sequence_row;
  part.step += first * description.step_row;
  part.batch = count;
  return part;
}

// Each sequence on its own, for as long as it is: the bits are those of any batch. Of the parts that share its units, the
// first does what is no kernel's work; no other reads or writes what it does.
void run_lengths(const LoadedProgram& program, const KernelArguments& all, const std::int32_t* lengths) noexcept {
  const Description& description = program.description;
  for (std::int64_t b = 0; b < all.batch; ++b) {
    KernelArguments one = slice(description, all, b, 1);
    one.steps = lengths[b];
    if (one.steps > 0) program.run(&one);
    if (all.part > 0) continue;
    if (one.steps % 2 == 1) std::copy_n(one.next, description.doubled_row, one.current);
    for (std::int64_t t = one.steps; t < all.steps; ++t)
      std::fill_n(one.y + t * one.y_step, description.output_size, 0.0f);
  }
}

void run_alone(const LoadedProgram& program, const KernelArguments& arguments, const std::int32_t* lengths) noexcept {
  const FlushDenormals flush;
  if (lengths)
    run_lengths(program, arguments, lengths);
  else
    program.run(&arguments);
}

// A call that several threads share.
struct Call {
  const LoadedProgram& program;
  const KernelArguments& arguments;
  const std::int32_t* lengths;
  Shares shares;

  void run_part(int part) const noexcept {
    if (shares.sharing == Sharing::Units) {
      KernelArguments mine = arguments;
      mine.part = part;
      mine.parts = shares.parts;
      return run_alone(program, mine, lengths);
    }
    const std::int64_t first = arguments.batch * part / shares.parts, end = arguments.batch * (part + 1) / shares.parts;
    KernelArguments mine = slice(program.description, arguments, first, end - first);
    mine.flags += part;
    run_alone(program, mine, lengths ? lengths + first : nullptr);
  }
};

// False, with nothing done, where one thread is best or others cannot be had.
bool run_shared(const LoadedProgram& program, const KernelArguments& arguments, const std::int32_t* lengths,
                std::vector<Flag>& flags) noexcept {
  for (Flag& flag : flags) flag.stages = 0;
  Call call{program, arguments, lengths,
            choose_shares(program.description, program.sharing, program.threads, arguments.steps, arguments.batch)};
  if (call.shares.parts == 1) return false;
  const auto task = [](void* context, int part) noexcept { static_cast<Call*>(context)->run_part(part); };
  return program.executor->try_run(task, &call, call.shares.parts, call.shares.saving);
}

const StateInfo* find_state(const Description& description, const std::string& name) {
  for (const StateInfo& info : description.states)
    if (info.tensor.name == name) return &info;
  return nullptr;
}

Error unknown_state(const Description& description, const std::string& name) {
  std::string known;
  for (const StateInfo& info : description.states) known += (known.empty() ? "" : ", ") + info.tensor.name;
  return {ErrorCode::Name, {}, "cell " + description.cell + " has no state " + name + "; its states are: " + known, {}};
}

// The row of sequence `b`, at the state.
float* state_row(const StateContent& content, const StateInfo& info, std::int64_t b) {
  const Description& description = content.program->description;
  const AlignedBuffer& buffer = info.doubled ? content.buffers[content.current] : content.in_place;
  return buffer.data() + b * (info.doubled ? description.doubled_row : description.in_place_row) + info.offset;
}

Port port_of(const TensorInfo& tensor) { return {tensor.name, tensor.shape}; }

}  // namespace

Result<Program> load_program(Description description, RunKernel run, PrepareKernel prepare, std::shared_ptr<void> code,
                             const TensorMap& weights, Threads threads) {
  Result<AlignedBuffer> block = pack_weights(description, weights);
  if (!block) return block.error();
  {
    const FlushDenormals flush;
    prepare(block->data());
  }
  return make_program(std::move(description), run, std::move(code), std::move(*block), std::move(threads));
}

Result<Program> make_program(Description description, RunKernel run, std::shared_ptr<void> code, AlignedBuffer weights,
                             Threads threads) try {
  auto loaded = std::make_shared<LoadedProgram>();
  loaded->description = std::move(description);
  loaded->weights = std::move(weights);
  loaded->run = run;
  loaded->code = std::move(code);
  loaded->threads = threads.count;
  loaded->executor = std::move(threads.executor);
  loaded->sharing = threads.sharing;
  if (threads.count > 1 && !loaded->executor) loaded->executor = std::make_shared<ThreadPool>(threads.count - 1);
  return Program(std::move(loaded));
} catch (const std::system_error& error) {
  return Error{ErrorCode::Limit, {}, "cannot start " + std::to_string(threads.count) + " threads: " + error.what(), {}};
}

}  // namespace runtime

namespace {
constexpr std::int64_t kMaxBatch = std::int64_t{1} << 31;  // keeps every size within 64 bits
}

State::State(std::unique_ptr<StateContent> content) : content_(std::move(content)) {}
State::State(State&&) noexcept = default;
State& State::operator=(State&&) noexcept = default;
State::~State() = default;

std::int64_t State::batch() const noexcept { return content_->batch; }

void State::reset() noexcept {
  content_->buffers[content_->current].clear();
  content_->in_place.clear();
}

Result<void> State::set(const std::string& name, std::span<const float> values) {
  const Description& description = content_->program->description;
  const StateInfo* info = runtime::find_state(description, name);
  if (!info) return runtime::unknown_state(description, name);
  if (static_cast<std::int64_t>(values.size()) != content_->batch * info->size)
    return Error{ErrorCode::ShapeMismatch,
                 {},
                 "shape mismatch: state " + name + " of batch " + std::to_string(content_->batch) + " takes " +
                     std::to_string(content_->batch * info->size) + " elements but got " +
                     std::to_string(values.size()),
                 {}};
  for (std::int64_t b = 0; b < content_->batch; ++b)
    std::copy_n(values.data() + b * info->size, info->size, runtime::state_row(*content_, *info, b));
  return {};
}

Result<std::vector<float>> State::get(const std::string& name) const {
  const Description& description = content_->program->description;
  const StateInfo* info = runtime::find_state(description, name);
  if (!info) return runtime::unknown_state(description, name);
  std::vector<float> values(static_cast<std::size_t>(content_->batch * info->size));
  for (std::int64_t b = 0; b < content_->batch; ++b)
    std::copy_n(runtime::state_row(*content_, *info, b), info->size, values.data() + b * info->size);
  return values;
}

std::vector<Port> Program::inputs() const {
  std::vector<Port> ports;
  for (const auto& input : loaded_->description.inputs) ports.push_back(runtime::port_of(input));
  return ports;
}

std::vector<Port> Program::states() const {
  std::vector<Port> ports;
  for (const StateInfo& state : loaded_->description.states) ports.push_back(runtime::port_of(state.tensor));
  return ports;
}

std::int64_t Program::input_size() const noexcept { return loaded_->description.input_size; }
std::int64_t Program::output_size() const noexcept { return loaded_->description.output_size; }
std::string Program::cell() const { return loaded_->description.cell; }
std::string Program::cpu() const { return loaded_->description.cpu; }

State Program::make_state(std::int64_t batch) const {
  if (batch < 0 || batch > kMaxBatch) throw std::length_error("make_state: batch is negative or absurd");
  const Description& description = loaded_->description;
  auto content = std::make_unique<StateContent>();
  content->program = loaded_;
  content->batch = batch;
  content->chunk_steps = runtime::chunk_steps(description, batch);
  for (auto& buffer : content->buffers) buffer = runtime::AlignedBuffer(batch * description.doubled_row);
  content->in_place = runtime::AlignedBuffer(batch * description.in_place_row);
  content->sequence = runtime::AlignedBuffer(content->chunk_steps * batch * description.sequence_row);
  content->step = runtime::AlignedBuffer(batch * description.step_row);
  if (loaded_->threads > 1) content->flags.resize(static_cast<std::size_t>(loaded_->threads));
  return State(std::move(content));
}

std::int64_t Program::state_bytes(std::int64_t batch) const noexcept {
  const Description& description = loaded_->description;
  const std::int64_t row = 2 * description.doubled_row + description.in_place_row + description.step_row +
                           runtime::chunk_steps(description, batch) * description.sequence_row;
  return batch * row * static_cast<std::int64_t>(sizeof(float));
}

std::int64_t Program::weights_bytes() const noexcept {
  return loaded_->description.weights_size * static_cast<std::int64_t>(sizeof(float));
}

RunStatus Program::run(const RunArguments& arguments) const noexcept {
  StateContent& state = *arguments.state.content_;
  const RunStatus status = runtime::check(*loaded_, arguments, state);
  if (status != RunStatus::Ok || arguments.steps == 0 || arguments.batch == 0) return status;
  const runtime::KernelArguments kernel = runtime::kernel_arguments(*loaded_, arguments, state);
  if (loaded_->threads == 1 || !runtime::run_shared(*loaded_, kernel, arguments.lengths, state.flags))
    runtime::run_alone(*loaded_, kernel, arguments.lengths);
  if (!arguments.lengths && arguments.steps % 2 == 1) state.current = 1 - state.current;
  return status;
}

RunStatus Program::step(State& state, const float* x, float* y) const noexcept {
  return run({.x = x, .y = y, .steps = 1, .batch = state.batch(), .state = state});
}

}  // namespace rnnc
