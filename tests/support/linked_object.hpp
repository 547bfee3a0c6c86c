// A LinkedObject is an object of a cell or network in this process, called as a C program calls it that includes its
// header: the C compiler makes a shared library of both. What the object reads or writes beyond what the header says is
// its memory faults.
#pragma once

#include <rnnc/ahead.hpp>
#include <rnnc/program.hpp>

#include "ir/interpret_network.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/run_network.hpp"
#include "tests/support/shared_object.hpp"

namespace rnnc::test {

/// Whether there is a C compiler.
bool has_c_compiler();

class LinkedObject {
 public:
  /// The object's name is `m`. `states` are the network's, as it names them. Throws where it does not link.
  LinkedObject(const ObjectFiles& files, const std::vector<Port>& states);

  struct Arguments {
    float *state, *scratch;
    const float* x;
    float* y;
    std::int64_t steps, batch;
    const float* const* inputs = nullptr;
    const std::int64_t* times = nullptr;
    float* const* outputs = nullptr;
  };
  int run(const Arguments& arguments) const;
  int step(const Arguments& arguments) const;  // -1 where the object has none
  int start(float* state, std::int64_t batch, std::int64_t first, std::int64_t end) const;

  /// State and scratch of these sizes, scratch full of NaN and the state as that of new sequences.
  Guarded make_state(std::int64_t batch) const;
  Guarded make_scratch(std::int64_t steps, std::int64_t batch) const;

  /// Of sequence `b`, of the state with this name.
  std::span<float> state(const std::string& name, float* state, std::int64_t batch, std::int64_t b) const;

 private:
  std::vector<Port> states_;
  SharedObject library_;
};

/// As run_network of a compiled program, which has the names.
NetworkOutcome run_object(const LinkedObject& object, const Program& program, const ir::Graph& graph,
                          const ir::NetworkBatch& batch, const ir::NamedVectors& states = {});

/// To the bit, NaN included.
bool same_bits(const NetworkOutcome& a, const NetworkOutcome& b);

}  // namespace rnnc::test
