// A call of a network: what the caller hands over is checked and laid out as the blocks have it, then wave after wave.
#include <algorithm>

#include "runtime/network.hpp"
#include "runtime/over_time.hpp"
#include "runtime/sharing.hpp"

namespace rnnc::runtime {
namespace {

// One run, on memory that is there already.
class NetworkRun {
 public:
  NetworkRun(const LoadedNetwork& network, const Threads& threads, const RunArguments& arguments,
             NetworkState& state) noexcept
      : network_(network), threads_(threads), arguments_(arguments), state_(state) {}

  RunStatus run() noexcept {
    if (const RunStatus status = check(); status != RunStatus::Ok || state_.batch == 0) return status;
    place_blocks();
    for (std::size_t wave = 0; wave + 1 < network_.waves.size(); ++wave)
      run_wave(network_.waves[wave], network_.waves[wave + 1]);
    write_output();
    return RunStatus::Ok;
  }

 private:
  RunStatus check() noexcept;
  RunStatus check_inputs() const noexcept;
  const float* input(int index) const noexcept;
  void place_blocks() noexcept;
  bool is_direct() const noexcept;
  double seconds_saved(int first, int end, int parts) const noexcept;
  void run_wave(int first, int end) noexcept;
  void run_call(int index, const Threads& threads) noexcept;
  void run(const CellCall& call, CallState& state, const Threads& threads) noexcept;
  void run(const TimeCall& call) noexcept;
  void run_rows(const CellCall& call, CellState& state, const Threads& threads, Rows x, Rows y) noexcept;
  void run_scan(const CellCall& call, CallState& state, const Threads& threads, Rows x, Rows y) noexcept;
  void begin_states(const CellCall& call, const CellState& state) noexcept;
  void gather(const std::vector<Piece>& pieces, int time, Rows to) const noexcept;
  void write_output() noexcept;

  Rows at(const Piece& piece) const noexcept {
    const Rows& block = state_.blocks[static_cast<std::size_t>(piece.block)];
    return {block.data + piece.begin, block.stride};
  }
  int time_of(const Piece& piece) const noexcept { return network_.blocks[static_cast<std::size_t>(piece.block)].time; }
  const Timeline* timeline(int time) const noexcept {
    return time == kNoTime ? nullptr : &state_.times[static_cast<std::size_t>(time)];
  }
  std::int64_t rows(int time) const noexcept { return time == kNoTime ? state_.batch : timeline(time)->rows(); }

