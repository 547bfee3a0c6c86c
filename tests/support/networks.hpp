// This header makes networks from text, bound, with weights and inputs for them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/network/cut.hpp"
#include "ir/interpret_network.hpp"
#include "ir/verify.hpp"
#include "tests/support/random.hpp"

namespace rnnc::test {

/// The first network of the text; a test fails where it is wrong.
ir::Network network_of(const std::string& text, const ir::DimBindings& dims = {});

/// Networks that have every construct, as the statements of a body: sample_network() gives them inputs
/// x : seq f32[5], k : seq f32, v : f32[4], s : f32 and y : seq<S> f32[3], and the cells of kSampleCells.
const std::vector<std::string>& sample_networks();
ir::Network sample_network(const std::string& statements);
extern const char* const kSampleCells;

/// Inputs of a sample_network, of these times T and S; or T of 11 steps and S of 4, `ragged`: lengths from 0 on.
ir::NetworkBatch sample_batch(Random& random, std::int64_t batch, std::map<std::string, ir::Time> times);
ir::NetworkBatch sample_batch(Random& random, std::int64_t batch, bool ragged);

ir::Vector random_vector(Random& random, std::int64_t size);  // within 1
ir::NamedVectors random_weights(const ir::Network& network, Random& random);

/// The calls one after the other, each by the interpreter of cells. Meaning of the arguments and results as for
/// ir::interpret_outputs.
std::vector<ir::Vector> run_calls(const compiler::CallList& list, const ir::NamedVectors& weights,
                                  const ir::NetworkBatch& batch, ir::NamedVectors& states);

}  // namespace rnnc::test
