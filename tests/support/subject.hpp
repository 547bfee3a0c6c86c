// A Subject is what differential tests compare: a bound cell or network with weights, and a batch of sequences for it.
// Cells and networks are run by the same code, so that one list of checks serves both.
#pragma once

#include <rnnc/compile.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "ir/interpret_network.hpp"
#include "tests/support/run_cell.hpp"
#include "tests/support/run_network.hpp"

namespace rnnc::test {

struct Subject {
  ir::Graph graph;  // bound and verified
  Weights weights;
};

/// The file that says it, with the cells of its scans.
Model model_of(const Subject& subject);
TensorMap tensors_of(const Subject& subject);

/// Sets blocks of 16 rows and 4 columns of all matrices to zero: all but about `kept` of them.
void leave_out_blocks(Subject& subject, std::uint64_t seed, double kept = 0.4);

/// How a subject is run.
struct Setting {
  std::string executor = "host";  // any of executors()
  int threads = 1;
  Sharing sharing = Sharing::Auto;
  std::int64_t steps = 1, batch = 1;
  bool ragged = false;     // lengths from 0 on
  std::uint64_t seed = 1;  // of the data
  std::string plan = {};   // of a cell's stages, as CompileOptions::plan
  WeightFormat weights = WeightFormat::F32;
  bool sparse = false;
  Ranges ranges = {};
};

/// Ranges of all vectors of products whose range is not proved: each is taken to be within `bound`.
Ranges ranges_of(const Subject& subject, float bound);

Program compile(const Subject& subject, const Setting& setting);

/// Sequences and initial states.
struct Data {
  ir::NetworkBatch batch;
  ir::NamedVectors states;
};

/// Within 1. The other times of a network have steps of their own.
Data random_data(const ir::Graph& graph, const Setting& setting);

/// Sequence b alone.
Data alone(const ir::Graph& graph, const Data& all, std::int64_t b);
NetworkOutcome alone(const ir::Graph& graph, const NetworkOutcome& all, std::int64_t batch, std::int64_t b);

NetworkOutcome run(const Program& program, const ir::Graph& graph, const Data& data, const FloatMode* mode = nullptr);

/// In pieces of the given lengths, over and over. The program streams, the graph has no time but T, and sequences are
/// of one length.
NetworkOutcome run_pieces(const Program& program, const ir::Graph& graph, const Data& data,
                          const std::vector<std::int64_t>& pieces);

/// The largest |outcome - interpreter| / max(1, |interpreter|) over outputs and final states. With weights of integers,
/// the subject is a cell, and the interpreter computes with integers too.
double error_against_interpreter(const Subject& subject, const Setting& setting, const Data& data,
                                 const NetworkOutcome& outcome);

/// The most that error may be. An element that f32 computes a little otherwise may round to the next integer.
double most_error(const Setting& setting);

}  // namespace rnnc::test
