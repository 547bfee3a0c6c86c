#include "compiler/network/share_work.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include <rnnc/default_float_environment.hpp>

#include "runtime/cpus.hpp"

namespace rnnc::compiler {

void share_work(std::size_t count, int threads, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::exception_ptr thrown;
  std::once_flag first;
  const auto take_pieces = [&] {
    const DefaultFloatEnvironment environment;
    try {
      for (std::size_t i = next++; i < count; i = next++) work(i);
    } catch (...) {
      std::call_once(first, [&] { thrown = std::current_exception(); });
      next = count;
    }
  };
  const auto wanted = static_cast<std::size_t>(threads > 0 ? threads : runtime::cpus_of_this_thread());
  std::vector<std::thread> others;
  try {
    while (others.size() + 1 < std::min(wanted, count)) others.emplace_back(take_pieces);
  } catch (const std::exception&) {
    // The threads that there are share the work.
  }
  take_pieces();
  for (std::thread& other : others) other.join();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace rnnc::compiler
