// Trainings run on random sequences here, and their gradients are compared with those that the interpreter computes in
// double precision.
#pragma once

#include <rnnc/training.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/gradients.hpp"
#include "tests/support/subject.hpp"

namespace rnnc::test {

/// The results of both passes, by name.
struct Trained {
  std::vector<float> y, dx;
  std::map<std::string, std::vector<float>> outputs, inputs, weights, states;
  friend bool operator==(const Trained&, const Trained&) = default;
};

/// A subject with sequences and the cotangents of its outputs and last states.
struct TrainingProblem {
  Subject subject;
  ir::Network network;
  Data data;
  Cotangents cotangents;
};

TrainingProblem training_problem(const Subject& subject, const Setting& setting);

/// Tells whether a network runs over the time T alone, as training asks.
bool can_train(const ir::Network& network);

/// `steps` is max_steps, and 0 stands for those of the problem. Errors: those of Training::make.
Result<Training> try_training(const TrainingProblem& problem, const std::string& executor, int threads,
                              std::int64_t memory_bytes = 0, std::int64_t steps = 0);
Training training_of(const TrainingProblem& problem, const std::string& executor, int threads,
                     std::int64_t memory_bytes = 0, std::int64_t steps = 0);

/// Runs both passes from a new state. Throws where a pass is refused.
Trained train(Training& training, const TrainingProblem& problem);

/// The distance of two vectors over the length of the expected one, or over `least` if that is longer.
double relative_distance(const std::vector<float>& found, const ir::Vector& expected, double least);

/// Names a gradient that is farther than `most` from the interpreter's.
std::optional<std::string> distance_fault(const Trained& trained, const TrainingProblem& problem, double most);

/// Trains a subject in a setting, whose weights are f32 here whatever it says, twice, on threads and in pieces of time.
/// The result is empty where the gradients are the interpreter's within rounding, and the same bits each time; and
/// where the subject cannot train.
std::optional<std::string> training_fault(const Subject& subject, const Setting& setting);

}  // namespace rnnc::test
