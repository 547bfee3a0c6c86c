// A Database is SQLite's own, in memory, with our extension in it as the shell's .load puts it there.
#pragma once

#include <sqlite3.h>

#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace rnnc::test {

/// A value that is bound to a statement, or comes out of one. A blob's bytes are in `text`.
struct SqlValue {
  int type = SQLITE_NULL;
  double number = 0;
  std::string text = {};

  static SqlValue of(double number) { return {SQLITE_FLOAT, number}; }
  static SqlValue blob(std::string bytes) { return {SQLITE_BLOB, 0, std::move(bytes)}; }
  static SqlValue blob_of(const std::vector<float>& floats) {
    return blob(std::string(reinterpret_cast<const char*>(floats.data()), floats.size() * sizeof(float)));
  }
  static SqlValue of(std::string text) { return {SQLITE_TEXT, 0, std::move(text)}; }

  /// The floats of a blob, or the one of a number.
  std::vector<float> floats() const {
    if (type != SQLITE_BLOB) return {static_cast<float>(number)};
    std::vector<float> values(text.size() / sizeof(float));
    if (!values.empty()) std::memcpy(values.data(), text.data(), values.size() * sizeof(float));
    return values;
  }
};

using Rows = std::vector<std::vector<SqlValue>>;

class Database {
 public:
  explicit Database(const std::string& path = ":memory:") {
    if (sqlite3_open(path.c_str(), &connection_) != SQLITE_OK) throw std::runtime_error("no database");
    sqlite3_enable_load_extension(connection_, 1);
    char* message = nullptr;
    if (sqlite3_load_extension(connection_, RNNC_SQLITE_EXTENSION, nullptr, &message) != SQLITE_OK)
      throw std::runtime_error(message);
  }
  ~Database() { sqlite3_close_v2(connection_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  sqlite3* connection() const { return connection_; }

  /// Runs one statement to its end. Throws its error.
  Rows run(const std::string& sql, const std::vector<SqlValue>& arguments = {}) const {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(connection_, sql.c_str(), -1, &statement, nullptr));
    for (std::size_t i = 0; i < arguments.size(); ++i) bind(statement, static_cast<int>(i + 1), arguments[i]);
    Rows rows;
    int status = SQLITE_ROW;
    while ((status = sqlite3_step(statement)) == SQLITE_ROW) rows.push_back(row_of(statement));
    sqlite3_finalize(statement);
    if (status != SQLITE_DONE) check(status);
    return rows;
  }

  /// The error of a statement, "" where it has none.
  std::string error_of(const std::string& sql, const std::vector<SqlValue>& arguments = {}) const {
    try {
      run(sql, arguments);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }

 private:
  void check(int status) const {
    if (status != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(connection_));
  }

  static void bind(sqlite3_stmt* statement, int place, const SqlValue& cell) {
    const auto size = static_cast<int>(cell.text.size());
    if (cell.type == SQLITE_FLOAT) sqlite3_bind_double(statement, place, cell.number);
    if (cell.type == SQLITE_TEXT) sqlite3_bind_text(statement, place, cell.text.data(), size, SQLITE_TRANSIENT);
    if (cell.type == SQLITE_BLOB) sqlite3_bind_blob(statement, place, cell.text.data(), size, SQLITE_TRANSIENT);
  }

  static std::vector<SqlValue> row_of(sqlite3_stmt* statement) {
    std::vector<SqlValue> row;
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      SqlValue cell{sqlite3_column_type(statement, i), sqlite3_column_double(statement, i), {}};
      const void* const bytes = sqlite3_column_blob(statement, i);
      if (cell.type == SQLITE_TEXT || cell.type == SQLITE_BLOB)
        cell.text.assign(static_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(statement, i)));
      row.push_back(std::move(cell));
    }
    return row;
  }

  sqlite3* connection_ = nullptr;
};

}  // namespace rnnc::test
