#include "runtime/check_network.hpp"

#include <string>

#include "runtime/archive.hpp"

namespace rnnc::runtime {
namespace {

void require(bool right, const char* what) {
  if (!right) throw Damaged(std::string("its network has ") + what);
}

template <class T>
bool within(std::int64_t index, const std::vector<T>& list) {
  return index >= 0 && index < std::ssize(list);
}

class Check {
 public:
  explicit Check(const StoredNetwork& stored) : stored_(stored), network_(stored.network) {}

  void run() {
    blocks();
    waves();
    std::size_t cell = 0;
    for (const NetworkCall& any : network_.calls) {
      const auto* call = std::get_if<CellCall>(&any);
      if (call) require(cell < stored_.cells.size(), "calls without cells");
      descriptions_.push_back(call ? &description_of(stored_.cells[cell++]) : nullptr);
    }
    require(cell == stored_.cells.size(), "cells without calls");
    for (std::size_t i = 0; i < network_.calls.size(); ++i) {
      if (const auto* call = std::get_if<CellCall>(&network_.calls[i]))
        check(*call, *descriptions_[i]);
      else
        check(std::get<TimeCall>(network_.calls[i]));
    }
    states();
    require(is_time(network_.output_time), "a time that there is not");
    require(width(network_.output) == stored_.description.output_size, "an output of another size");
  }

 private:
  bool is_time(int time) const { return time == kNoTime || within(time, network_.times); }

  void blocks() const {
    std::int64_t inputs = 0;
    for (const Block& block : network_.blocks) {
      require(block.kind <= Block::Kind::Input, "a kind of block that there is not");
      require(is_time(block.time) && block.width >= 0 && block.width < kMost, "a block of no size");
      if (block.kind == Block::Kind::Input) require(within(block.input, network_.inputs), "an input that there is not");
      if (block.kind == Block::Kind::X) inputs += block.width;
    }
    require(inputs == stored_.description.input_size, "an input of another size");
  }

  // They divide the calls, in order.
  void waves() const {
    const std::vector<int>& waves = network_.waves;
    require(!waves.empty() && waves.front() == 0 && waves.back() == std::ssize(network_.calls), "calls of no wave");
    for (std::size_t i = 1; i < waves.size(); ++i) require(waves[i - 1] <= waves[i], "waves out of order");
  }

  const Description& description_of(const StoredCell& cell) const {
    require(within(cell.code, stored_.codes), "code that there is not");
    const Description& description = stored_.codes[cell.code].description;
    require(std::ssize(cell.weights) == description.weights_size, "weights of another size");
    return description;
  }

  void check(const Piece& piece) const {
    require(within(piece.block, network_.blocks), "a block that there is not");
    const std::int64_t columns = network_.blocks[static_cast<std::size_t>(piece.block)].width;
    require(piece.begin >= 0 && piece.begin <= piece.end && piece.end <= columns, "columns outside of a block");
  }

  std::int64_t width(const std::vector<Piece>& pieces) const {
    std::int64_t sum = 0;
    for (const Piece& piece : pieces) check(piece), sum += piece.end - piece.begin;
    return sum;
  }

  static const StateInfo& state_of(const Description& description, int state) {
    require(within(state, description.states), "a state that there is not");
    return description.states[static_cast<std::size_t>(state)];
  }

  void check(const CellCall& call, const Description& description) const {
    require(is_time(call.time), "a time that there is not");
    require(width(call.x) == description.input_size, "a cell with an input of another size");
    require(width({call.y}) == description.output_size, "a cell with an output of another size");
    if (call.gathered != -1)
      require(within(call.gathered, network_.blocks) &&
                  network_.blocks[static_cast<std::size_t>(call.gathered)].width == description.input_size,
              "a block that there is not");
    else
      require(call.x.size() <= 1, "a cell whose input nothing gathers");
    for (const InitialState& initial : call.initial)
      require(width(initial.from) == state_of(description, initial.state).size, "a state of another size");
    for (const StartState& start : call.starts)
      require(std::ssize(start.values) == state_of(description, start.state).size, "a state of another size");
    for (const FinalState& last : call.final_states)
      require(width({last.to}) == state_of(description, last.state).size, "a state of another size");
  }

  void check(const TimeCall& call) const {
    require(static_cast<std::size_t>(call.function) < kOverTimes, "a function over time that there is not");
    require(within(call.time, network_.times), "a time that there is not");
    require(width(call.x) == width({call.y}), "a function over time of another size");
  }

  void states() const {
    require(network_.states.size() == stored_.description.states.size(), "states of other names");
    for (const NetworkStateInfo& info : network_.states) {
      require(within(info.call, network_.calls) && descriptions_[static_cast<std::size_t>(info.call)],
              "a state of no cell");
      state_of(*descriptions_[static_cast<std::size_t>(info.call)], info.state);
    }
  }

  static constexpr std::int64_t kMost = std::int64_t{1} << 31;

  const StoredNetwork& stored_;
  const LoadedNetwork& network_;
  std::vector<const Description*> descriptions_;  // by call; null of functions over time
};

}  // namespace

void check_network(const StoredNetwork& stored) { Check(stored).run(); }

}  // namespace rnnc::runtime
