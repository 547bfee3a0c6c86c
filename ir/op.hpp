// This header has the enumerators and facts of the op set, which it generates from ops.def and runtime/functions.def,
// and the meaning of every scalar function in words.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/functions.hpp"

namespace rnnc::ir {

enum class Op : std::uint8_t {
#define RNNC_OP(enumerator, text) enumerator,
#define RNNC_NETWORK_OP(enumerator, text) enumerator,
#include "ir/ops.def"
};

// In this table x is the first operand. Every function gives NaN when an operand is NaN, except a select whose
// comparison is false for NaN. relu(-0) is -0. min and max may return either zero of (-0, +0).
//   relu              x < 0 ? 0 : x                silu    x * sigmoid(x)
//   rsqrt             1 / sqrt(x)                  gelu    x / 2 * (1 + erf(x / sqrt 2))
//   softplus          log(1 + exp(x))              softsign  x / (1 + |x|)
//   elu               x > 0 ? x : alpha * (exp(x) - 1)
//   leaky_relu        x < 0 ? alpha * x : x
//   thresholded_relu  x > alpha ? x : 0            (NaN stays NaN)
//   scaled_tanh       alpha * tanh(beta * x)
//   affine            alpha * x + beta             (one rounding)
//   hard_sigmoid      max(0, min(1, alpha * x + beta))
//   clip              min(max(x, low), high)
//   select(a, b, x, y)  a > b ? x : y              (NaN in a or b gives y)
//   sigmoid_mul(a, b)   sigmoid(a) * b             sigmoid_sigmoid, sigmoid_tanh, tanh_tanh likewise
using runtime::Function;

// argmax is the index of the first of the largest elements, or of the first NaN if there is one.
enum class Reduction : std::uint8_t {
#define RNNC_REDUCTION(enumerator, ...) enumerator,
#include "ir/ops.def"
};

enum class RowOp : std::uint8_t {
#define RNNC_ROW_OP(enumerator, ...) enumerator,
#include "ir/ops.def"
};

using runtime::OverTime;

struct FunctionFacts {
  Function function;
  std::string_view name;
  int arity;
  float low, high;  // operands that tests draw
  double ulp;       // error bound of generated code: this many units in the last place of the exact result,
  double floor;     // or this much, whichever is larger
};

inline constexpr std::array kAllFunctions = {
#define RNNC_FUNCTION(enumerator, name, arity, low, high, ulp, floor) \
  FunctionFacts{Function::enumerator, name, arity, low, high, ulp, floor},
#define RNNC_PRODUCT RNNC_FUNCTION
#include "runtime/functions.def"
};

/// The functions of the language: the products that only the compiler writes are left out.
inline constexpr std::span kFunctions = std::span(kAllFunctions).first(static_cast<std::size_t>(Function::SigmoidMul));

enum class ResultKind : std::uint8_t { Scalar, Vector };

struct ReductionFacts {
  Reduction reduction;
  std::string_view name;
  int arity;
  ResultKind result;
};

inline constexpr std::array kReductions = {
#define RNNC_REDUCTION(enumerator, name, arity, result) \
  ReductionFacts{Reduction::enumerator, name, arity, ResultKind::result},
#include "ir/ops.def"
};

struct RowOpFacts {
  RowOp row_op;
  std::string_view name;
  int operands;  // 0: one or more
  int dims;      // arguments behind the operands
};

inline constexpr std::array kRowOps = {
#define RNNC_ROW_OP(enumerator, name, operands, dims) RowOpFacts{RowOp::enumerator, name, operands, dims},
#include "ir/ops.def"
};

struct OverTimeFacts {
  OverTime over_time;
  std::string_view name;
};

inline constexpr std::array kOverTimes = {
#define RNNC_OVER_TIME(enumerator, name) OverTimeFacts{OverTime::enumerator, name},
#include "runtime/functions.def"
};

/// The texts of a function's derivatives, one for each operand, as ops.def says.
struct DerivativeFacts {
  Function function;
  std::array<std::string_view, runtime::kMostOperands> of_operand;
};

inline constexpr std::array kDerivatives = {
#define RNNC_DERIVATIVE(enumerator, ...) DerivativeFacts{Function::enumerator, {__VA_ARGS__}},
#include "ir/ops.def"
};

constexpr const FunctionFacts& facts(Function function) { return kAllFunctions[static_cast<std::size_t>(function)]; }
constexpr const ReductionFacts& facts(Reduction reduction) { return kReductions[static_cast<std::size_t>(reduction)]; }
constexpr const RowOpFacts& facts(RowOp row_op) { return kRowOps[static_cast<std::size_t>(row_op)]; }
constexpr const OverTimeFacts& facts(OverTime over_time) { return kOverTimes[static_cast<std::size_t>(over_time)]; }

constexpr const DerivativeFacts& derivatives(Function function) {
  return kDerivatives[static_cast<std::size_t>(function)];
}

// Each function has a row of derivatives, in the order of the functions, with a text for each of its operands.
static_assert(
    [] {
      if (kDerivatives.size() != kAllFunctions.size()) return false;
      for (std::size_t i = 0; i < kDerivatives.size(); ++i) {
        if (kDerivatives[i].function != kAllFunctions[i].function) return false;
        for (std::size_t k = 0; k < kDerivatives[i].of_operand.size(); ++k)
          if (kDerivatives[i].of_operand[k].empty() != (static_cast<int>(k) >= kAllFunctions[i].arity)) return false;
      }
      return true;
    }(),
    "a function lacks its derivatives, or has them out of order: see RNNC_DERIVATIVE");

}  // namespace rnnc::ir
