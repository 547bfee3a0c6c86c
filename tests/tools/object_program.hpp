// This header has a C program around two objects of one cell, and runs the JIT on the same sequence.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/random.hpp"
#include "tests/support/run_cell.hpp"
#include "tests/support/subject.hpp"
#include "tests/tools/program.hpp"

namespace rnnc::test {

inline constexpr int kSteps = 7, kBatch = 3, kInput = 5, kHidden = 19;

// Reads x.bin, runs it in two pieces and step by step, writes both outputs and the last state of both. One state is
// what start makes of NaN, the other is zeros.
inline constexpr const char* kProgram = R"(
#include <stdio.h>
#include <stdint.h>
#include "one.h"
#include "two.h"
#define T 7
#define B 3
static float memory[ONE_STATE_FLOATS(B) + TWO_STATE_FLOATS(B) + 2 * ONE_SCRATCH_FLOATS(T, B) + 64 +
                    TWO_SCRATCH_FLOATS(1, B)];
static volatile float zero;
static float x[T * B * ONE_INPUT_SIZE], y[2][T * B * ONE_OUTPUT_SIZE];
static int put(const char* name, const float* values, size_t n) {
  FILE* file = fopen(name, "wb");
  return file && fwrite(values, sizeof(float), n, file) == n && fclose(file) == 0;
}
int main(void) {
  float* one = memory + (64 - (uintptr_t)memory % 64) % 64 / 4;
  float* two = one + ONE_STATE_FLOATS(B);
  float* scratch = two + TWO_STATE_FLOATS(B);
  FILE* file = fopen("x.bin", "rb");
  int t, wrong = !file || fread(x, sizeof x, 1, file) != 1;
  for (t = 0; t < ONE_STATE_FLOATS(B); ++t) one[t] = 0.f / zero;
  wrong |= one_start(one, B, 0, B) != ONE_OK;
  wrong |= one_start(one, B, 1, B + 1) != ONE_BAD_SIZE || one_start(one, B, 2, 1) != ONE_BAD_SIZE;
  wrong |= one_run(one, scratch, x, y[0], 3, B) != ONE_OK;
  wrong |= one_run(one, scratch, x + 3 * B * ONE_INPUT_SIZE, y[0] + 3 * B * ONE_OUTPUT_SIZE, T - 3, B) != ONE_OK;
  for (t = 0; t < T; ++t)
    wrong |= two_step(two, scratch, x + t * B * TWO_INPUT_SIZE, y[1] + t * B * TWO_OUTPUT_SIZE, B) != TWO_OK;
  wrong |= one_run(one + 1, scratch, x, y[0], 1, B) != ONE_MISALIGNED;
  wrong |= one_run(one, scratch, x, y[0], -1, B) != ONE_BAD_SIZE;
  wrong |= one_run(one, scratch, x, y[0], 0, B) != ONE_OK;
  wrong |= !put("y1.bin", y[0], T * B * ONE_OUTPUT_SIZE) || !put("y2.bin", y[1], T * B * TWO_OUTPUT_SIZE);
  wrong |= !put("h1.bin", one_state_h(one, B, B - 1), ONE_STATE_H_SIZE);
  wrong |= !put("h2.bin", two_state_h(two, B, B - 1), TWO_STATE_H_SIZE);
  return wrong;
}
)";

inline const std::string kC = " -std=c99 -Wall -Wextra -Wpedantic -Werror ";
inline const std::string kCpp = " -std=c++11 -Wall -Wextra -Werror ";

inline std::string bytes(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

inline int shell(const Folder& folder, const std::string& command) {
  return std::system(("cd '" + folder / "" + "' && { " + command + "; } >>log.txt 2>&1").c_str());
}

inline bool has_program(const std::string& name) {
  return std::system(("command -v " + name + " >/dev/null").c_str()) == 0;
}

// Says that a test is skipped where there is no such program.
inline bool lacks(const std::string& name) {
  if (has_program(name)) return false;
  WARN("skipped: there is no " << name);
  return true;
}

// A cell with weights and a sequence in files, and what the JIT makes of it.
inline Outcome fill(const Folder& folder, const ir::Cell& cell, WeightFormat format = WeightFormat::F32) {
  const Weights weights = random_weights(cell, 1);
  save_safetensors(folder / "w.safetensors", tensors_of(cell, weights)).value();
  Sequences sequences = random_sequences(cell, kSteps, kBatch, 2);
  for (auto& [state, values] : sequences.states) std::ranges::fill(values, 0.f);
  folder.write("x.bin", bytes(sequences.x));
  folder.write("x.npy", {kSteps, kBatch, std::ssize(sequences.x) / (kSteps * kBatch)}, sequences.x);
  folder.write("main.c", kProgram);
  folder.write("main.cpp", kProgram);
  CompileOptions options = options_for("x86-64-v3");
  options.weights = format;
  return run(compile(model_of({cell, weights}), tensors_of(cell, weights), options).value(), sequences);
}

inline Outcome fill(const Folder& folder, const std::string& name, int inputs = kInput, int hidden = kHidden,
                    WeightFormat format = WeightFormat::F32) {
  return fill(folder, standard(name, inputs, hidden), format);
}

}  // namespace rnnc::test
