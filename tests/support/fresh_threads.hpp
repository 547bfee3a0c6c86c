// This executor has threads that begin at each call, so that they meet in all orders.
#pragma once

#include <rnnc/executor.hpp>

#include <thread>
#include <vector>

namespace rnnc::test {

class FreshThreads final : public Executor {
 public:
  explicit FreshThreads(int refuses_each = 0) : refuses_each_(refuses_each) {}  // which call is refused; 0: none

  bool try_run(Task task, void* context, int parts, double) noexcept override {
    ++calls;
    if (refuses_each_ > 0 && calls % refuses_each_ == 0) return false;
    std::vector<std::thread> threads;
    for (int part = 1; part < parts; ++part) threads.emplace_back([=] { task(context, part); });
    task(context, 0);
    for (std::thread& thread : threads) thread.join();
    return true;
  }

  int calls = 0;

 private:
  int refuses_each_;
};

}  // namespace rnnc::test
