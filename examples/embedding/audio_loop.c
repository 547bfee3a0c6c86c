/* Audio in blocks at 48 kHz, as a sound card's thread would ask for it: all memory is there before the first block, each
   block is one call that neither allocates nor waits, and the state carries over. Prints what part of the time there is
   between two blocks the calls took.

   Usage: audio_loop MODEL.rnnc SECONDS, of a cell with one input; the first output is listened to. */
#define _POSIX_C_SOURCE 200112L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <rnnc/rnnc.h>

enum { kRate = 48000, kBlock = 64 };

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int play(const rnnc_program* program, size_t outputs, double seconds) {
  rnnc_error error = RNNC_ERROR_INIT;
  rnnc_state* state = NULL;
  rnnc_run_arguments call;
  float x[kBlock], *y = calloc(kBlock * outputs, sizeof *y);
  double worst = 0, energy = 0;
  long frame = 0;
  if (!y || rnnc_state_create(program, 1, kBlock, &state, &error) != RNNC_OK) return fprintf(stderr, "%s\n", error.message);
  mlockall(MCL_CURRENT | MCL_FUTURE); /* only a wish: without the right to it, pages may be swapped out */
  memset(&call, 0, sizeof call);
  call.struct_size = sizeof call;
  call.x = x, call.y = y, call.steps = kBlock, call.batch = 1;
  for (; (double)frame < seconds * kRate; frame += kBlock) {
    int i;
    double begin, took;
    for (i = 0; i < kBlock; ++i) x[i] = sinf(6.2831853f * 440 * (float)(frame + i) / kRate);
    begin = now();
    if (rnnc_run(program, state, &call) != RNNC_OK) return 1;
    took = now() - begin;
    if (took > worst) worst = took;
    for (i = 0; i < kBlock; ++i) energy += (double)y[(size_t)i * outputs] * y[(size_t)i * outputs];
  }
  printf("audio_loop: %ld frames, level %.3f, slowest block %.1f us of %.1f us\n", frame, sqrt(energy / (double)frame),
         1e6 * worst, 1e6 * kBlock / kRate);
  rnnc_state_destroy(state);
  free(y);
  return 0;
}

int main(int argc, char** argv) {
  rnnc_error error = RNNC_ERROR_INIT;
  rnnc_program* program = NULL;
  rnnc_program_info info;
  int status;
  if (argc != 3) return fprintf(stderr, "usage: audio_loop MODEL.rnnc SECONDS\n"), 2;
  if (rnnc_program_load_file(argv[1], NULL, &program, &error) != RNNC_OK) return fprintf(stderr, "%s\n", error.message), 1;
  memset(&info, 0, sizeof info);
  info.struct_size = sizeof info;
  rnnc_program_get_info(program, &info);
  if (info.input_size != 1) return fprintf(stderr, "%s has not one input but %ld\n", info.name, (long)info.input_size), 1;
  status = play(program, (size_t)info.output_size, atof(argv[2]));
  rnnc_program_destroy(program);
  return status;
}
