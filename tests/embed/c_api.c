/* Every function of rnnc.h from C99: results of a cell against its equations, artifacts, lengths, saved states,
   and what each wrong argument answers. Usage: c_api ARTIFACT MODEL WEIGHTS, of a cell with inputs of 3 and outputs of 5. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rnnc/rnnc.h>

enum { I = 3, H = 5, B = 2, T = 7 };

static int failures = 0;

static void check(int holds, const char* what, int line) {
  if (holds) return;
  fprintf(stderr, "c_api.c:%d: %s does not hold\n", line, what);
  ++failures;
}
#define CHECK(condition) check((condition) ? 1 : 0, #condition, __LINE__)

static unsigned seed = 1;
static float next_random(void) {
  seed = seed * 1664525u + 1013904223u;
  return (float)(seed >> 8) / 16777216.0f - 0.5f;
}

static const char* const kText =
    "cell mine<I, H> {\n"
    "  input x : f32[I]\n"
    "  state h : f32[H]\n"
    "  param W : f32[H, I]\n"
    "  param U : f32[H, H]\n"
    "  h' = tanh(W @ x + U @ h)\n"
    "  output h'\n"
    "}\n";

static float W[H][I], U[H][H], x[T][B][I], y[T][B][H];

/* The same cell by its equations, for one sequence of `length` steps; h is updated, out is [T][H]. */
static void reference(int b, int length, double* h, double out[T][H]) {
  int t, i, k;
  for (t = 0; t < length; ++t) {
    double next[H];
    for (i = 0; i < H; ++i) {
      double sum = 0;
      for (k = 0; k < I; ++k) sum += (double)W[i][k] * x[t][b][k];
      for (k = 0; k < H; ++k) sum += (double)U[i][k] * h[k];
      next[i] = tanh(sum);
    }
    memcpy(h, next, sizeof next);
    memcpy(out[t], next, sizeof next);
  }
}

static rnnc_program* compile_mine(void) {
  const int64_t w_shape[2] = {H, I}, u_shape[2] = {H, H};
  rnnc_error error = RNNC_ERROR_INIT;
  rnnc_compile_options options = RNNC_COMPILE_OPTIONS_INIT;
  rnnc_model* model = NULL;
  rnnc_weights* weights = NULL;
  rnnc_program* program = NULL;
  CHECK(rnnc_model_parse(kText, "mine.rnn", &model, &error) == RNNC_OK);
  CHECK(rnnc_weights_create(&weights, NULL) == RNNC_OK);
  CHECK(rnnc_compile(model, weights, NULL, &program, &error) != RNNC_OK);
  CHECK(program == NULL && strlen(error.message) > 0);
  CHECK(rnnc_weights_add(weights, "W", &W[0][0], w_shape, 2, NULL) == RNNC_OK);
  CHECK(rnnc_weights_add(weights, "W", &W[0][0], w_shape, 2, &error) == RNNC_NAME);
  CHECK(rnnc_weights_add(weights, "U", &U[0][0], u_shape, 2, NULL) == RNNC_OK);
  CHECK(rnnc_weights_count(weights) == 2);
  options.no_cache = 1;
  options.cpu = "no such CPU";
  CHECK(rnnc_compile(model, weights, &options, &program, &error) == RNNC_USAGE);
  CHECK(strstr(error.message, "no such CPU") != NULL);
  options.cpu = NULL;
  CHECK(rnnc_compile(model, weights, &options, &program, &error) == RNNC_OK);
  rnnc_model_destroy(model);
  rnnc_weights_destroy(weights);
  return program;
}

static void test_program_info(const rnnc_program* program) {
  rnnc_program_info info;
  rnnc_port port;
  memset(&info, 0, sizeof info);
  info.struct_size = sizeof info;
  CHECK(rnnc_program_get_info(program, &info) == RNNC_OK);
  CHECK(strcmp(info.name, "mine") == 0 && info.input_size == I && info.output_size == H);
  CHECK(info.state_count == 1 && info.input_count == 1 && info.named_input_count == 0);
  CHECK(strcmp(info.output_time, "T") == 0 && strcmp(info.no_streaming, "") == 0 && info.weights_bytes > 0);
  port.struct_size = sizeof port;
  CHECK(rnnc_program_get_state(program, 0, &port) == RNNC_OK && strcmp(port.name, "h") == 0 && port.size == H);
  CHECK(rnnc_program_get_input(program, 0, &port) == RNNC_OK && strcmp(port.name, "x") == 0 && port.size == I);
  CHECK(rnnc_program_get_state(program, 1, &port) == RNNC_USAGE);
  CHECK(rnnc_program_get_named_input(program, 0, &port) == RNNC_USAGE);
  CHECK(info.output_count == 1 && rnnc_program_get_output(program, 0, &port) == RNNC_OK);
  CHECK(strcmp(port.name, "y") == 0 && strcmp(port.time, "T") == 0 && port.size == H);
  CHECK(rnnc_program_get_output(program, 1, &port) == RNNC_USAGE);
  /* An older header's shorter struct gets what fits. */
  memset(&info, 0, sizeof info);
  info.struct_size = offsetof(rnnc_program_info, cpu);
  CHECK(rnnc_program_get_info(program, &info) == RNNC_OK && info.name != NULL && info.cpu == NULL);
}

