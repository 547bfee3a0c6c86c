// A host in C++17 uses the C interface.
#include <rnnc/rnnc.h>

#include <cstdio>
#include <string_view>

static_assert(__cplusplus < 202002L, "this host is to be older than the C++ interface");

int main(int argc, char** argv) {
  rnnc_error error = RNNC_ERROR_INIT;
  rnnc_program* program = nullptr;
  rnnc_state* state = nullptr;
  const float x = 1;
  float y[2];
  if (argc != 2) return 2;
  if (rnnc_program_load_file(argv[1], nullptr, &program, &error) != RNNC_OK) return std::puts(error.message), 1;
  if (rnnc_state_create(program, 1, 1, &state, &error) != RNNC_OK) return std::puts(error.message), 1;
  if (rnnc_step(program, state, &x, y) != RNNC_OK || y[0] != 0.125f) return 3;
  rnnc_state_destroy(state);
  rnnc_program_destroy(program);
  return std::string_view(rnnc_status_text(RNNC_OK)) == "no error" ? 0 : 4;
}
