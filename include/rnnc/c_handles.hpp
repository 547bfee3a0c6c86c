// The handles of rnnc.h are these structs, for C++ that mixes both interfaces and for the libraries themselves.
#pragma once

#if !defined(__cpp_exceptions)
#error "<rnnc/c_handles.hpp> needs exceptions; <rnnc/rnnc.h> and the other headers do not"
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <exception>
#include <mutex>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rnnc/rnnc.h>
#include <rnnc/model.hpp>
#include <rnnc/program.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>
#include <rnnc/training.hpp>

struct rnnc_model {
  rnnc::Model model;
};

struct rnnc_weights {
  rnnc::TensorMap tensors;
};

struct rnnc_program {
  explicit rnnc_program(rnnc::Program made)
      : program(std::move(made)),
        first_backend(program.backend()),
        name(program.cell()),
        cpu(program.cpu()),
        output_time(program.output_time()),
        inputs(program.inputs()),
        states(program.states()),
        named_inputs(program.named_inputs()),
        outputs(program.outputs()) {
    if (const auto streams = program.streams(); !streams) no_streaming = streams.error().message;
  }

  /// Returns the CPU of the code that runs now. A program of two tiers changes it once.
  const char* current_cpu() const {
    if (program.backend() == first_backend) return cpu.c_str();
    std::call_once(changed, [&] { later_cpu = program.cpu(); });
    return later_cpu.c_str();
  }

  rnnc::Program program;
  rnnc::Backend first_backend;
  mutable std::once_flag changed;
  mutable std::string later_cpu;
  // The strings that C programs see are kept here.
  std::string name, cpu, output_time, no_streaming;
  std::vector<rnnc::Port> inputs, states;
  std::vector<rnnc::NamedPort> named_inputs, outputs;
};

struct rnnc_state {
  rnnc::State state;
};

struct rnnc_training {
  rnnc::Training training;
};

struct rnnc_workspace {
  rnnc::Workspace workspace;
};

namespace rnnc::c {

inline rnnc_status status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::Usage: return RNNC_USAGE;
    case ErrorCode::Syntax: return RNNC_SYNTAX;
    case ErrorCode::Name: return RNNC_NAME;
    case ErrorCode::ShapeMismatch: return RNNC_SHAPE_MISMATCH;
    case ErrorCode::InvalidModel: return RNNC_INVALID_MODEL;
    case ErrorCode::InvalidData: return RNNC_INVALID_DATA;
    case ErrorCode::Limit: return RNNC_LIMIT;
    case ErrorCode::Unsupported: return RNNC_UNSUPPORTED;
    case ErrorCode::File: return RNNC_FILE;
  }
  return RNNC_INTERNAL;
}

/// Pointers have no sizes, so that no call finds one short.
inline rnnc_status status_of(RunStatus status) noexcept {
  switch (status) {
    case RunStatus::Ok: return RNNC_OK;
    case RunStatus::WrongState: return RNNC_WRONG_STATE;
    case RunStatus::NegativeSteps: return RNNC_NEGATIVE_STEPS;
    case RunStatus::MissingPointer: return RNNC_MISSING_POINTER;
    case RunStatus::BadLength: return RNNC_BAD_LENGTH;
    case RunStatus::TooManySteps: return RNNC_TOO_MANY_STEPS;
    case RunStatus::MissingInput: return RNNC_MISSING_INPUT;
    case RunStatus::UnknownName: return RNNC_UNKNOWN_NAME;
    case RunStatus::NoStreaming: return RNNC_NO_STREAMING;
    case RunStatus::NoForward: return RNNC_NO_FORWARD;
    case RunStatus::WrongWorkspace: return RNNC_WRONG_WORKSPACE;
    case RunStatus::NoWorkspace: return RNNC_NO_WORKSPACE;
    case RunStatus::ShortSpan: break;
  }
  return RNNC_INTERNAL;
}

/// Returns a span of memory whose size C does not tell.
template <class T>
std::span<T> unsized(T* data) noexcept {
  return {data, data ? std::size_t{1} << 60 : 0};
}

/// The most inputs, outputs or times that a call names, as rnnc.h says.
constexpr std::size_t kMostNamed = 64;

