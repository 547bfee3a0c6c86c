// This header tells how many CPUs there are for the threads of a process.
#pragma once

#include <rnnc/export.hpp>

namespace rnnc::runtime {

/// Returns the number of CPUs on which the threads that this one starts may run.
RNNC_API int cpus_of_this_thread();

}  // namespace rnnc::runtime