static void test_run(const rnnc_program* program) {
  const int32_t lengths[B] = {T, 4};
  static float steps_y[B][H], final_h[B][H];
  rnnc_run_arguments arguments;
  rnnc_state *state = NULL, *other = NULL;
  int b, t, i;
  memset(&arguments, 0, sizeof arguments);
  arguments.struct_size = sizeof arguments;
  arguments.x = &x[0][0][0];
  arguments.y = &y[0][0][0];
  arguments.steps = T;
  arguments.batch = B;
  arguments.lengths = lengths;
  CHECK(rnnc_state_create(program, B, T, &state, NULL) == RNNC_OK);
  CHECK(rnnc_run(program, state, &arguments) == RNNC_OK);
  CHECK(rnnc_state_get(state, "h", &final_h[0][0], B * H, NULL) == RNNC_OK);
  for (b = 0; b < B; ++b) {
    double h[H] = {0}, expected[T][H] = {{0}};
    reference(b, lengths[b], h, expected);
    for (t = 0; t < T; ++t)
      for (i = 0; i < H; ++i) CHECK(fabs(y[t][b][i] - expected[t][i]) <= 1e-6);
    for (i = 0; i < H; ++i) CHECK(fabs(final_h[b][i] - h[i]) <= 1e-6);
  }
  /* Step by step, through a saved state in the middle: the bits of one call. */
  arguments.lengths = NULL;
  rnnc_state_reset(state);
  CHECK(rnnc_run(program, state, &arguments) == RNNC_OK);
  rnnc_state_reset(state);
  CHECK(rnnc_state_create(program, B, 1, &other, NULL) == RNNC_OK);
  for (t = 0; t < T; ++t) {
    static unsigned char saved[1024];
    size_t size = 0;
    CHECK(rnnc_step(program, t % 2 ? other : state, &x[t][0][0], &steps_y[0][0]) == RNNC_OK);
    CHECK(memcmp(steps_y, y[t], sizeof steps_y) == 0);
    CHECK(rnnc_state_save(state, NULL, &size, NULL) == RNNC_OK && size > B * H * sizeof(float) && size <= sizeof saved);
    CHECK(rnnc_state_save(t % 2 ? other : state, saved, &size, NULL) == RNNC_OK);
    CHECK(rnnc_state_restore(t % 2 ? state : other, saved, size, NULL) == RNNC_OK);
  }
  rnnc_state_destroy(state);
  rnnc_state_destroy(other);
}

static void test_saved_states(const rnnc_program* program) {
  rnnc_error error = RNNC_ERROR_INIT;
  rnnc_state *two = NULL, *three = NULL;
  static unsigned char saved[1024];
  static float before[B][H], after[B][H], set[B][H];
  size_t size = sizeof saved, cut, small = 3;
  int i;
  for (i = 0; i < B * H; ++i) (&set[0][0])[i] = (float)i;
  CHECK(rnnc_state_create(program, B, 1, &two, NULL) == RNNC_OK);
  CHECK(rnnc_state_create(program, 3, 1, &three, NULL) == RNNC_OK);
  CHECK(rnnc_state_set(two, "h", &set[0][0], B * H, NULL) == RNNC_OK);
  CHECK(rnnc_state_get(two, "h", &before[0][0], B * H, NULL) == RNNC_OK && memcmp(before, set, sizeof set) == 0);
  CHECK(rnnc_state_save(two, saved, &size, &error) == RNNC_OK);
  CHECK(rnnc_state_save(two, saved, &small, &error) == RNNC_LIMIT && small == size);
  CHECK(rnnc_state_restore(three, saved, size, &error) == RNNC_INVALID_DATA);
  CHECK(strstr(error.message, "batch 2") != NULL);
  for (cut = 0; cut < size; ++cut) CHECK(rnnc_state_restore(two, saved, cut, &error) == RNNC_INVALID_DATA);
  for (cut = 0; cut < 12; ++cut) {
    saved[cut] ^= 0x40;
    CHECK(rnnc_state_restore(two, saved, size, &error) == RNNC_INVALID_DATA);
    saved[cut] ^= 0x40;
  }
  CHECK(rnnc_state_get(two, "h", &after[0][0], B * H, NULL) == RNNC_OK && memcmp(before, after, sizeof after) == 0);
  CHECK(rnnc_state_get(two, "nothing", &after[0][0], B * H, &error) == RNNC_NAME);
  CHECK(rnnc_state_get(two, "h", &after[0][0], 1, &error) == RNNC_SHAPE_MISMATCH);
  CHECK(rnnc_state_set(two, "h", &after[0][0], 1, &error) == RNNC_SHAPE_MISMATCH);
  rnnc_state_destroy(two);
  rnnc_state_destroy(three);
}

