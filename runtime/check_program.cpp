#include "runtime/check_program.hpp"

#include <set>
#include <string>

#include "runtime/archive.hpp"
#include "runtime/check_description.hpp"
#include "runtime/sparse_panel.hpp"
#include "runtime/state_bound.hpp"

namespace rnnc::runtime {
namespace {

void require(bool right, const char* what) {
  if (!right) throw Damaged(std::string("its steps have ") + what);
}

template <class T>
bool within(std::int64_t index, const std::vector<T>& list) {
  return index >= 0 && index < std::ssize(list);
}

class Check {
 public:
  Check(const StoredProgram& stored, const StoredLevel& level) : stored_(stored), level_(level), list_(stored.list) {}

  void run() {
    blocks();
    divides(list_.calls, std::ssize(list_.steps));
    divides(list_.waves, std::ssize(list_.calls) - 1);
    require(list_.cells == std::ssize(level_.cells), "another number of cells");
    for (int call = 0; call < list_.count_calls(); ++call) {
      runs_ = 0;
      for (const AnyStep& step : list_.steps_of(call)) std::visit([this](const auto& each) { check(each); }, step);
      require(runs_ <= 1, "a call that runs twice");
    }
    require(next_cell_ == list_.cells, "cells that nothing runs");
    states();
    outputs();
    check_ports(stored_.description);
  }

 private:
  static constexpr std::int64_t kMost = std::int64_t{1} << 31;

  bool is_time(int time) const { return time == kNoTime || within(time, list_.times); }

  // Checks a block that lies in the caller's memory, of which the caller knows only the input's shape and time.
  void input(const Block& block) const {
    require(within(block.input, list_.inputs), "an input that there is not");
    const NamedPort& input = list_.inputs[static_cast<std::size_t>(block.input)];
    require(input.port.shape.size() <= 1 && block.width == input.port.size(), "an input of another shape");
    require(input.time == (block.time == kNoTime ? "" : list_.times[static_cast<std::size_t>(block.time)]),
            "an input of another time");
  }

  void blocks() const {
    std::int64_t inputs = 0;
    for (const Block& block : list_.blocks) {
      require(block.kind <= Block::Kind::Input, "a kind of block that there is not");
      require(is_time(block.time) && block.width >= 0 && block.width < kMost, "a block of no size");
      if (block.kind == Block::Kind::Input) input(block);
      if (block.kind == Block::Kind::X) inputs += block.width;
    }
    require(inputs == stored_.description.input_size, "an input of another size");
    require(is_time(list_.pieces_of), "a time that there is not");
  }

  // Checks the indices at which parts begin: they ascend from 0, and the last one is the number of elements.
  static void divides(const std::vector<int>& begins, std::int64_t count) {
    require(!begins.empty() && begins.front() == 0 && begins.back() == count, "parts that are not all of it");
    for (std::size_t i = 1; i < begins.size(); ++i) require(begins[i - 1] <= begins[i], "parts out of order");
  }

  std::int64_t width(const Piece& piece) const {
    require(within(piece.block, list_.blocks), "a block that there is not");
    require(piece.begin >= 0 && piece.begin <= piece.end && piece.end <= list_.block(piece).width,
            "columns outside of a block");
    return piece.width();
  }

  // Returns the number of columns that are read. Each piece is over `time` or without a time, since a row without a
  // time is read again at each step.
  std::int64_t width(const std::vector<Piece>& pieces, int time) const {
    std::int64_t sum = 0;
    for (const Piece& piece : pieces) {
      sum += width(piece);
      require(list_.block(piece).time == time || list_.block(piece).time == kNoTime, "rows of another time");
    }
    return sum;
  }

  // Returns the number of columns that are written; they must not lie in the caller's memory.
  std::int64_t written(const Piece& piece, int time) const {
    const std::int64_t columns = width(piece);
    require(list_.block(piece).kind == Block::Kind::Own, "a result in the caller's memory");
    require(list_.block(piece).time == time, "a result of another time");
    return columns;
  }

  const Description& description_of(int cell) const {
    require(within(cell, level_.cells), "a cell that there is not");
    const StoredCell& stored = level_.cells[static_cast<std::size_t>(cell)];
    require(within(stored.code, level_.codes), "code that there is not");
    require(within(stored.weights, stored_.weights), "weights that there are not");
    const Description& description = level_.codes[stored.code].description;
    require(is_packed_as(description, stored_.weights[stored.weights]), "weights of another size");
    return description;
  }

  const StateInfo& state_of(int cell, int state) const {
    const Description& description = description_of(cell);
    require(within(state, description.states), "a state that there is not");
    return description.states[static_cast<std::size_t>(state)];
  }

