// This harness has one element-wise function as FunctionEmitter emits it, compiled for a CPU and applied to arrays:
// what the tests and the program that measures errors (tests/numerics/ulp.cpp) run.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "ir/op.hpp"
#include "rnnc/result.hpp"

namespace rnnc::test {

class FunctionHarness {
 public:
  /// `cpu` as resolve_target takes it; `lanes` a power of two.
  ///
  /// Errors  those of resolve_target, for a CPU that this machine cannot run
  static Result<FunctionHarness> make(ir::Function function, const std::string& cpu, unsigned lanes);

  FunctionHarness(FunctionHarness&&) noexcept;
  FunctionHarness& operator=(FunctionHarness&&) noexcept;
  ~FunctionHarness();

  /// result[i] = function(operands[0][i], operands[1][i], ...) for i < n, with denormals flushed; the caller's mode is
  /// restored. Concurrent calls are allowed.
  void operator()(const float* const* operands, float* result, std::size_t n) const;

  /// The text of the compiled loop.
  std::string assembly() const;

 private:
  struct Content;
  explicit FunctionHarness(std::unique_ptr<Content> content);
  std::unique_ptr<Content> content_;
};

}  // namespace rnnc::test
