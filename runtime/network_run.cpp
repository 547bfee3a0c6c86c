// This file checks the arguments of a call, lays out its blocks and runs its waves, on several threads if that saves
// time.
#include "runtime/network_run.hpp"

#include <algorithm>

#include "runtime/sharing.hpp"

namespace rnnc::runtime {

RunStatus NetworkRun::run() noexcept {
  if (const RunStatus status = check(); status != RunStatus::Ok || batch_ == 0) return status;
  if (list_.pieces_of == kNoTime) {
    run_piece(0);
    return RunStatus::Ok;
  }
  // A call of no steps still runs one piece, since an output may be a value without a time.
  Timeline& time = workspace_.times[static_cast<std::size_t>(list_.pieces_of)];
  const std::int64_t steps = time.steps(), piece = std::max<std::int64_t>(1, workspace_.max_steps);
  std::int64_t first = 0;
  do {
    time.select(first, std::min(piece, steps - first));
    begins_ = first == 0;
    run_piece(first);
    first += piece;
  } while (first < steps);
  return RunStatus::Ok;
}

RunStatus NetworkRun::check() noexcept {
  for (const NamedTime& time : arguments_.times)
    if (std::find(list_.times.begin(), list_.times.end(), time.name) == list_.times.end())
      return RunStatus::UnknownName;
  const auto set = [&](std::size_t time, std::int64_t steps, std::span<const std::int32_t> lengths) {
    if (steps < 0) return RunStatus::NegativeSteps;
    if (steps > workspace_.max_steps && static_cast<int>(time) != list_.pieces_of) return RunStatus::TooManySteps;
    if (!lengths.empty() && std::ssize(lengths) < batch_) return RunStatus::ShortSpan;
    lengths = lengths.first(lengths.empty() ? 0 : static_cast<std::size_t>(batch_));
    if (std::ranges::any_of(lengths, [&](auto n) { return n < 0 || n > steps; })) return RunStatus::BadLength;
    workspace_.times[time].set(batch_, steps, lengths.empty() ? nullptr : lengths.data());
    return RunStatus::Ok;
  };
  for (std::size_t i = 0; i < list_.times.size(); ++i) {
    const std::string& name = list_.times[i];
    const auto given = std::find_if(arguments_.times.begin(), arguments_.times.end(),
                                    [&](const NamedTime& time) { return time.name == name; });
    const bool named = given != arguments_.times.end();
    if (!named && name != "T") return RunStatus::MissingInput;
    const RunStatus status =
        named ? set(i, given->steps, given->lengths) : set(i, arguments_.steps, arguments_.lengths);
    if (status != RunStatus::Ok) return status;
  }
  return check_inputs();
}

RunStatus NetworkRun::check_inputs() const noexcept {
  for (const NamedInput& each : arguments_.inputs)
    if (std::none_of(list_.inputs.begin(), list_.inputs.end(),
                     [&](const NamedPort& input) { return input.port.name == each.name; }))
      return RunStatus::UnknownName;
  for (const Block& block : list_.blocks) {
    if (block.kind == Block::Kind::Own || rows(block.time) == 0) continue;
    const bool is_x = block.kind == Block::Kind::X;
    const std::span<const float> given = is_x ? arguments_.x : input(block.input);
    if (!is_x && !given.data()) return RunStatus::MissingInput;
    if (const RunStatus status = check_span(given, elements(block.time, block.width)); status != RunStatus::Ok)
      return status;
  }
  return check_outputs();
}

RunStatus NetworkRun::check_outputs() const noexcept {
  const auto check = [&](std::span<float> given, const Output& output) {
    return check_span(given, elements(output.time, output.width()));
  };
  for (const NamedOutput& each : arguments_.outputs) {
    const auto known = std::find_if(list_.outputs.begin() + 1, list_.outputs.end(),
                                    [&](const Output& output) { return output.port.name == each.name; });
    if (known == list_.outputs.end()) return RunStatus::UnknownName;
    if (const RunStatus status = check(each.data, *known); status != RunStatus::Ok) return status;
  }
  return check(arguments_.y, list_.outputs[0]);
}

// Returns the floats of the caller's rows. These are the rows of all steps, also where a sequence has ended.
std::int64_t NetworkRun::elements(int time, std::int64_t width) const noexcept {
  return floats_of(time == kNoTime ? batch_ : floats_of(timeline(time)->steps(), batch_), width);
}

std::span<const float> NetworkRun::input(int index) const noexcept {
  const std::string& name = list_.inputs[static_cast<std::size_t>(index)].port.name;
  for (const NamedInput& each : arguments_.inputs)
    if (each.name == name) return each.data;
  return {};
}

// Returns the caller's memory for an output. It has no data if the caller does not want an output after the first.
std::span<float> NetworkRun::output(std::size_t index) const noexcept {
  if (index == 0) return arguments_.y;
  for (const NamedOutput& each : arguments_.outputs)
    if (each.name == list_.outputs[index].port.name) return each.data;
  return {};
}

// ---- a piece of time

void NetworkRun::run_piece(std::int64_t first) noexcept {
  place_blocks(first);
  run_waves();
  for (std::size_t i = 0; i < list_.outputs.size(); ++i) write_output(i, first);
}

// Tells whether the block of an output lies in the caller's memory.
bool NetworkRun::is_written_directly(std::size_t output) const noexcept {
  const Timeline* timeline = this->timeline(list_.outputs[output].time);
  return output_block(list_, output) >= 0 && !(timeline && timeline->is_ragged()) && this->output(output).data();
}

// The caller's sequences stay in place, except those that differ in length, which are copied in the timeline's order.
void NetworkRun::place_blocks(std::int64_t first) noexcept {
  for (std::size_t i = 0; i < list_.blocks.size(); ++i) {
    const Block& block = list_.blocks[i];
    RowView& place = workspace_.blocks[i];
    place = {workspace_.arena.data() + workspace_.offsets[i], block.width};
    if (block.kind == Block::Kind::Own) continue;
    const float* given = (block.kind == Block::Kind::X ? arguments_.x : input(block.input)).data();
    const Timeline* timeline = this->timeline(block.time);
    if (given && block.time == list_.pieces_of && block.time != kNoTime) given += first * batch_ * block.width;
    if (timeline && timeline->is_ragged())
      gather_rows(*timeline, given, block.width, place.data);
    else
      place.data = const_cast<float*>(given);  // no call writes to it
  }
  for (std::size_t i = 0; i < list_.outputs.size(); ++i) {
    if (!is_written_directly(i)) continue;
    RowView& place = workspace_.blocks[static_cast<std::size_t>(list_.outputs[i].from[0].block)];
    const bool of_time = list_.outputs[i].time != kNoTime;
    place.data = output(i).data() + (of_time ? first * batch_ * place.stride : 0);
  }
}

void NetworkRun::run_waves() noexcept {
  for (int wave = 0; wave < list_.count_waves();) {
    const Wavefront* wavefront = wavefront_at(wave);
    if (wavefront && run_wavefront(*wavefront)) {
      wave = wavefront->end_wave;
    } else {
      run_wave(list_.first_call(wave), list_.first_call(wave + 1));
      ++wave;
    }
  }
}

NetworkRun::Work NetworkRun::work_of(int call) const noexcept {
  const int index = list_.running(call).time;
  const Timeline* time = timeline(index);
  const std::int64_t steps = time ? time->live_steps() : 1;
  return {steps, steps == 0 ? 0 : (rows(index) + steps - 1) / steps};
}

// Returns the time that `parts` threads save over running one call after another. It is 0 if one call is most of the
// work, since threads that share this call save more.
double NetworkRun::seconds_saved(int first, int end, int parts) const noexcept {
  double total = 0, longest = 0;
  for (int i = first; i < end; ++i) {
    const LoadedCell* cell = cell_of(i);
    if (!cell) continue;
    const Work work = work_of(i);
    const double seconds = seconds_alone(cell->description, work.steps, work.batch);
    total += seconds;
    longest = std::max(longest, seconds);
  }
  const double saved = total - std::max(longest, total / parts);
  return saved * 2 >= total * (1 - 1.0 / parts) ? saved : 0;
}

// Several calls of a wave are divided among threads as whole calls; a single call may divide its own work.
void NetworkRun::run_wave(int first, int end) noexcept {
  if (threads_.useful > 1 && end - first > 1) {
    struct Wave {
      NetworkRun& run;
      int first, end, parts;

      void operator()(int part) const noexcept {
        for (int call = first + part; call < end; call += parts) run.run_call(call, Threads{});
      }
    } wave{*this, first, end, std::min(threads_.useful, end - first)};
    const double saving = seconds_saved(first, end, wave.parts);
    if (saving > 0 && run_parts(threads_, wave, wave.parts, saving)) return;
  }
  for (int call = first; call < end; ++call) run_call(call, threads_);
}

void NetworkRun::write_output(std::size_t index, std::int64_t first) noexcept {
  const Output& from = list_.outputs[index];
  RowView to{output(index).data(), from.width()};
  if (!to.data || is_written_directly(index)) return;
  const Timeline* timeline = this->timeline(from.time);
  if (timeline) to.data += first * batch_ * to.stride;
  if (!timeline || !timeline->is_ragged()) return gather(from.from, from.time, {0, rows(from.time)}, to);
  for (const Piece& piece : from.from) {
    scatter_rows(*timeline, at(piece), time_of(piece) == kNoTime, piece.width(), to);
    to.data += piece.width();
  }
}

RunStatus run_network(const LoadedNetwork& network, const Threads& threads, const RunArguments& arguments,
                      std::int64_t batch, NetworkWorkspace& workspace) noexcept {
  const KernelFloatMode mode;
  return NetworkRun(network, threads, arguments, batch, workspace).run();
}

}  // namespace rnnc::runtime
