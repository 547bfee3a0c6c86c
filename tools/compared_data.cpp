#include "tools/compared_data.hpp"

#include "tools/exit_code.hpp"
#include "tools/flags.hpp"
#include "tools/load_model.hpp"
#include "tools/sequence.hpp"

namespace rnnc::tools {

void add_compared_data(CLI::App& app, ComparedData& flags) {
  auto* input =
      app.add_option("--input", flags.inputs, "what to compare on instead of random sequences, as rnnc run takes it")
          ->type_name("x.npy");
  add_layout_flag(app, flags.layout);
  add_number(app, "--steps", flags.steps, 1, kMaxSize, "time steps (default 100)");
  add_number(app, "--batch", flags.batch, 1, kMaxSize, "sequences (default 3)");
  add_number(app, "--seed", flags.seed, 0, std::int64_t{1} << 53, "of the random data (default 1)");
  for (const char* of_random : {"--steps", "--batch", "--seed"}) input->excludes(app.get_option(of_random));
}

Result<void> check_layout(const ComparedData& flags) {
  if (flags.layout == kStepsFirst || !flags.inputs.empty()) return {};
  return usage_error("--layout", "is that of --input; name the input too");
}

// The sequences take twice the interpreter's values, which leaves room for the floats of the program.
Result<void> check_memory_of(const ComparedData& flags, const ir::Network& network) {
  if (!flags.inputs.empty()) return {};
  const double bytes = 2 * value_bytes(network, random_batch(interface_of(network), 1, 1, 1, false)) *
                       static_cast<double>(flags.steps) * static_cast<double>(flags.batch);
  return check_memory(bytes, "the sequences");
}

}  // namespace rnnc::tools
