// rnnc bench takes shapes and prints how long their sequences take, beside what this machine needs at least and, where
// asked for, beside oneDNN. This file has its flags and goes from one shape to the next.
#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include "import/write_file.hpp"
#include "tools/artifact.hpp"
#include "tools/baseline.hpp"
#include "tools/bench_contest.hpp"
#include "tools/bench_machine.hpp"
#include "tools/bench_page.hpp"
#include "tools/bench_result.hpp"
#include "tools/bench_shapes.hpp"
#include "tools/bench_table.hpp"
#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"
#include "tools/outputs.hpp"
#include "tools/progress.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

// About this part of the time at a shape goes by before the shape is timed. The line of progress needs no better
// figure.
constexpr double kPreparing = 0.3, kPreparingAndTuning = 0.8;

struct BenchRequest {
  BenchFlags common;
  ShapeLists lists;
  bool machine = false, json = false, csv = false, markdown = false;
  std::string html, library, command;
};

bool agrees(const Difference& difference, const std::string& with, const std::string& remedy = "") {
  if (difference.error <= difference.limit) return true;
  std::cerr << "rnnc: mismatch with " << with << ": error " << difference.error << " at " << difference.where << remedy
            << "\n";
  return false;
}

// ONNX Runtime computes some operators in another way than ONNX specifies.
std::string remedy_of(const BenchFlags& flags) {
  const bool may_differ = flags.against == "onnxruntime" && flags.model.part.like.empty();
  return may_differ ? "; --like onnxruntime follows it where it differs from the specification" : "";
}

Result<void> check_sessions(const BenchFlags& flags) {
  if (flags.sessions > 0 && (flags.steps > 1 || flags.batch > 1 || !flags.steps_of_times.empty()))
    return usage_error("--sessions", "times single steps: give --steps 1 --batch 1");
  if (flags.sessions > 0 && !flags.against.empty())
    return usage_error("--against", "does not go with --sessions; leave one of them out");
  return {};
}

Result<void> check_artifact(const BenchFlags& flags) {
  const bool has_sizes = flags.input_size > 0 || flags.hidden_size > 0;
  for (const auto& [is_given, flag] : {std::pair(flags.tune, "--tune"),
                                       {has_sizes, flags.input_size > 0 ? "--input-size" : "--hidden-size"},
                                       {!flags.against.empty(), "--against"}})
    if (is_given) return usage_error(flag, "does not go with an artifact; name the model that it was made of");
  return check_sessions(flags);
}

Result<void> check_flags(const BenchFlags& flags, const Source& source) {
  const bool is_portable = flags.model.backend == "portable";
  if (const auto target = target_of(flags.model, true); !target && !is_portable) return target.error();
  if (flags.tune && flags.model.weights_as != "f32")
    return usage_error("--tune", "keeps plans for f32 weights; leave out --weights-as");
  if (is_portable && flags.tune) return usage_error("--tune", "is of generated code; leave out --backend portable");
  if (source.network && flags.tune) return usage_error("--tune", "is of one cell; name it with --cell");
  return check_sessions(flags);
}

Result<BenchForm> form_of(const BenchRequest& request) {
  std::vector<const char*> given;
  BenchForm form = BenchForm::Table;
  for (const auto& [is_given, flag, its_form] : {std::tuple(request.json, "--json", BenchForm::Json),
                                                 {request.csv, "--csv", BenchForm::Csv},
                                                 {request.markdown, "--markdown", BenchForm::Markdown}}) {
    if (!is_given) continue;
    given.push_back(flag);
    form = its_form;
  }
  if (given.size() > 1)
    return usage_error(given[1], std::string("does not go with ") + given[0] + "; leave one of them out");
  return form;
}

