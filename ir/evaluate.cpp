// This file computes the meaning of functions and reductions, in double precision and with libm.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "ir/check.hpp"
#include "ir/interpret.hpp"

namespace rnnc::ir {
namespace {

// The argument of exp is never positive, so exp does not overflow.
double sigmoid(double x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  const double e = std::exp(x);
  return e / (1 + e);
}

double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

// For negative z, 1 + erf(z) cancels; erfc(-z) is the same number without the cancellation.
double gelu(double x) { return x / 2 * std::erfc(-x * (std::numbers::sqrt2 / 2)); }

// 0 * inf is NaN and must stay NaN, which std::min and std::max do not ensure.
double hard_sigmoid(double linear) { return std::isnan(linear) ? linear : std::max(0.0, std::min(1.0, linear)); }

bool any_nan(const double* operands, int count) {
  return std::any_of(operands, operands + count, [](double v) { return std::isnan(v); });
}

Vector softmax(const Vector& x) {
  const double largest = evaluate(Reduction::Max, {x})[0];
  Vector y(x.size());
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += y[i] = std::exp(x[i] - largest);
  for (double& v : y) v /= sum;
  return y;
}

Vector layer_norm(const Vector& x, const Vector& gamma, const Vector& beta, double eps) {
  const double mean = evaluate(Reduction::Mean, {x})[0];
  double squares = 0;
  for (const double v : x) squares += (v - mean) * (v - mean);
  const double deviation = std::sqrt(squares / static_cast<double>(x.size()) + eps);
  Vector y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = (x[i] - mean) / deviation * gamma[i] + beta[i];
  return y;
}

}  // namespace

double evaluate(Function function, const double* operands) {
  if (function != Function::Select && any_nan(operands, facts(function).arity)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const double x = operands[0];
  switch (function) {
    case Function::Add: return x + operands[1];
    case Function::Sub: return x - operands[1];
    case Function::Mul: return x * operands[1];
    case Function::Div: return x / operands[1];
    case Function::Neg: return -x;
    case Function::Sigmoid: return sigmoid(x);
    case Function::Tanh: return std::tanh(x);
    case Function::Relu: return x < 0 ? 0 : x;
    case Function::Exp: return std::exp(x);
    case Function::Log: return std::log(x);
    case Function::Sqrt: return std::sqrt(x);
    case Function::Rsqrt: return 1 / std::sqrt(x);
    case Function::Abs: return std::fabs(x);
    case Function::Min: return std::min(x, operands[1]);
    case Function::Max: return std::max(x, operands[1]);
    case Function::Erf: return std::erf(x);
    case Function::Softplus: return softplus(x);
    case Function::Softsign: return x / (1 + std::fabs(x));
    case Function::Silu: return x * sigmoid(x);
    case Function::Gelu: return gelu(x);
    case Function::Elu: return x > 0 ? x : operands[1] * std::expm1(x);
    case Function::LeakyRelu: return x < 0 ? operands[1] * x : x;
    case Function::ThresholdedRelu: return x > operands[1] ? x : 0;
    case Function::ScaledTanh: return operands[1] * std::tanh(operands[2] * x);
    case Function::Affine: return std::fma(operands[1], x, operands[2]);
    case Function::HardSigmoid: return hard_sigmoid(std::fma(operands[1], x, operands[2]));
    case Function::Clip: return std::min(std::max(x, operands[1]), operands[2]);
    case Function::Select: return x > operands[1] ? operands[2] : operands[3];
    case Function::SigmoidMul: return sigmoid(x) * operands[1];
    case Function::SigmoidSigmoid: return sigmoid(x) * sigmoid(operands[1]);
    case Function::SigmoidTanh: return sigmoid(x) * std::tanh(operands[1]);
    case Function::TanhTanh: return std::tanh(x) * std::tanh(operands[1]);
  }
  internal_error(nullptr, "a function that is not in the table");
}

Vector evaluate(Reduction reduction, const std::vector<Vector>& operands) {
  const Vector& x = operands[0];
  switch (reduction) {
    case Reduction::Sum: {
      double sum = 0;
      for (const double v : x) sum += v;
      return {sum};
    }
    case Reduction::Mean: return {evaluate(Reduction::Sum, operands)[0] / static_cast<double>(x.size())};
    case Reduction::Max: {
      double largest = -std::numeric_limits<double>::infinity();
      for (const double v : x) largest = std::isnan(v) || v > largest ? v : largest;  // once NaN, no v is greater
      return {largest};
    }
    case Reduction::Argmax: {
      const double largest = evaluate(Reduction::Max, operands)[0];
      const auto is_it = [&](double v) { return v == largest || (std::isnan(v) && std::isnan(largest)); };
      return {static_cast<double>(std::find_if(x.begin(), x.end(), is_it) - x.begin())};
    }
    case Reduction::Softmax: return softmax(x);
    case Reduction::LayerNorm: return layer_norm(x, operands[1], operands[2], operands[3][0]);
  }
  internal_error(nullptr, "a reduction that is not in the table");
}

}  // namespace rnnc::ir
