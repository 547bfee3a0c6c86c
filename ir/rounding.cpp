#include "ir/rounding.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "ir/check.hpp"
#include "ir/scan.hpp"

namespace rnnc::ir {
namespace {

constexpr double kUlp = 0x1p-23;  // at most so much of a value is the unit in its last place

// splitmix64: Steele, Lea & Flood 2014.
std::uint64_t hash(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

double unit(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-52 - 1; }  // in [-1, 1)

}  // namespace

void Rounding::at(std::size_t node) {
  if (pattern_.kind == Kind::Bit) sign_ = ((first_ + node) >> pattern_.number & 1) != 0 ? 1 : -1;
}

double Rounding::operator()(double value, double ulp, double floor) {
  if (!std::isfinite(value)) return value;
  double sign = sign_;
  if (pattern_.kind == Kind::Away) sign = std::copysign(1, value);
  if (pattern_.kind == Kind::Free) sign = unit(hash(hash(pattern_.number) + drawn_++));
  value += sign * std::max(ulp * kUlp * std::fabs(value), floor);
  if (std::fabs(value) > std::numeric_limits<float>::max())
    return std::copysign(std::numeric_limits<double>::infinity(), value);
  return std::fabs(value) < std::numeric_limits<float>::min() ? 0 : value;
}

double Rounding::sum(std::span<const double> values) {
  std::array<double, 16> parts{};
  for (std::size_t i = 0; i < values.size(); ++i) parts[i % 16] = (*this)(parts[i % 16] + values[i]);
  for (std::size_t half = 8; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) parts[i] = (*this)(parts[i] + parts[i + half]);
  return parts[0];
}

std::vector<double> Rounding::softmax(const std::vector<double>& x) {
  const double largest = evaluate(Reduction::Max, {x})[0];
  std::vector<double> y;
  for (const double v : x) y.push_back((*this)(std::exp((*this)(v - largest)), facts(Function::Exp).ulp));
  const double all = sum(y);
  for (double& v : y) v = (*this)(v / all);
  return y;
}

std::vector<double> Rounding::layer_norm(const std::vector<double>& x, const std::vector<double>& gamma,
                                         const std::vector<double>& beta, double eps) {
  const auto size = static_cast<double>(x.size());
  const double mean = (*this)(sum(x) / size);
  std::vector<double> centred, squares;
  for (const double v : x) {
    centred.push_back((*this)(v - mean));
    squares.push_back((*this)(centred.back() * centred.back()));
  }
  const double variance = (*this)((*this)(sum(squares) / size) + eps);
  const double scale = (*this)(1 / std::sqrt(variance), facts(Function::Rsqrt).ulp);
  std::vector<double> y;
  for (std::size_t i = 0; i < x.size(); ++i)
    y.push_back((*this)((*this)((*this)(centred[i] * scale) * gamma[i]) + beta[i]));
  return y;
}

std::vector<double> Rounding::reduce(Reduction reduction, const std::vector<std::vector<double>>& operands) {
  const std::vector<double>& x = operands[0];
  switch (reduction) {
    case Reduction::Sum: return {sum(x)};
    case Reduction::Mean: return {(*this)(sum(x) / static_cast<double>(x.size()))};
    case Reduction::Max:
    case Reduction::Argmax: return evaluate(reduction, operands);
    case Reduction::Softmax: return softmax(x);
    case Reduction::LayerNorm: return layer_norm(x, operands[1], operands[2], operands[3][0]);
  }
  internal_error(nullptr, "a reduction that is not in the table");
}

// Each pattern comes with a factor for what it moves. Up, Away and Bit are the worst roundings for errors that add up:
// a factor of 2 leaves room for code that rounds products and sums apart, and 4 is for Bit, since one bit alone need
// not be the worst. Free rounds at random, so that a result shows the spread of its errors; 8 times the spread is
// beyond doubt.
std::vector<Rounding::Pattern> rounding_patterns(const Network& network) {
  constexpr std::uint32_t kMostBits = 12;
  std::size_t operations = network.nodes.size();
  for (const Node& node : network.nodes)
    if (node.op == Op::Scan) operations += scan_prefixes(node).size() * node.scan->cell->nodes.size();
  using Kind = Rounding::Kind;
  std::vector<Rounding::Pattern> patterns = {{Kind::Up, 0, 2}, {Kind::Away, 0, 2}};
  for (std::uint32_t seed = 1; seed <= 3; ++seed) patterns.push_back({Kind::Free, seed, 8});
  const auto bits = static_cast<std::uint32_t>(std::bit_width(operations));
  for (std::uint32_t bit = 0; bit < std::min(bits, kMostBits); ++bit) patterns.push_back({Kind::Bit, bit, 4});
  return patterns;
}

}  // namespace rnnc::ir
