#include "runtime/thread_pool.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace rnnc::runtime {
namespace {

constexpr int kSpins = 2000;  // some 20 to 80 us, by the length of the CPU's pause

void pause() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

// Waits until `value` is no longer `old`; what was written before it changed can then be read.
void wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old) noexcept {
  for (int spin = 0; spin < kSpins; ++spin) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
  }
  while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(int workers) {
  try {
    for (int i = 0; i < workers; ++i) {
      workers_.push_back(std::make_unique<Worker>());
      Worker& worker = *workers_.back();
      worker.thread = std::thread([this, &worker, i] { work(worker, i + 1); });
    }
  } catch (...) {
    stop_all();
    throw;
  }
}

ThreadPool::~ThreadPool() { stop_all(); }

void ThreadPool::stop_all() {
  for (const auto& worker : workers_) {
    worker->stop.store(true, std::memory_order_relaxed);
    worker->asked.fetch_add(1, std::memory_order_release);
    worker->asked.notify_one();
    if (worker->thread.joinable()) worker->thread.join();
  }
}

void ThreadPool::work(Worker& worker, int part) {
  for (std::uint32_t seen = 0;; ++seen) {
    wait_while(worker.asked, seen);
    if (worker.stop.load(std::memory_order_relaxed)) return;
    task_(context_, part);
    worker.done.store(seen + 1, std::memory_order_release);
    worker.done.notify_one();
  }
}

bool ThreadPool::try_run(Task task, void* context, int parts) noexcept {
  if (busy_.exchange(true, std::memory_order_acquire)) return false;
  task_ = task;
  context_ = context;
  for (int part = 1; part < parts; ++part) {
    Worker& worker = *workers_[static_cast<std::size_t>(part - 1)];
    worker.asked.fetch_add(1, std::memory_order_release);
    worker.asked.notify_one();
  }
  task(context, 0);
  for (int part = 1; part < parts; ++part) {
    Worker& worker = *workers_[static_cast<std::size_t>(part - 1)];
    const std::uint32_t wanted = worker.asked.load(std::memory_order_relaxed);
    wait_while(worker.done, wanted - 1);
  }
  busy_.store(false, std::memory_order_release);
  return true;
}

}  // namespace rnnc::runtime