// Measures the machine itself, which has no shape.
Result<int> run_machine(const BenchRequest& request) {
  const ModelFlags& model = request.common.model;
  const ShapeLists& lists = request.lists;
  const bool any_model = !(model.model.empty() && model.cell.empty() && model.weights.empty() && model.dims.empty() &&
                           model.plan.empty() && !model.stack.any() && !model.part.any());
  const bool any_shape = !(lists.shapes.empty() && lists.steps.empty() && lists.batch.empty() &&
                           lists.input_size.empty() && lists.hidden_size.empty() && lists.threads.empty());
  for (const auto& [is_given, what] : {std::pair(any_model, "a model"),
                                       {any_shape, "a shape"},
                                       {!model.isa.empty(), "--isa"},
                                       {request.common.tune, "--tune"},
                                       {!lists.weights_as.empty(), "--weights-as"},
                                       {model.sparse, "--sparse"},
                                       {!request.common.against.empty(), "--against"},
                                       {request.csv, "--csv"},
                                       {request.markdown, "--markdown"},
                                       {!request.html.empty(), "--html"}})
    if (is_given)
      return usage_error("--machine",
                         std::string("measures this machine and does not go with ") + what + "; leave one of them out");
  return bench_machine(request.json);
}

Error at_shape(Error error, const BenchFlags& flags, std::size_t shapes) {
  if (shapes > 1) error.notes.push_back({{}, "of the shape " + shape_of(flags)});
  return error;
}

// Finds the mistakes in later shapes before the first shape is timed.
Result<void> check_shape(const BenchFlags& flags, const BaselineLibrary* library) {
  if (is_artifact(flags.model.model)) return check_artifact(flags);
  Result<Source> source = load_source(flags.model);
  if (!source) return source.error();
  if (const auto checked = check_flags(flags, *source); !checked) return checked.error();
  if (const auto added = add_sizes(flags, *source); !added) return added.error();
  const Result<ir::Network> network = bind(*source);
  if (!network) return network.error();
  return library != nullptr ? library->check(*source, *network) : Result<void>();
}

// The first compilation of a process takes longer than others, since LLVM sets itself up in it. A small cell goes ahead
// of the shapes, so that all of these are timed alike.
void warm_up_compiler(const ModelFlags& flags) {
  ModelFlags tiny;
  tiny.cell = "rnn";
  tiny.dims = {"I=1", "H=1"};
  tiny.isa = flags.isa;
  tiny.backend = flags.backend;
  if (const Result<Source> source = load_source(tiny)) (void)compile(*source, tiny, 1, false);
}

struct Timed {
  BenchResult result;
  std::vector<std::string> notes;
  Difference from_interpreter, from_baseline;
  std::string compared_with;
};

Result<Contest> contest_of(const BenchFlags& flags, const BaselineLibrary* library, const Report& report) {
  if (is_artifact(flags.model.model)) {
    if (const auto checked = check_artifact(flags); !checked) return checked.error();
    return make_artifact_contest(flags);
  }
  Result<Source> source = load_source(flags.model);
  if (!source) return source.error();
  if (const auto checked = check_flags(flags, *source); !checked) return checked.error();
  Result<BenchJob> job = make_job(flags, std::move(*source));
  if (!job) return job.error();
  return make_contest(std::move(*job), library, report);
}

Result<Timed> time_shape(const BenchFlags& flags, const BaselineLibrary* library, std::optional<Limits>& limits,
                         const Report& report) {
  if (flags.threads == 1)
    stay_on_this_cpu();
  else
    use_all_cpus();
  const double preparing = flags.tune ? kPreparingAndTuning : kPreparing;
  const Result<Contest> contest = contest_of(flags, library, part_of(report, 0, preparing));
  if (!contest) return contest.error();
  if (!limits) {
    report(preparing, "measuring what the machine can do");
    limits = load_limits();
  }
  BenchResult result = measure(*contest, part_of(report, preparing, 1));
  if (result.knows_limit && correct_limits(result, *limits)) (void)keep_limits(*limits);
  judge(result, *limits);
  return Timed{std::move(result), contest->notes, contest->from_interpreter, contest->from_baseline,
               contest->compared_with};
}

