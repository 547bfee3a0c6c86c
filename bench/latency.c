/* bench_latency times one rnnc_step, sample by sample in a 48 kHz loop: median, p99, p99.9 and the worst of all, and the time of a
   step without a clock around it.

   Usage: bench_latency MODEL.rnnc [SECONDS=1] */
#define _POSIX_C_SOURCE 200112L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <rnnc/rnnc.h>

enum { kRate = 48000, kTogether = 1000 };

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

static int compare(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

/* The best of many times of kTogether steps, for one step. */
static double best_step(const rnnc_program* program, rnnc_state* state, const float* x, float* y) {
  double best = 1e30;
  int round, i;
  for (round = 0; round < 200; ++round) {
    const double begin = now();
    double took;
    for (i = 0; i < kTogether; ++i) rnnc_step(program, state, x, y);
    took = (now() - begin) / kTogether;
    if (took < best) best = took;
  }
  return best;
}

/* A step each 1/48000 s, waited for as a polling audio thread does. */
static void measure(const rnnc_program* program, rnnc_state* state, const float* x, float* y, double* times, long count) {
  const double start = now();
  long i;
  for (i = 0; i < count; ++i) {
    const double due = start + 1e9 * (double)i / kRate;
    double begin;
    while ((begin = now()) < due) continue;
    rnnc_step(program, state, x, y);
    times[i] = now() - begin;
  }
  qsort(times, (size_t)count, sizeof *times, compare);
}

int main(int argc, char** argv) {
  rnnc_error error = RNNC_ERROR_INIT;
  rnnc_program* program = NULL;
  rnnc_state* state = NULL;
  rnnc_program_info info;
  const long count = (long)((argc > 2 ? atof(argv[2]) : 1) * kRate);
  double* times = calloc(count > 0 ? (size_t)count : 1, sizeof *times);
  float *x, *y;
  if (argc < 2 || argc > 3 || count < 1 || !times) {
    fprintf(stderr, "usage: bench_latency MODEL.rnnc [SECONDS]\n");
    return 2;
  }
  if (rnnc_program_load_file(argv[1], NULL, &program, &error) != RNNC_OK ||
      rnnc_state_create(program, 1, 1, &state, &error) != RNNC_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  memset(&info, 0, sizeof info);
  info.struct_size = sizeof info;
  rnnc_program_get_info(program, &info);
  x = calloc((size_t)info.input_size + 1, sizeof *x);
  y = calloc((size_t)info.output_size + 1, sizeof *y);
  if (!x || !y) return 1;
  mlockall(MCL_CURRENT | MCL_FUTURE); /* only a wish */
  memset(times, 0, (size_t)count * sizeof *times);
  if (rnnc_step(program, state, x, y) != RNNC_OK) return fprintf(stderr, "%s\n", info.no_streaming), 1;
  printf("%s: %.0f ns a step in a row\n", info.name, best_step(program, state, x, y));
  measure(program, state, x, y, times, count);
  printf("48 kHz loop, %ld steps, clock included: p50 %.0f ns, p99 %.0f ns, p99.9 %.0f ns, max %.0f ns\n", count,
         times[count / 2], times[count * 99 / 100], times[count * 999 / 1000], times[count - 1]);
  rnnc_state_destroy(state);
  rnnc_program_destroy(program);
  free(x), free(y), free(times);
  return 0;
}
