// The pool keeps threads that wait between calls and run the parts of one call at a time. A thread waits in a short
// spin first, since the next call of a stream comes soon, and then in a futex: a pool that nobody uses costs nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include <rnnc/executor.hpp>

#include "runtime/number_format.hpp"

namespace rnnc::runtime {

class ThreadPool final : public Executor {
 public:
  /// Starts `workers` threads. Throws std::system_error if the system has none left.
  explicit ThreadPool(int workers);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool() override;

  int workers() const { return static_cast<int>(workers_.size()); }

  /// Runs task(context, part) for every part in [0, parts), the first on this thread, and returns when all are done.
  /// Returns false, with nothing run, while another thread uses the pool, or if a thread has not answered after about a
  /// quarter of `saving`: that thread sleeps, or its core has other work. parts <= workers() + 1.
  bool try_run(Task task, void* context, int parts, double saving) noexcept override;

 private:
  // A worker answers each ticket that it gets and waits for the decision about the ticket. Each worker has a cache line
  // of its own.
  struct alignas(kCacheLineBytes) Worker {
    std::atomic<std::uint32_t> asked{0};
    std::atomic<std::uint32_t> answered{0};
    std::atomic<std::uint32_t> done{0};
    std::atomic<bool> stop{false};
    std::thread thread;
  };

  void work(Worker& worker, int part);
  bool is_decided(std::uint32_t ticket) const noexcept;
  bool all_answer(int parts, double seconds) const noexcept;
  void decide(bool go) noexcept;
  void stop_all();

  std::atomic<bool> busy_{false};
  std::uint32_t ticket_ = 0;                // of the last call; whoever holds busy_ writes it
  std::atomic<std::uint64_t> decision_{0};  // the last ticket decided, times two, plus one if it is to be run
  Task task_ = nullptr;
  void* context_ = nullptr;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace rnnc::runtime