static void test_bad_runs(const rnnc_program* program, const rnnc_program* another) {
  struct {
    rnnc_run_arguments arguments;
    int64_t newer;
  } larger;
  const int32_t bad_lengths[B] = {T + 1, 0};
  rnnc_named_input inputs[1] = {{NULL, NULL}};
  const rnnc_named_output older = {"no output", NULL};
  rnnc_run_arguments good, bad;
  rnnc_state* state = NULL;
  memset(&good, 0, sizeof good);
  good.struct_size = sizeof good;
  good.x = &x[0][0][0];
  good.y = &y[0][0][0];
  good.steps = T;
  good.batch = B;
  CHECK(rnnc_state_create(program, B, T, &state, NULL) == RNNC_OK);
  CHECK(rnnc_run(NULL, state, &good) == RNNC_USAGE);
  CHECK(rnnc_run(program, NULL, &good) == RNNC_USAGE);
  CHECK(rnnc_run(program, state, NULL) == RNNC_USAGE);
  CHECK(rnnc_run(another, state, &good) == RNNC_WRONG_STATE);
  bad = good, bad.struct_size = 1;
  CHECK(rnnc_run(program, state, &bad) == RNNC_USAGE);
  bad = good, bad.batch = B + 1;
  CHECK(rnnc_run(program, state, &bad) == RNNC_BATCH_MISMATCH);
  bad = good, bad.steps = -1;
  CHECK(rnnc_run(program, state, &bad) == RNNC_NEGATIVE_STEPS);
  bad = good, bad.y = NULL;
  CHECK(rnnc_run(program, state, &bad) == RNNC_MISSING_POINTER);
  bad = good, bad.lengths = bad_lengths;
  CHECK(rnnc_run(program, state, &bad) == RNNC_BAD_LENGTH);
  bad = good, bad.input_count = 1;
  CHECK(rnnc_run(program, state, &bad) == RNNC_USAGE);
  bad.inputs = inputs;
  CHECK(rnnc_run(program, state, &bad) == RNNC_USAGE);
  bad.input_count = 1000;
  CHECK(rnnc_run(program, state, &bad) == RNNC_LIMIT);
  memset(&larger, 0, sizeof larger);
  larger.arguments = good;
  larger.arguments.struct_size = sizeof larger;
  CHECK(rnnc_run(program, state, &larger.arguments) == RNNC_OK);
  larger.newer = 1;
  CHECK(rnnc_run(program, state, &larger.arguments) == RNNC_USAGE);
  /* A program of the header before outputs had names. */
  good.struct_size = offsetof(rnnc_run_arguments, outputs);
  good.outputs = &older, good.output_count = 1; /* this is not part of that struct */
  CHECK(rnnc_run(program, state, &good) == RNNC_OK);
  CHECK(rnnc_step(program, state, NULL, &y[0][0][0]) == RNNC_MISSING_POINTER);
  CHECK(rnnc_step(NULL, state, &x[0][0][0], &y[0][0][0]) == RNNC_USAGE);
  rnnc_state_destroy(state);
}

