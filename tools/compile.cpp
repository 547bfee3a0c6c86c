// rnnc compile turns a cell or network and its weights into an object file with a header, or into an artifact.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>

#include <rnnc/ahead.hpp>
#include <rnnc/join.hpp>

#include "compiler/llvm/resolve_target.hpp"
#include "import/write_file.hpp"
#include "tools/artifact.hpp"
#include "tools/command_line.hpp"
#include "tools/compile_targets.hpp"
#include "tools/compile_wasm.hpp"
#include "tools/exit_code.hpp"
#include "tools/flags.hpp"
#include "tools/given_weights.hpp"
#include "tools/load_model.hpp"
#include "tools/outputs.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

struct CompileFlags {
  ModelFlags model;
  std::string output, header, name, visibility = "default";
  std::vector<std::string> targets;
  std::int64_t threads = 1;
  bool weights_apart = false, worklet = false;
};

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

// Returns the name of a file without folder and extension, with _ for what a C name cannot have.
std::string name_of_file(const std::string& path) {
  std::string name = std::filesystem::path(path).stem().string();
  std::ranges::replace_if(
      name, [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
}

// Says what was made on standard output. This machine's CPU has its name there, since the file may go to another one.
void tell(const std::string& file, const std::string& name, std::vector<std::string> targets) {
  if (const auto host = compiler::resolve_target("host"); host) std::ranges::replace(targets, "host", host->cpu);
  std::cout << file << ": " << name << " for " << join(targets) << "\n";
}

Result<void> check_lengths(const CompileFlags& flags, const Source& source, const std::string& file) {
  if (source.given.lengths.empty()) return {};
  return Error{ErrorCode::Unsupported,
               {flags.model.model},
               "the model says how long its sequences are, which " + file +
                   " cannot; compile it to an artifact (-o m.rnnc), whose `run` takes --lengths"};
}

ObjectOptions object_options(const CompileFlags& flags, const Source& source) {
  ObjectOptions options{
      source.graph().name,        source.dims,        flags.name,   flags.targets, flags.visibility == "hidden",
      weight_format(flags.model), flags.model.sparse, source.ranges};
  if (options.name.empty()) options.name = name_of_file(flags.model.model);
  return options;
}

Result<int> write_object(const CompileFlags& flags, const Source& source) {
  if (flags.threads > 1) return usage_error("--threads", "an object's code runs on the thread that calls it");
  if (const auto checked = check_lengths(flags, source, "an object"); !checked) return checked.error();
  const ObjectOptions options = object_options(flags, source);
  const Result<ObjectFiles> files = compile_object(source.model, source.weights, options);
  if (!files) return about_weights(files.error(), source);
  const auto written = files::write_files({{flags.output, {files->object}}, {flags.header, {bytes_of(files->header)}}});
  if (!written) return written.error();
  tell(flags.output, source.graph().name, flags.targets);
  std::cout << flags.header << ": its C header\n";
  const auto is_of_mac = [](const std::string& target) { return target.find("apple") != std::string::npos; };
  if (std::ranges::any_of(flags.targets, is_of_mac))
    std::fprintf(stderr,
                 "rnnc: note: %s is an ELF object with the calling convention of Linux, also for a CPU of Apple; the "
                 "linker of macOS does not take it\n",
                 flags.output.c_str());
  return kOk;
}

Result<void> check_wasm_flags(const CompileFlags& flags) {
  if (flags.threads > 1) return usage_error("--threads", "a module of WebAssembly has one thread");
  if (!flags.header.empty())
    return usage_error("--header", "a module has a script instead; leave it out, or name -o FILE.o");
  if (!flags.name.empty())
    return usage_error("--name",
                       "the functions of a module always have the same names; leave it out, or name -o FILE.o");
  if (flags.visibility != "default")
    return usage_error("--visibility", "a module shows what its script needs; leave it out, or name -o FILE.o");
  return {};
}

WasmRequest wasm_request(const CompileFlags& flags) {
  return {flags.output, flags.targets, flags.weights_apart, flags.worklet};
}

Result<int> write_module(const CompileFlags& flags, const Source& source) {
  if (const auto checked = check_lengths(flags, source, "a module"); !checked) return checked.error();
  if (const auto written = write_wasm(wasm_request(flags), source, object_options(flags, source)); !written)
    return written.error();
  return kOk;
}

Result<int> write_artifact(const CompileFlags& flags, const Source& source) {
  if (!flags.header.empty()) return usage_error("--header", "an artifact has none; leave it out, or name -o FILE.o");
  if (!flags.name.empty()) return usage_error("--name", "an artifact has no symbols; leave it out, or name -o FILE.o");
  if (flags.visibility != "default")
    return usage_error("--visibility", "an artifact has no symbols; leave it out, or name -o FILE.o");
  ArtifactOptions options{
      source.graph().name,        source.dims,        flags.targets, static_cast<int>(flags.threads),
      weight_format(flags.model), flags.model.sparse, source.ranges};
  const auto artifact = compile_artifact(source.model, source.weights, options);
  if (!artifact) return about_weights(artifact.error(), source);
  if (const auto written = files::write_file(flags.output, {*artifact}); !written) return written.error();
  tell(flags.output, source.graph().name, flags.targets);
  return kOk;
}

// Turns m.o into m.h.
std::string header_beside(const std::string& object) { return object.substr(0, object.size() - 1) + "h"; }

enum class FileKind { Object, Artifact, Wasm };

Result<FileKind> kind_of(const std::string& output) {
  if (output.ends_with(".o")) return FileKind::Object;
  if (is_artifact(output)) return FileKind::Artifact;
  if (output.ends_with(".wasm")) return FileKind::Wasm;
  return usage_error("-o",
                     "'" + output +
                         "' ends neither in .o (an object file) nor in .rnnc (an artifact) nor in .wasm (a module of "
                         "WebAssembly)");
}

Result<int> write(FileKind kind, const CompileFlags& flags, const Source& source) {
  switch (kind) {
    case FileKind::Object: return write_object(flags, source);
    case FileKind::Artifact: return write_artifact(flags, source);
    case FileKind::Wasm: return write_module(flags, source);
  }
  return kOk;
}

// Refuses flags that are for modules alone.
Result<void> check_other_flags(const CompileFlags& flags) {
  if (flags.weights_apart)
    return usage_error("--weights-apart", "only a module has its weights apart; leave it out, or name -o FILE.wasm");
  if (flags.worklet)
    return usage_error("--worklet", "only a module has a processor; leave it out, or name -o FILE.wasm");
  return {};
}

// Says what `flags` leave open, and refuses those that the kind of file cannot have.
Result<void> complete(FileKind kind, CompileFlags& flags, std::vector<NamedFile>& written) {
  written = {{"-o", flags.output}};
  if (kind != FileKind::Wasm)
    if (const auto checked = check_other_flags(flags); !checked) return checked.error();
  switch (kind) {
    case FileKind::Object:
      if (flags.header.empty()) flags.header = header_beside(flags.output);
      written.push_back({"--header", flags.header});
      break;
    case FileKind::Artifact: written.push_back({"--header", flags.header}); break;
    case FileKind::Wasm:
      if (const auto checked = check_wasm_flags(flags); !checked) return checked.error();
      if (flags.targets.empty()) flags.targets = {"wasm32"};
      if (const auto checked = check_wasm_paths(wasm_request(flags)); !checked) return checked.error();
      written.clear();
      for (std::string& path : wasm_paths(wasm_request(flags))) written.push_back({"-o", std::move(path)});
      break;
  }
  Result<std::vector<std::string>> targets = targets_of(flags.targets);
  if (!targets) return targets.error();
  flags.targets = std::move(*targets);
  return {};
}

Result<int> run(CompileFlags flags) {
  const Result<FileKind> kind = kind_of(flags.output);
  if (!kind) return kind.error();
  std::vector<NamedFile> written;
  if (const auto completed = complete(*kind, flags, written); !completed) return completed.error();
  if (const auto checked = check_outputs(written, files_of(flags.model)); !checked) return checked.error();
  const Result<Source> source = load_source(flags.model);
  if (!source) return source.error();
  if (const auto checked = check_has_weights(*source); !checked) return checked.error();
  // Binding the network here says what is wrong in terms of flags.
  if (const auto network = bind(*source); !network) return network.error();
  return write(*kind, flags, *source);
}

}  // namespace

Verb add_compile(CLI::App& program) {
  CLI::App& app = add_verb(program, "compile",
                           {"rnnc compile lstm.rnn --weights lstm.safetensors -o lstm.o",
                            "rnnc compile lstm.rnn --weights lstm.safetensors -o arm.o --target aarch64-cortex-a72",
                            "rnnc compile model.onnx -o model.rnnc", "rnnc compile model.onnx -o model.wasm"},
                           "Compiles a cell with its weights to an object file for C programs, to an artifact that "
                           "`run` loads, or to a module of "
                           "WebAssembly with its script.");
  auto flags = std::make_shared<CompileFlags>();
  add_model_flags(app, flags->model);
  begin_group(app, kOutputGroup);
  app.add_option("-o,--output", flags->output, "an object file, an artifact, or a module of WebAssembly")
      ->required()
      ->type_name("m.o|m.rnnc|m.wasm");
  app.add_option("--header", flags->header, "the object's C header (default: beside the object, ending in .h)")
      ->type_name("m.h");
  app.add_option("--name", flags->name,
                 "what the object's symbols begin with (default: the name of MODEL without .rnn, or of the cell)")
      ->type_name("NAME");
  app.add_option("--visibility", flags->visibility,
                 "hidden: a shared library that the object is linked into does not show its symbols (default default)")
      ->check(CLI::IsMember({"default", "hidden"}))
      ->type_name("default|hidden");
  begin_group(app, kMachineGroup);
  app.remove_option(app.get_option("--isa"));  // of one CPU; an object and an artifact may be for several
  lists_cpus(app.add_option("--target,--isa", flags->targets,
                            "the CPU to compile for: native, x86-64-v2, x86-64-v3, x86-64-v4, znver4, "
                            "aarch64-cortex-a72, thumbv7em-cortex-m4, riscv64, wasm32, ...; of "
                            "several, with commas between, the highest runs that the machine can run (default: "
                            "x86-64-v2,x86-64-v3,x86-64-v4); help lists all"))
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("CPU,...");
  add_weights_as_flag(app, flags->model);
  app.add_flag("--weights-apart", flags->weights_apart,
               "puts the weights of a module into m.weights, so that the module holds code alone");
  app.add_flag("--worklet", flags->worklet, "also writes m.worklet.js, with which an AudioWorklet runs a module");
  add_number(app, "--threads", flags->threads, 1, kMaxThreads,
             "threads that an artifact's code may run on (default 1)");
  return {&app, [flags] { return run(*flags); }};
}

}  // namespace rnnc::tools
