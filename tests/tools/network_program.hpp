// This text is a C program around the object of a network with one input, a sequence.
#pragma once

#include "tests/tools/object_program.hpp"

namespace rnnc::test {

// Reads x.bin, runs it whole from a state that network_start has made, or with STREAMS in a piece of 3 steps and then
// step by step, and writes y. It checks that nothing is written beyond state, scratch and y.
inline constexpr const char* kNetworkProgram = R"(
#include <stdio.h>
#include <stdint.h>
#include "net.h"
#ifndef Y_ROWS
#define Y_ROWS (T * B)
#endif
#define LINES(floats) (((floats) + 15) / 16 * 16)
#define STATE LINES(NET_STATE_FLOATS(B))
#define SCRATCH LINES(NET_SCRATCH_FLOATS(T, B))
#define GUARD 12345.0f
static float memory[STATE + SCRATCH + 16 + 16 + 32], x[T * B * NET_INPUT_SIZE], y[Y_ROWS * NET_OUTPUT_SIZE + 16];
int main(void) {
  float* state = memory + (64 - (uintptr_t)memory % 64) % 64 / 4;
  float* scratch = state + STATE + 16;
  FILE* file = fopen("x.bin", "rb");
  int i, wrong = !file || fread(x, sizeof x, 1, file) != 1;
  for (i = 0; i < 16; ++i) state[STATE + i] = scratch[SCRATCH + i] = y[Y_ROWS * NET_OUTPUT_SIZE + i] = GUARD;
  wrong |= net_start(state, B, 0, B) != NET_OK;
#ifdef STREAMS
  wrong |= net_run(state, scratch, x, y, 3, B) != NET_OK;
  for (i = 3; i < T; ++i)
    wrong |= net_step(state, scratch, x + i * B * NET_INPUT_SIZE,
                      y + (Y_ROWS == B ? 0 : i) * B * NET_OUTPUT_SIZE, B) != NET_OK;
#else
  wrong |= net_run(state, scratch, x, y, T, B) != NET_OK;
#endif
  wrong |= net_run(state + 1, scratch, x, y, 1, B) != NET_MISALIGNED;
  wrong |= net_run(state, scratch, x, y, -1, B) != NET_BAD_SIZE;
  for (i = 0; i < 16; ++i)
    wrong |= state[STATE + i] != GUARD || scratch[SCRATCH + i] != GUARD || y[Y_ROWS * NET_OUTPUT_SIZE + i] != GUARD;
  file = fopen("y.bin", "wb");
  return wrong || !file || fwrite(y, 4, Y_ROWS * NET_OUTPUT_SIZE, file) != Y_ROWS * NET_OUTPUT_SIZE || fclose(file) != 0;
}
)";

}  // namespace rnnc::test
