// What a thread is compiling, for the report of an internal error: the graph that a bug is found in may be half made,
// and then it is no text that could be replayed.
#pragma once

namespace rnnc::ir {

struct Graph;

/// While it lives, internal errors of this thread write `graph` to repro.rnn. The innermost counts.
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
