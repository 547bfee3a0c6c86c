// A network becomes the two networks that train it. The forward one computes what the network computes, and saves
// values; the backward one reads these and the cotangents of the outputs, and gives the cotangents of the inputs and
// the factors of the gradients of all parameters. Both are ordinary networks.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <rnnc/export.hpp>

#include "compiler/gradient/reverse.hpp"
#include "ir/cell.hpp"

namespace rnnc::compiler {

/// Columns of a value that one of the two networks has.
struct Factor {
  enum class Of : std::uint8_t {
    Input,      // the input `name` of the network
    Cotangent,  // the cotangent of the output `name` of the network
    Forward,    // the output `name` of the forward network
    Backward,   // the output `name` of the backward network
  };
  Of of = Of::Input;
  std::string name;
  std::int64_t begin = 0, width = 0;
  std::string axis = {};  // the time of the value; one without a time is the same at each step
};

/// A term is added to the gradient of a window of a parameter at each step, or once a call where `left` is no sequence.
struct WeightTerm {
  Term::Kind kind = Term::Kind::Sum;
  std::string weight;
  Window window;
  std::int64_t count = 1;   // the rows of a step whose products are added
  Factor left, right = {};  // `left` has the time of `right`, if that has one
};

/// An input of the backward network.
struct BackwardInput {
  enum class Kind : std::uint8_t {
    Input,      // the input `of` of the network
    Saved,      // the output `of` of the forward network
    Cotangent,  // the cotangent of output `of` of the network
    Last,       // the cotangent of the last value of state `of` of the forward network
    IsNew,      // a scalar: 0 if the caller gave states that else begin with values of parameters, and else 1
  };
  Kind kind = Kind::Input;
  std::string name, of;
};

struct NetworkGradient {
  ir::Network forward;   // has the outputs of the network, then what it saves
  ir::Network backward;  // has the cotangents of inputs, then factors

  std::vector<BackwardInput> reads;           // every input of `backward`
  std::map<std::string, std::string> inputs;  // inputs of the network: outputs of `backward`; a missing one has 0
  std::map<std::string, std::string> states;  // states of `forward`: those of `backward`; a missing one has 0
  std::set<std::string> begun;                // those of `states` whose first values follow from inputs in each call
  std::map<std::string, std::string> names;   // weights and states of `forward`: the network's names of them
  std::map<std::string, std::string> transposed;  // weights of `backward` that are transposes: the network's weights
  std::map<std::string, std::string> same;        // other weights of `backward`: the network's weights
  std::vector<WeightTerm> terms;                  // by the network's names of the weights
};

/// Returns the networks that train a bound and verified network.
RNNC_API NetworkGradient gradient_of(const ir::Network& network);

/// Returns a file of the network and the cells that it scans.
ir::Module module_of(const ir::Network& network);

}  // namespace rnnc::compiler
