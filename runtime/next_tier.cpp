#include "runtime/next_tier.hpp"

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <new>
#include <system_error>
#include <utility>

#include <rnnc/default_float_environment.hpp>

#include "runtime/program.hpp"

namespace rnnc {

namespace runtime {

NextTier::NextTier(std::shared_ptr<const LoadedProgram> program, Finish finish)
    : program_(std::move(program)), process_(::getpid()) {
  try {
    thread_ = std::thread([this, finish] { make(finish); });
  } catch (const std::system_error&) {
    make(finish);
  }
}

NextTier::~NextTier() {
  if (!thread_.joinable()) return;
  if (process_ == ::getpid())
    thread_.join();
  else
    thread_.detach();  // a forked child has no such thread
}

void NextTier::make(const Finish& finish) noexcept {
  const DefaultFloatEnvironment environment;
  try {
    const Result<void> finished = finish();
    if (!finished) error_ = finished.error();
  } catch (const std::bad_alloc&) {
    error_ = {ErrorCode::Limit, {}, "not enough memory to generate code"};
  } catch (const std::exception& thrown) {
    error_ = {ErrorCode::Unsupported, {}, std::string("code generation failed: ") + thrown.what()};
  }
  stage_.store(error_.message.empty() ? Stage::Ready : Stage::Failed, std::memory_order_release);
  stage_.notify_all();
}

Result<void> NextTier::wait() const {
  if (is_waiting() && process_ != ::getpid())
    return Error{ErrorCode::Unsupported,
                 {},
                 "this process was forked before the code was ready, which only its parent goes on to make"};
  stage_.wait(Stage::Waiting, std::memory_order_acquire);
  if (is_ready()) return {};
  return error_;
}

const std::string& NextTier::failure() const noexcept {
  static const std::string none;
  return stage_.load(std::memory_order_acquire) == Stage::Failed ? error_.message : none;
}

const std::shared_ptr<const LoadedProgram>& current(const std::shared_ptr<const LoadedProgram>& loaded) noexcept {
  return loaded && loaded->next && loaded->next->is_ready() ? loaded->next->program() : loaded;
}

void move_to_next_tier(const LoadedProgram& loaded, std::unique_ptr<StateContent>& state) noexcept {
  if (!loaded.next || !loaded.next->is_ready()) return;
  if (!state->later || state->later->program != loaded.next->program()) return;
  for (std::size_t i = 0; i < count_states(*state); ++i)
    for (std::int64_t b = 0; b < state->batch; ++b)
      std::ranges::copy(state_row(*state, i, b), state_row(*state->later, i, b).begin());
  std::unique_ptr<StateContent> later = std::move(state->later);
  later->earlier = std::move(state);
  state = std::move(later);
}

}  // namespace runtime

Backend Program::backend() const noexcept {
  if (!loaded_ || !loaded_->next) return backend_;
  return loaded_->next->is_ready() ? Backend::Jit : Backend::Portable;
}

const std::string& Program::fallback() const noexcept {
  return loaded_ && loaded_->next ? loaded_->next->failure() : fallback_;
}

Result<void> Program::wait_for_code() const {
  if (!loaded_ || !loaded_->next) return {};
  return loaded_->next->wait();
}

}  // namespace rnnc
