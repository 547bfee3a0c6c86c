#include "import/onnx/text.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>

#include <rnnc/join.hpp>

#include "import/refusal.hpp"
#include "ir/print.hpp"

namespace rnnc::files {
namespace {

constexpr std::size_t kMostRuns = 4096;  // of elements that an expression joins
// Small groups of elements are computed together where there are many.
constexpr std::size_t kSmallGroup = 4, kManyGroups = 4;
constexpr std::size_t kPuttingInOrder = 4;  // the work of an element that is put in order, in elements computed

std::string range(const Source& source, std::int64_t begin, std::int64_t end) {
  if (source.scalar || (begin == 0 && end == source.size)) return source.name;
  return source.name + "[" + std::to_string(begin) + ":" + std::to_string(end) + "]";
}

}  // namespace

NetworkText::NetworkText(bool is_step, std::size_t most_bytes, std::uint64_t most_work)
    : is_step_(is_step), most_bytes_(most_bytes), most_work_(most_work) {
  names_ = {"T",     "B",      "model", "step",  "forward", "reverse", "bidirectional", "merge", "steps", "from",
            "input", "output", "state", "param", "cell",    "network", "seq",           "f32",   "inf",   "nan"};
}

Refusal too_much_work(std::uint64_t most) {
  const std::string text = most < 1000000 ? std::to_string(most) : std::to_string(most / 1000000) + " million";
  return {{ErrorCode::Limit,
           {},
           "the graph takes, moves and computes more than " + text +
               " elements; cut the model, or raise FileLimits::max_graph_work in C++"}};
}

void NetworkText::count_work(std::size_t amount) {
  work_ += amount;
  if (work_ > most_work_) throw too_much_work(most_work_);
}

void NetworkText::state(const std::string& statement) {
  count_work(statement.size());
  statements.push_back("  " + statement + "\n");
}

std::string NetworkText::fresh(const std::string& wish) {
  std::string base;
  for (const char c : wish.substr(0, 60)) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (plain || (!base.empty() && base.back() != '_')) base += plain ? c : '_';
  }
  while (base.ends_with('_')) base.pop_back();
  if (base.empty() || std::isdigit(static_cast<unsigned char>(base[0])) != 0) base = "v" + base;
  std::string name = base;
  // Numbers that are taken are not tried again, since a graph may have many values of one name.
  int& next = next_numbers_.try_emplace(base, 2).first->second;
  while (!names_.insert(name).second) name = base + std::to_string(next++);
  return name;
}

std::string NetworkText::param(const std::string& wish, Tensor tensor) {
  const std::string name = fresh(layer_.empty() ? wish : layer_ + "_" + wish);
  params += "  param " + name + " : f32" + (tensor.shape.empty() ? "" : "[" + join(tensor.shape) + "]") + "\n";
  parameter_bytes_ += tensor.bytes.size();
  if (parameter_bytes_ > most_bytes_)
    throw Refusal{Error{ErrorCode::Limit, {}, "repeats weights until they have many times the size of the file"}};
  weights[name] = std::move(tensor);
  return name;
}

std::string NetworkText::param(const std::string& wish, const std::string& key, const std::function<Tensor()>& make) {
  const auto known = known_params_.find(key);
  return known != known_params_.end() ? known->second : known_params_[key] = param(wish, make());
}

std::int32_t NetworkText::add(Source source) {
  sources_.push_back(std::move(source));
  return static_cast<std::int32_t>(sources_.size() - 1);
}

std::int32_t NetworkText::let(const std::string& wish, const std::string& expression, Source what) {
  what.name = fresh(layer_.empty() ? wish : layer_);
  state(what.name + " = " + expression);
  return add(std::move(what));
}

Elements NetworkText::all(std::int32_t source) const {
  Elements result(static_cast<std::size_t>(this->source(source).size));
  std::int32_t index = 0;
  for (Element& element : result) element = {source, index++};
  return result;
}

// A scalar times a vector of one 1 is a vector.
std::string NetworkText::one() {
  return param("one", "one", [] { return Tensor::from_f32({1}, std::vector<float>{1}); });
}