/* y is x, and the outputs after it are 2 * x and the last x. */
static void test_outputs(void) {
  const char* text =
      "network n { input x : seq f32[2] output x output twice = 2 * x output final = last(x) }";
  const float rows[3][2] = {{1, 2}, {3, 4}, {5, 6}};
  float first[3][2], twice[3][2] = {{0}}, final[2] = {0};
  const rnnc_named_output outputs[2] = {{"final", final}, {"twice", &twice[0][0]}};
  rnnc_named_output wrong[2] = {{"final", final}, {NULL, NULL}};
  rnnc_compile_options options = RNNC_COMPILE_OPTIONS_INIT;
  rnnc_error error = RNNC_ERROR_INIT;
  rnnc_program_info info;
  rnnc_port port;
  rnnc_run_arguments arguments;
  rnnc_model* model = NULL;
  rnnc_weights* weights = NULL;
  rnnc_program* program = NULL;
  rnnc_state* state = NULL;
  options.no_cache = 1;
  CHECK(rnnc_model_parse(text, NULL, &model, &error) == RNNC_OK);
  CHECK(rnnc_weights_create(&weights, &error) == RNNC_OK);
  CHECK(rnnc_compile(model, weights, &options, &program, &error) == RNNC_OK);
  info.struct_size = sizeof info, port.struct_size = sizeof port;
  CHECK(rnnc_program_get_info(program, &info) == RNNC_OK && info.output_count == 3);
  CHECK(rnnc_program_get_output(program, 2, &port) == RNNC_OK && strcmp(port.name, "final") == 0);
  CHECK(strcmp(port.time, "") == 0 && port.size == 2);
  memset(&arguments, 0, sizeof arguments);
  arguments.struct_size = sizeof arguments;
  arguments.x = &rows[0][0], arguments.y = &first[0][0], arguments.steps = 3, arguments.batch = 1;
  arguments.outputs = outputs, arguments.output_count = 1;
  CHECK(rnnc_state_create(program, 1, 3, &state, &error) == RNNC_OK);
  CHECK(rnnc_run(program, state, &arguments) == RNNC_OK);
  CHECK(final[0] == 5 && final[1] == 6 && twice[2][1] == 0 && first[2][1] == 6);
  arguments.output_count = 2;
  CHECK(rnnc_run(program, state, &arguments) == RNNC_OK && twice[2][1] == 12);
  arguments.outputs = wrong;
  CHECK(rnnc_run(program, state, &arguments) == RNNC_USAGE);
  wrong[1].name = "twice";
  CHECK(rnnc_run(program, state, &arguments) == RNNC_MISSING_POINTER);
  wrong[1].name = "thrice", wrong[1].data = &twice[0][0];
  CHECK(rnnc_run(program, state, &arguments) == RNNC_UNKNOWN_NAME);
  arguments.outputs = NULL;
  CHECK(rnnc_run(program, state, &arguments) == RNNC_USAGE);
  arguments.outputs = outputs, arguments.output_count = 1000;
  CHECK(rnnc_run(program, state, &arguments) == RNNC_LIMIT);
  rnnc_state_destroy(state), rnnc_program_destroy(program), rnnc_weights_destroy(weights), rnnc_model_destroy(model);
}

/* Ranges are the text of a file, which is checked. */
static void test_ranges(void) {
  const float weights_of_w[4] = {1, 2, 3, 4};
  const int64_t shape[2] = {2, 2};
  rnnc_compile_options options = RNNC_COMPILE_OPTIONS_INIT;
  rnnc_error error = RNNC_ERROR_INIT;
  rnnc_model* model = NULL;
  rnnc_weights* weights = NULL;
  rnnc_program* program = NULL;
  options.no_cache = 1, options.weights = RNNC_WEIGHTS_W8;
  CHECK(rnnc_model_parse("cell m { input x : f32[2] param W : f32[2, 2] output W @ x }", NULL, &model, &error) ==
        RNNC_OK);
  CHECK(rnnc_weights_create(&weights, &error) == RNNC_OK);
  CHECK(rnnc_weights_add(weights, "W", weights_of_w, shape, 2, &error) == RNNC_OK);
  options.ranges = "{}";
  CHECK(rnnc_compile(model, weights, &options, &program, &error) == RNNC_INVALID_DATA);
  CHECK(strncmp(error.message, "ranges: no file of ranges: \"format\" is missing", 46) == 0);
  options.ranges = "{\"format\": \"rnnc ranges 1\", \"model\": \"m 1\", \"margin\": 1, \"bounds\": {}}";
  CHECK(rnnc_compile(model, weights, &options, &program, &error) == RNNC_INVALID_DATA);
  CHECK(strncmp(error.message, "the ranges were measured of another model", 41) == 0);
  options.weights = RNNC_WEIGHTS_F32; /* needs no ranges */
  CHECK(rnnc_compile(model, weights, &options, &program, &error) == RNNC_OK);
  rnnc_program_destroy(program), rnnc_weights_destroy(weights), rnnc_model_destroy(model);
}

