// Measurements become a core as steps use it: what the cost model of plans asks for, in vectors of the widest kind.
#pragma once

#include "compiler/schedule/limits.hpp"
#include "tools/noise.hpp"
#include "tools/progress.hpp"

namespace rnnc::tools {

struct CoreFigures {
  compiler::MeasuredCore core;
  double peak_flops = 0;  // as measured; the machine's is what the clock and the pipes allow
  int pipes = 1;          // vector multiply-adds that the core begins in a cycle
  Noise noise;
};

/// Takes some eight seconds. The calling thread is kept on its CPU meanwhile, but for the flag.
CoreFigures measure_core(const Report& report);

}  // namespace rnnc::tools
