#include "tools/flags.hpp"
#include "runtime/number_format.hpp"

#include <charconv>

#include <rnnc/join.hpp>

#include "ir/syntax.hpp"
#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"
#include "tools/version.hpp"

namespace rnnc::tools {
namespace {

// CLI11 asks the check about a text: the answer is "" where the text is a number in [least, most], else the complaint.
CLI::Validator number_check(std::int64_t least, std::int64_t most) {
  const auto check = [least, most](const std::string& text) {
    return whole_number(text, least, most) ? std::string() : no_number(text, least, most);
  };
  return {check, "", ""};
}

}  // namespace

std::string no_number(const std::string& text, std::int64_t least, std::int64_t most) {
  return "'" + text + "' is not a whole number from " + std::to_string(least) + " to " + std::to_string(most);
}

std::optional<std::int64_t> whole_number(const std::string& text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || value < least || value > most) return std::nullopt;
  return value;
}

CLI::Option* add_number(CLI::App& app, const std::string& name, std::int64_t& value, std::int64_t least,
                        std::int64_t most, const std::string& description) {
  return app.add_option(name, value, description)->check(number_check(least, most))->type_name("N");
}

CLI::Option* add_numbers(CLI::App& app, const std::string& name, std::vector<std::int64_t>& values, std::int64_t least,
                         std::int64_t most, const std::string& description) {
  return app.add_option(name, values, description)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(number_check(least, most))
      ->type_name("N,...");
}

namespace {

CLI::Validator one_of(const std::vector<std::string>& choices) {
  const auto check = [choices](const std::string& text) -> std::string {
    for (const std::string& choice : choices)
      if (text == choice) return "";
    return "'" + text + "' is none of " + join(choices) + ir::did_you_mean(text, choices);
  };
  return {check, "", ""};
}

}  // namespace

CLI::Option* add_choice(CLI::App& app, const std::string& name, std::string& value,
                        const std::vector<std::string>& choices, const std::string& description) {
  return app.add_option(name, value, description)->check(one_of(choices))->type_name(join(choices, "|"));
}

CLI::Option* add_choices(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                         const std::vector<std::string>& choices, const std::string& description) {
  return app.add_option(name, values, description)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(one_of(choices))
      ->type_name(join(choices, "|") + ",...");
}

CLI::Option* add_list(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                      const std::string& description) {
  return app.add_option(name, values, description)->allow_extra_args(false)->type_name("NAME=VALUE");
}

// `native` is what compilers call this machine's CPU, and `host` what the library does.
CLI::Option* lists_cpus(CLI::Option* option) {
  const auto rename = [](std::string& name) {
    // The exception carries text to standard output and ends the program well.
    if (name == "help") throw CLI::CallForVersion(cpu_list_text(), 0);
    if (name == "native") name = "host";
    return std::string();
  };
  return option->transform(CLI::Validator(rename, "", ""));
}

CLI::Option* takes_standard_input(CLI::Option* option) {
  const auto rename = [](std::string& path) {
    if (path == "-") path = kStandardInput;
    return std::string();
  };
  return option->transform(CLI::Validator(rename, "", ""));
}

void add_part_flags(CLI::App& app, PartFlags& flags, bool with_shape) {
  app.add_option("--node", flags.node, "of an ONNX or TFLite model: the recurrent node to take alone, inside an If too")
      ->type_name("NAME");
  add_list(app, "--const", flags.constants,
           "of an ONNX or TFLite model: the value of an input that stays the same: sr=16000")
      ->type_name("NAME=N,...");
  if (with_shape)
    add_list(app, "--shape", flags.shapes,
             "of an ONNX or TFLite model: the shape of an input whose sizes the file leaves open: input=1x512; ? for "
             "one that "
             "stays open")
        ->type_name("NAME=1x512");
  add_list(
      app, "--carry", flags.carried,
      "of an ONNX or TFLite model: an input that is a state, and the output that is its new value; such a model runs "
      "step by step")
      ->type_name("IN=OUT");
  app.add_option("--take", flags.output, "of an ONNX or TFLite model: the output that becomes y (default: the first)")
      ->type_name("OUTPUT");
  add_choice(app, "--like", flags.like, {"onnxruntime"},
             "of an ONNX model: the program to follow where it differs from ONNX's text (default: the text)");
  app.add_option("--prefix", flags.prefix,
                 "the module of a state_dict, by what its tensors' names begin with: encoder.lstm; several, which run "
                 "one behind the other: lstm,fc")
      ->type_name("NAME");
  app.add_flag("--relu", flags.relu,
               "a state_dict of torch.nn.RNN has nonlinearity='relu', which it does not say (default: tanh)");
}

