// A Trial runs one subject in one setting and checks everything that must hold of it. The differential tests, the soak
// program, the reducer and the tests that plant bugs all ask here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tests/support/random.hpp"
#include "tests/support/subject.hpp"

namespace rnnc::test {

enum class Check {
  Interpreter,  // every element within most_error of the double-precision interpreter; of cells only with integers
  Again,        // a second run has the bits of the first
  Alone,        // a sequence of the batch has the bits that it has alone
  Pieces,       // a sequence in pieces has the bits of one call
  Threads,      // other numbers of threads have the bits
  Levels,       // other CPUs have the bits, where both have fused multiply-add or weights are integers
  Plans,        // a cell's stages laid on the machine in other ways have the bits
  Executors,    // the portable executor, or generated code where the setting is portable, has the bits
  Artifact,     // so has what an artifact in memory runs
  Object,       // and a linked object
  FloatModes,   // the bits are the same in every floating-point mode of the caller, which is left as it was
  Gradients,    // gradients in double precision are differences of the interpreter
  Training,     // trainings have the gradients of the interpreter; again, on threads and in pieces the same bits
};
std::string_view name_of(Check check);

/// Not empty where `outcome` is not what the interpreter says. All comparisons with the interpreter end here.
std::optional<std::string> judge(const Subject& meant, const Setting& setting, const Data& data,
                                 const NetworkOutcome& outcome);

/// Not empty where the two differ in any bit; NaN are equal.
std::optional<std::string> differ(const NetworkOutcome& a, const NetworkOutcome& b);

class Trial {
 public:
  /// Compiles and runs.
  Trial(const Subject& subject, const Setting& setting);

  /// What is wrong, or nothing; nothing too where the check does not apply.
  std::optional<std::string> fault(Check check) const;

 private:
  std::optional<std::string> interpreter() const;
  std::optional<std::string> alone() const;
  std::optional<std::string> pieces() const;
  std::optional<std::string> on(const Setting& other) const;
  std::optional<std::string> threads() const;
  std::optional<std::string> levels() const;
  std::optional<std::string> plans() const;
  std::optional<std::string> executors() const;
  std::optional<std::string> artifact() const;
  std::optional<std::string> object() const;
  std::optional<std::string> float_modes() const;
  std::optional<std::string> gradients() const;
  std::optional<std::string> training() const;

  const Subject& subject_;
  Setting setting_;
  Data data_;
  Program program_;
  NetworkOutcome outcome_;
};

}  // namespace rnnc::test
