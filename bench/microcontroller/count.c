/* Counts the instructions of a step of a model. count.py compiles it, with CMSIS_NN for that library's LSTM. */
#include "board.h"

/* On a machine whose emulator writes down each instruction, the program takes STEPS steps and counts nothing. */
#ifndef STEPS
#define STEPS 10
#endif
enum { kSteps = STEPS, kLoops = 100000 };

#ifdef CMSIS_NN
#include "arm_nnfunctions.h"
#include "arm_nnsupportfunctions.h"

/* The time does not depend on the numbers. Weights are not zero, so that no zero is a short way. */
static int8_t weights[8][H * H], x[H], h[H];
static int16_t cell[H], gates[2][H];
static int32_t biases[8][H];

static cmsis_nn_lstm_gate gate(int number, arm_nn_activation_type activation) {
  const cmsis_nn_lstm_gate made = {1 << 30, -8, weights[2 * number],     biases[2 * number],
                                   1 << 30, -8, weights[2 * number + 1], biases[2 * number + 1],
                                   0,       activation};
  return made;
}

static int step(void) {
  cmsis_nn_lstm_params params = {
      1,  1, 1, H, H, 0, 1 << 30, -15, 1 << 30, -15, 32767, -11, 1 << 30, -7, 0, gate(0, ARM_SIGMOID),
      gate(1, ARM_SIGMOID), gate(2, ARM_TANH), gate(3, ARM_SIGMOID)};
  cmsis_nn_lstm_context context = {gates[0], gates[1], cell, h};
  return arm_lstm_unidirectional_s8(x, h, &params, &context) != ARM_CMSIS_NN_SUCCESS;
}

static int begin(void) {
  int i, k;
  for (k = 0; k < 8; ++k)
    for (i = 0; i < H * H; ++i) weights[k][i] = (int8_t)(1 + i * 37 % 101);
  for (i = 0; i < H; ++i) x[i] = (int8_t)(i * 11 % 100 - 50);
  return 0;
}
#else
#include "model.h"

static float state[MODEL_STATE_FLOATS(1)] __attribute__((aligned(MODEL_ALIGNMENT)));
static float scratch[MODEL_SCRATCH_FLOATS(1, 1)] __attribute__((aligned(MODEL_ALIGNMENT)));
static float x[MODEL_INPUT_SIZE], y[MODEL_OUTPUT_SIZE];

static int step(void) { return model_step(state, scratch, x, y, 1) != MODEL_OK; }

static int begin(void) {
  int i;
  for (i = 0; i < MODEL_INPUT_SIZE; ++i) x[i] = (float)(i * 37 % 101) / 50 - 1;
  return model_start(state, 1, 0, 1) != MODEL_OK;
}
#endif

static void put(const char* name, int64_t value) {
  print(name);
  print(" ");
  print_number(value);
  print("\n");
}

int main(void) {
  uint32_t before, loop = kLoops;
  int i, wrong = begin() | step(); /* a first step, which is not counted */
  (void)loop;
  if (!on_board()) {
    for (i = 0; i < kSteps; ++i) wrong |= step();
    return wrong;
  }
  start_timer();
  before = timer_ticks();
#if defined(__arm__)
  __asm__ volatile("1: subs %0, #1\n\tbne 1b" : "+r"(loop) : : "cc");
#endif
  put("ticks_of_loops", timer_ticks() - before);
  before = timer_ticks();
  for (i = 0; i < kSteps; ++i) wrong |= step();
  put("ticks_of_steps", timer_ticks() - before);
  put("stack_bytes", (int64_t)stack_bytes());
  return wrong;
}
