// Golden tests: each .golden file of this folder holds a line that says what holds, what to print, a cell or network,
// and the text expected. The cell is text, or a standard one named by what to print. RNNC_BLESS=1 writes what was
// printed back into the files, for a change that is meant.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <sstream>

#include <rnnc/model.hpp>
#include "compiler/gradient/print_gradient.hpp"
#include "compiler/inspect/print_network.hpp"
#include "compiler/llvm/resolve_target.hpp"
#include "compiler/network/network.hpp"
#include "compiler/network/split_directions.hpp"
#include "compiler/object/object_llvm.hpp"
#include "compiler/passes/pass.hpp"
#include "compiler/portable/print.hpp"
#include "compiler/portable/translate.hpp"
#include "compiler/schedule/describe.hpp"
#include "compiler/schedule/plan.hpp"
#include "ir/print.hpp"
#include "ir/scan.hpp"
#include "ir/verify.hpp"
#include "tests/support/catch.hpp"

namespace rnnc::test {
namespace {

constexpr const char* kRule = "----\n";

struct Golden {
  std::string reason;
  std::string command;  // WHAT [ARGUMENT] [cell=NAME] [DIM=N]..., where kPrinters has WHAT
  std::string input;
  std::string expected;
};

Golden read(const std::filesystem::path& path) {
  std::ifstream file(path);
  Golden golden;
  std::getline(file, golden.reason);
  std::getline(file, golden.command);
  std::stringstream rest;
  rest << file.rdbuf();
  const std::string text = rest.str();
  const std::size_t rule = text.find(kRule);
  golden.input = text.substr(0, rule);
  if (rule != std::string::npos) golden.expected = text.substr(rule + 5);
  return golden;
}

struct Command {
  std::string what, argument, standard;
  ir::DimBindings dims;
};

Command parse_command(const std::string& text) {
  Command command;
  std::istringstream words(text);
  words >> command.what;
  for (std::string word; words >> word;) {
    const std::size_t equal = word.find('=');
    if (equal == std::string::npos)
      command.argument = word;
    else if (word.starts_with("cell="))
      command.standard = word.substr(5);
    else
      command.dims[word.substr(0, equal)] = std::stoll(word.substr(equal + 1));
  }
  return command;
}

ir::Cell cell_of(const Model& model, const Command& command) {
  return ir::bind_dims(model.module().cells.front(), command.dims).value();
}

ir::Network network_of(const Model& model, const Command& command) {
  return ir::bind_dims(model.module().networks.front(), command.dims).value();
}

std::string print_after(const Model& model, const Command& command) {
  return ir::print(compiler::run_passes(cell_of(model, command), command.argument));
}

std::string print_plan(const Model& model, const Command& command) {
  const compiler::Target target = compiler::resolve_target(command.argument, false).value();
  const compiler::Schedule schedule = compiler::make_schedule(compiler::run_passes(cell_of(model, command)));
  return compiler::print(compiler::make_plan(schedule, target).value(), schedule, target);
}

std::string print_portable(const Model& model, const Command& command) {
  const runtime::PortableKernels& kernels = *runtime::portable_kernels("");
  return compiler::print_portable(compiler::portable_code_of(cell_of(model, command), kernels).value());
}

std::string print_directions(const Model& model, const Command& command) {
  return ir::print(compiler::split_directions(network_of(model, command)));
}

std::string print_calls(const Model& model, const Command& command) {
  return compiler::print(compiler::calls_of(network_of(model, command)).list);
}

std::string print_steps(const Model& model, const Command& command) {
  const ir::Network network = network_of(model, command);
  return compiler::print_execution(compiler::calls_of(network).list, network);
}

TensorMap zeros_for(const ir::Graph& graph) {
  TensorMap weights;
  for (const ir::Weight& weight : ir::weights_of(graph))
    weights.emplace(weight.name, Tensor::from_f32(ir::shape_of(weight.type),
                                                  std::vector<float>(static_cast<std::size_t>(elements(weight.type)))));
  return weights;
}

// What an object adds to its kernels. Their bodies are left out, which plans tell better, and so is what other versions
// of LLVM write differently: attributes, declarations, the layout of data.
std::string without_kernels(const std::string& llvm) {
  std::istringstream lines(llvm);
  std::string text;
  bool in_kernel = false;
  for (std::string line; std::getline(lines, line);) {
    const bool begins = line.starts_with("define internal") && line.find("@kernel") != std::string::npos;
    if (begins) text += line.substr(0, line.find(')') + 1) + " { its stages }\n\n";
    in_kernel = (in_kernel || begins) && line != "}";
    const bool is_left_out = in_kernel || line.empty() || line.starts_with(";") ||
                             line.starts_with("source_filename") || line.starts_with("target ") ||
                             line.starts_with("attributes ") || line.starts_with("declare ");
    if (is_left_out || (line == "}" && text.ends_with("stages }\n\n"))) continue;
    text += std::regex_replace(line, std::regex(" #[0-9]+"), "") + (line == "}" ? "\n\n" : "\n");
  }
  return text;
}

std::string print_object(const Model& model, const Command& command) {
  ObjectOptions options{.dims = command.dims};
  std::istringstream cpus(command.argument);
  for (std::string cpu; std::getline(cpus, cpu, ',');) options.targets.push_back(cpu);
  const bool is_network = !model.module().networks.empty();
  const TensorMap weights = is_network ? zeros_for(network_of(model, command)) : zeros_for(cell_of(model, command));
  return without_kernels(compiler::object_llvm(model, weights, options).value());
}

std::string print_gradient(const Model& model, const Command& command) {
  const bool is_network = !model.module().networks.empty();
  const ir::Network network = is_network ? network_of(model, command) : ir::network_of(cell_of(model, command));
  return compiler::print(compiler::gradient_of(network));
}

using Printer = std::function<std::string(const Model& model, const Command& command)>;

const std::map<std::string, Printer> kPrinters = {
    {"after", print_after},            // of a cell, PASS
    {"plan", print_plan},              // of a cell for CPU
    {"portable", print_portable},      // the program of a cell for the portable executor
    {"directions", print_directions},  // of a network, each scan in one direction
    {"calls", print_calls},            // of a network
    {"steps", print_steps},            // of a network, as it runs
    {"gradient", print_gradient},      // of a cell or network
    {"object", print_object},          // of a cell or network for CPU,...
};

std::string produce(const Golden& golden) {
  const Command command = parse_command(golden.command);
  const Model model = (command.standard.empty() ? parse(golden.input) : standard_cell(command.standard)).value();
  return kPrinters.at(command.what)(model, command);
}

}  // namespace

TEST_CASE("cells and networks print as expected at each stage of their way", "[golden]") {
  int files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(RNNC_SOURCE_DIR) / "tests/golden")) {
    if (entry.path().extension() != ".golden") continue;
    ++files;
    const Golden golden = read(entry.path());
    INFO(entry.path().filename() << ": " << golden.reason);
    const std::string produced = produce(golden);
    if (std::getenv("RNNC_BLESS"))
      std::ofstream(entry.path()) << golden.reason << "\n"
                                  << golden.command << "\n"
                                  << golden.input << kRule << produced;
    else
      CHECK(produced == golden.expected);
  }
  CHECK(files >= 30);
}

}  // namespace rnnc::test
