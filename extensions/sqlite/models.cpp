#include "extensions/sqlite/models.hpp"

#include <utility>

#include <rnnc/result.hpp>

#include "extensions/load_program.hpp"

namespace rnnc::sqlite {
namespace {

constexpr const char* kUsage = "rnn_model(NAME, MODEL [, WEIGHTS [, OPTIONS]])";

Error usage(const std::string& message) { return {ErrorCode::Usage, {}, message}; }

// A blob is the content of a file. So is a text with a brace, which each model has; any other text is a path.
Result<extensions::Source> read_source(sqlite3_value* value, const std::string& what) {
  const std::string bytes(bytes_of(value));
  switch (sqlite3_value_type(value)) {
    case SQLITE_NULL: return extensions::Source{};
    case SQLITE_BLOB: return extensions::Source{.content = bytes};
    case SQLITE_TEXT:
      return bytes.find('{') == std::string::npos ? extensions::Source{.path = bytes}
                                                  : extensions::Source{.content = bytes};
    default: return usage(what + " is a number; give a path, or a file's content, in " + kUsage);
  }
}

Result<extensions::ProgramSource> read_arguments(int count, sqlite3_value** values) {
  if (count < 2 || count > 4) return usage(std::string("the arguments are ") + kUsage);
  extensions::ProgramSource source;
  Result<extensions::Source> model = read_source(values[1], "MODEL");
  if (!model) return model.error();
  if (model->empty()) return usage(std::string("MODEL is NULL or empty; give a path or a text in ") + kUsage);
  source.model = std::move(*model);
  if (count > 2) {
    Result<extensions::Source> weights = read_source(values[2], "WEIGHTS");
    if (!weights) return weights.error();
    source.weights = std::move(*weights);
  }
  if (count < 4) return source;
  if (const Result<void> read = extensions::read_options(bytes_of(values[3]), source); !read) return read.error();
  return source;
}

// A row is a step, so that the program must give the same whether a sequence comes at once or in pieces.
Result<void> check_streams(const Program& program) {
  if (const Result<void> streams = program.streams(); !streams) return streams.error();
  if (program.named_inputs().empty()) return {};
  return Error{ErrorCode::Unsupported,
               {},
               "the network " + program.name() + " has the input " + program.named_inputs().front().port.name +
                   ", which is not of each step; SQLite's rows are steps, and have no place for it"};
}

std::string counted(std::int64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

Result<std::shared_ptr<StreamedModel>> make_model(int count, sqlite3_value** values) {
  const Result<extensions::ProgramSource> source = read_arguments(count, values);
  if (!source) return source.error();
  Result<Program> program = extensions::load_program(*source);
  if (!program) return program.error();
  if (const Result<void> streams = check_streams(*program); !streams) return streams.error();
  return std::make_shared<StreamedModel>(std::move(*program));
}

}  // namespace

void name_model(sqlite3_context* context, int count, sqlite3_value** values) noexcept {
  guarded(context, [&] {
    if (count < 1 || sqlite3_value_type(values[0]) != SQLITE_TEXT || bytes_of(values[0]).empty())
      return fail(context, std::string("NAME is no text; give the model a name in ") + kUsage);
    Result<std::shared_ptr<StreamedModel>> made = make_model(count, values);
    if (!made) return fail(context, made.error().to_string());
    const Program& program = (*made)->program;
    const std::string told = program.name() + ": " + counted(program.input_size(), "input") + ", " +
                             counted(program.output_size(), "output");
    (*user_data<std::shared_ptr<Models>>(context))[std::string(bytes_of(values[0]))] = std::move(*made);
    sqlite3_result_text(context, told.c_str(), static_cast<int>(told.size()), SQLITE_TRANSIENT);
  });
}

}  // namespace rnnc::sqlite
