// rnnc inspect prints a cell or network as text after any pass, as a list of calls, as a plan or portable program, as
// LLVM IR or as assembly.
#include <iostream>
#include <memory>
#include <set>
#include <sstream>

#include <rnnc/join.hpp>

#include "compiler/gradient/print_gradient.hpp"
#include "compiler/inspect/dot.hpp"
#include "compiler/inspect/print_network.hpp"
#include "compiler/llvm/assembly.hpp"
#include "compiler/llvm/codegen.hpp"
#include "compiler/network/network.hpp"
#include "compiler/object/object_llvm.hpp"
#include "compiler/passes/pass.hpp"
#include "compiler/portable/print.hpp"
#include "compiler/portable/translate.hpp"
#include "compiler/schedule/describe.hpp"
#include "compiler/schedule/lower.hpp"
#include "ir/environment.hpp"
#include "ir/print.hpp"
#include "ir/scan.hpp"
#include "ir/syntax.hpp"
#include "tools/artifact.hpp"
#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"
#include "tools/flags.hpp"
#include "tools/load_model.hpp"
#include "tools/plan_cell.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

struct InspectFlags {
  ModelFlags model;
  std::string after, emit = "text";
  bool dot = false, object = false, gradient = false;
};

bool is_portable(const InspectFlags& flags) { return flags.model.backend == "portable"; }

Result<void> check_pass(const InspectFlags& flags) {
  if (flags.after.empty()) return {};
  if (flags.emit != "text") return usage_error("--after", "goes with --emit text only; leave one of them out");
  std::vector<std::string> known;
  for (const compiler::Pass& pass : compiler::kPasses) {
    const bool is_other = pass.of_integers && !runtime::is_integer(weight_format(flags.model));
    if (pass.name == flags.after && is_other)
      return usage_error("--after", flags.after + " is a pass for weights of integers; add --weights-as w8, say");
    if (pass.name == flags.after) return {};
    known.emplace_back(pass.name);
  }
  return usage_error("--after", "there is no pass '" + flags.after + "'; in their order they are " + join(known) +
                                    ir::did_you_mean(flags.after, known));
}

std::string show_graph(const ir::Graph& graph, const InspectFlags& flags) {
  return flags.dot ? compiler::dot_of(graph) : ir::print(graph);
}

// A network is shown with the cells that it runs and that its file has, so that the text is a model by itself. The
// standard cells have a verb of their own.
std::string show_model(const Source& source, const ir::Graph& graph, const InspectFlags& flags) {
  std::string text;
  if (source.network && !flags.dot) {
    std::set<std::string> run;
    for (const ir::Node& node : source.network->nodes)
      if (node.op == ir::Op::Scan) run.insert(node.scan->cell->name);
    for (const ir::Cell& cell : source.model.module().cells)
      if (run.contains(cell.name)) text += ir::print(cell) + "\n";
  }
  return text + show_graph(graph, flags);
}

// The two networks that train the model, with their cells. Each part is a model by itself.
Result<std::string> show_gradient(const Source& source) {
  const Result<ir::Network> network = bind(source);
  if (!network) return network.error();
  return compiler::print(compiler::gradient_of(*network));
}

Error about_plan(Error error) {
  if (error.code == ErrorCode::Usage) error.message = "--plan: " + error.message;
  return error;
}

Result<std::string> show_portable(const ir::Cell& cell, WeightFormat weights) {
  const Result<compiler::CellCode> code = compiler::portable_code_of(cell, *runtime::portable_kernels(""), weights);
  if (!code) return code.error();
  return compiler::print_portable(*code);
}