  const LoadedNetwork& network_;
  const Threads& threads_;
  const RunArguments& arguments_;
  NetworkState& state_;
};

// ---- what the caller hands over

RunStatus NetworkRun::check() noexcept {
  if (arguments_.batch != state_.batch) return RunStatus::BatchMismatch;
  for (const NamedTime& time : arguments_.times)
    if (std::find(network_.times.begin(), network_.times.end(), time.name) == network_.times.end())
      return RunStatus::UnknownName;
  const auto set = [&](Timeline& timeline, std::int64_t steps, const std::int32_t* lengths) {
    if (steps < 0) return RunStatus::NegativeSteps;
    if (steps > state_.max_steps) return RunStatus::TooManySteps;
    if (lengths && std::any_of(lengths, lengths + state_.batch, [&](auto n) { return n < 0 || n > steps; }))
      return RunStatus::BadLength;
    timeline.set(steps, lengths);
    return RunStatus::Ok;
  };
  for (std::size_t i = 0; i < network_.times.size(); ++i) {
    const std::string& name = network_.times[i];
    const auto given = std::find_if(arguments_.times.begin(), arguments_.times.end(),
                                    [&](const NamedTime& time) { return time.name == name; });
    const bool named = given != arguments_.times.end();
    if (!named && name != "T") return RunStatus::MissingInput;
    const RunStatus status = named ? set(state_.times[i], given->steps, given->lengths)
                                   : set(state_.times[i], arguments_.steps, arguments_.lengths);
    if (status != RunStatus::Ok) return status;
  }
  return check_inputs();
}

RunStatus NetworkRun::check_inputs() const noexcept {
  for (const NamedInput& each : arguments_.inputs)
    if (std::none_of(network_.inputs.begin(), network_.inputs.end(),
                     [&](const NamedPort& input) { return input.port.name == each.name; }))
      return RunStatus::UnknownName;
  for (const Block& block : network_.blocks) {
    if (rows(block.time) == 0) continue;
    if (block.kind == Block::Kind::X && block.width > 0 && !arguments_.x) return RunStatus::MissingPointer;
    if (block.kind == Block::Kind::Input && !input(block.input)) return RunStatus::MissingInput;
  }
  const bool writes = network_.output_time == kNoTime || timeline(network_.output_time)->steps() > 0;
  return writes && state_.batch > 0 && !arguments_.y ? RunStatus::MissingPointer : RunStatus::Ok;
}

const float* NetworkRun::input(int index) const noexcept {
  const std::string& name = network_.inputs[static_cast<std::size_t>(index)].port.name;
  for (const NamedInput& each : arguments_.inputs)
    if (each.name == name) return each.data;
  return nullptr;
}

// Whether the output is a block that nothing but the caller's y is needed for.
bool NetworkRun::is_direct() const noexcept {
  if (network_.output.size() != 1 || time_of(network_.output[0]) != network_.output_time) return false;
  const Block& block = network_.blocks[static_cast<std::size_t>(network_.output[0].block)];
  const Timeline* timeline = this->timeline(network_.output_time);
  return block.kind == Block::Kind::Own && block.width == network_.output[0].end - network_.output[0].begin &&
         !(timeline && timeline->is_ragged());
}

// The caller's sequences stay where they are, but for those that differ in length.
void NetworkRun::place_blocks() noexcept {
  for (std::size_t i = 0; i < network_.blocks.size(); ++i) {
    const Block& block = network_.blocks[i];
    Rows& place = state_.blocks[i];
    place = {state_.arena.data() + state_.offsets[i], block.width};
    if (block.kind == Block::Kind::Own) continue;
    const float* given = block.kind == Block::Kind::X ? arguments_.x : input(block.input);
    const Timeline* timeline = this->timeline(block.time);
    if (timeline && timeline->is_ragged())
      gather_rows(*timeline, given, block.width, place.data);
    else
      place.data = const_cast<float*>(given);  // no call writes to it
  }
  if (is_direct()) state_.blocks[static_cast<std::size_t>(network_.output[0].block)].data = arguments_.y;
}

// ---- calls

// Over one call after the other; 0 where one call is most of the work, which its own threads then share better.
double NetworkRun::seconds_saved(int first, int end, int parts) const noexcept {
  double total = 0, longest = 0;
  for (int i = first; i < end; ++i) {
    const auto* call = std::get_if<CellCall>(&network_.calls[static_cast<std::size_t>(i)]);
    if (!call) continue;
    const Timeline* time = timeline(call->time);
    const std::int64_t steps = time ? time->live_steps() : 1;
    const std::int64_t mean = steps == 0 ? 0 : (rows(call->time) + steps - 1) / steps;
    const double seconds = seconds_alone(call->cell->description, steps, mean);
    total += seconds;
    longest = std::max(longest, seconds);
  }
  const double saved = total - std::max(longest, total / parts);
  return saved * 2 >= total * (1 - 1.0 / parts) ? saved : 0;
}

// Calls of a wave are shared whole; a call that is alone may share its own work.
void NetworkRun::run_wave(int first, int end) noexcept {
  if (threads_.useful > 1 && end - first > 1) {
    struct Wave {
      NetworkRun& run;
      int first, end, parts;
    } wave{*this, first, end, std::min(threads_.useful, end - first)};
    const auto task = [](void* context, int part) noexcept {
      const Wave& me = *static_cast<Wave*>(context);
      for (int call = me.first + part; call < me.end; call += me.parts) me.run.run_call(call, Threads{});
    };
    const double saving = seconds_saved(first, end, wave.parts);
    if (saving > 0 && threads_.executor->try_run(task, &wave, wave.parts, saving)) return;
  }
  for (int call = first; call < end; ++call) run_call(call, threads_);
}

void NetworkRun::run_call(int index, const Threads& threads) noexcept {
  const NetworkCall& call = network_.calls[static_cast<std::size_t>(index)];
  if (const auto* cell = std::get_if<CellCall>(&call))
    run(*cell, state_.calls[static_cast<std::size_t>(index)], threads);
  else
    run(std::get<TimeCall>(call));
}

// One row of `to` for each of the time: its pieces side by side.
void NetworkRun::gather(const std::vector<Piece>& pieces, int time, Rows to) const noexcept {
  const Timeline* timeline = this->timeline(time);
  for (const Piece& piece : pieces) {
    const Rows from = at(piece);
    const std::int64_t width = piece.end - piece.begin;
    if (time_of(piece) == time) {
      for (std::int64_t r = 0; r < rows(time); ++r)
        std::copy_n(from.data + r * from.stride, width, to.data + r * to.stride);
    } else {
      for (const Segment& segment : timeline->segments())
        for (std::int64_t r = 0; r < segment.steps * segment.live; ++r)
          std::copy_n(from.data + timeline->sequence(r % segment.live) * from.stride, width,
                      to.data + (segment.first_row + r) * to.stride);
    }
    to.data += width;
  }
}

void NetworkRun::run(const CellCall& call, CallState& state, const Threads& threads) noexcept {
  Rows x;
  if (call.gathered >= 0) {
    x = state_.blocks[static_cast<std::size_t>(call.gathered)];
    gather(call.x, call.time, x);
  } else if (!call.x.empty()) {
    x = at(call.x[0]);
  }
  if (call.cell->description.states.empty())
    run_rows(call, state.cell, threads, x, at(call.y));
  else
    run_scan(call, state, threads, x, at(call.y));
}

void NetworkRun::run_rows(const CellCall& call, CellState& state, const Threads& threads, Rows x, Rows y) noexcept {
  const std::int64_t all = rows(call.time);
  KernelArguments kernel = kernel_arguments(*call.cell, state);
  kernel.x_row = x.stride;
  kernel.y_row = y.stride;
  for (std::int64_t first = 0; first < all; first += state.batch) {
    kernel.batch = std::min(state.batch, all - first);
    kernel.x = x.data + first * x.stride;
    kernel.y = y.data + first * y.stride;
    kernel.x_step = kernel.batch * x.stride;
    kernel.y_step = kernel.batch * y.stride;
    run_kernel(*call.cell, threads, kernel, state.flags);
  }
}

// Initial values of the network's own, in the caller's order as the states are then.
void NetworkRun::begin_states(const CellCall& call, const CellState& state) noexcept {
  const Description& description = call.cell->description;
  for (const InitialState& initial : call.initial) {
    const StateInfo& info = description.states[static_cast<std::size_t>(initial.state)];
    for (std::int64_t b = 0; b < state_.batch; ++b) {
      float* to = state.row(info, description, b);
      for (const Piece& piece : initial.from) {
        const Rows from = at(piece);
        to = std::copy_n(from.data + b * from.stride, piece.end - piece.begin, to);
      }
    }
  }
}

void NetworkRun::run_scan(const CellCall& call, CallState& memory, const Threads& threads, Rows x, Rows y) noexcept {
  CellState& state = memory.cell;
  const Description& description = call.cell->description;
  const Timeline& timeline = *this->timeline(call.time);
  begin_states(call, state);
  if (timeline.is_ragged()) sort_states(description, timeline, memory.in_place, state);
  run_segments(*call.cell, timeline, call.reverse, state, [&](const Segment& segment, KernelArguments& kernel) {
    const std::int64_t row = segment.first_row + (call.reverse ? (segment.steps - 1) * segment.live : 0);
    const std::int64_t step = call.reverse ? -segment.live : segment.live;
    kernel.x = x.data + row * x.stride;
    kernel.y = y.data + row * y.stride;
    kernel.x_step = step * x.stride;
    kernel.y_step = step * y.stride;
    kernel.x_row = x.stride;
    kernel.y_row = y.stride;
    run_kernel(*call.cell, threads, kernel, state.flags);
  });
  if (timeline.is_ragged()) unsort_states(description, timeline, memory.in_place, state);
  for (const FinalState& final : call.final_states) {
    const StateInfo& info = description.states[static_cast<std::size_t>(final.state)];
    const Rows to = at(final.to);
    for (std::int64_t b = 0; b < state_.batch; ++b)
      std::copy_n(state.row(info, description, b), info.size, to.data + b * to.stride);
  }
}

void NetworkRun::run(const TimeCall& call) noexcept {
  const Timeline& timeline = *this->timeline(call.time);
  Rows to = at(call.y);
  for (const Piece& piece : call.x) {
    over_time(call.function, timeline, at(piece), piece.end - piece.begin, to);
    to.data += piece.end - piece.begin;
  }
}

// ---- the caller's y

void NetworkRun::write_output() noexcept {
  if (is_direct()) return;
  const Timeline* timeline = this->timeline(network_.output_time);
  std::int64_t width = 0;
  for (const Piece& piece : network_.output) width += piece.end - piece.begin;
  Rows to{arguments_.y, width};
  if (!timeline || !timeline->is_ragged()) return gather(network_.output, network_.output_time, to);
  for (const Piece& piece : network_.output) {
    const Rows from = at(piece);
    scatter_rows(*timeline, from, time_of(piece) == kNoTime, piece.end - piece.begin, to);
    to.data += piece.end - piece.begin;
  }
}

}  // namespace

RunStatus run_network(const LoadedNetwork& network, const Threads& threads, const RunArguments& arguments,
                      NetworkState& state) noexcept {
  return NetworkRun(network, threads, arguments, state).run();
}

}  // namespace rnnc::runtime
