// Errors of rnnc become exceptions of the classes in rnnc/errors.py.
#pragma once

#include <string>

#include <rnnc/program.hpp>
#include <rnnc/result.hpp>

#include "python/object.hpp"

namespace rnnc::python {

/// Sets the exception of `error`, with its place and the line that shows it.
void set_error(const Error& error);

/// Sets the exception of a call that was refused.
void set_error(RunStatus status);

[[noreturn]] void raise(const Error& error);
[[noreturn]] void raise(ErrorCode code, std::string message);

/// Returns the value. Throws Raised if there is none.
template <class T>
T take(Result<T> result) {
  if (!result.ok()) raise(result.error());
  return std::move(*result);
}

}  // namespace rnnc::python