Result<std::string> show_cell(const ir::Cell& cell, const InspectFlags& flags, const compiler::Target& target) {
  if (!flags.after.empty())
    return show_graph(compiler::run_passes(cell, flags.after, {}, compiler::kPasses, weight_format(flags.model)),
                      flags);
  if (is_portable(flags)) return show_portable(cell, weight_format(flags.model));
  const Result<PlannedCell> made = plan_cell(cell, target, flags.model);
  if (!made) return about_plan(made.error());
  const compiler::Lowered& lowered = made->lowered;
  if (flags.dot) return compiler::dot_of(lowered.plan, lowered.schedule);
  const std::string tuned =
      made->tuned_in.empty() ? "" : "tuned: the plan that bench --tune kept in " + made->tuned_in + "\n";
  if (flags.emit == "plan") return tuned + compiler::print(lowered.plan, lowered.schedule, target);
  if (flags.emit == "llvm") return compiler::emit_llvm(lowered.schedule, lowered.plan, target);
  return compiler::mark_loops(target.arch, compiler::emit_assembly(lowered.schedule, lowered.plan, target));
}

// Shows what runs when, then each cell that is called.
Result<std::string> show_network(const Source& source, const InspectFlags& flags, const compiler::Target& target) {
  const Result<ir::Network> network = bind_with_ranges(source);
  if (!network) return network.error();
  if (!flags.model.plan.empty()) return usage_error("--plan", "is of one cell; name it with --cell");
  const compiler::CallList list = compiler::calls_of(*network).list;
  if (flags.emit == "calls") return compiler::print(list);
  if (flags.dot && flags.emit == "plan") return compiler::dot_of(list, *network);
  const std::string comment = flags.emit == "llvm" ? "; " : flags.emit == "asm" ? "# " : "// ";
  std::string text = flags.emit == "plan" ? compiler::print_execution(list, *network) : "";
  for (const compiler::CalledCell& called : compiler::called_cells(list)) {
    const Result<std::string> shown = show_cell(called.cell, flags, target);
    if (!shown) return shown.error();
    text += "\n" + comment + called.cell.name + " of " + called.callers + "\n" + *shown;
  }
  return text;
}

// All weights are zeros, whatever they are in the model, since they are data of the object and not code.
TensorMap zeros_for(const ir::Network& network) {
  TensorMap weights;
  for (const ir::Weight& weight : ir::weights_of(network)) {
    const std::vector<float> zeros(static_cast<std::size_t>(elements(weight.type)));
    weights.emplace(weight.name, Tensor::from_f32(ir::shape_of(weight.type), zeros));
  }
  return weights;
}

// Splits the names of CPUs at commas. An object for several CPUs chooses one of them when it runs.
Result<std::vector<std::string>> cpus_of(const ModelFlags& flags) {
  std::istringstream names(flags.isa.empty() ? read_environment().isa : flags.isa);
  std::vector<std::string> cpus;
  ModelFlags one;
  while (std::getline(names, one.isa, ',')) {
    if (const auto target = target_of(one, false); !target) return target.error();
    cpus.push_back(one.isa);
  }
  return cpus;
}

Result<std::string> show_object(const Source& source, const InspectFlags& flags) {
  const Result<std::vector<std::string>> cpus = cpus_of(flags.model);
  if (!cpus) return cpus.error();
  const Result<ir::Network> network = bind(source);
  if (!network) return network.error();
  const ObjectOptions options{.cell = network->name, .dims = source.dims, .targets = *cpus};
  return compiler::object_llvm(source.model, zeros_for(*network), options);
}

Result<std::string> show_lowered(const Source& source, const InspectFlags& flags) {
  if (flags.object) return show_object(source, flags);
  const Result<compiler::Target> target = target_of(flags.model, false);
  if (!target) return target.error();
  if (source.network) return show_network(source, flags, *target);
  if (flags.emit == "calls") return usage_error("--emit", "calls are of a network; leave --cell out");
  const Result<ir::Cell> cell = bind_cell(source);
  if (!cell) return cell.error();
  return show_cell(*cell, flags, *target);
}

// Checks which flags go together.
Result<void> check_flags(const InspectFlags& flags) {
  if (const auto checked = check_pass(flags); !checked) return checked.error();
  const bool has_plan = flags.emit == "plan" || flags.emit == "llvm" || flags.emit == "asm";
  if (!flags.model.plan.empty() && (!has_plan || is_portable(flags)))
    return usage_error("--plan", "goes with --emit plan, llvm or asm of --backend jit; give one of them");
  if (is_portable(flags) && flags.emit != "plan")
    return usage_error("--backend", "portable goes with --emit plan, which shows its program; give that");
  if (flags.dot && (is_portable(flags) || (flags.emit != "text" && flags.emit != "plan")))
    return usage_error("--dot", "goes with --emit text or plan of --backend jit; leave one of them out");
  if (flags.gradient && (flags.emit != "text" || !flags.after.empty() || flags.dot))
    return usage_error("--gradient", "goes with --emit text and without --after and --dot; leave them out");
  if (flags.object && flags.emit != "llvm")
    return usage_error("--object", "goes with --emit llvm; give that, or leave it out");
  return {};
}

