#include "python/calls.hpp"

#include <chrono>
#include <thread>

namespace rnnc::python {

void Calls::finish() noexcept {
  is_finished_ = true;
  while (running_ > 0) {
    PyThreadState* thread = PyEval_SaveThread();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    PyEval_RestoreThread(thread);
  }
}

Calls& calls() noexcept {
  static Calls calls;
  return calls;
}

}  // namespace rnnc::python
