#include "import/onnx/labels.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include "import/onnx/recurrent.hpp"
#include "import/onnx/state_names.hpp"

namespace rnnc::files {
namespace {

constexpr std::size_t kMostTried = 200;     // labellings of sequences, and of steps
constexpr std::size_t kMostJoined = 20000;  // labellings that are put together before the likeliest are kept

struct Choice {
  Axes axes;
  int cost = 0;
  std::int64_t time = -1, batch = -1;  // the declared size, 0 for a symbol; -1 if no dim is the time, or the batch
  std::map<std::string, char> names;   // what the dims of these names are
};

bool mentions(std::string name, std::initializer_list<const char*> words) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::any_of(words, [&](const char* word) {
    return std::string_view(word).size() < 3 ? name == word : name.find(word) != std::string::npos;
  });
}

// Tells how unlikely it is that a dim of this name is the time, or the batch.
int cost_of(const std::string& name, char symbol) {
  const bool time = mentions(name, {"seq", "time", "frame", "length", "step", "sample", "t", "l"});
  const bool batch = mentions(name, {"batch", "n", "b"});
  if (time == batch) return 1;
  return (symbol == 'T') == time ? 0 : 4;
}

// A role tells what a graph input is to the recurrent nodes.
enum class Role { Data, State, Lengths };

void choose(const OnnxInput& input, Role role, std::size_t d, const std::vector<std::int64_t>& sizes, Choice choice,
            std::vector<Choice>& choices) {
  if (d == input.dims.size()) {
    choices.push_back(std::move(choice));
    return;
  }
  const std::int64_t size = input.dims[d];
  const bool is_last = d + 1 == input.dims.size() && d > 0;
  const auto with = [&](Axis axis, int cost, char label) {
    Choice next = choice;
    next.axes.push_back(std::move(axis));
    next.cost += cost;
    if (label == 'T') next.time = std::max<std::int64_t>(size, 0);
    if (label == 'B') next.batch = std::max<std::int64_t>(size, 0);
    // A name that stands twice in one shape tells nothing.
    if (size < 0 && !input.names[d].empty() && std::ranges::count(input.names, input.names[d]) == 1)
      next.names[input.names[d]] = label;
    choose(input, role, d + 1, sizes, std::move(next), choices);
  };
  // Files of a fixed size have a time and a batch too, in front of the features.
  const bool is_front = input.dims.size() > 2 && d < 2;
  if (size > 0) with(Axis::of(size), size > 1 && is_front && role == Role::Data ? 3 : 0, 0);
  for (const char symbol : {'T', 'B'}) {
    if ((symbol == 'T' ? choice.time : choice.batch) >= 0 || (symbol == 'B' && size == 1)) continue;
    if (symbol == 'T' && role != Role::Data) continue;  // states and lengths are of whole sequences
    int cost = cost_of(input.names[d], symbol);
    if (size > 0) cost = size == 1 ? 3 : role != Role::Data ? 1 : is_front ? 1 : 3;
    with(Axis::of(symbol, 0), cost + (is_last && input.dims.size() > 2 ? 2 : 0), symbol);
  }
  if (size > 0) return;
  int cost = is_last ? 4 : 8;
  for (const std::int64_t guess : sizes) with(Axis::of(guess), cost++, 'F');
}

struct Joined {
  std::vector<std::size_t> picks;
  int cost = 0;
  std::int64_t time = -1, batch = -1;
  std::map<std::string, char> names;
};

// Two sizes of the time agree if one is not known, or both are equal.
bool agrees(std::int64_t& known, std::int64_t size) {
  if (size < 0) return true;
  if (known > 0 && size > 0 && known != size) return false;
  known = std::max(known, size);
  return true;
}

bool moves_elements(const std::string& op) {
  static const std::set<std::string> moves = {"Slice", "Squeeze", "Unsqueeze", "Transpose", "Gather",
                                              "Split", "Reshape", "Concat",    "Identity",  "Cast"};
  return moves.contains(op);
}

Role role_of(const OnnxGraph& graph, const std::string& name) {
  for (const OnnxNode& node : graph.nodes)
    if (is_recurrent(node) && node.input(4) == name) return Role::Lengths;
  return is_state(graph, name) ? Role::State : Role::Data;
}

// A graph input that a recurrent node reads directly has the rank that the node wants.
OnnxInput without_shape(const OnnxGraph& graph, const std::string& name) {
  OnnxInput result;
  std::size_t rank = 3;
  for (const OnnxNode& node : graph.nodes)
    if (is_recurrent(node) && node.input(4) == name) rank = 1;
  result.dims.assign(rank, -1);
  result.names.assign(rank, "");
  return result;
}

}  // namespace

