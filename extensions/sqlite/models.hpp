// A connection's models: SELECT rnn_model(...) compiles one and gives it a name, by which the window functions find it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <rnnc/program.hpp>

#include "extensions/sqlite/interface.hpp"

namespace rnnc::sqlite {

/// A program that runs one step of one sequence at a time. SQLite lets one thread at a time into a connection, so all
/// sequences of the connection share the workspace.
struct StreamedModel {
  explicit StreamedModel(Program made) : program(std::move(made)), workspace(program.make_workspace(1)) {}

  Program program;
  Workspace workspace;
};

/// A statement that runs keeps the model that it began with, if another takes the name meanwhile.
using Models = std::map<std::string, std::shared_ptr<StreamedModel>, std::less<>>;

/// Implements rnn_model(NAME, MODEL [, WEIGHTS [, OPTIONS]]), whose user data is a shared_ptr<Models>.
void name_model(sqlite3_context* context, int count, sqlite3_value** values) noexcept;

}  // namespace rnnc::sqlite
