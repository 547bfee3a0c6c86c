// The window functions: each row of a partition is a step of a sequence, and the state goes from row to row.
#pragma once

#include <memory>

#include "extensions/sqlite/interface.hpp"
#include "extensions/sqlite/models.hpp"

namespace rnnc::sqlite {

/// The user data of a window function: rnn, rnn_from, rnn_state or rnn_state_from.
struct WindowFunction {
  std::shared_ptr<Models> models;
  const char* name;
  bool takes_state;  // as the argument behind the model
  bool gives_state;  // in place of the output
};

/// Register these four with sqlite3_create_window_function.
void step_row(sqlite3_context* context, int count, sqlite3_value** values) noexcept;
void refuse_row_that_leaves(sqlite3_context* context, int count, sqlite3_value** values) noexcept;
void give_value(sqlite3_context* context) noexcept;
void give_last_value(sqlite3_context* context) noexcept;

}  // namespace rnnc::sqlite