/* A program that runs before its code is there, and goes on with the code. */
static void test_tiers(void) {
  const float weights_of_f[1] = {0.5f}, x[1] = {1};
  const int64_t shape[1] = {1};
  float y[1] = {0};
  rnnc_compile_options options = RNNC_COMPILE_OPTIONS_INIT;
  rnnc_error error = RNNC_ERROR_INIT;
  rnnc_program_info info;
  rnnc_model* model = NULL;
  rnnc_weights* weights = NULL;
  rnnc_program* program = NULL;
  rnnc_state* state = NULL;
  options.no_cache = 1, options.backend = RNNC_BACKEND_TIERED, options.compile_threads = 2;
  options.weights = RNNC_WEIGHTS_BF16;
  CHECK(rnnc_model_parse("cell sum<H> { input x : f32[H] param b : f32[H] state s : f32[H] s' = s + b * x output s' }", NULL,
                         &model, &error) == RNNC_OK);
  CHECK(rnnc_weights_create(&weights, &error) == RNNC_OK);
  CHECK(rnnc_weights_add(weights, "b", weights_of_f, shape, 1, &error) == RNNC_OK);
  CHECK(rnnc_compile(model, weights, &options, &program, &error) == RNNC_OK);
  CHECK(rnnc_state_create(program, 1, 1, &state, &error) == RNNC_OK);
  CHECK(rnnc_step(program, state, x, y) == RNNC_OK && y[0] == 0.5f);
  CHECK(rnnc_program_wait_for_code(program, &error) == RNNC_OK);
  CHECK(rnnc_step(program, state, x, y) == RNNC_OK && y[0] == 1.0f);
  info.struct_size = sizeof info;
  CHECK(rnnc_program_get_info(program, &info) == RNNC_OK && info.backend == RNNC_BACKEND_JIT);
  CHECK(strncmp(info.cpu, "portable", 8) != 0 && strcmp(info.fallback, "") == 0);
  CHECK(rnnc_program_wait_for_code(NULL, &error) == RNNC_USAGE);
  rnnc_state_destroy(state), rnnc_program_destroy(program);
  options.backend = 9;
  CHECK(rnnc_compile(model, weights, &options, &program, &error) == RNNC_USAGE);
  CHECK(strcmp(error.message, "backend is none of rnnc_backend") == 0);
  options.backend = RNNC_BACKEND_AUTO, options.weights = 7;
  CHECK(rnnc_compile(model, weights, &options, &program, &error) == RNNC_USAGE);
  CHECK(strcmp(error.message, "weights is none of rnnc_weight_format") == 0);
  rnnc_weights_destroy(weights), rnnc_model_destroy(model);
}

/* Weights of integers: a vector of 127 and 25 (of 8 bits), rows of 127 and 50 with a step of 1, and of 2 (1.5 is a tie) and
   -127 with a step of 2. The results are the same before and behind the code. */
static void test_integers(void) {
  const float weights_of_f[4] = {127, 50.4f, 3, -254}, x[2] = {127, 25.4f};
  const float expected[2] = {127 * 127 + 50 * 25, 2 * (2 * 127 - 127 * 25)};
  const int64_t shape[2] = {2, 2};
  float y[2] = {0, 0};
  rnnc_compile_options options = RNNC_COMPILE_OPTIONS_INIT;
  rnnc_error error = RNNC_ERROR_INIT;
  rnnc_model* model = NULL;
  rnnc_weights* weights = NULL;
  rnnc_program* program = NULL;
  rnnc_state* state = NULL;
  options.no_cache = 1, options.backend = RNNC_BACKEND_TIERED;
  CHECK(rnnc_model_parse("cell f<H> { input x : f32[H] param W : f32[H, H] output W @ x }", NULL, &model, &error) == RNNC_OK);
  CHECK(rnnc_weights_create(&weights, &error) == RNNC_OK);
  CHECK(rnnc_weights_add(weights, "W", weights_of_f, shape, 2, &error) == RNNC_OK);
  for (options.weights = RNNC_WEIGHTS_W16; options.weights <= RNNC_WEIGHTS_W8; ++options.weights) {
    const int of_8_bits = options.weights == RNNC_WEIGHTS_W8;
    float first[2];
    CHECK(rnnc_compile(model, weights, &options, &program, &error) == RNNC_OK);
    CHECK(rnnc_state_create(program, 1, 1, &state, &error) == RNNC_OK);
    CHECK(rnnc_step(program, state, x, first) == RNNC_OK);
    CHECK(!of_8_bits || (first[0] == expected[0] && first[1] == expected[1]));
    CHECK(of_8_bits || (first[0] > 17350 && first[0] < 17450 && first[1] > -6100 && first[1] < -5750));
    CHECK(rnnc_program_wait_for_code(program, &error) == RNNC_OK);
    CHECK(rnnc_step(program, state, x, y) == RNNC_OK && y[0] == first[0] && y[1] == first[1]);
    rnnc_state_destroy(state), rnnc_program_destroy(program);
  }
  options.backend = RNNC_BACKEND_AUTO, options.weights = RNNC_WEIGHTS_W8, options.sparse = 1;
  CHECK(rnnc_compile(model, weights, &options, &program, &error) == RNNC_OK);
  CHECK(rnnc_state_create(program, 1, 1, &state, &error) == RNNC_OK);
  CHECK(rnnc_step(program, state, x, y) == RNNC_OK && y[0] == expected[0] && y[1] == expected[1]);
  rnnc_state_destroy(state), rnnc_program_destroy(program);
  options.weights = RNNC_WEIGHTS_F32;
  CHECK(rnnc_compile(model, weights, &options, &program, &error) == RNNC_USAGE);
  CHECK(strncmp(error.message, "sparse programs multiply integers", 33) == 0);
  rnnc_weights_destroy(weights), rnnc_model_destroy(model);
}