namespace {

bool reaches_states(const OnnxGraph& graph, std::set<std::string>& reached) {
  for (const OnnxNode& node : graph.nodes) {
    if (is_recurrent(node) && (reached.contains(node.input(5)) || reached.contains(node.input(6)))) return true;
    for (const auto& [name, attribute] : node.attributes)
      if (attribute.graph && reaches_states(*attribute.graph, reached)) return true;
    if (moves_elements(node.op) &&
        std::ranges::any_of(node.inputs, [&](const std::string& input) { return reached.contains(input); }))
      reached.insert(node.outputs.begin(), node.outputs.end());
    reached.erase("");
  }
  return false;
}

}  // namespace

bool reaches_states(const OnnxGraph& graph, const std::string& name) {
  std::set<std::string> reached = {name};
  return reaches_states(graph, reached);
}

bool is_state(const OnnxGraph& graph, const std::string& name) {
  const auto named = [&](const std::string& output) { return is_state_by_name(name, output); };
  return std::ranges::any_of(graph.outputs, named) || reaches_states(graph, name);
}

std::vector<OnnxLabels> labellings(const OnnxGraph& graph, const std::vector<std::string>& inputs,
                                   const std::vector<std::int64_t>& sizes) {
  std::vector<std::vector<Choice>> choices;
  for (const std::string& name : inputs) {
    const auto found = graph.details.find(name);
    const OnnxInput details =
        found != graph.details.end() && (found->second.has_shape) ? found->second : without_shape(graph, name);
    choices.emplace_back();
    if (details.dims.size() > 6) continue;
    choose(details, role_of(graph, name), 0, sizes, {}, choices.back());
    std::ranges::stable_sort(choices.back(), {}, &Choice::cost);
  }
  std::vector<Joined> joined = {{}};
  for (const std::vector<Choice>& own : choices) {
    std::vector<Joined> next;
    for (const Joined& before : joined)
      for (std::size_t k = 0; k < own.size() && next.size() < kMostJoined; ++k) {
        Joined one = before;
        one.picks.push_back(k);
        one.cost += own[k].cost;
        bool right = agrees(one.time, own[k].time) && agrees(one.batch, own[k].batch);
        for (const auto& [name, label] : own[k].names) {
          const auto [at, added] = one.names.emplace(name, label);
          right &= added || at->second == label;
        }
        if (right) next.push_back(std::move(one));
      }
    std::ranges::stable_sort(next, {}, &Joined::cost);
    joined = std::move(next);
  }
  std::vector<OnnxLabels> result;
  for (const bool is_step : {false, true}) {
    std::size_t tried = 0;
    for (const Joined& one : joined) {
      if ((one.time < 0) != is_step || ++tried > kMostTried) continue;
      OnnxLabels labels;
      labels.is_step = is_step;
      labels.time.size = std::max<std::int64_t>(one.time, 0);
      labels.batch.size = std::max<std::int64_t>(one.batch, 0);
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        Axes axes = choices[i][one.picks[i]].axes;
        for (Axis& axis : axes)
          for (Atom& atom : axis.atoms)
            if (atom.symbol != 0) atom = atom.symbol == 'T' ? labels.time : labels.batch;
        labels.axes[inputs[i]] = std::move(axes);
      }
      result.push_back(std::move(labels));
    }
  }
  return result;
}

}  // namespace rnnc::files
