/* Runs a model, step after step, and tells what that takes. The program is compiled beside the object and the header
   that rnnc made: examples/microcontroller/build.sh does it. */
#include "board.h"
#include "model.h"

enum { kSteps = 10, kInputs = kSteps * MODEL_INPUT_SIZE };

static float state[MODEL_STATE_FLOATS(1)] __attribute__((aligned(MODEL_ALIGNMENT)));
static float scratch[MODEL_SCRATCH_FLOATS(1, 1)] __attribute__((aligned(MODEL_ALIGNMENT)));
static float x[MODEL_INPUT_SIZE], y[MODEL_OUTPUT_SIZE];

/* A board has its sensor here. The numbers are between -1 and 1, and the same on every machine. */
static float sample(int i) { return (float)(i * 37 % 101) / 50 - 1; }

static void print_thousandths(float value) {
  const int64_t thousandths = (int64_t)(int32_t)(value * 1000 + (value < 0 ? -0.5f : 0.5f));
  print_number(thousandths);
}

static void line(const char* text, int64_t value, const char* unit) {
  print(text);
  print_number(value);
  print(unit);
}

int main(void) {
  uint32_t ticks = 0;
  int step, i;
  if (model_start(state, 1, 0, 1) != MODEL_OK) return 1;
  start_timer();
  for (step = 0; step < kSteps; ++step) {
    uint32_t before;
    for (i = 0; i < MODEL_INPUT_SIZE; ++i) x[i] = sample(step * MODEL_INPUT_SIZE + i);
    before = timer_ticks();
    if (model_step(state, scratch, x, y, 1) != MODEL_OK) return 2;
    ticks += timer_ticks() - before;
  }
  print("y of the last step, in thousandths:");
  for (i = 0; i < MODEL_OUTPUT_SIZE; ++i) {
    print(" ");
    print_thousandths(y[i]);
  }
  line("\nticks of ", kSteps, " steps: ");
  line("", ticks, "\n");
  line("flash: ", MODEL_CODE_BYTES + MODEL_WEIGHTS_BYTES, " bytes of the model\n");
  line("RAM: ", sizeof state + sizeof scratch, " bytes of state and scratch, ");
  line("", (int64_t)stack_bytes(), " of stack\n");
  return 0;
}