/* Every status has a text of its own, and nothing else has one. */
static void test_status_texts(void) {
  int status, other;
  CHECK(strcmp(rnnc_status_text(RNNC_OK), "no error") == 0);
  for (status = RNNC_OK; status <= RNNC_NO_STREAMING + 1; ++status) {
    const char* text = rnnc_status_text((rnnc_status)status);
    const int is_status = status <= RNNC_INTERNAL || (status >= RNNC_BATCH_MISMATCH && status <= RNNC_NO_WORKSPACE);
    CHECK((strcmp(text, "no status of rnnc") != 0) == is_status);
    for (other = RNNC_OK; is_status && other < status; ++other)
      CHECK(strcmp(text, rnnc_status_text((rnnc_status)other)) != 0);
  }
}

static void test_null_arguments(void) {
  const int64_t shape[1] = {-1};
  rnnc_error error = RNNC_ERROR_INIT, tiny;
  rnnc_model* model = NULL;
  rnnc_weights* weights = NULL;
  rnnc_program* program = NULL;
  rnnc_state* state = NULL;
  size_t size = 0;
  rnnc_model_destroy(NULL), rnnc_weights_destroy(NULL), rnnc_program_destroy(NULL), rnnc_state_destroy(NULL);
  rnnc_state_reset(NULL);
  CHECK(rnnc_weights_count(NULL) == 0);
  CHECK(rnnc_weights_create(NULL, &error) == RNNC_USAGE && strcmp(error.message, "weights is NULL") == 0);
  CHECK(rnnc_weights_create(&weights, NULL) == RNNC_OK);
  CHECK(rnnc_weights_add(NULL, "W", NULL, NULL, 0, NULL) == RNNC_USAGE);
  CHECK(rnnc_weights_add(weights, NULL, NULL, NULL, 0, NULL) == RNNC_USAGE);
  CHECK(rnnc_weights_add(weights, "W", NULL, NULL, 0, NULL) == RNNC_USAGE);
  CHECK(rnnc_weights_add(weights, "W", NULL, NULL, 1, NULL) == RNNC_USAGE);
  CHECK(rnnc_weights_add(weights, "W", NULL, shape, 1, NULL) == RNNC_SHAPE_MISMATCH);
  CHECK(rnnc_weights_add(weights, "W", NULL, shape, 9, NULL) == RNNC_LIMIT);
  CHECK(rnnc_model_parse(NULL, NULL, &model, NULL) == RNNC_USAGE);
  CHECK(rnnc_model_parse("cell", NULL, NULL, NULL) == RNNC_USAGE);
  CHECK(rnnc_model_parse("cell 7", "bad.rnn", &model, &error) == RNNC_SYNTAX && model == NULL);
  CHECK(strncmp(error.message, "bad.rnn:1:6: ", 13) == 0 && error.status == RNNC_SYNTAX);
  tiny.struct_size = sizeof(size_t); /* too small for a message: left alone */
  CHECK(rnnc_model_parse("cell 7", "bad.rnn", &model, &tiny) == RNNC_SYNTAX);
  CHECK(rnnc_model_load_file(NULL, &model, NULL) == RNNC_USAGE);
  CHECK(rnnc_model_load_file("/nowhere/a.rnn", &model, &error) == RNNC_FILE);
  CHECK(rnnc_model_standard(NULL, &model, NULL) == RNNC_USAGE);
  CHECK(rnnc_model_standard("lstn", &model, &error) == RNNC_NAME);
  CHECK(rnnc_weights_load_file(NULL, &weights, NULL) == RNNC_USAGE);
  CHECK(rnnc_weights_load(NULL, 3, NULL, &weights, NULL) == RNNC_USAGE);
  CHECK(rnnc_weights_load("abc", 3, NULL, &weights, &error) == RNNC_INVALID_DATA);
  CHECK(rnnc_import_file(NULL, &model, &weights, NULL) == RNNC_USAGE);
  CHECK(rnnc_import_file("/nowhere/a.onnx", &model, &weights, &error) == RNNC_FILE);
  CHECK(rnnc_compile(NULL, weights, NULL, &program, NULL) == RNNC_USAGE);
  CHECK(rnnc_program_load_file(NULL, NULL, &program, NULL) == RNNC_USAGE);
  CHECK(rnnc_program_load_file("/nowhere/a.rnnc", NULL, &program, &error) == RNNC_FILE);
  CHECK(rnnc_program_load(NULL, 0, NULL, NULL, &program, NULL) == RNNC_USAGE);
  CHECK(rnnc_program_load("abc", 3, "abc", NULL, &program, &error) == RNNC_INVALID_DATA);
  CHECK(rnnc_program_get_info(NULL, NULL) == RNNC_USAGE);
  CHECK(rnnc_program_get_state(NULL, 0, NULL) == RNNC_USAGE);
  CHECK(rnnc_state_create(NULL, 1, 1, &state, &error) == RNNC_USAGE);
  CHECK(rnnc_state_get(NULL, "h", NULL, 0, NULL) == RNNC_USAGE);
  CHECK(rnnc_state_set(NULL, "h", NULL, 0, NULL) == RNNC_USAGE);
  CHECK(rnnc_state_save(NULL, NULL, &size, NULL) == RNNC_USAGE);
  CHECK(rnnc_state_restore(NULL, NULL, 0, NULL) == RNNC_USAGE);
  CHECK(strlen(rnnc_version()) > 0);
  rnnc_weights_destroy(weights);
}

