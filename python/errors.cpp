#include "python/errors.hpp"

namespace rnnc::python {
namespace {

// The names of rnnc/errors.py, which has a class for each.
const char* name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::Usage: return "usage";
    case ErrorCode::Syntax: return "syntax";
    case ErrorCode::Name: return "name";
    case ErrorCode::ShapeMismatch: return "shape";
    case ErrorCode::InvalidModel: return "model";
    case ErrorCode::InvalidData: return "data";
    case ErrorCode::Limit: return "limit";
    case ErrorCode::Unsupported: return "unsupported";
    case ErrorCode::File: return "file";
  }
  return "usage";
}

ErrorCode code_of(RunStatus status) {
  switch (status) {
    case RunStatus::Ok:
    case RunStatus::WrongState:
    case RunStatus::WrongWorkspace:
    case RunStatus::NoWorkspace:
    case RunStatus::NegativeSteps:
    case RunStatus::MissingPointer:
    case RunStatus::BadLength:
    case RunStatus::TooManySteps:
    case RunStatus::MissingInput: return ErrorCode::Usage;
    case RunStatus::ShortSpan: return ErrorCode::ShapeMismatch;
    case RunStatus::UnknownName: return ErrorCode::Name;
    case RunStatus::NoStreaming: return ErrorCode::Unsupported;
  }
  return ErrorCode::Usage;
}

}  // namespace

void set_error(const Error& error) {
  const Object module = Object::share(PyImport_ImportModule("rnnc.errors"));
  if (!module) return;
  Object made{};
  try {
    made = Object::steal(PyObject_CallMethod(module.get(), "make", "sssiis", name_of(error.code),
                                             error.to_string().c_str(), error.place.file.c_str(), error.place.line,
                                             error.place.column, error.place.excerpt.c_str()));
  } catch (const Raised&) {
    return;
  }
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(made.get())), made.get());
}

void set_error(RunStatus status) { set_error(Error{code_of(status), {}, text(status)}); }

void raise(const Error& error) {
  set_error(error);
  throw Raised{};
}

void raise(ErrorCode code, std::string message) { raise(Error{code, {}, std::move(message)}); }

}  // namespace rnnc::python
