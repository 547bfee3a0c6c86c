// The type State: the states of a batch of sequences and the memory of their calls.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include <rnnc/program.hpp>

#include "python/object.hpp"
#include "python/program.hpp"

namespace rnnc::python {

struct StateContent {
  Object program;  // null until a state that was pickled meets its program
  std::optional<State> state = {};
  std::optional<Workspace> workspace = {};  // for calls of more steps than the state's own allows
  std::int64_t steps = 1;                   // of a call that needs no larger workspace
  std::int64_t batch = 0;
  std::vector<std::byte> saved = {};         // of a state without a program
  bool is_in_use = false;                    // read and written with Python's lock held
  Object step_result = {}, row_result = {};  // arguments of numpy.empty for the result of a step, [B, O] and [O]
};

/// Marks a state as one that a call uses, which another thread's call refuses.
class Use {
 public:
  explicit Use(StateContent& state) noexcept : state_(state), is_refused_(state.is_in_use) { state.is_in_use = true; }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use() {
    if (!is_refused_) state_.is_in_use = false;
  }

  /// Returns false with Python's exception set if another thread's call has the state.
  bool is_granted() const noexcept;

 private:
  StateContent& state_;
  bool is_refused_;
};

/// Returns the content of a State for a call of `program`: one that was pickled becomes a state of this program. Throws
/// Raised.
StateContent& state_for(PyObject* state, PyObject* program);

bool add_state_type(PyObject* module);

}  // namespace rnnc::python
