#include <rnnc/rnnc.hpp>

#include <cstdio>
#include <vector>

int main() {
  const auto model = rnnc::parse_file("examples/char_lm/char_lm.rnn").value();
  const auto weights = rnnc::load_safetensors("examples/char_lm/char_lm.safetensors").value();
  const auto program = rnnc::compile(model, weights).value();

  const int steps = 20, batch = 3;
  std::vector<float> x(steps * batch * program.input_size()), y(steps * batch * program.output_size());
  auto state = program.make_state(batch);
  auto status = program.run(state, {.x = x, .y = y, .steps = steps});
  if (status == rnnc::RunStatus::Ok) status = program.step(state, x, y);  // one more, for streaming
  if (status != rnnc::RunStatus::Ok) return std::fprintf(stderr, "rnnc: %s\n", rnnc::text(status)), 1;
  std::printf("%s on %s: %g\n", program.name().c_str(), program.cpu().c_str(), y[0]);
}