void warn_of_noise(const std::vector<BenchResult>& results) {
  const BenchResult* worst = nullptr;
  int noisy = 0;
  for (const BenchResult& result : results) {
    if (!result.noise.is_noisy()) continue;
    ++noisy;
    if (worst == nullptr || result.noise.median_over_min > worst->noise.median_over_min) worst = &result;
  }
  if (worst == nullptr) return;
  std::cerr << "rnnc: warning: the machine is noisy";
  if (results.size() > 1) std::cerr << " at " << noisy << " of " << results.size() << " shapes";
  std::cerr << ": " << (results.size() > 1 ? "at " + worst->shape + " " : "") << worst->noise.to_string()
            << "; times are too long and not alike for all\n";
}

Result<void> write_page(const BenchRequest& request, const std::vector<BenchResult>& results, const Limits& limits) {
  if (request.html.empty()) return {};
  const std::string page = bench_page(results, limits, request.command);
  return files::write_file(request.html, {std::as_bytes(std::span(page))});
}

// Takes the shapes of a model's inputs, NAME=1x512, out of --shape, whose others are cells and sizes.
BenchRequest with_shapes_of_inputs(BenchRequest request) {
  std::vector<std::string>& shapes = request.lists.shapes;
  for (const std::string& text : shapes)
    if (text.find('=') != std::string::npos) request.common.model.part.shapes.push_back(text);
  std::erase_if(shapes, [](const std::string& text) { return text.find('=') != std::string::npos; });
  return request;
}

Result<int> run(const BenchRequest& given) {
  if (given.machine) return run_machine(given);
  const BenchRequest request = with_shapes_of_inputs(given);
  const Result<BenchForm> form = form_of(request);
  if (!form) return form.error();
  if (is_artifact(request.common.model.model) && !request.html.empty())
    return usage_error("--html", "shows limits, which an artifact does not tell; name the model that it was made of");
  Result<std::vector<BenchFlags>> shapes = each_shape(request.common, request.lists);
  if (!shapes) return shapes.error();
  if (shapes->size() > 1 && request.common.model.model == kStandardInput)
    return usage_error("MODEL", "standard input is read once, which is too little for several shapes; give a file");
  if (const auto checked = check_page_path(request.html, request.common.model); !checked) return checked.error();
  const std::string& against = request.common.against;
  if (against.empty() && !request.library.empty())
    return usage_error("--library", "goes with --against; name a baseline");
  std::unique_ptr<BaselineLibrary> library;
  if (!against.empty()) {
    // The library is loaded before this thread keeps to one CPU, which OpenMP would take for the whole machine.
    Result<std::unique_ptr<BaselineLibrary>> loaded = load_baseline(against, request.library);
    if (!loaded) return loaded.error();
    library = std::move(*loaded);
  }
  std::vector<std::string> names;
  for (const BenchFlags& flags : *shapes) {
    names.push_back(shape_of(flags));
    if (shapes->size() == 1) continue;
    if (const auto checked = check_shape(flags, library.get()); !checked)
      return at_shape(checked.error(), flags, shapes->size());
    for (BenchFlags& each : *shapes) each.model.is_known = true;
  }
  warm_up_compiler(request.common.model);
  BenchPrinter printer(*form, names);
  Progress progress("bench");
  std::optional<Limits> limits;
  std::vector<BenchResult> results;
  bool all_agree = true;
  for (std::size_t i = 0; i < shapes->size(); ++i) {
    const auto begin = static_cast<double>(i), all = static_cast<double>(shapes->size());
    const Report whole = [&](double done, const std::string& what) { progress.show(done, names[i] + ", " + what); };
    Result<Timed> timed =
        time_shape((*shapes)[i], library.get(), limits, part_of(whole, begin / all, (begin + 1) / all));
    progress.clear();
    if (!timed) return at_shape(timed.error(), (*shapes)[i], shapes->size());
    printer.print(timed->result, timed->notes);
    all_agree &= agrees(timed->from_interpreter, timed->compared_with);
    all_agree &= agrees(timed->from_baseline, baseline_title(against), remedy_of(request.common));
    results.push_back(std::move(timed->result));
  }
  if (const std::string summary = summary_of(results); *form == BenchForm::Table && !summary.empty())
    std::cout << summary << std::endl;
  warn_of_noise(results);
  if (const auto written = write_page(request, results, *limits); !written) return written.error();
  return all_agree ? kOk : kMismatch;
}

}  // namespace

