/* A host in C11: states without workspaces, and one workspace for all of them. */
#include <rnnc/rnnc.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(rnnc_run_arguments) > 0, "the header is whole");

int main(int argc, char** argv) {
  rnnc_error error = RNNC_ERROR_INIT;
  rnnc_program* program = NULL;
  rnnc_workspace* workspace = NULL;
  rnnc_state* states[3] = {NULL, NULL, NULL};
  rnnc_state* own = NULL;
  const float x[3] = {1, 0.5f, -1};
  float y[6], expected[6];
  int i, t;
  if (argc != 2) return 2;
  if (rnnc_program_load_file(argv[1], NULL, &program, &error) != RNNC_OK) return puts(error.message), 1;
  if (rnnc_workspace_create(program, 1, 1, &workspace, &error) != RNNC_OK) return puts(error.message), 1;
  if (rnnc_state_create(program, 1, 1, &own, &error) != RNNC_OK) return puts(error.message), 1;
  for (i = 0; i < 3; ++i)
    if (rnnc_state_create_without_workspace(program, 1, &states[i], &error) != RNNC_OK) return puts(error.message), 1;
  if (rnnc_step(program, states[0], x, y) != RNNC_NO_WORKSPACE) return 3;
  for (t = 0; t < 3; ++t)
    if (rnnc_step(program, own, x + t, expected + 2 * t) != RNNC_OK) return 4;
  for (i = 0; i < 3; ++i) {
    rnnc_run_arguments arguments = {.struct_size = sizeof arguments, .x = x, .y = y, .steps = 2, .batch = 1};
    arguments.workspace = workspace;
    if (rnnc_run(program, states[i], &arguments) != RNNC_OK) return 5;
    if (rnnc_step_in(program, states[i], workspace, x + 2, y + 4) != RNNC_OK) return 6;
    if (memcmp(y, expected, sizeof y) != 0) return 7;
  }
  if (rnnc_state_create(program, (int64_t)1 << 31, 1, &own, &error) != RNNC_LIMIT || !strstr(error.message, "MiB"))
    return puts(error.message), 8;
  if (rnnc_workspace_create(program, -1, 1, &workspace, &error) != RNNC_USAGE) return 9;
  for (i = 0; i < 3; ++i) rnnc_state_destroy(states[i]);
  rnnc_state_destroy(own);
  rnnc_workspace_destroy(workspace);
  rnnc_program_destroy(program);
  return 0;
}
