// A list of calls becomes a list of steps: buffers become columns of blocks, calls are sorted into waves, each call
// becomes one or more steps, and each block gets the first and the last wave that need it.
#include <algorithm>
#include <map>
#include <set>

#include "compiler/network/network.hpp"
#include "ir/scan.hpp"

namespace rnnc::compiler {
namespace {

using runtime::Block;
using runtime::Piece;

class Layout {
 public:
  Layout(const CallList& list, const ir::Network& network)
      : list_(list), homes_(list.buffers.size()), written_(list.buffers.size()), at_end_(list.buffers.size()) {
    for (const Buffer& buffer : list.buffers) time_of(buffer.axis);
    for (const Call& call : list.calls) std::visit([this](const auto& each) { time_of(each.axis); }, call);
    for (const ir::NamedValue& output : network.outputs())
      shapes_of_outputs_.push_back(shape_of(network[output.value].type));
    find_waves();
    place_inputs(network);
    place_joined();
    for (std::size_t i = 0; i < homes_.size(); ++i)
      if (homes_[i].block < 0 && written_[i] > 0) place({i});
  }

  NetworkLayout run() {
    std::vector<std::size_t> order(list_.calls.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return wave_[a] < wave_[b]; });
    result_.source = order;
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i == 0 || wave_[order[i]] != wave_[order[i - 1]]) net().waves.push_back(static_cast<int>(i));
      net().calls.push_back(static_cast<int>(net().steps.size()));
      if (std::holds_alternative<CellCall>(list_.calls[order[i]])) result_.cells.push_back(order[i]);
      std::visit([&](const auto& call) { add(call, wave_[order[i]]); }, list_.calls[order[i]]);
    }
    net().waves.push_back(static_cast<int>(order.size()));
    net().calls.push_back(static_cast<int>(net().steps.size()));
    net().cells = static_cast<int>(result_.cells.size());
    for (std::size_t i = 0; i < list_.outputs.size(); ++i) add(list_.outputs[i], shapes_of_outputs_[i]);
    if (takes_pieces_) net().pieces_of = only_time();
    return std::move(result_);
  }

 private:
  struct Home {
    int block = -1;
    std::int64_t column = 0;
  };

  runtime::StepList& net() { return result_.list; }
  Block& block(int i) { return net().blocks[static_cast<std::size_t>(i)]; }

  int time_of(const std::string& axis) {
    if (axis.empty()) return runtime::kNoTime;
    std::vector<std::string>& times = net().times;
    const auto found = std::find(times.begin(), times.end(), axis);
    if (found == times.end()) times.push_back(axis);
    return static_cast<int>(std::find(times.begin(), times.end(), axis) - times.begin());
  }

  // Returns the rows that a call reads.
  static std::vector<const Row*> reads(const Call& call) {
    if (const auto* time = std::get_if<TimeCall>(&call)) return {&time->x};
    const auto& cell = std::get<CellCall>(call);
    std::vector<const Row*> rows = {&cell.x};
    for (const auto& [state, row] : cell.initial) rows.push_back(&row);
    return rows;
  }

  void find_waves() {
    for (const Call& call : list_.calls) {
      int wave = 0;
      for (const Row* row : reads(call))
        for (const Columns& columns : *row) wave = std::max(wave, written_[columns.buffer]);
      wave_.push_back(wave);
      waves_ = std::max(waves_, wave + 1);
      std::visit([&](const auto& each) { written_[each.y] = wave + 1; }, call);
      if (const auto* cell = std::get_if<CellCall>(&call))
        for (const auto& [state, buffer] : cell->final_states) written_[buffer] = wave + 1;
    }
  }

  int add_block(Block block) {
    net().blocks.push_back(block);
    return static_cast<int>(net().blocks.size()) - 1;
  }

  // The inputs of timeline T lie side by side in x, in the order of the text, also those that no call reads.
  void place_inputs(const ir::Network& network) {
    const int x = add_block({Block::Kind::X, time_of(std::string(ir::kTime)), 0, 0, 0, 0});
    std::multimap<std::string, std::size_t> buffers;  // by the name of the input that they hold
    for (std::size_t i = 0; i < homes_.size(); ++i) buffers.emplace(list_.buffers[i].input, i);
    for (const ir::Node& node : network.nodes) {
      if (node.op != ir::Op::Input) continue;
      const std::int64_t width = elements(node.type);
      Home home{x, block(x).width};
      if (node.type.axis == ir::kTime) {
        block(x).width += width;
      } else {
        const int index = static_cast<int>(net().inputs.size());
        net().inputs.push_back({{node.name, shape_of(node.type)}, node.type.axis});
        home = {add_block({Block::Kind::Input, time_of(node.type.axis), width, index, 0, 0}), 0};
      }
      for (auto [each, end] = buffers.equal_range(node.name); each != end; ++each) homes_[each->second] = home;
    }
  }

  void place(const std::vector<std::size_t>& buffers) {
    const int index = add_block({Block::Kind::Own, time_of(list_.buffers[buffers[0]].axis), 0, 0, waves_, 0});
    for (const std::size_t buffer : buffers) {
      homes_[buffer] = {index, block(index).width};
      block(index).width += list_.buffers[buffer].width;
    }
  }

  void place_joined(const Row& row) {
    std::vector<std::size_t> buffers;
    std::set<std::size_t> seen;
    for (const Columns& columns : row) {
      const Buffer& buffer = list_.buffers[columns.buffer];
      const bool whole = columns.begin == 0 && columns.end == buffer.width;
      const bool twice = !seen.insert(columns.buffer).second;
      const bool other_time = buffer.axis != list_.buffers[row[0].buffer].axis;
      if (!whole || twice || other_time || homes_[columns.buffer].block >= 0) return;
      buffers.push_back(columns.buffer);
    }
    if (buffers.size() > 1) place(buffers);
  }

  void place_joined() {
    for (const CallOutput& output : list_.outputs) place_joined(output.row);
    for (const Call& call : list_.calls)
      for (const Row* row : reads(call)) place_joined(*row);
  }

  std::vector<Piece> pieces(const Row& row) {
    std::vector<Piece> result;
    for (const Columns& columns : row) {
      const Home& home = homes_[columns.buffer];
      const Piece piece{home.block, home.column + columns.begin, home.column + columns.end};
      if (!result.empty() && result.back().block == piece.block && result.back().end == piece.begin)
        result.back().end = piece.end;
      else
        result.push_back(piece);
    }
    return result;
  }

  std::vector<Piece> read(const Row& row, int wave) {
    std::vector<Piece> result = pieces(row);
    for (const Piece& piece : result) block(piece.block).last_wave = std::max(block(piece.block).last_wave, wave);
    return result;
  }

  Piece write(std::size_t buffer, int wave) {
    const Home& home = homes_[buffer];
    block(home.block).first_wave = std::min(block(home.block).first_wave, wave);
    block(home.block).last_wave = std::max(block(home.block).last_wave, wave);
    return {home.block, home.column, home.column + list_.buffers[buffer].width};
  }

  // Returns the index of each state. States are counted in the order of the cell's nodes.
  static std::map<std::string, int> state_indices(const ir::Cell& cell) {
    std::map<std::string, int> indices;
    for (const ir::Node& node : cell.nodes)
      if (node.op == ir::Op::State) indices.emplace(node.name, static_cast<int>(indices.size()));
    return indices;
  }

  static std::int64_t width_of(const std::vector<Piece>& pieces) {
    std::int64_t width = 0;
    for (const Piece& piece : pieces) width += piece.width();
    return width;
  }

  bool is_of(const std::vector<Piece>& pieces, int time) {
    return std::ranges::all_of(pieces, [&](const Piece& piece) { return block(piece.block).time == time; });
  }

  void add(const CellCall& from, int wave) {
    const int cell = static_cast<int>(result_.cells.size()) - 1, time = time_of(from.axis);
    const std::map<std::string, int> states = state_indices(from.cell);
    const bool is_scan = !states.empty();
    const std::vector<Piece> x = read(from.x, wave);
    const bool repeats = is_scan && !x.empty() && is_of(x, runtime::kNoTime);
    const Piece rows = side_by_side(x, repeats ? runtime::kNoTime : time, time, repeats, wave);
    const Piece y = write(from.y, wave);
    for (const auto& [state, row] : from.initial)
      net().steps.push_back(runtime::Begin{cell, states.at(state), read(row, wave)});
    if (is_scan)
      net().steps.push_back(runtime::Scan{cell, time, from.reverse, repeats, rows, y});
    else
      net().steps.push_back(runtime::Rows{cell, time, rows, y});
    for (const auto& [state, buffer] : from.final_states)
      net().steps.push_back(runtime::End{cell, states.at(state), write(buffer, wave)});
    for (const ir::Node& node : from.cell.nodes)
      if (node.op == ir::Op::State) net().states.push_back({from.prefix + node.name, cell, states.at(node.name)});
    judge(from);
  }

  // Returns one piece with all `pieces` side by side. They are copied into a new block of timeline `home`, unless there
  // is only one piece and its block has timeline `time`.
  Piece side_by_side(const std::vector<Piece>& pieces, int home, int time, bool repeats, int wave) {
    if (pieces.empty()) return {};
    if (pieces.size() == 1 && block(pieces[0].block).time == time) return pieces[0];
    const std::int64_t width = width_of(pieces);
    const Piece to{add_block({Block::Kind::Own, home, width, 0, wave, wave}), 0, width};
    if (repeats)
      net().steps.push_back(runtime::Repeat{time, pieces, to});
    else
      net().steps.push_back(runtime::Gather{pieces, to});
    return to;
  }

  // Decides whether a call lets the network run step by step and in pieces.
  void judge(const CellCall& from) {
    const std::string why_not = why_not_streaming(from);
    if (from.reverse)
      refuse_pieces(why_not);
    else
      refuse_streaming(why_not);
    const bool on_end = depends_on_end(from.x);
    if (on_end && !from.axis.empty()) refuse_pieces(kEndInStep);
    for (const auto& [state, row] : from.initial)
      if (depends_on_end(row)) takes_pieces_ = false;
    at_end_[from.y] = on_end;
    for (const auto& [state, buffer] : from.final_states) at_end_[buffer] = true;
  }

  void add(const TimeCall& from, int wave) {
    const std::vector<Piece> x = read(from.x, wave);
    net().steps.push_back(runtime::ReduceTime{from.over_time, time_of(from.axis), x, write(from.y, wave)});
    takes_pieces_ = false;
    if (runtime::gives_sequence(from.over_time))
      refuse_streaming("the network turns the steps of a sequence round, so that it cannot run step by step");
    else if (from.over_time != ir::OverTime::Last)
      refuse_streaming("the network sums up whole sequences, so that it cannot run step by step");
    at_end_[from.y] = true;
  }

  void add(const CallOutput& from, const Shape& shape) {
    net().outputs.push_back({{from.name, shape}, time_of(from.axis), pieces(from.row)});
    if (!from.axis.empty() && depends_on_end(from.row)) refuse_pieces(kEndInStep);
    for (const Piece& piece : net().outputs.back().from) block(piece.block).last_wave = waves_;
  }

  // Tells whether a row depends on the end of a sequence. A piece of a sequence has an end of its own, so a network
  // that runs in pieces may have no sequence that depends on an end.
  bool depends_on_end(const Row& row) const {
    return std::any_of(row.begin(), row.end(), [this](const Columns& columns) { return at_end_[columns.buffer]; });
  }

  // Returns the timeline of all calls and outputs; kNoTime if there are several timelines or none.
  int only_time() {
    std::vector<int> times;
    for (const Call& call : list_.calls)
      std::visit([&](const auto& each) { times.push_back(time_of(each.axis)); }, call);
    for (const runtime::Output& output : net().outputs) times.push_back(output.time);
    std::erase(times, runtime::kNoTime);
    const bool same = std::ranges::adjacent_find(times, std::ranges::not_equal_to()) == times.end();
    return times.empty() || !same ? runtime::kNoTime : times.front();
  }

  // Keeps the first reason that a network has.
  void refuse_streaming(const std::string& why) {
    if (net().no_streaming.empty()) net().no_streaming = why;
  }

  // Says that the network can run neither in pieces nor step by step.
  void refuse_pieces(const std::string& why) {
    takes_pieces_ = false;
    refuse_streaming(why);
  }

  static std::string why_not_streaming(const CellCall& call) {
    const std::string scan = call.prefix.substr(0, call.prefix.empty() ? 0 : call.prefix.size() - 1);
    if (call.reverse) return scan + " reads time backwards, so that the network cannot run step by step";
    if (!call.initial.empty())
      return scan + " begins with a value that inputs decide, so that the network cannot run step by step";
    if (!call.axis.empty() && call.axis != ir::kTime)
      return "the network has a time " + call.axis + " besides T, so that it cannot run step by step";
    return "";
  }

  static constexpr const char* kEndInStep =
      "a step reads what only the end of its sequence tells, so that the network cannot run step by step";

  const CallList& list_;
  std::vector<Shape> shapes_of_outputs_;
  std::vector<Home> homes_;
  std::vector<int> written_;  // for each buffer, the wave after the one that writes it; 0 if no call does
  std::vector<int> wave_;     // the wave of each call of the list
  int waves_ = 0;
  std::vector<bool> at_end_;  // true for a buffer that depends on the end of a sequence; set call by call
  bool takes_pieces_ = true;
  NetworkLayout result_;
};

}  // namespace

NetworkLayout lay_out(const CallList& list, const ir::Network& network) { return Layout(list, network).run(); }

}  // namespace rnnc::compiler
