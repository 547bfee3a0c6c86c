// A call that can fail by the caller's own mistake returns a Result: a value, or an error that says where the mistake
// is and how to mend it. Bugs of ours are not returned (see ir/check.hpp), and the hot path returns a status only.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <rnnc/export.hpp>

namespace RNNC_API rnnc {

enum class ErrorCode {
  Usage,          // a flag or argument that does not exist or does not parse
  Syntax,         // text that is not a cell
  Name,           // a name that is unknown, or declared twice
  ShapeMismatch,  // shapes that do not fit each other
  InvalidModel,   // a cell that has the right syntax but no meaning
  InvalidData,    // a file or tensor that is malformed, missing, or left over
  Limit,          // more than a limit allows
  Unsupported,    // right, but not on this machine or in this version
  File,           // the file system reports an error
};

/// A position in a file. A line of 0 means the file as a whole; columns count bytes from 1.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
  // The line of the text with its number, and a line with a caret below the column; no newline at the end. "" where the
  // text is not known.
  std::string excerpt = {};

  std::string to_string() const;  // file:line:column, leaving out what is unknown
};

struct Note {
  Place place;
  std::string message;

  /// `file:line:column: note: message` and below it the excerpt of the place; `kind` is the word before the message.
  std::string to_string(const char* kind = "note") const;
};

struct Error {
  ErrorCode code = ErrorCode::InvalidModel;
  Place place;
  std::string message;
  std::vector<Note> notes = {};

  /// `file:line:column: message`, then a line `file:line:column: note: ...` for each note; no newline at the end. The
  /// excerpt of a place stands below the line that names it.
  std::string to_string() const;
};

/// `Result::value()` throws this exception on an error, for callers that prefer it to a branch.
class BadResult : public std::runtime_error {
 public:
  explicit BadResult(const Error& error) : std::runtime_error(error.to_string()) {}
};

/// Throws BadResult; a program that is built without exceptions ends with the text of the error.
[[noreturn]] inline void throw_bad_result(const Error& error) {
#if defined(__cpp_exceptions)
  throw BadResult(error);
#else
  std::fprintf(stderr, "%s\n", error.to_string().c_str());
  std::abort();
#endif
}

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return content_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// Returns the value. Throws BadResult if there is none.
  T& value() & { return require(), std::get<0>(content_); }
  const T& value() const& { return require(), std::get<0>(content_); }
  T&& value() && { return require(), std::get<0>(std::move(content_)); }

  /// These give unchecked access, for use after `ok()`.
  T& operator*() { return *std::get_if<0>(&content_); }
  const T& operator*() const { return *std::get_if<0>(&content_); }
  T* operator->() { return std::get_if<0>(&content_); }
  const T* operator->() const { return std::get_if<0>(&content_); }

  const Error& error() const { return std::get<1>(content_); }

 private:
  void require() const {
    if (!ok()) throw_bad_result(error());
  }
  std::variant<T, Error> content_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : content_(std::move(error)) {}

  bool ok() const { return content_.index() == 0; }
  explicit operator bool() const { return ok(); }
  void value() const {
    if (!ok()) throw_bad_result(error());
  }
  const Error& error() const { return std::get<1>(content_); }

 private:
  std::variant<std::monostate, Error> content_;
};

}  // namespace rnnc
