// A host whose project sets no standard: the library asks for the one that its headers need.
#include <rnnc/rnnc.hpp>

#include <cstdio>
#include <stdexcept>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const rnnc::Program program = rnnc::load_artifact(argv[1]).value();
  rnnc::State state = program.make_state(1);
  const float x[] = {1};
  float y[2];
  if (program.step(state, x, y) != rnnc::RunStatus::Ok || y[0] != 0.125f) return 3;
  try {
    (void)rnnc::load_artifact("there is no such file").value();
  } catch (const rnnc::BadResult& error) {
    return std::puts(error.what()), 0;
  }
  return 4;
}
