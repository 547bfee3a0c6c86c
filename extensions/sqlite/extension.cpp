// SQLite loads this library and gains functions that run recurrent models over rows:
//
//     SELECT rnn_model('m', 'model.rnn', 'weights.safetensors');
//     SELECT t, rnn('m', x) OVER (PARTITION BY user ORDER BY t) FROM events;
//
// docs/databases-and-servers.md tells of all of them. A connection has models of its own, and nothing is kept beside
// them.
#include <sqlite3ext.h>

#include <memory>
#include <utility>

#include "extensions/sqlite/models.hpp"
#include "extensions/sqlite/read_row.hpp"
#include "extensions/sqlite/window.hpp"

SQLITE_EXTENSION_INIT1

namespace rnnc::sqlite {
namespace {

template <class Data>
void destroy(void* data) noexcept {
  delete static_cast<Data*>(data);
}

int add_window(sqlite3* connection, WindowFunction function) {
  const char* const name = function.name;
  return sqlite3_create_window_function(connection, name, -1, SQLITE_UTF8, new WindowFunction(std::move(function)),
                                        step_row, give_last_value, give_value, refuse_row_that_leaves,
                                        destroy<WindowFunction>);
}

int add_functions(sqlite3* connection) {
  const auto models = std::make_shared<Models>();
  // It reads files and makes code, which the schema of a stranger's database may not ask for: statements alone may.
  int status = sqlite3_create_function_v2(connection, "rnn_model", -1, SQLITE_UTF8 | SQLITE_DIRECTONLY,
                                          new std::shared_ptr<Models>(models), name_model, nullptr, nullptr,
                                          destroy<std::shared_ptr<Models>>);
  if (status == SQLITE_OK)
    status =
        sqlite3_create_function_v2(connection, "rnn_json", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
                                   nullptr, give_json, nullptr, nullptr, nullptr);
  for (const WindowFunction& function :
       {WindowFunction{models, "rnn", false, false}, WindowFunction{models, "rnn_from", true, false},
        WindowFunction{models, "rnn_state", false, true}, WindowFunction{models, "rnn_state_from", true, true}})
    if (status == SQLITE_OK) status = add_window(connection, function);
  return status;
}

}  // namespace
}  // namespace rnnc::sqlite

/// SQLite finds this name by that of the file, rnnc_sqlite.so.
extern "C" __attribute__((visibility("default"))) int sqlite3_rnncsqlite_init(
    sqlite3* connection, char** message, const sqlite3_api_routines* functions) noexcept {
  SQLITE_EXTENSION_INIT2(functions);
  constexpr int kOldest = 3025000;
  if (sqlite3_libversion_number() < kOldest) {
    *message = sqlite3_mprintf("rnnc needs SQLite 3.25 or newer, which has window functions; this is %s",
                               sqlite3_libversion());
    return SQLITE_ERROR;
  }
  try {
    return rnnc::sqlite::add_functions(connection);
  } catch (const std::bad_alloc&) {
    return SQLITE_NOMEM;
  }
}
