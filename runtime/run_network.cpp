// A call of a network: what the caller hands over is checked and laid out as the blocks have it, then wave after wave.
#include <algorithm>
#include <cmath>

#include "runtime/network.hpp"
#include "runtime/over_time.hpp"
#include "runtime/sharing.hpp"

namespace rnnc::runtime {
namespace {

// Rows [first, end) of a time.
struct Span {
  std::int64_t first = 0, end = 0;
};

// One run, on memory that is there already.
class NetworkRun {
 public:
  NetworkRun(const LoadedNetwork& network, const Threads& threads, const RunArguments& arguments,
             NetworkState& state) noexcept
      : network_(network), threads_(threads), arguments_(arguments), state_(state) {}

  RunStatus run() noexcept {
    if (const RunStatus status = check(); status != RunStatus::Ok || state_.batch == 0) return status;
    place_blocks();
    const int waves = static_cast<int>(network_.waves.size()) - 1;
    for (int wave = 0; wave < waves;) {
      const Wavefront* wavefront = wavefront_at(wave);
      if (wavefront && run_wavefront(*wavefront)) {
        wave = wavefront->end_wave;
      } else {
        run_wave(first_call(wave), first_call(wave + 1));
        ++wave;
      }
    }
    write_output();
    return RunStatus::Ok;
  }

 private:
  RunStatus check() noexcept;
  RunStatus check_inputs() const noexcept;
  const float* input(int index) const noexcept;
  void place_blocks() noexcept;
  bool is_direct() const noexcept;

  int first_call(int wave) const noexcept { return network_.waves[static_cast<std::size_t>(wave)]; }
  const CellCall* cell_call(int index) const noexcept {
    return std::get_if<CellCall>(&network_.calls[static_cast<std::size_t>(index)]);
  }
  CallState& call_state(int index) const noexcept { return state_.calls[static_cast<std::size_t>(index)]; }

  struct Work {
    std::int64_t steps = 0, batch = 0;  // as if all sequences were of their mean length
  };
  Work work_of(const CellCall& call) const noexcept;
  double seconds_saved(int first, int end, int parts) const noexcept;
  void run_wave(int first, int end) noexcept;

  struct Chunks;
  const Wavefront* wavefront_at(int wave) const noexcept;
  bool run_wavefront(const Wavefront& wavefront) noexcept;
  void run_chunk(int index, std::int64_t first, std::int64_t steps) noexcept;

