// rnnc explain tells what runs in a model, by which plan, from which memory and in what time, as text or as a page.
#include <filesystem>
#include <iostream>
#include <memory>
#include <span>

#include "import/write_file.hpp"
#include "tools/artifact.hpp"
#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"
#include "tools/explanation.hpp"
#include "tools/outputs.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

struct ExplainRequest {
  BenchFlags flags;
  std::string html, command;
};

Result<int> run(const ExplainRequest& request) {
  if (is_artifact(request.flags.model.model))
    return usage_error("MODEL", "an artifact has code and no text; name the model that it was made of");
  if (const auto checked = check_page_path(request.html, request.flags.model); !checked) return checked.error();
  Progress progress("explain");
  const Result<Explanation> explanation = explain(request.flags, progress.report());
  progress.clear();
  if (!explanation) return explanation.error();
  if (request.html.empty()) {
    std::cout << explain_text(*explanation) << std::flush;
    return kOk;
  }
  const std::string page = explain_page(*explanation, request.command);
  if (const auto written = files::write_file(request.html, {std::as_bytes(std::span(page))}); !written)
    return written.error();
  return kOk;
}

}  // namespace

Verb add_explain(CLI::App& program, const std::string& command) {
  CLI::App& app =
      add_verb(program, "explain",
               {"rnnc explain --cell lstm --dim I=64 --dim H=128", "rnnc explain model.onnx --html model.html",
                "rnnc explain lstm.rnn --weights lstm.safetensors --weights-as w8 --batch 16"},
               "Tells what runs in a model and draws it: layers, the plan of each stage, which memory its weights are "
               "read from, and the predicted and measured time of a step beside the limit of this machine.");
  auto request = std::make_shared<ExplainRequest>();
  request->command = command;
  BenchFlags& flags = request->flags;
  add_stacked_model_flags(app, flags.model);
  begin_group(app, kDataGroup);
  add_number(app, "--steps", flags.steps, 1, kMaxSize,
             "time steps of the measured call (default: those that the file fixes, else 100)");
  add_number(app, "--batch", flags.batch, 1, kMaxSize,
             "sequences side by side (default: those that the file fixes, else 1)");
  begin_group(app, kMachineGroup);
  add_number(app, "--threads", flags.threads, 1, kMaxThreads, "threads to run on (default 1)");
  add_weights_as_flag(app, flags.model);
  begin_group(app, kOutputGroup);
  app.add_option("--html", request->html, "write a page with a drawing, which needs nothing else, and print nothing")
      ->type_name("model.html");
  return {&app, [request] { return run(*request); }};
}

}  // namespace rnnc::tools
