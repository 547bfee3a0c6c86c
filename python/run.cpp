#include "python/run.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "python/arrays.hpp"
#include "python/calls.hpp"
#include "python/errors.hpp"
#include "python/result_array.hpp"
#include "python/state.hpp"
#include "python/type.hpp"

namespace rnnc::python {
namespace {

ProgramContent& of(PyObject* self) { return content_of<ProgramContent>(self); }

// Checks that an array is [batch, size], or [size] of one sequence.
bool is_row(const Array& array, std::int64_t batch, std::int64_t size) noexcept {
  if (array.rank() == 2) return array.dim(0) == batch && array.dim(1) == size;
  return array.rank() == 1 && batch == 1 && array.dim(0) == size;
}

PyObject* refuse_row(const char* what, const Array& array, std::int64_t batch, std::int64_t size) {
  PyErr_Format(PyExc_ValueError, "%s has shape %s, but a step of %lld sequences takes (%lld, %lld)", what,
               array.shape().c_str(), static_cast<long long>(batch), static_cast<long long>(batch),
               static_cast<long long>(size));
  return nullptr;
}

// The items of a tuple (name, ...) that rnnc/program.py makes.
PyObject* item(PyObject* tuple, Py_ssize_t index) { return PyTuple_GetItem(tuple, index); }

// Named arrays of a call, held while it runs.
struct NamedArrays {
  explicit NamedArrays(PyObject* tuples)
      : names(static_cast<std::size_t>(PyTuple_Size(tuples))), arrays(names.size()) {}

  std::vector<std::string> names;
  std::vector<Array> arrays;
};

}  // namespace

PyObject* step(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  return guarded([&]() -> PyObject* {
    if (count < 2 || count > 3)
      return PyErr_SetString(PyExc_TypeError, "step takes a state, x, and an array for y if there is one"), nullptr;
    if (PyObject_CheckBuffer(arguments[1]) == 0) return step_of_others(self, arguments, count);
    const ProgramContent& content = of(self);
    StateContent& state = state_for(arguments[0], self);
    const Use use(state);
    if (!use.is_granted()) return nullptr;
    Array x, y;
    if (!x.read(arguments[1], "x")) return nullptr;
    if (!is_row(x, state.batch, content.input_size)) return refuse_row("x", x, state.batch, content.input_size);
    Object result = count == 3 && arguments[2] != Py_None ? Object::share(arguments[2])
                                                          : new_row(state, content.output_size, x.rank());
    if (!y.write(result.get(), "y")) return nullptr;
    if (!is_row(y, state.batch, content.output_size)) return refuse_row("y", y, state.batch, content.output_size);
    if (!x.is_apart_from(y)) return nullptr;
    const auto call = [&]() noexcept { return content.program.step(*state.state, x.values(), y.places()); };
    const RunStatus status = is_long(content, state.batch) ? calls().run(call) : call();
    if (status == RunStatus::NoStreaming) raise(ErrorCode::Unsupported, content.not_streaming);
    if (status != RunStatus::Ok) return set_error(status), nullptr;
    return result.release();
  });
}

namespace {

// A program whose scans all run forwards takes longer calls in pieces of a workspace, with the same bits: no more
// memory is needed than for this many steps.
constexpr std::int64_t kPiece = 1024;

// Returns the memory of a call of so many steps, or null where the state's own is enough.
Workspace* workspace_for(const ProgramContent& content, StateContent& state, std::int64_t steps) {
  if (!content.keeps_rows) return nullptr;
  const std::int64_t wanted = content.not_streaming.empty() ? std::min(steps, kPiece) : steps;
  if (state.steps < wanted) {
    state.workspace.emplace(take(content.program.try_make_workspace(state.batch, wanted)));
    state.steps = wanted;
  }
  return state.workspace ? &*state.workspace : nullptr;
}

// Returns a state of new sequences for one call.
std::shared_ptr<StateContent> new_sequences(ProgramContent& content, std::int64_t batch) {
  std::shared_ptr<StateContent> state = std::exchange(content.spare, nullptr);
  if (state && state->batch == batch) return state->state->reset(), state;
  state = std::make_shared<StateContent>();
  state->batch = batch;
  state->state.emplace(take(content.program.try_make_state(batch)));
  return state;
}

}  // namespace

PyObject* run(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  return guarded([&]() -> PyObject* {
    if (count != 8) return PyErr_SetString(PyExc_TypeError, "_run takes eight arguments"), nullptr;
    ProgramContent& content = of(self);
    Array x, y, lengths;
    if (!x.read(arguments[1], "x") || !y.write(arguments[2], "y") || !x.is_apart_from(y)) return nullptr;
    std::shared_ptr<StateContent> own;
    if (arguments[0] == Py_None) own = new_sequences(content, x.dim(1));
    StateContent& state = own ? *own : state_for(arguments[0], self);
    const Use use(state);
    if (!use.is_granted()) return nullptr;
    RunArguments call{.steps = integer_of(arguments[3])};
    call.x = x.values(), call.y = y.places();
    if (arguments[4] != Py_None) {
      if (!lengths.read_integers(arguments[4], "lengths")) return nullptr;
      if (std::ssize(lengths.integers()) != state.batch)
        raise(ErrorCode::ShapeMismatch, "lengths must have one number for each sequence");
      call.lengths = lengths.integers();
    }
    NamedArrays inputs(arguments[5]), times(arguments[6]), outputs(arguments[7]);
    std::vector<NamedInput> named_inputs;
    std::vector<NamedTime> named_times;
    std::vector<NamedOutput> named_outputs;
    for (std::size_t i = 0; i < inputs.names.size(); ++i) {
      PyObject* tuple = item(arguments[5], static_cast<Py_ssize_t>(i));
      inputs.names[i] = text_of(item(tuple, 0), "the name of an input");
      if (!inputs.arrays[i].read(item(tuple, 1), inputs.names[i].c_str())) return nullptr;
      named_inputs.push_back({inputs.names[i], inputs.arrays[i].values()});
    }
    for (std::size_t i = 0; i < times.names.size(); ++i) {
      PyObject* tuple = item(arguments[6], static_cast<Py_ssize_t>(i));
      times.names[i] = text_of(item(tuple, 0), "the name of a time");
      NamedTime time{times.names[i], integer_of(item(tuple, 1)), {}};
      if (item(tuple, 2) != Py_None) {
        if (!times.arrays[i].read_integers(item(tuple, 2), "lengths")) return nullptr;
        time.lengths = times.arrays[i].integers();
      }
      named_times.push_back(time);
    }
    for (std::size_t i = 0; i < outputs.names.size(); ++i) {
      PyObject* tuple = item(arguments[7], static_cast<Py_ssize_t>(i));
      outputs.names[i] = text_of(item(tuple, 0), "the name of an output");
      if (!outputs.arrays[i].write(item(tuple, 1), outputs.names[i].c_str())) return nullptr;
      named_outputs.push_back({outputs.names[i], outputs.arrays[i].places()});
    }
    call.inputs = named_inputs, call.times = named_times, call.outputs = named_outputs;
    std::int64_t most = call.steps;
    for (const NamedTime& time : named_times) most = std::max(most, time.steps);
    call.workspace = workspace_for(content, state, most);
    const RunStatus status = calls().run([&]() noexcept { return content.program.run(*state.state, call); });
    if (status != RunStatus::Ok) return set_error(status), nullptr;
    if (own) content.spare = std::move(own);
    Py_RETURN_NONE;
  });
}

}  // namespace rnnc::python
