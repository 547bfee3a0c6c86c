// This file reports our own bugs. The graph may be malformed, which print accepts.
#include "ir/check.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "ir/environment.hpp"
#include "ir/graph.hpp"
#include "ir/print.hpp"
#include "ir/repro.hpp"

namespace rnnc::ir {

// Only the report of a bug reads this pointer, and the report ends the program.
static thread_local const Graph* at_work = nullptr;

Repro::Repro(const Graph& graph) : before_(at_work) { at_work = &graph; }
Repro::~Repro() { at_work = before_; }

// Writes each line of a message as a comment.
static std::string commented(std::string_view message) {
  std::string text = "// ";
  for (const char c : message) text += c == '\n' ? "\n// " : std::string(1, c);
  return text + "\n";
}

// Makes repro.rnn, or repro-2.rnn and so on: a file that is there stays, since it may be the model of this very run.
static std::FILE* create_repro(std::string& path) {
  constexpr int kMost = 100;
  const std::string folder = read_environment().dump_dir;
  const std::string begin = folder.empty() ? "repro" : folder + "/repro";
  std::FILE* file = nullptr;
  for (int number = 1; file == nullptr && number <= kMost; ++number) {
    path = begin + (number == 1 ? "" : "-" + std::to_string(number)) + ".rnn";
    file = std::fopen(path.c_str(), "wbx");
    if (file == nullptr && errno != EEXIST) break;
  }
  return file;
}

static void write_repro(const std::string& text) {
  std::string path;
  std::FILE* file = create_repro(path);
  const bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file != nullptr && std::fclose(file) == 0 && written) {
    std::fprintf(
        stderr,
        "written to %s; replay it with `rnnc run %s` and the flags of this run, or without data by `rnnc verify "
        "%s`, and report it\n",
        path.c_str(), path.c_str(), path.c_str());
  } else {
    std::fprintf(stderr, "%s cannot be written\n", path.c_str());
  }
}

void internal_error(const Graph* graph, std::string_view message, std::source_location where) {
  std::fprintf(stderr, "internal error: %.*s\n  in %s, %s:%u\n", static_cast<int>(message.size()), message.data(),
               where.function_name(), where.file_name(), static_cast<unsigned>(where.line()));
  if (graph) {
    const std::string text = print(*graph);
    std::fprintf(stderr, "%s", text.c_str());
  }
  if (const Graph* whole = at_work ? at_work : graph)
    write_repro(commented("internal error: " + std::string(message)) + print(*whole));
  std::abort();
}

}  // namespace rnnc::ir
