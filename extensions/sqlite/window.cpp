#include "extensions/sqlite/window.hpp"

#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rnnc/program.hpp>

#include "extensions/sqlite/read_row.hpp"

namespace rnnc::sqlite {
namespace {

// A sequence that runs: what SQLite keeps of a partition between two rows.
struct Sequence {
  Sequence(std::string of, std::shared_ptr<StreamedModel> by)
      : name(std::move(of)),
        model(std::move(by)),
        state(model->program.make_state_without_workspace(1)),
        x(static_cast<std::size_t>(model->program.input_size())),
        y(static_cast<std::size_t>(model->program.output_size())) {}

  std::string name;
  std::shared_ptr<StreamedModel> model;
  State state;
  std::vector<float> x, y;
  bool has_y = false;  // the last row was a step
};

// SQLite gives a partition some bytes that are zero at first; they hold the only pointer to the sequence.
Sequence** place_of(sqlite3_context* context, bool make) noexcept {
  return static_cast<Sequence**>(sqlite3_aggregate_context(context, make ? sizeof(Sequence*) : 0));
}

std::string known_names(const Models& models) {
  std::string names;
  for (const auto& [name, model] : models) names += (names.empty() ? "'" : ", '") + name + "'";
  return names.empty() ? "none yet" : names;
}

// Begins a sequence with the arguments of its first row. Returns null after an error.
std::unique_ptr<Sequence> begin(sqlite3_context* context, const WindowFunction& function, sqlite3_value** values) {
  const std::string name(bytes_of(values[0]));
  const auto found = function.models->find(name);
  if (found == function.models->end()) {
    fail(context, std::string(function.name) + ": this connection has no model '" + name + "'; it has " +
                      known_names(*function.models) + ". SELECT rnn_model('" + name +
                      "', 'model.rnn', 'weights.safetensors') makes one");
    return nullptr;
  }
  auto sequence = std::make_unique<Sequence>(name, found->second);
  if (!function.takes_state || sqlite3_value_type(values[1]) == SQLITE_NULL) return sequence;
  if (sqlite3_value_type(values[1]) != SQLITE_BLOB) {
    fail(context,
         std::string(function.name) + ": the state is no blob; give one of rnn_state, or NULL for a new sequence");
    return nullptr;
  }
  const std::string_view saved = bytes_of(values[1]);
  const Result<void> restored = sequence->state.restore(std::as_bytes(std::span(saved)));
  if (restored) return sequence;
  fail(context,
       std::string(function.name) + ": the state is not of the model '" + name + "': " + restored.error().message);
  return nullptr;
}

void step(sqlite3_context* context, const WindowFunction& function, Sequence& sequence, int count,
          sqlite3_value** values) {
  const int first = function.takes_state ? 2 : 1;
  const Result<bool> whole = read_row(std::span(values + first, static_cast<std::size_t>(count - first)), sequence.x);
  if (!whole)
    return fail(context, std::string(function.name) + ": the model '" + sequence.name + "' " + whole.error().message);
  sequence.has_y = *whole;
  if (!*whole) return;
  const Program& program = sequence.model->program;
  const RunStatus status = program.step(sequence.state, sequence.model->workspace, sequence.x, sequence.y);
  if (status != RunStatus::Ok) fail(context, std::string(function.name) + ": " + text(status));
}

void give(sqlite3_context* context, const Sequence* sequence) {
  if (sequence == nullptr) return sqlite3_result_null(context);
  if (user_data<WindowFunction>(context).gives_state) {
    const std::vector<std::byte> saved = sequence->state.save();
    return sqlite3_result_blob64(context, saved.data(), saved.size(), SQLITE_TRANSIENT);
  }
  if (!sequence->has_y) return sqlite3_result_null(context);
  if (sequence->y.size() == 1) return sqlite3_result_double(context, static_cast<double>(sequence->y[0]));
  sqlite3_result_blob64(context, sequence->y.data(), sequence->y.size() * sizeof(float), SQLITE_TRANSIENT);
}

}  // namespace

void step_row(sqlite3_context* context, int count, sqlite3_value** values) noexcept {
  guarded(context, [&] {
    const auto& function = user_data<WindowFunction>(context);
    if (count < (function.takes_state ? 2 : 1))
      return fail(context, std::string(function.name) + ": the arguments are " + function.name +
                               (function.takes_state ? "(MODEL, STATE, X...)" : "(MODEL, X...)"));
    Sequence** const place = place_of(context, true);
    if (place == nullptr) return sqlite3_result_error_nomem(context);
    if (*place == nullptr) *place = begin(context, function, values).release();
    if (*place == nullptr) return;
    if (bytes_of(values[0]) != (*place)->name)
      return fail(context, std::string(function.name) + ": the model changes from '" + (*place)->name + "' to '" +
                               std::string(bytes_of(values[0])) + "' within a sequence; name it in PARTITION BY too");
    step(context, function, **place, count, values);
  });
}

void refuse_row_that_leaves(sqlite3_context* context, int, sqlite3_value**) noexcept {
  guarded(context, [&] {
    fail(context, std::string(user_data<WindowFunction>(context).name) +
                      ": a step cannot be taken back, so that a frame begins with UNBOUNDED PRECEDING, as it does "
                      "where OVER (...) names no frame");
  });
}

void give_value(sqlite3_context* context) noexcept {
  guarded(context, [&] {
    Sequence** const place = place_of(context, false);
    give(context, place ? *place : nullptr);
  });
}

// SQLite calls this once for each partition that had a row, after an error too.
void give_last_value(sqlite3_context* context) noexcept {
  guarded(context, [&] {
    Sequence** const place = place_of(context, false);
    const std::unique_ptr<Sequence> sequence(place ? std::exchange(*place, nullptr) : nullptr);
    give(context, sequence.get());
  });
}

}  // namespace rnnc::sqlite
