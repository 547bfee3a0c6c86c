// This file reports our own bugs. The graph may be malformed, which print accepts.
#include "ir/check.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
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

static void write_repro(const std::string& text) {
  const std::string folder = read_environment().dump_dir;
  const std::string path = folder.empty() ? "repro.rnn" : folder + "/repro.rnn";
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.flush();
  if (file) {
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