  // Checks a call that may be cut into pieces of time: all its rows are over that one time or without a time, since
  // memory is planned for the pieces of that time only.
  void in_pieces(int time) const {
    require(list_.pieces_of == kNoTime || time == kNoTime || time == list_.pieces_of, "pieces of several times");
  }

  // Checks a step that runs a cell. Each cell is run by one step, in the order of the steps, so that its memory has one
  // size.
  const Description& run_by(int cell, const Piece& x, const Piece& y, int time) {
    require(cell == next_cell_++, "cells out of order");
    ++runs_;
    const Description& description = description_of(cell);
    require(width(x) == description.input_size, "a cell with an input of another size");
    require(written(y, time) == description.output_size, "a cell with an output of another size");
    return description;
  }

  void check(const Gather& step) const {
    require(width(step.to) == width(step.from, list_.block(step.to).time), "a copy of another size");
    in_pieces(list_.block(step.to).time);
    written(step.to, list_.block(step.to).time);
  }

  void check(const Repeat& step) const {
    require(within(step.time, list_.times), "a time that there is not");
    require(written(step.to, kNoTime) == width(step.from, kNoTime), "a copy of another size");
  }

  void check(const Begin& step) const {
    require(width(step.from, kNoTime) == state_of(step.cell, step.state).size, "a state of another size");
  }

  void check(const Scan& step) {
    require(within(step.time, list_.times), "a time that there is not");
    run_by(step.cell, step.x, step.y, step.time);
    if (step.x.width() > 0)
      require(list_.block(step.x).time == (step.repeats ? kNoTime : step.time), "rows of another time");
    require(!step.reverse || list_.pieces_of == kNoTime, "a scan backwards in pieces");
    in_pieces(step.time);
  }

  void check(const Rows& step) {
    require(is_time(step.time), "a time that there is not");
    require(run_by(step.cell, step.x, step.y, step.time).states.empty(), "rows of a cell with states");
    in_pieces(step.time);
    if (step.x.width() > 0) require(list_.block(step.x).time == step.time, "rows of another time");
  }

  void check(const End& step) const {
    require(written(step.to, kNoTime) == state_of(step.cell, step.state).size, "a state of another size");
  }

  void check(const ReduceTime& step) {
    ++runs_;
    require(static_cast<std::size_t>(step.function) < kOverTimes, "a function over time that there is not");
    require(within(step.time, list_.times), "a time that there is not");
    const int time = gives_sequence(step.function) ? step.time : kNoTime;
    require(width(step.from, step.time) == written(step.to, time), "a function over time of another size");
    require(list_.pieces_of == kNoTime, "a function over time in pieces");
  }

  void states() const {
    require(list_.states.size() == stored_.description.states.size(), "states of other names");
    for (std::size_t i = 0; i < list_.states.size(); ++i) {
      const NamedState& named = list_.states[i];
      const StateInfo& described = stored_.description.states[i];
      const StateInfo& state = state_of(named.cell, named.state);
      require(named.name == described.tensor.name, "states of other names");
      require(state.tensor.shape == described.tensor.shape && state.size == described.size, "a state of another shape");
    }
    for (const StartState& start : list_.starts) {
      const StateInfo& state = state_of(start.cell, start.state);
      require(std::ssize(start.values) == state.size, "a state of another size");
      require(check_bound(state, state.tensor.name, start.values).ok(), "a state that starts outside of its range");
    }
  }

  void outputs() const {
    require(!list_.outputs.empty(), "no output");
    std::set<std::string> names;
    for (const Output& output : list_.outputs) {
      require(names.insert(output.port.name).second, "two outputs of one name");
      require(is_time(output.time), "a time that there is not");
      in_pieces(output.time);
      require(output.port.shape.size() <= 1, "an output of another shape");
      require(width(output.from, output.time) == output.port.size(), "an output of another size");
    }
    const Output& first = list_.outputs.front();
    require(first.width() == stored_.description.output_size, "an output of another size");
    require(first.port.name == stored_.description.output.name, "an output of another name");
  }

  const StoredProgram& stored_;
  const StoredLevel& level_;
  const StepList& list_;
  int next_cell_ = 0;
  int runs_ = 0;  // steps that run a cell, in the call that is checked
};

}  // namespace

void check_program(const StoredProgram& stored) {
  if (stored.levels.empty()) throw Damaged("it has no level");
  for (const StoredLevel& level : stored.levels) Check(stored, level).run();
}

}  // namespace rnnc::runtime