// An artifact has code and no text, so only its levels can be shown.
Result<std::string> show_artifact(const InspectFlags& flags) {
  if (const auto checked = check_artifact_flags(flags.model); !checked) return checked.error();
  const std::pair<const char*, bool> given[] = {{"--isa", !flags.model.isa.empty()}, {"--after", !flags.after.empty()},
                                                {"--emit", flags.emit != "text"},    {"--dot", flags.dot},
                                                {"--gradient", flags.gradient},      {"--object", flags.object}};
  for (const auto& [flag, is_given] : given)
    if (is_given) return usage_error(flag, "an artifact shows its levels only; name the model that it was made of");
  return describe_artifact(flags.model.model);
}

Result<std::string> show(const InspectFlags& flags) {
  if (is_artifact(flags.model.model)) return show_artifact(flags);
  if (const auto checked = check_flags(flags); !checked) return checked.error();
  ModelFlags model = flags.model;
  model.weights_beside = false;  // what is shown are the dims of the text, where nothing binds them
  const Result<Source> source = load_source(model);
  if (!source) return source.error();
  if (flags.gradient) return show_gradient(*source);
  if (flags.emit != "text" || !flags.after.empty()) return show_lowered(*source, flags);
  if (source->dims.empty() && source->weights.empty()) return show_model(*source, source->graph(), flags);
  const auto text = [&](const auto& bound) -> Result<std::string> {
    if (!bound) return bound.error();
    return show_model(*source, *bound, flags);
  };
  return source->network ? text(bind(*source)) : text(bind_cell(*source));
}

Result<int> run(const InspectFlags& flags) {
  const Result<std::string> text = show(flags);
  if (!text) return text.error();
  std::cout << *text << (text->ends_with('\n') ? "" : "\n") << std::flush;
  return kOk;
}

}  // namespace

Verb add_inspect(CLI::App& program) {
  CLI::App& app = add_verb(
      program, "inspect",
      {"rnnc inspect --cell lstm", "rnnc inspect --cell lstm --dim I=64 --dim H=128 --after hoist",
       "rnnc inspect --cell gru --dim I=64 --dim H=128 --emit plan",
       "rnnc inspect --cell gru --dim I=64 --dim H=128 --emit plan --backend portable",
       "rnnc inspect model.onnx --emit asm --isa aarch64-cortex-a72", "rnnc inspect --cell gru --dot > gru.dot",
       "rnnc inspect --cell gru --dim I=3 --dim H=4 --gradient"},
      "Shows a cell or network as text, after any pass, or as what is made of it for a CPU, which need not be this "
      "machine's; of an artifact, which CPUs it is for.");
  auto flags = std::make_shared<InspectFlags>();
  add_stacked_model_flags(app, flags->model);
  add_plan_flag(app, flags->model);
  add_backend_flag(app, flags->model, {"jit", "portable"});
  add_weights_as_flag(app, flags->model);
  begin_group(app, kOutputGroup);
  app.add_option("--after", flags->after, "show the text after this pass")->type_name("PASS");
  add_choice(app, "--emit", flags->emit, {"text", "calls", "plan", "llvm", "asm"}, "what to show (default text)");
  app.add_flag("--dot", flags->dot, "draw it for Graphviz: of text the operations, of plan the stages");
  app.add_flag("--gradient", flags->gradient, "show the forward and the backward pass that train the model");
  app.add_flag("--object", flags->object, "of LLVM IR: all of the object that compile makes, with zeros for weights");
  return {&app, [flags] { return run(*flags); }};
}

}  // namespace rnnc::tools
