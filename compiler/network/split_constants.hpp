// Values that a scan computes in the same way at each step become a call that runs once for each sequence.
#pragma once

#include "compiler/network/cut.hpp"

namespace rnnc::compiler {

/// Splits scans that read vectors which are the same at each step. Values that depend on such vectors and on parameters
/// only leave the scan: a call of their own computes them once for each sequence.
CallList split_constants(CallList list);

}  // namespace rnnc::compiler
