// The functions of SQLite, which an extension calls through a table that SQLite hands over when it loads the extension.
// extension.cpp keeps the pointer to that table; SQLite's macros declare it.
#pragma once

#include <sqlite3ext.h>

#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>

SQLITE_EXTENSION_INIT3

namespace rnnc::sqlite {

/// Ends the statement with this text as its error.
inline void fail(sqlite3_context* context, const std::string& message) noexcept {
  sqlite3_result_error(context, message.c_str(), static_cast<int>(message.size()));
}

/// Runs `work` and lets nothing thrown escape into SQLite.
template <class Work>
void guarded(sqlite3_context* context, const Work& work) noexcept {
  try {
    work();
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  } catch (const std::exception& thrown) {
    sqlite3_result_error(context, thrown.what(), -1);
  }
}

/// The bytes of a blob, or of anything else as UTF-8, whatever the encoding of the database; they hold until the value
/// is read in another way.
inline std::string_view bytes_of(sqlite3_value* value) noexcept {
  const void* const bytes =
      sqlite3_value_type(value) == SQLITE_BLOB ? sqlite3_value_blob(value) : sqlite3_value_text(value);
  return {static_cast<const char*>(bytes), bytes ? static_cast<std::size_t>(sqlite3_value_bytes(value)) : 0};
}

template <class Data>
Data& user_data(sqlite3_context* context) noexcept {
  return *static_cast<Data*>(sqlite3_user_data(context));
}

}  // namespace rnnc::sqlite
