// The reducer makes a small case of one that fails: fewer steps, sequences and threads, fewer statements and
// states, operands in place of expressions, smaller sizes, a cell in place of a network. It writes the files that
// replay the case too.
#pragma once

#include <functional>
#include <string>

#include "tests/support/subject.hpp"

namespace rnnc::test {

struct Case {
  Subject subject;
  Setting setting;
};

/// Called with cases that verify. Must give the same answer whenever it is asked.
using Fails = std::function<bool(const Case&)>;

/// No single step of the kinds above makes the result smaller, unless `most_tries` ran out. `start` fails.
Case reduce(Case start, const Fails& fails, int most_tries = 3000);

/// A check ends in one of these ways. One that never ends is stopped after a minute, and counts as a crash.
enum class Ending { Holds, DoesNotHold, Throws, Crashes };

/// Asks in a process of its own.
Ending ending_in_child(const std::function<bool()>& holds);

/// Writes FOLDER/repro.rnn, .safetensors, inputs and states, and returns the commands that replay them.
std::string write_repro(const Case& found, const std::string& folder);

}  // namespace rnnc::test