  void run_call(int index, const Threads& threads) noexcept;
  void run(const CellCall& call, CallState& state, const Threads& threads) noexcept;
  void run(const TimeCall& call) noexcept;
  Rows rows_of_x(const CellCall& call, Span rows) const noexcept;
  void run_rows(const CellCall& call, CellState& state, const Threads& threads, Rows x, Span rows) noexcept;
  void run_steps(const CellCall& call, CellState& state, const Threads& threads, Rows x,
                 std::span<const Segment> segments) noexcept;
  void begin_states(const CellCall& call, const CellState& state) noexcept;
  void end_states(const CellCall& call, const CellState& state) noexcept;
  void gather(const std::vector<Piece>& pieces, int time, Span rows, Rows to) const noexcept;
  void gather_once(const CellCall& call, Rows to) const noexcept;
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
  const Timeline* timeline = this->timeline(network_.output_time);
  return output_block(network_) >= 0 && !(timeline && timeline->is_ragged());
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

// ---- waves

NetworkRun::Work NetworkRun::work_of(const CellCall& call) const noexcept {
  const Timeline* time = timeline(call.time);
  const std::int64_t steps = time ? time->live_steps() : 1;
  return {steps, steps == 0 ? 0 : (rows(call.time) + steps - 1) / steps};
}

// Over one call after the other; 0 where one call is most of the work, which its own threads then share better.
double NetworkRun::seconds_saved(int first, int end, int parts) const noexcept {
  double total = 0, longest = 0;
  for (int i = first; i < end; ++i) {
    const CellCall* call = cell_call(i);
    if (!call) continue;
    const Work work = work_of(*call);
    const double seconds = seconds_alone(call->cell->description, work.steps, work.batch);
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

// ---- wavefronts

// How a wavefront's time is cut, and what that promises.
struct NetworkRun::Chunks {
  NetworkRun& run;
  const Wavefront& wavefront;
  std::int64_t steps = 0, chunk_steps = 0, count = 0;
  int parts = 1;
  double saving = 0;  // over layers one after the other, each shared as is best for it

  Chunks(NetworkRun& all, const Wavefront& front) noexcept;
};

NetworkRun::Chunks::Chunks(NetworkRun& all, const Wavefront& front) noexcept : run(all), wavefront(front) {
  // A chunk's rows go from core to core, and the weights of another layer are read again: seen with LSTM of 16 to 64
  // units.
  constexpr double kChunkSeconds = 1.2e-6;
  constexpr std::int64_t kRows = 6;  // that a product takes at a time
  const bool forced = all.threads_.sharing == Sharing::Layers;
  const int first = all.first_call(front.first_wave), calls = static_cast<int>(front.reads.size());
  double alone = 0, longest = 0, shared = 0;
  for (int i = first; i < first + calls; ++i) {
    const Description& description = all.cell_call(i)->cell->description;
    const Work work = all.work_of(*all.cell_call(i));
    const double seconds = seconds_alone(description, work.steps, work.batch);
    alone += seconds;
    longest = std::max(longest, seconds);
    shared += seconds - choose_shares(description, Sharing::Auto, all.threads_.useful, work.steps, work.batch).saving;
  }
  parts = std::min(forced ? all.threads_.count : all.threads_.useful, calls);
  const double cost = kChunkSeconds * calls / parts;
  // Threads wait for the first chunks and at the last: shorter ones cost less of that, but there are more.
  const auto wanted = std::max<std::int64_t>(2, std::llround(std::sqrt(longest / cost)));
  const std::int64_t tile = std::max<std::int64_t>(1, forced ? 1 : kRows / std::max<std::int64_t>(1, all.state_.batch));
  steps = all.timeline(all.cell_call(first)->time)->live_steps();
  chunk_steps = ((steps + wanted - 1) / wanted + tile - 1) / tile * tile;
  count = chunk_steps == 0 ? 0 : (steps + chunk_steps - 1) / chunk_steps;
  const double chunks = static_cast<double>(std::max<std::int64_t>(1, count));
  saving = forced ? 1
                  : shared - std::max(longest, alone / parts) - longest / chunks * (parts - 1) - chunks * cost -
                        kStartSeconds;
}

const Wavefront* NetworkRun::wavefront_at(int wave) const noexcept {
  for (const Wavefront& wavefront : network_.wavefronts)
    if (wavefront.first_wave == wave) return &wavefront;
  return nullptr;
}

// False where that does not promise to be faster, or threads cannot be had.
bool NetworkRun::run_wavefront(const Wavefront& wavefront) noexcept {
  if (threads_.sharing != Sharing::Auto && threads_.sharing != Sharing::Layers) return false;
  Chunks chunks(*this, wavefront);
  const int time = cell_call(first_call(wavefront.first_wave))->time;
  if (chunks.parts < 2 || chunks.count < 2 || chunks.saving <= 0 || timeline(time)->is_ragged()) return false;
  for (Progress& progress : state_.progress) progress.done.store(0, std::memory_order_relaxed);
  const auto task = [](void* context, int) noexcept {
    const Chunks& all = *static_cast<Chunks*>(context);
    const std::span<Progress> progress(all.run.state_.progress.data(), all.wavefront.reads.size());
    const auto run_chunk = [](void* of, int call, std::int64_t chunk) noexcept {
      const Chunks& me = *static_cast<Chunks*>(of);
      const std::int64_t first = chunk * me.chunk_steps;
      me.run.run_chunk(me.run.first_call(me.wavefront.first_wave) + call, first,
                       std::min(me.chunk_steps, me.steps - first));
    };
    work(all.wavefront, all.count, progress, run_chunk, context);
  };
  return threads_.executor->try_run(task, &chunks, chunks.parts, chunks.saving);
}

// Steps [first, first + steps) of a call whose sequences are all as long.
void NetworkRun::run_chunk(int index, std::int64_t first, std::int64_t steps) noexcept {
  const CellCall& call = *cell_call(index);
  CellState& state = call_state(index).cell;
  const Timeline& timeline = *this->timeline(call.time);
  const Span rows{first * state_.batch, (first + steps) * state_.batch};
  const Rows x = rows_of_x(call, rows);
  if (call.cell->description.states.empty()) return run_rows(call, state, Threads{}, x, rows);
  if (first == 0) begin_states(call, state);
  const Segment segment{first, steps, state_.batch, rows.first};
  run_steps(call, state, Threads{}, x, {&segment, 1});
  if (first + steps == timeline.live_steps()) end_states(call, state);
}

// ---- calls

void NetworkRun::run_call(int index, const Threads& threads) noexcept {
  const NetworkCall& call = network_.calls[static_cast<std::size_t>(index)];
  if (const auto* cell = std::get_if<CellCall>(&call))
    run(*cell, call_state(index), threads);
  else
    run(std::get<TimeCall>(call));
}

// Rows of `to` from `rows.first` on: the pieces side by side.
void NetworkRun::gather(const std::vector<Piece>& pieces, int time, Span rows, Rows to) const noexcept {
  const Timeline* timeline = this->timeline(time);
  for (const Piece& piece : pieces) {
    const Rows from = at(piece);
    const std::int64_t width = piece.end - piece.begin;
    if (time_of(piece) == time) {
      for (std::int64_t r = rows.first; r < rows.end; ++r)
        std::copy_n(from.data + r * from.stride, width, to.data + r * to.stride);
    } else {
      for (const Segment& segment : timeline->segments()) {
        const std::int64_t end = std::min(rows.end, segment.first_row + segment.steps * segment.live);
        for (std::int64_t r = std::max(rows.first, segment.first_row); r < end; ++r)
          std::copy_n(from.data + timeline->sequence((r - segment.first_row) % segment.live) * from.stride, width,
                      to.data + r * to.stride);
      }
    }
    to.data += width;
  }
}

// One row for each sequence, in the order in which the call has them.
void NetworkRun::gather_once(const CellCall& call, Rows to) const noexcept {
  const Timeline& timeline = *this->timeline(call.time);
  for (const Piece& piece : call.x) {
    const Rows from = at(piece);
    for (std::int64_t i = 0; i < state_.batch; ++i)
      std::copy_n(from.data + timeline.sequence(i) * from.stride, piece.end - piece.begin, to.data + i * to.stride);
    to.data += piece.end - piece.begin;
  }
}

Rows NetworkRun::rows_of_x(const CellCall& call, Span rows) const noexcept {
  if (call.x.empty()) return {};
  if (call.gathered < 0) return at(call.x[0]);
  const Rows x = state_.blocks[static_cast<std::size_t>(call.gathered)];
  if (call.repeats_x)
    gather_once(call, x);
  else
    gather(call.x, call.time, rows, x);
  return x;
}

void NetworkRun::run(const CellCall& call, CallState& memory, const Threads& threads) noexcept {
  const Span all{0, rows(call.time)};
  const Rows x = rows_of_x(call, all);
  const Description& description = call.cell->description;
  CellState& state = memory.cell;
  if (description.states.empty()) return run_rows(call, state, threads, x, all);
  const Timeline& timeline = *this->timeline(call.time);
  begin_states(call, state);
  if (timeline.is_ragged()) sort_states(description, timeline, memory.in_place, state);
  run_steps(call, state, threads, x, timeline.segments());
  if (timeline.is_ragged()) unsort_states(description, timeline, memory.in_place, state);
  end_states(call, state);
}

void NetworkRun::run_rows(const CellCall& call, CellState& state, const Threads& threads, Rows x, Span rows) noexcept {
  const Rows y = at(call.y);
  KernelArguments kernel = kernel_arguments(*call.cell, state);
  kernel.x_row = x.stride;
  kernel.y_row = y.stride;
  for (std::int64_t first = rows.first; first < rows.end; first += state.batch) {
    kernel.batch = std::min(state.batch, rows.end - first);
    kernel.x = x.data + first * x.stride;
    kernel.y = y.data + first * y.stride;
    kernel.x_step = kernel.batch * x.stride;
    kernel.y_step = kernel.batch * y.stride;
    run_kernel(*call.cell, threads, kernel, state.flags);
  }
}

void NetworkRun::run_steps(const CellCall& call, CellState& state, const Threads& threads, Rows x,
                           std::span<const Segment> segments) noexcept {
  const Rows y = at(call.y);
  run_segments(*call.cell, segments, call.reverse, state, [&](const Segment& segment, KernelArguments& kernel) {
    const std::int64_t row = segment.first_row + (call.reverse ? (segment.steps - 1) * segment.live : 0);
    const std::int64_t step = call.reverse ? -segment.live : segment.live;
    kernel.x = call.repeats_x ? x.data : x.data + row * x.stride;
    kernel.y = y.data + row * y.stride;
    kernel.x_step = call.repeats_x ? 0 : step * x.stride;
    kernel.y_step = step * y.stride;
    kernel.x_row = x.stride;
    kernel.y_row = y.stride;
    run_kernel(*call.cell, threads, kernel, state.flags);
  });
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

void NetworkRun::end_states(const CellCall& call, const CellState& state) noexcept {
  const Description& description = call.cell->description;
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
    over_time(call.function, timeline, at(piece), time_of(piece) == kNoTime, piece.end - piece.begin, to);
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
  if (!timeline || !timeline->is_ragged())
    return gather(network_.output, network_.output_time, {0, rows(network_.output_time)}, to);
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
