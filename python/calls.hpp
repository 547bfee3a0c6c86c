// Long work lets other threads of Python run, and the interpreter does not end before it.
#pragma once

#include "python/object.hpp"

namespace rnnc::python {

/// Counts the calls that run without Python's lock. All of it is read and written with the lock held.
///
/// A thread that comes back for the lock while the interpreter ends is ended by Python in the midst of our code. So
/// finish(), which runs before, waits for all calls, and later ones keep the lock.
class Calls {
 public:
  /// Runs `work`, which must neither throw nor touch Python, without the lock.
  template <class Work>
  auto run(Work work) noexcept {
    if (is_finished_) return work();
    ++running_;
    PyThreadState* thread = PyEval_SaveThread();
    auto result = work();
    PyEval_RestoreThread(thread);
    --running_;
    return result;
  }

  void finish() noexcept;

  /// Forgets the calls of other threads, which a forked child does not have.
  void forget() noexcept { running_ = 0; }

 private:
  int running_ = 0;
  bool is_finished_ = false;
};

/// Returns the calls of this process: an interpreter has one lock, and a process one interpreter that loads us.
Calls& calls() noexcept;

}  // namespace rnnc::python
