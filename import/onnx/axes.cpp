#include "import/onnx/axes.hpp"

#include <algorithm>
#include <deque>

namespace rnnc::files {
namespace {

constexpr std::int64_t kMostCount = std::int64_t{1} << 50;

std::int64_t times(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) || result > kMostCount ? kMostCount : result;
}

void append(Axis& axis, Atom atom) {
  if (atom.symbol == 0 && atom.size == 1) return;
  if (atom.symbol == 0 && !axis.atoms.empty() && axis.atoms.back().symbol == 0)
    axis.atoms.back().size = times(axis.atoms.back().size, atom.size);
  else
    axis.atoms.push_back(atom);
}

// Takes atoms from one end until their product is the count. The mirrored form takes from the right end.
class Taker {
 public:
  explicit Taker(const Axes& axes) {
    for (const Axis& axis : axes) atoms_.insert(atoms_.end(), axis.atoms.begin(), axis.atoms.end());
  }

  std::optional<Axis> take(const Count& count, bool left) {
    const auto term = count.term();
    if (!term || term->factor < 1) return std::nullopt;
    std::int64_t open = term->factor;
    int symbols[2] = {term->times, term->batches};
    std::vector<Atom> taken;
    // A time of one step, as a file declares it, is a dim of its own.
    if (open == 1 && symbols[0] == 0 && symbols[1] == 0 && !atoms_.empty() && next(left).symbol != 0 &&
        next(left).size == 1) {
      taken.push_back(next(left));
      drop(left);
    }
    while (open > 1 || symbols[0] > 0 || symbols[1] > 0) {
      if (atoms_.empty()) return std::nullopt;
      Atom& atom = next(left);
      if (atom.symbol != 0) {
        int& wanted = symbols[atom.symbol == 'T' ? 0 : 1];
        if (wanted > 0)
          --wanted;
        else if (atom.size > 1 && open % atom.size == 0)
          open /= atom.size;
        else
          return std::nullopt;
        taken.push_back(atom);
        drop(left);
      } else if (open % atom.size == 0) {
        open /= atom.size;
        taken.push_back(atom);
        drop(left);
      } else if (open > 1 && atom.size % open == 0) {
        taken.push_back({0, open});
        atom.size /= open;
        open = 1;
      } else {
        return std::nullopt;
      }
    }
    if (!left) std::ranges::reverse(taken);
    Axis axis;
    for (const Atom& atom : taken) append(axis, atom);
    return axis;
  }

  Axis rest() {
    Axis axis;
    for (const Atom& atom : atoms_) append(axis, atom);
    atoms_.clear();
    return axis;
  }
  bool empty() const { return atoms_.empty(); }

 private:
  Atom& next(bool left) { return left ? atoms_.front() : atoms_.back(); }
  void drop(bool left) { left ? atoms_.pop_front() : atoms_.pop_back(); }

  std::deque<Atom> atoms_;
};

}  // namespace

std::int64_t Axis::fixed() const {
  std::int64_t product = 1;
  for (const Atom& atom : atoms)
    if (atom.symbol == 0) product = times(product, atom.size);
  return product;
}

bool Axis::has(char symbol) const {
  return std::ranges::any_of(atoms, [&](const Atom& atom) { return atom.symbol == symbol; });
}

bool has(const Axes& axes, char symbol) {
  return std::ranges::any_of(axes, [&](const Axis& axis) { return axis.has(symbol); });
}

std::vector<std::int64_t> fixed_shape(const Axes& axes) {
  std::vector<std::int64_t> shape;
  for (const Axis& axis : axes) shape.push_back(axis.fixed());
  return shape;
}

std::vector<std::int64_t> strides_of(const Axes& axes) {
  std::vector<std::int64_t> strides(axes.size(), 1);
  for (std::size_t i = axes.size(); i-- > 1;) strides[i - 1] = strides[i] * axes[i].fixed();
  return strides;
}

std::int64_t fixed(const Axes& axes) {
  std::int64_t product = 1;
  for (const Axis& axis : axes) product = times(product, axis.fixed());
  return product;
}

std::string to_string(const Axes& axes) {
  std::string text = "[";
  for (const Axis& axis : axes) {
    if (text.size() > 1) text += ",";
    std::string one;
    for (const Atom& atom : axis.atoms) {
      one += one.empty() ? "" : "*";
      one += atom.symbol != 0 ? std::string(1, atom.symbol) : std::to_string(atom.size);
    }
    text += one.empty() ? "1" : one;
  }
  return text + "]";
}