void add_model_flags(CLI::App& app, ModelFlags& flags, bool with_shape) {
  begin_group(app, kModelGroup);
  takes_standard_input(app.add_option("MODEL", flags.model,
                                      "cells and networks as text (.rnn), or a model of another program: a PyTorch "
                                      "state_dict, ONNX, Keras, TensorFlow Lite, RTNeural, GuitarML, NAM, RNNoise; - "
                                      "is standard input"))
      ->type_name("FILE");
  app.add_option("--cell", flags.cell, "which cell of MODEL; without MODEL, a standard cell: lstm, gru, rnn, ...")
      ->type_name("CELL");
  add_part_flags(app, flags.part, with_shape);
  app.add_option(
         "--weights", flags.weights,
         "weights by the names of the cell's parameters (default: beside a text m.rnn, m.safetensors that has these)")
      ->type_name("W.safetensors");
  add_list(app, "--dim", flags.dims, "a dim that the weights do not tell")->type_name("H=128");
  begin_group(app, kMachineGroup);
  lists_cpus(
      app.add_option("--isa,--target", flags.isa,
                     "the CPU to compile for: native, x86-64-v2, x86-64-v3, x86-64-v4, znver4, ...; help lists all"))
      ->type_name("CPU");
  begin_group(app, kModelGroup);
}

void add_stacked_model_flags(CLI::App& app, ModelFlags& flags, bool with_shape) {
  add_model_flags(app, flags, with_shape);
  add_number(app, "--layers", flags.stack.layers, 1, 1024,
             "makes a network of so many layers of the cell, with weights l1.NAME, l2.NAME, ... (default 1)");
  app.add_flag("--bidirectional", flags.stack.bidirectional,
               "layers of both directions side by side, with weights l1.fwd.NAME, l1.bwd.NAME, ...");
}

void add_backend_flag(CLI::App& app, ModelFlags& flags, const std::vector<std::string>& backends) {
  add_choice(
      app, "--backend", flags.backend, backends,
      "what computes: jit, code made for this machine; portable, operations one by one; auto, jit where it can be "
      "had" +
          std::string(backends.size() > 3 ? "; interpret, the equations in double precision" : "") + " (default jit)")
      ->group(kMachineGroup);
}

void add_layout_flag(CLI::App& app, std::string& layout) {
  add_choice(app, "--layout", layout, {kStepsFirst, kBatchFirst},
             "how sequences lie in files: [T,B,F], or [B,T,F] as of batch_first in PyTorch (default tbf)");
}

void add_plan_flag(CLI::App& app, ModelFlags& flags) {
  app.add_option("--plan", flags.plan,
                 "how to lay stages on the machine, as inspect --emit plan prints it: STAGE:BLOCKS/BLOCKS/COLUMNS,...")
      ->type_name("PLAN")
      ->group(kMachineGroup);
}

std::vector<std::string> weight_formats() {
  std::vector<std::string> formats;
  for (const WeightFormat format : runtime::kNumberFormats) formats.emplace_back(runtime::name(format));
  return formats;
}

void add_weights_as_flag(CLI::App& app, ModelFlags& flags) {
  add_choice(
      app, "--weights-as", flags.weights_as, weight_formats(),
      "how products keep their weights: f16 and bf16 in half the memory; w16, w8a16 and w8 as integers of 16 or 8 "
      "bits, which multiply vectors of 16, 16 and 8 bits (default f32)")
      ->group(kMachineGroup);
  add_integer_flags(app, flags);
}

void add_integer_flags(CLI::App& app, ModelFlags& flags) {
  app.add_option("--ranges", flags.ranges,
                 "the ranges of vectors that rnnc calibrate has measured; goes with --weights-as w16, w8a16 or w8")
      ->type_name("RANGES.json")
      ->group(kMachineGroup);
  app.add_flag("--sparse", flags.sparse,
               "products of integers in the step leave out weights that are zero, as rnnc prune makes them: the same "
               "bits, sooner where a half is zero")
      ->group(kMachineGroup);
}

WeightFormat weight_format(const ModelFlags& flags) {
  for (const WeightFormat format : runtime::kNumberFormats)
    if (flags.weights_as == runtime::name(format)) return format;
  return WeightFormat::F32;
}

Result<Assignments> parse_assignments(const std::string& flag, const std::vector<std::string>& texts,
                                      const std::string& value_name) {
  Assignments result;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
      return usage_error(flag, "'" + text + "' is not of the form NAME=" + value_name);
    if (!result.emplace(text.substr(0, equals), text.substr(equals + 1)).second)
      return usage_error(flag, text.substr(0, equals) + " is given twice");
  }
  return result;
}

Result<std::map<std::string, std::int64_t>> parse_sizes(const std::string& flag,
                                                        const std::vector<std::string>& texts) {
  const Result<Assignments> assignments = parse_assignments(flag, texts, "SIZE");
  if (!assignments) return assignments.error();
  std::map<std::string, std::int64_t> dims;
  for (const auto& [name, text] : *assignments) {
    const auto value = whole_number(text, 1, kMaxSize);
    if (!value) return usage_error(flag + " " + name, no_number(text, 1, kMaxSize));
    dims[name] = *value;
  }
  return dims;
}

}  // namespace rnnc::tools
