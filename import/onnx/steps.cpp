#include <algorithm>
#include <cctype>

#include "import/file_error.hpp"
#include "import/onnx/reader.hpp"

namespace rnnc::files {
namespace {

constexpr std::int64_t kMostWritten = 512;  // steps of cells within one step of a graph

// Gives the names of some equations other names; a name before a bracket is a function and keeps its own.
std::string renamed(const std::string& text, const std::map<std::string, std::string>& names) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const auto letter = [&](std::size_t p) {
      return p < text.size() && (std::isalnum(static_cast<unsigned char>(text[p])) != 0 || text[p] == '_');
    };
    if (!letter(at) || std::isdigit(static_cast<unsigned char>(text[at])) != 0) {
      // A number, whose exponent is no name, or a sign.
      const bool number = std::isdigit(static_cast<unsigned char>(text[at])) != 0;
      do result += text[at++];
      while (number && at < text.size() &&
             (letter(at) || text[at] == '.' || ((text[at] == '-' || text[at] == '+') && text[at - 1] == 'e')));
      continue;
    }
    std::size_t end = at;
    while (letter(end)) ++end;
    if (end < text.size() && text[end] == '\'') ++end;
    const std::string name = text.substr(at, end - at);
    const auto found = names.find(name);
    result += found == names.end() || (end < text.size() && text[end] == '(') ? name : found->second;
    at = end;
  }
  return result;
}

// Returns the names that equations give values, without those of new states.
std::vector<std::string> locals(const std::string& equations) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin < equations.size();) {
    const std::size_t end = equations.find('\n', begin), equal = equations.find(" = ", begin);
    const std::string name = equations.substr(begin + 2, equal - begin - 2);
    if (!name.ends_with('\'')) names.push_back(name);
    begin = end + 1;
  }
  return names;
}

}  // namespace

// Writes the equations of the cell for each of its steps and each of its rows, of which a step of the graph has fixed
// numbers.
void GraphReader::add_steps(const OnnxNode& node, OnnxRecurrent& recurrent, const OnnxValue& x) {
  const std::string base = text_.fresh(layer_or_kind(node));
  const std::size_t time = recurrent.batch_first ? 1 : 0;
  const std::int64_t steps = x.axes[time].fixed(), rows = x.axes[1 - time].fixed();
  const std::int64_t H = recurrent.output_size, I = recurrent.input_size;
  const auto D = static_cast<std::int64_t>(recurrent.directions.size());
  if (steps * rows * D > kMostWritten)
    unsupported(node, "runs " + std::to_string(steps * rows * D) + " times within one step; at most " +
                          std::to_string(kMostWritten) + " are written out");
  const Axis batch = x.axes[1 - time];
  const bool batch_first = recurrent.batch_first;
  OnnxValue y{
      batch_first ? Axes{batch, x.axes[1], Axis::of(D), Axis::of(H)} : Axes{x.axes[0], Axis::of(D), batch, Axis::of(H)},
      Elements(static_cast<std::size_t>(steps * rows * D * H))};
  std::vector<OnnxValue> finals;
  for (std::size_t s = 0; s < recurrent.states.size(); ++s) {
    const Axis size = Axis::of(recurrent.size(s));
    finals.push_back({batch_first ? Axes{batch, Axis::of(D), size} : Axes{Axis::of(D), batch, size},
                      Elements(static_cast<std::size_t>(rows * D * recurrent.size(s)))});
  }
  std::vector<std::string> inputs;  // a name for each step of each row, which both directions read
  for (std::int64_t k = 0; k < steps * rows; ++k) {
    const std::string name = text_.fresh(base + "_x");
    const auto place = static_cast<std::size_t>(k * I), size = static_cast<std::size_t>(I);
    text_.state(name + " = " + text_.vector(std::span(x.elements).subspan(place, size)).text);
    inputs.push_back(name);
  }
  for (std::int64_t d = 0; d < D; ++d) {
    const OnnxDirection& direction = recurrent.directions[static_cast<std::size_t>(d)];
    std::map<std::string, std::string> names;
    const std::string prefix = D == 1 ? base : base + (direction.reverse ? "_bwd" : "_fwd");
    for (const auto& [name, tensor] : direction.weights) names[name] = text_.param(prefix + "_" + name, tensor);
    for (std::int64_t row = 0; row < rows; ++row) {
      std::vector<Elements> initials;
      for (std::size_t s = 0; s < recurrent.states.size(); ++s) {
        Elements begin = initial(node, kFirstInitial + s, recurrent, static_cast<std::size_t>(d), rows, row);
        if (begin.empty()) begin.assign(static_cast<std::size_t>(recurrent.size(s)), Element::of(0));
        const std::string name = text_.fresh(prefix + "_" + recurrent.states[s]);
        text_.state(name + " = " + text_.vector(begin).text);
        names[recurrent.states[s]] = name;
        initials.push_back(std::move(begin));
      }
      std::vector<std::int32_t> last(recurrent.states.size());
      for (std::int64_t k = 0; k < steps; ++k) {
        const std::int64_t t = direction.reverse != x.turned ? steps - 1 - k : k;
        names["x"] = inputs[static_cast<std::size_t>(batch_first ? row * steps + t : t * rows + row)];
        for (const std::string& local : locals(direction.equations)) names[local] = text_.fresh(prefix + "_" + local);
        for (std::size_t s = 0; s < recurrent.states.size(); ++s) {
          const std::string next = text_.fresh(prefix + "_" + recurrent.states[s]);
          names[recurrent.states[s] + "'"] = next;
          last[s] = text_.add({next, recurrent.size(s), false, false});
        }
        text_.statements.push_back(renamed(direction.equations, names));
        for (const std::string& state : recurrent.states) names[state] = names[state + "'"];
        const std::int64_t at = batch_first ? (row * steps + t) * D + d : (t * D + d) * rows + row;
        std::ranges::copy(text_.all(last[0]), y.elements.begin() + at * H);
      }
      for (std::size_t s = 0; s < recurrent.states.size(); ++s) {
        const Elements end = text_.all(last[s]);
        const std::int64_t place = batch_first ? row * D + d : d * rows + row;
        std::ranges::copy(end, finals[s].elements.begin() + place * recurrent.size(s));
        links_.push_back({initials[s], end});
      }
    }
  }
  if (!node.output(0).empty()) scope_.values[node.output(0)] = y;
  for (std::size_t s = 0; s < finals.size(); ++s)
    if (!node.output(s + 1).empty()) scope_.values[node.output(s + 1)] = finals[s];
}

}  // namespace rnnc::files
