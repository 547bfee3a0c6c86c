// A host without exceptions: all headers compile, and what can fail has a form that returns a Result.
#include <rnnc/rnnc.hpp>

#include <cstdio>

#if defined(__cpp_exceptions)
#error "this host is to be built without exceptions"
#endif

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto program = rnnc::load_artifact(argv[1]);
  if (!program) return std::puts(program.error().to_string().c_str()), 1;
  auto state = program->try_make_state_without_workspace(1);
  auto workspace = program->try_make_workspace(1);
  if (!state || !workspace) return 3;
  const float x[] = {1};
  float y[2];
  if (program->step(*state, *workspace, x, y) != rnnc::RunStatus::Ok || y[0] != 0.125f) return 4;
  const auto none = program->try_make_state(-1);
  const auto large = program->try_make_state(std::int64_t{1} << 31);
  if (none.ok() || none.error().code != rnnc::ErrorCode::Usage) return 5;
  if (large.ok() || large.error().code != rnnc::ErrorCode::Limit) return 6;
  return std::puts(large.error().to_string().c_str()), 0;
}
