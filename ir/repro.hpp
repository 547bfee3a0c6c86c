// A Repro keeps the graph that a thread is compiling for the report of an internal error: the graph in which a bug is
// found may be half made, and its text could not be run again.
#pragma once

namespace rnnc::ir {

struct Graph;

/// While it lives, internal errors of this thread write `graph` to repro.rnn. The innermost object counts.
class Repro {
 public:
  explicit Repro(const Graph& graph);
  ~Repro();
  Repro(const Repro&) = delete;
  Repro& operator=(const Repro&) = delete;

 private:
  const Graph* before_;
};

}  // namespace rnnc::ir
