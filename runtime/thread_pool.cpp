#include "runtime/thread_pool.hpp"

#include <algorithm>
#include <chrono>

#include "runtime/kernel_float_mode.hpp"
#include "runtime/pause.hpp"

namespace rnnc::runtime {
namespace {

constexpr int kSpins = 2000;  // some 20 to 80 us, depending on the length of the CPU's pause

// Waits until `value` is no longer `old`; everything that was written before the change can then be read.
void wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old) noexcept {
  for (int spin = 0; spin < kSpins; ++spin) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
  }
  while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}

// Waits until `value` is `wanted`.
void wait_for(const std::atomic<std::uint32_t>& value, std::uint32_t wanted) noexcept {
  for (;;) {
    const std::uint32_t now = value.load(std::memory_order_acquire);
    if (now == wanted) return;
    wait_while(value, now);
  }
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

bool ThreadPool::is_decided(std::uint32_t ticket) const noexcept {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(decision_.load(std::memory_order_acquire) >> 1) -
                                   ticket) >= 0;
}

void ThreadPool::work(Worker& worker, int part) {
  const KernelFloatMode mode;  // a thread begins in the mode of the thread that made it
  for (std::uint32_t seen = 0;;) {
    wait_while(worker.asked, seen);
    if (worker.stop.load(std::memory_order_relaxed)) return;
    seen = worker.asked.load(std::memory_order_acquire);
    worker.answered.store(seen, std::memory_order_release);
    for (Waiting waiting; !is_decided(seen);) waiting.once();
    // A ticket that the worker answered too late was cancelled or belongs to another call by now.
    if (decision_.load(std::memory_order_acquire) != std::uint64_t{seen} * 2 + 1) continue;
    task_(context_, part);
    worker.done.store(seen, std::memory_order_release);
    worker.done.notify_one();
  }
}

bool ThreadPool::all_answer(int parts, double seconds) const noexcept {
  const auto answered = [&] {
    return std::all_of(workers_.begin(), workers_.begin() + parts - 1, [&](const std::unique_ptr<Worker>& worker) {
      return worker->answered.load(std::memory_order_acquire) == ticket_;
    });
  };
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  for (Waiting waiting; !answered(); waiting.once())
    if (std::chrono::duration<double>(Clock::now() - start).count() > seconds) return false;
  return true;
}

void ThreadPool::decide(bool go) noexcept {
  decision_.store(std::uint64_t{ticket_} * 2 + (go ? 1 : 0), std::memory_order_release);
}

bool ThreadPool::try_run(Task task, void* context, int parts, double saving) noexcept {
  if (busy_.exchange(true, std::memory_order_acquire)) return false;
  ++ticket_;
  task_ = task;
  context_ = context;
  for (int part = 1; part < parts; ++part) {
    Worker& worker = *workers_[static_cast<std::size_t>(part - 1)];
    worker.asked.store(ticket_, std::memory_order_release);
    worker.asked.notify_one();
  }
  const bool go = all_answer(parts, saving / 4);
  decide(go);
  if (go) {
    task(context, 0);
    for (int part = 1; part < parts; ++part) wait_for(workers_[static_cast<std::size_t>(part - 1)]->done, ticket_);
  }
  busy_.store(false, std::memory_order_release);
  return go;
}

}  // namespace rnnc::runtime
