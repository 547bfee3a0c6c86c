// Pieces of work that do not depend on each other are shared among threads that end with the work.
#pragma once

#include <cstddef>
#include <functional>

namespace rnnc::compiler {

/// Calls work(i) for each i below `count`, on this thread and up to `threads` - 1 others; 0 stands for as many threads
/// as there are CPUs. Where the system has no more threads, those that there are do it all. What `work` throws first is
/// thrown here when all threads have ended. Each thread is in the default floating-point environment.
void share_work(std::size_t count, int threads, const std::function<void(std::size_t)>& work);

}  // namespace rnnc::compiler