/// Copies named values of C, whose sizes are not known; there are at most kMostNamed. Returns false if a name or the
/// array is missing.
template <class From, class To>
bool read_named(const From* from, std::size_t count, std::array<To, kMostNamed>& to) noexcept {
  if (count > 0 && !from) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (!from[i].name) return false;
    to[i] = {from[i].name, unsized(from[i].data)};
  }
  return true;
}

/// Writes an error if the caller wants it. A struct that is too small for a message is left alone.
inline rnnc_status fail(rnnc_status status, const char* message, rnnc_error* error) noexcept {
  if (!error || error->struct_size < sizeof(rnnc_error)) return status;
  error->status = status;
  const std::size_t length = std::min(std::strlen(message), sizeof error->message - 1);
  std::memcpy(error->message, message, length);
  error->message[length] = '\0';
  return status;
}

inline rnnc_status fail(const Error& from, rnnc_error* error) {
  return fail(status_of(from.code), from.to_string().c_str(), error);
}

/// Puts a result behind a new handle, or writes the error.
template <class Handle, class Content>
rnnc_status hand_over(Result<Content> made, Handle** handle, rnnc_error* error) {
  if (!made) return fail(made.error(), error);
  *handle = new Handle{std::move(*made)};
  return RNNC_OK;
}

/// Runs `work`, which returns a status, and lets nothing thrown escape into C.
template <class Work>
rnnc_status guarded(rnnc_error* error, const Work& work) noexcept {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return fail(RNNC_LIMIT, "not enough memory", error);
  } catch (const std::exception& thrown) {
    return fail(RNNC_INTERNAL, thrown.what(), error);
  } catch (...) {
    return fail(RNNC_INTERNAL, "an unknown exception", error);
  }
}

/// Copies the values of a state, which `get` of the object returns, to the caller.
template <class Object>
rnnc_status copy_state(const Object& object, Result<std::vector<float>> (Object::*get)(const std::string&) const,
                       const char* name, float* values, std::size_t count, rnnc_error* error) noexcept {
  return guarded(error, [&] {
    const Result<std::vector<float>> got = (object.*get)(name);
    if (!got) return fail(got.error(), error);
    if (got->size() != count) {
      const std::string message = std::string("state ") + name + " has " + std::to_string(got->size()) +
                                  " floats, not " + std::to_string(count);
      return fail(RNNC_SHAPE_MISMATCH, message.c_str(), error);
    }
    std::ranges::copy(*got, values);
    return RNNC_OK;
  });
}

/// Gives a state the caller's values by `set` of the object.
template <class Object>
rnnc_status assign_state(Object& object, Result<void> (Object::*set)(const std::string&, std::span<const float>),
                         const char* name, const float* values, std::size_t count, rnnc_error* error) noexcept {
  return guarded(error, [&] {
    const Result<void> done = (object.*set)(name, std::span(values, count));
    return done ? RNNC_OK : fail(done.error(), error);
  });
}

/// Copies the caller's struct into one of the size that this library knows; the fields that are missing at its end are
/// 0. Returns false if the size makes no sense, or if a newer struct has a field set that is unknown here.
template <class Struct>
bool read_struct(const Struct* from, Struct& to) noexcept {
  to = Struct{};
  if (!from || from->struct_size < sizeof from->struct_size || from->struct_size > 1 << 16) return false;
  const auto* bytes = reinterpret_cast<const unsigned char*>(from);
  const std::size_t known = std::min(from->struct_size, sizeof(Struct));
  if (!std::all_of(bytes + known, bytes + from->struct_size, [](unsigned char byte) { return byte == 0; }))
    return false;
  std::memcpy(&to, from, known);
  return true;
}

/// Copies a struct to the caller as far as the caller's struct has room.
template <class Struct>
bool write_struct(const Struct& from, Struct* to) noexcept {
  if (!to || to->struct_size < sizeof to->struct_size || to->struct_size > 1 << 16) return false;
  const std::size_t size = to->struct_size, known = std::min(size, sizeof(Struct));
  std::memcpy(reinterpret_cast<unsigned char*>(to) + sizeof size,
              reinterpret_cast<const unsigned char*>(&from) + sizeof size, known - sizeof size);
  return true;
}

}  // namespace rnnc::c
