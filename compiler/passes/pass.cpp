#include "compiler/passes/pass.hpp"

#include <chrono>

#include "ir/check.hpp"
#include "ir/repro.hpp"
#include "ir/verify.hpp"

namespace rnnc::compiler {

ir::Cell run_passes(const ir::Cell& cell, std::string_view last, const PassObserver& observe,
                    std::span<const Pass> passes, runtime::NumberFormat weights) {
  using Clock = std::chrono::steady_clock;
  const ir::Repro repro(cell);
  ir::Cell current = cell;
  for (const Pass& pass : passes) {
    if (!pass.of_integers || runtime::is_integer(weights)) {
      const auto start = Clock::now();
      ir::Cell next = pass.run(current, weights);
      if (const auto verified = ir::verify(next); !verified)
        ir::internal_error(&current,
                           "pass " + std::string(pass.name) + " broke the cell: " + verified.error().to_string());
      current = std::move(next);
      if (observe) observe(pass.name, current, std::chrono::duration<double>(Clock::now() - start).count());
    }
    if (pass.name == last) break;
  }
  return current;
}

}  // namespace rnnc::compiler