/* An artifact and the JIT of the same model give the same bits. */
static void test_artifact(const char* artifact, const char* model_path, const char* weights_path) {
  rnnc_error error = RNNC_ERROR_INIT;
  rnnc_load_options options = RNNC_LOAD_OPTIONS_INIT;
  rnnc_model* model = NULL;
  rnnc_weights* weights = NULL;
  rnnc_program* programs[2] = {NULL, NULL};
  static float results[2][T][B][H];
  int i;
  CHECK(rnnc_program_load_file(artifact, &options, &programs[0], &error) == RNNC_OK);
  CHECK(rnnc_model_load_file(model_path, &model, &error) == RNNC_OK);
  CHECK(rnnc_weights_load_file(weights_path, &weights, &error) == RNNC_OK);
  CHECK(rnnc_compile(model, weights, NULL, &programs[1], &error) == RNNC_OK);
  if (failures) fprintf(stderr, "%s\n", error.message);
  for (i = 0; i < 2 && programs[i]; ++i) {
    rnnc_state* state = NULL;
    rnnc_run_arguments arguments;
    memset(&arguments, 0, sizeof arguments);
    arguments.struct_size = sizeof arguments;
    arguments.x = &x[0][0][0];
    arguments.y = &results[i][0][0][0];
    arguments.steps = T;
    arguments.batch = B;
    CHECK(rnnc_state_create(programs[i], B, T, &state, &error) == RNNC_OK);
    CHECK(rnnc_run(programs[i], state, &arguments) == RNNC_OK);
    CHECK(results[i][T - 1][B - 1][H - 1] != 0);
    rnnc_program_destroy(programs[i]); /* the state outlives it */
    rnnc_state_destroy(state);
  }
  CHECK(memcmp(results[0], results[1], sizeof results[0]) == 0);
  options.cpu = "z80";
  CHECK(rnnc_program_load_file(artifact, &options, &programs[0], &error) == RNNC_USAGE);
  CHECK(strstr(error.message, ", and not for 'z80'") != NULL);
  options.cpu = NULL;
  options.threads = -1;
  CHECK(rnnc_program_load_file(artifact, &options, &programs[0], &error) == RNNC_USAGE);
  rnnc_model_destroy(model);
  rnnc_weights_destroy(weights);
}

/* The sum of all y, by the equations, with one element of U and of the first state moved. */
static double sum_with(double u, double first) {
  double sum = 0;
  int b, t, i;
  for (b = 0; b < B; ++b) {
    double h[H] = {0, 0, 0, 0, 0}, out[T][H];
    const float before = U[2][1];
    h[3] = b == 1 ? first : 0;
    U[2][1] = (float)(before + u);
    reference(b, T, h, out);
    U[2][1] = before;
    for (t = 0; t < T; ++t)
      for (i = 0; i < H; ++i) sum += out[t][i];
  }
  return sum;
}