Verb add_bench(CLI::App& program, const std::string& command) {
  CLI::App& app = add_verb(
      program, "bench",
      {"rnnc bench --cell lstm --steps 100 --batch 1 --input-size 64 --hidden-size 64 --against onednn",
       "rnnc bench --cell lstm,gru --steps 100 --batch 1,16 --input-size 64 --hidden-size 64 --html report.html",
       "rnnc bench --shape lstm:100:1:64:64,gru:1:1:4:40 --csv",
       "rnnc bench --shape lstm:100:1:256:256 --weights-as f32,w16,w8",
       "rnnc bench lstm.rnn --weights lstm.safetensors --steps 20 --batch 4 --json", "rnnc bench --machine"},
      "Times a cell or network on this machine: best, median and 99th percentile of calls, and the limit that the "
      "machine itself sets. Several shapes are a row each.");
  auto request = std::make_shared<BenchRequest>();
  request->command = command;
  BenchFlags& flags = request->common;
  add_stacked_model_flags(app, flags.model, false);
  begin_group(app, kDataGroup);
  add_shape_flags(app, request->lists);
  add_choice(
      app, "--against", flags.against, baseline_names(),
      "a baseline to time in turns and to compare results with: oneDNN in f32, in bf16, or with weights and values of "
      "8 bits, whose conversion from and to f32 is not timed; onnxruntime runs MODEL, an ONNX file, on an installed "
      "ONNX Runtime; torch runs MODEL, a state_dict, or layers of lstm, gru or rnn, in PyTorch");
  app.add_option("--library", request->library,
                 "with --against: ONNX Runtime's shared library, or the Python that has PyTorch, where they are not "
                 "found")
      ->type_name("FILE");
  add_number(app, "--rounds", flags.rounds, 3, 1000, "turns of each contestant (default 5)");
  add_number(app, "--seed", flags.seed, 0, std::int64_t{1} << 53, "of the random data (default 1)");
  add_plan_flag(app, flags.model);
  add_backend_flag(app, flags.model, {"jit", "portable", "auto"});
  add_choices(app, "--weights-as", request->lists.weights_as, weight_formats(),
              "how products keep their weights, as of rnnc run; of several formats, each shape is timed with each "
              "(default f32)")
      ->group(kMachineGroup);
  add_integer_flags(app, flags.model);
  app.add_flag("--tune", flags.tune, "first time the plausible plans, and keep the best in the cache folder");
  app.add_flag("--machine", request->machine,
               "measure this machine instead of a shape, keep its numbers in the cache folder, where plans for it find "
               "them, and tell how good predictions by them are; with --json or alone")
      ->group(kMachineGroup);
  app.add_flag("--ragged", flags.ragged, "also time sequences of lengths that are uniform from 1 to --steps");
  add_number(app, "--sessions", flags.sessions, 1, 1 << 20,
             "time a step of so many streams, one by one and together; with --steps 1 --batch 1");
  begin_group(app, kOutputGroup);
  app.add_flag("--json", request->json, "instead of the table an object a shape, each on a line of its own");
  app.add_flag("--csv", request->csv, "instead of the table the same figures as CSV, with a head");
  app.add_flag("--markdown", request->markdown, "the table as Markdown");
  app.add_option("--html", request->html,
                 "also write a page with the table, a roofline and the distribution of times, which needs nothing else")
      ->type_name("report.html");
  return {&app, [request] { return run(*request); }};
}

}  // namespace rnnc::tools