Expression NetworkText::express(std::span<const Element> elements) {
  for (std::int32_t last = -1; const Element& e : elements)
    if (!e.is_constant() && e.source != last) used_.insert(last = e.source);
  if (elements.size() == 1 && !elements[0].is_constant() && source(elements[0].source).scalar)
    return {source(elements[0].source).name, source(elements[0].source).sequence, true};
  Expression result;
  std::vector<std::string> parts;
  for (std::size_t begin = 0, end = 0; begin < elements.size(); begin = end) {
    const Element first = elements[begin];
    if (first.is_constant()) {
      std::vector<float> values;
      for (end = begin; end < elements.size() && elements[end].is_constant(); ++end)
        values.push_back(elements[end].constant());
      const auto bytes = reinterpret_cast<const char*>(values.data());
      parts.push_back(param("k", "constant " + std::string(bytes, values.size() * sizeof(float)),
                            [&] { return Tensor::from_f32({static_cast<std::int64_t>(values.size())}, values); }));
      continue;
    }
    const Source& from = source(first.source);
    for (end = begin + 1; end < elements.size() && elements[end].source == first.source &&
                          elements[end].index == elements[end - 1].index + 1;)
      ++end;
    result.sequence |= from.sequence;
    std::string part = range(from, first.index, first.index + static_cast<std::int64_t>(end - begin));
    if (from.scalar) part = "(" + part + " * " + one() + ")";
    parts.push_back(std::move(part));
    if (parts.size() > kMostRuns)
      throw Refusal{Error{ErrorCode::Limit,
                          {},
                          "its elements are taken from more than " + std::to_string(kMostRuns) +
                              " places; change the order of the model's dims"}};
  }
  result.text = parts.size() == 1 ? parts[0] : "concat(" + join(parts) + ")";
  return result;
}

Expression NetworkText::vector(std::span<const Element> elements) {
  Expression result = express(elements);
  if (result.scalar) result.text = "(" + result.text + " * " + one() + ")";
  result.scalar = false;
  return result;
}

Expression NetworkText::scalar(Element element) {
  if (element.is_constant()) {
    const std::string text = ir::number_text(element.constant());
    return {text.starts_with('-') ? "(" + text + ")" : text, false, true};
  }
  used_.insert(element.source);
  const Source from = source(element.source);
  if (from.scalar) return {from.name, from.sequence, true};
  std::string& known = scalars_[element];
  if (known.empty()) {
    const std::string part = range(from, element.index, element.index + 1);
    // A sum of a network's sequence is over time, so that there a cell takes the feature.
    std::string function = "sum";
    if (from.sequence && !is_step_) function = cell("feature", " {\n  input x : f32[1]\n\n  output sum(x)\n}\n");
    known = fresh("s");
    state(known + " = " + function + "(" + part + ")");
  }
  return {known, from.sequence, true};
}

OnnxValue NetworkText::in_order(OnnxValue value) {
  if (!value.turned) return value;
  std::map<Element, std::int32_t> places;  // of the elements that differ from step to step
  for (const Element& e : value.elements)
    if (!e.is_constant() && source(e.source).sequence) places.emplace(e, 0);
  Elements moving;
  for (auto& [element, place] : places) {
    place = static_cast<std::int32_t>(moving.size());
    moving.push_back(element);
  }
  value.turned = false;
  if (moving.empty()) return value;
  const std::string text = "turned(" + vector(moving).text + ")";
  const std::int32_t made = let("v", text, {"", std::ssize(moving), false, true});
  for (Element& e : value.elements)
    if (const auto found = places.find(e); found != places.end()) e = {made, found->second};
  return value;
}

std::string NetworkText::cell(const std::string& wish, const std::string& body) {
  std::string& name = known_cells_[body];
  if (!name.empty()) return name;
  name = fresh(wish);
  cells += "\ncell " + name + body;
  return name;
}

Elements NetworkText::group(const std::vector<Elements>& operands,
                            const std::function<std::string(const std::vector<std::string>&)>& function) {
  const std::size_t count = operands[0].size();
  std::vector<std::string> texts;
  bool sequence = false, scalar = true;
  for (const Elements& own : operands) {
    const bool same = std::ranges::all_of(own, [&](Element e) { return e == own[0]; });
    // A constant is a number in the text; of one element, a slice of a vector is a vector as its neighbours are.
    const bool spreads = same && (count > 1 || own[0].is_constant());
    const Expression expression = spreads ? this->scalar(own[0]) : express(own);
    texts.push_back(expression.text);
    sequence |= expression.sequence;
    scalar &= expression.scalar;
  }
  // Numbers alone make one scalar.
  const bool one = scalar;
  const std::int32_t made = let("v", function(texts), {"", one ? 1 : static_cast<std::int64_t>(count), one, sequence});
  Elements result(count);
  for (std::size_t i = 0; i < count; ++i) result[i] = {made, one ? 0 : static_cast<std::int32_t>(i)};
  return result;
}

// Tells whether each operand is of one source, and the first that is no constant in the source's order, whole or by
// less than half: then each() has nothing to put in order.
bool NetworkText::stand_in_order(const std::vector<Elements>& operands) {
  const auto is_of_one_source = [](const Elements& own) {
    return std::ranges::all_of(own, [&](const Element& e) { return e.source == own[0].source; });
  };
  if (operands[0].empty() || !std::ranges::all_of(operands, is_of_one_source)) return false;
  const auto first = std::ranges::find_if(operands, [](const Elements& own) { return !own[0].is_constant(); });
  if (first == operands.end()) return false;
  const auto is_not_before = [](const Element& a, const Element& b) { return a.index >= b.index; };
  if (std::ranges::adjacent_find(*first, is_not_before) != first->end()) return false;
  const std::int64_t count = std::ssize(*first), size = source((*first)[0].source).size;
  return operands.size() > 1 || count == size || 2 * count < size;
}