/* Gradients of the same cell, beside differences of its equations. */
static void test_training(void) {
  const int64_t w_shape[2] = {H, I}, u_shape[2] = {H, H};
  rnnc_error error = RNNC_ERROR_INIT;
  rnnc_training_options options = RNNC_TRAINING_OPTIONS_INIT;
  rnnc_backward_arguments backward;
  rnnc_run_arguments arguments;
  rnnc_model* model = NULL;
  rnnc_weights* weights = NULL;
  rnnc_training* training = NULL;
  float dy[T][B][H], h[B][H];
  const float* gradient;
  size_t count = 0;
  int i;
  for (i = 0; i < T * B * H; ++i) (&dy[0][0][0])[i] = 1;
  CHECK(rnnc_model_parse(kText, NULL, &model, &error) == RNNC_OK);
  CHECK(rnnc_weights_create(&weights, &error) == RNNC_OK);
  CHECK(rnnc_weights_add(weights, "W", &W[0][0], w_shape, 2, &error) == RNNC_OK);
  CHECK(rnnc_weights_add(weights, "U", &U[0][0], u_shape, 2, &error) == RNNC_OK);
  options.batch = B;
  options.max_steps = T;
  options.memory_bytes = 1;
  CHECK(rnnc_training_create(model, weights, NULL, &options, &training, &error) == RNNC_LIMIT);
  options.memory_bytes = 0;
  CHECK(rnnc_training_create(model, weights, NULL, NULL, &training, &error) == RNNC_USAGE);
  CHECK(rnnc_training_create(model, weights, NULL, &options, &training, &error) == RNNC_OK);
  if (!training) return;
  memset(&arguments, 0, sizeof arguments);
  arguments.struct_size = sizeof arguments;
  arguments.x = &x[0][0][0];
  arguments.y = &y[0][0][0];
  arguments.steps = T;
  arguments.batch = B;
  memset(&backward, 0, sizeof backward);
  backward.struct_size = sizeof backward;
  backward.dy = &dy[0][0][0];
  CHECK(rnnc_training_backward(training, &backward) == RNNC_NO_FORWARD);
  rnnc_training_reset(training);
  CHECK(rnnc_training_forward(training, &arguments) == RNNC_OK);
  CHECK(rnnc_training_backward(training, &backward) == RNNC_OK);
  gradient = rnnc_training_gradient(training, "U", &count);
  CHECK(count == H * H);
  CHECK(gradient && fabs(gradient[2 * H + 1] - (sum_with(1e-3, 0) - sum_with(-1e-3, 0)) / 2e-3) < 1e-3);
  CHECK(rnnc_training_gradient(training, "V", &count) == NULL && count == 0);
  CHECK(rnnc_training_get_state_gradient(training, "h", &h[0][0], B * H, &error) == RNNC_OK);
  CHECK(fabs(h[1][3] - (sum_with(0, 1e-3) - sum_with(0, -1e-3)) / 2e-3) < 1e-4);
  CHECK(rnnc_training_get_state_gradient(training, "h", &h[0][0], 1, &error) == RNNC_SHAPE_MISMATCH);
  CHECK(rnnc_training_get_state(training, "h", &h[0][0], B * H, &error) == RNNC_OK);
  CHECK(memcmp(h, y[T - 1], sizeof h) == 0);
  CHECK(rnnc_training_set_state(training, "g", &h[0][0], B * H, &error) == RNNC_NAME);
  CHECK(rnnc_training_set_state_gradient(training, "h", &h[0][0], B * H, &error) == RNNC_OK);
  rnnc_training_clear_gradients(training);
  CHECK(rnnc_training_weight(training, "W", &count) != NULL && count == H * I);
  rnnc_training_weight(training, "W", NULL)[0] = 0;
  CHECK(rnnc_training_update(training, &error) == RNNC_OK);
  arguments.batch = B + 1;
  CHECK(rnnc_training_forward(training, &arguments) == RNNC_BATCH_MISMATCH);
  arguments.batch = B;
  arguments.steps = T + 1;
  CHECK(rnnc_training_forward(training, &arguments) == RNNC_TOO_MANY_STEPS);
  rnnc_training_destroy(training);
  rnnc_training_destroy(NULL);
  rnnc_model_destroy(model);
  rnnc_weights_destroy(weights);
}

int main(int argc, char** argv) {
  rnnc_program *program, *another;
  int i;
  if (argc != 4) return 2;
  for (i = 0; i < H * I; ++i) (&W[0][0])[i] = next_random();
  for (i = 0; i < H * H; ++i) (&U[0][0])[i] = next_random();
  for (i = 0; i < T * B * I; ++i) (&x[0][0][0])[i] = next_random();
  test_status_texts();
  test_null_arguments();
  program = compile_mine();
  another = compile_mine();
  if (!program || !another) return 1;
  test_program_info(program);
  test_run(program);
  test_saved_states(program);
  test_bad_runs(program, another);
  test_outputs();
  test_ranges();
  test_tiers();
  test_integers();
  test_training();
  test_artifact(argv[1], argv[2], argv[3]);
  rnnc_program_destroy(program);
  rnnc_program_destroy(another);
  if (failures == 0) puts("c_api: all as it should be");
  return failures == 0 ? 0 : 1;
}
