#include "tools/compared_data.hpp"

#include "tools/exit_code.hpp"
#include "tools/flags.hpp"
#include "tools/load_model.hpp"
#include "tools/run_data.hpp"
#include "tools/sequence.hpp"

namespace rnnc::tools {
namespace {

constexpr std::int64_t kStepsToCompare = 100;

bool is_of_all(const std::string& steps) { return steps.find('=') == std::string::npos; }

}  // namespace

void add_compared_data(CLI::App& app, ComparedData& flags) {
  auto* input =
      app.add_option("--input", flags.inputs, "what to compare on instead of random sequences, as rnnc run takes it")
          ->type_name("x.npy");
  add_layout_flag(app, flags.layout);
  add_list(app, "--steps", flags.steps,
           "time steps (default 100), of all times; NAME=N for one, which goes with --input if no input tells it")
      ->type_name("N");
  add_number(app, "--batch", flags.batch, 1, kMaxSize, "sequences (default 3)");
  add_number(app, "--seed", flags.seed, 0, std::int64_t{1} << 53, "of the random data (default 1)");
  for (const char* of_random : {"--batch", "--seed"}) input->excludes(app.get_option(of_random));
}

Result<void> check_files(const ComparedData& flags) {
  if (flags.inputs.empty())
    return flags.layout == kStepsFirst ? Result<void>()
                                       : usage_error("--layout", "is that of --input; name the input too");
  for (const std::string& text : flags.steps)
    if (is_of_all(text))
      return usage_error("--steps",
                         "'" + text +
                             "' is for random sequences, and --input tells the steps of its own; give NAME=N "
                             "for a time that no input tells");
  return {};
}

Result<Steps> random_steps(const ComparedData& flags, const ir::Network& network) {
  if (!flags.inputs.empty()) return Steps();
  const Interface interface = interface_of(network);
  std::vector<std::string> of_all, of_one;
  for (const std::string& text : flags.steps) (is_of_all(text) ? of_all : of_one).push_back(text);
  if (of_all.size() > 1)
    return usage_error("--steps",
                       "'" + of_all[0] + "' and '" + of_all[1] + "' are both for all times; give one of them");
  std::int64_t most = kStepsToCompare;
  if (!of_all.empty()) {
    const auto number = whole_number(of_all[0], 1, kMaxSize);
    if (!number) return usage_error("--steps", no_number(of_all[0], 1, kMaxSize));
    most = *number;
  }
  Result<Steps> steps = steps_of_times(of_one, most, interface);
  if (!steps) return steps;
  // The sequences take twice the interpreter's values, which leaves room for the floats of the program.
  ir::NetworkBatch batch{flags.batch, {}, {}};
  for (const auto& [name, count] : *steps) batch.times[name].steps = count;
  if (const auto checked = check_memory(2 * value_bytes(network, batch), "the sequences"); !checked)
    return checked.error();
  return steps;
}

}  // namespace rnnc::tools