// Groups the tuples that are computed together, by their numbers: those of the same sources, and all that would be
// alone with few others. A vector of a few elements takes as long as a full one.
std::vector<std::vector<std::size_t>> NetworkText::groups_of(const std::vector<const Element*>& sorted,
                                                             std::size_t arity) const {
  std::vector<std::vector<std::size_t>> groups, small;
  const auto has_scalars = [&](const Element* tuple) {
    return std::any_of(tuple, tuple + arity,
                       [&](const Element& e) { return !e.is_constant() && source(e.source).scalar; });
  };
  for (std::size_t begin = 0, end = 0; begin < sorted.size(); begin = end) {
    const auto together = [&](const Element* a, const Element* b) {
      for (std::size_t k = 0; k < arity; ++k)
        if (a[k].source != b[k].source) return false;
      return true;
    };
    for (end = begin + 1; end < sorted.size() && together(sorted[begin], sorted[end]);) ++end;
    std::vector<std::size_t> members(end - begin);
    std::iota(members.begin(), members.end(), begin);
    (members.size() < kSmallGroup && !has_scalars(sorted[begin]) ? small : groups).push_back(std::move(members));
  }
  if (small.size() < kManyGroups) {
    std::ranges::move(small, std::back_inserter(groups));
  } else {
    std::vector<std::size_t>& all = groups.emplace_back();
    for (const std::vector<std::size_t>& members : small) all.insert(all.end(), members.begin(), members.end());
  }
  return groups;
}

Elements NetworkText::each(const std::vector<Elements>& operands,
                           const std::function<std::string(const std::vector<std::string>&)>& function) {
  const std::size_t arity = operands.size(), count = operands[0].size();
  const bool in_order = stand_in_order(operands);
  if (!in_order) count_work((kPuttingInOrder - 1) * count);  // who keeps the elements counts them
  if (in_order) return group(operands, function);
  Elements tuples;
  tuples.reserve(arity * count);
  for (std::size_t i = 0; i < count; ++i)
    for (const Elements& operand : operands) tuples.push_back(operand[i]);
  // A function of one operand computes a source whole, in its own order, if half of it is needed.
  if (arity == 1) {
    std::map<std::int32_t, std::vector<bool>> used;
    for (const Element& e : tuples) {
      if (e.is_constant()) continue;
      std::vector<bool>& elements = used[e.source];
      elements.resize(static_cast<std::size_t>(source(e.source).size));
      elements[static_cast<std::size_t>(e.index)] = true;
    }
    for (const auto& [source, elements] : used) {
      const auto needed = static_cast<std::size_t>(std::ranges::count(elements, true));
      if (needed < elements.size() && 2 * needed >= elements.size())
        for (const Element& e : all(source)) tuples.push_back(e);
    }
  }
  std::vector<const Element*> order;
  for (std::size_t i = 0; i < tuples.size(); i += arity) order.push_back(&tuples[i]);
  // Tuples of the same sources stand together, in the order of the first operand that is no constant.
  const auto key = [&](const Element* a, const Element* b) {
    for (std::size_t k = 0; k < arity; ++k)
      if (a[k].source != b[k].source) return a[k].source < b[k].source ? -1 : 1;
    for (const bool constants : {false, true})
      for (std::size_t k = 0; k < arity; ++k)
        if (a[k].is_constant() == constants && a[k].index != b[k].index) return a[k].index < b[k].index ? -1 : 1;
    return 0;
  };
  std::vector<const Element*> sorted = order;
  std::ranges::sort(sorted, [&](const Element* a, const Element* b) { return key(a, b) < 0; });
  const auto repeated = std::ranges::unique(sorted, [&](const Element* a, const Element* b) { return key(a, b) == 0; });
  sorted.erase(repeated.begin(), repeated.end());
  const std::vector<std::vector<std::size_t>> groups = groups_of(sorted, arity);
  Elements results(sorted.size());
  for (const std::vector<std::size_t>& members : groups) {
    std::vector<Elements> parts(arity);
    for (std::size_t k = 0; k < arity; ++k)
      for (const std::size_t i : members) parts[k].push_back(sorted[i][k]);
    const Elements made = group(parts, function);
    for (std::size_t i = 0; i < members.size(); ++i) results[members[i]] = made[i];
  }
  Elements result(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto at =
        std::ranges::lower_bound(sorted, order[i], [&](const Element* a, const Element* b) { return key(a, b) < 0; });
    result[i] = results[static_cast<std::size_t>(at - sorted.begin())];
  }
  return result;
}

}  // namespace rnnc::files
