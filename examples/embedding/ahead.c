/* A model compiled ahead of time: the object and its header, no library of rnnc. Checks the low-pass against its equation. */
#include <math.h>
#include <stdio.h>

#include "smooth.h"

enum { kSteps = 48 };

static _Alignas(SMOOTH_ALIGNMENT) float state[SMOOTH_STATE_FLOATS(1)];
static _Alignas(SMOOTH_ALIGNMENT) float scratch[SMOOTH_SCRATCH_FLOATS(1, 1)];

int main(void) {
  float expected = 0;
  for (int t = 0; t < kSteps; ++t) {
    const float x = t % 8 < 4 ? 1.0f : -1.0f;
    float y[SMOOTH_OUTPUT_SIZE];
    if (smooth_step(state, scratch, &x, y, 1) != SMOOTH_OK) return 1;
    expected += 0.125f * (x - expected);
    if (fabsf(y[0] - expected) > 1e-6f || fabsf(y[1] - (x - expected)) > 1e-6f) {
      fprintf(stderr, "step %d: %g instead of %g\n", t, (double)y[0], (double)expected);
      return 1;
    }
  }
  printf("ahead: %d steps, the last smoothed to %.4f\n", kSteps, (double)state[0]);
  return 0;
}