Count Count::of(const Axis& axis) {
  Count result(axis.fixed());
  for (const Atom& atom : axis.atoms) {
    Count symbol;
    if (atom.symbol != 0)
      symbol.add(atom.symbol == 'T' ? std::pair(1, 0) : std::pair(0, 1), 1), result = result * symbol;
  }
  return result;
}

void Count::add(std::pair<int, int> powers, std::int64_t factor) {
  std::int64_t& sum = terms_[powers];
  sum = std::clamp(sum + std::clamp(factor, -kMostCount, kMostCount), -kMostCount, kMostCount);
  if (sum == 0) terms_.erase(powers);
}

std::optional<std::int64_t> Count::number() const {
  if (terms_.empty()) return 0;
  if (terms_.size() > 1 || terms_.begin()->first != std::pair(0, 0)) return std::nullopt;
  return terms_.begin()->second;
}

std::optional<Count::Term> Count::term() const {
  if (terms_.size() != 1) return std::nullopt;
  return Term{terms_.begin()->second, terms_.begin()->first.first, terms_.begin()->first.second};
}

Count Count::operator+(const Count& other) const {
  Count result = *this;
  for (const auto& [powers, factor] : other.terms_) result.add(powers, factor);
  return result;
}

Count Count::operator-(const Count& other) const { return *this + other * Count(-1); }

Count Count::operator*(const Count& other) const {
  Count result;
  for (const auto& [a, x] : terms_)
    for (const auto& [b, y] : other.terms_) {
      std::int64_t product = 0;
      if (__builtin_mul_overflow(x, y, &product)) product = (x < 0) == (y < 0) ? kMostCount : -kMostCount;
      result.add({a.first + b.first, a.second + b.second}, product);
    }
  return result;
}

std::optional<Count> Count::divided_by(const Count& other) const {
  const auto a = term(), b = other.term();
  if (number() == 0 && b) return Count(0);
  if (!a || !b || a->times < b->times || a->batches < b->batches) return std::nullopt;
  // ONNX's division of numbers drops what is behind the point; a division of sizes that are not known must be whole.
  const bool whole = a->factor % b->factor == 0;
  if (!whole && (a->times > 0 || a->batches > 0)) return std::nullopt;
  Count result;
  result.add({a->times - b->times, a->batches - b->batches}, a->factor / b->factor);
  return result;
}

std::optional<Axes> regroup(const Axes& axes, const std::vector<std::optional<Count>>& to) {
  Taker taker(axes);
  Axes result(to.size());
  const auto open = std::ranges::find_if(to, [](const auto& count) { return !count; }) - to.begin();
  const auto size = static_cast<std::ptrdiff_t>(to.size());
  for (std::ptrdiff_t i = 0; i < open; ++i) {
    const auto axis = taker.take(*to[static_cast<std::size_t>(i)], true);
    if (!axis) return std::nullopt;
    result[static_cast<std::size_t>(i)] = *axis;
  }
  for (std::ptrdiff_t i = size - 1; i > open; --i) {
    const auto& count = to[static_cast<std::size_t>(i)];
    const auto axis = count ? taker.take(*count, false) : std::nullopt;
    if (!axis) return std::nullopt;
    result[static_cast<std::size_t>(i)] = *axis;
  }
  if (open < size) result[static_cast<std::size_t>(open)] = taker.rest();
  if (!taker.empty()) return std::nullopt;
  return result;
}

std::optional<Axes> broadcast(const Axes& a, const Axes& b) {
  Axes result(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < result.size(); ++i) {  // from the last dim to the first
    const Axis one = i < a.size() ? a[a.size() - 1 - i] : Axis{}, other = i < b.size() ? b[b.size() - 1 - i] : Axis{};
    if (!one.is_one() && !other.is_one() && one != other) return std::nullopt;
    result[result.size() - 1 - i] = one.is_one() ? other : one;
  }
  return result;
}

std::vector<std::int64_t> spread(const Axes& from, const Axes& to) {
  const std::vector<std::int64_t> shape = fixed_shape(to);
  std::vector<std::int64_t> strides(to.size(), 0), index(to.size(), 0);
  std::int64_t stride = 1;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::int64_t size = from[from.size() - 1 - i].fixed();
    strides[to.size() - 1 - i] = size == 1 ? 0 : stride;
    stride *= size;
  }
  std::vector<std::int64_t> result(static_cast<std::size_t>(fixed(to)));
  for (std::int64_t& place : result) {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < index.size(); ++d) at += index[d] * strides[d];
    place = at;
    for (std::size_t d = index.size(); d-- > 0 && ++index[d] == shape[d];) index[d] = 0;
  }
  return result;
}

}  // namespace rnnc::files
