// A model and weights become a program: compile() chooses the network or cell, binds its dims, makes code for each kind
// of cell and loads the weights.
#include <rnnc/compile.hpp>
#include <rnnc/default_float_environment.hpp>
#include <rnnc/training.hpp>

#include <new>

#include "compiler/gradient/trainer.hpp"
#include "compiler/llvm/code_of.hpp"
#include "compiler/llvm/resolve_target.hpp"
#include "compiler/network/choose_cell.hpp"
#include "compiler/network/network.hpp"
#include "compiler/portable/translate.hpp"
#include "ir/environment.hpp"
#include "runtime/code_image.hpp"
#include "runtime/program.hpp"
#include "runtime/sharing.hpp"

namespace rnnc {
namespace {

// A tier, and whether its code fuses multiply-adds.
struct Backing : compiler::Tier {
  bool fma = false;
};

Result<Backing> portable(const CompileOptions& options) {
  if (!options.plan.empty())
    return Error{ErrorCode::Usage, {}, "a plan is of generated code; the portable executor has none"};
  const runtime::PortableKernels* kernels = runtime::portable_kernels(options.cpu);
  if (!kernels)
    return Error{ErrorCode::Unsupported,
                 {},
                 "the portable executor has no code for '" + options.cpu +
                     "' that this machine can run; it knows x86-64-v2, x86-64-v3 and x86-64-v4, and host"};
  return Backing{{compiler::portable_cpu(*kernels), [kernels, weights = options.weights](const ir::Cell& cell, bool) {
                    return compiler::plan_portable(cell, *kernels, weights);
                  }}};
}

// Says why no code can be generated; returns "" if it can.
std::string why_not_jit() {
  if (!compiler::can_generate_code()) return "this build has no LLVM";
  if (!runtime::may_map_code()) return "this system lets no program make code at run time";
  return "";
}

// Uses the portable executor instead of generated code. All options stay in force: a plan, or a CPU for which the
// portable executor has no code, is an error that says why no code can be generated.
Result<Backing> fallback(CompileOptions options, const std::string& reason) {
  if (options.cpu.empty()) options.cpu = read_environment().isa;
  Result<Backing> backing = portable(options);
  if (backing) return backing;
  Error error = backing.error();
  error.notes.push_back({{}, "the portable executor runs the program because " + reason});
  return error;
}

Result<Backing> jit(const CompileOptions& options) {
  const std::string cpu = options.cpu.empty() ? read_environment().isa : options.cpu;
  const Result<compiler::Target> target = compiler::resolve_target(cpu);
  if (!target) return target.error();
  const auto plan_code = [target = *target, &options](const ir::Cell& cell, bool beside_others) {
    return compiler::plan_code(cell, target, options, beside_others);
  };
  return Backing{{compiler::name_of(*target), plan_code}, target->fma};
}

CompileOptions with_threads_to_compile(CompileOptions options) {
  if (compiler::shows_stages()) options.compile_threads = 1;  // the texts of several cells would run into each other
  return options;
}

// Binds the program and compiles it by `compile_network`, which takes the bound network.
template <class Compile>
Result<Program> bind_and_compile(const Model& model, const TensorMap& weights, const CompileOptions& options,
                                 const Compile& compile_network) {
  const Result<ir::Network> network = compiler::choose_program(model, weights, options);
  if (!network) return network.error();
  try {
    return compile_network(*network);
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::Limit, network->place({}), "not enough memory for the weights of " + network->name};
  }
}

Result<Program> compile_with(const Result<Backing>& backing, const Model& model, const TensorMap& weights,
                             const CompileOptions& options) {
  if (!backing) return backing.error();
  return bind_and_compile(model, weights, options, [&](const ir::Network& network) {
    return compiler::compile_network(network, *backing, weights, with_threads_to_compile(options));
  });
}

Result<Program> compile_tiered(const Model& model, const TensorMap& weights, const CompileOptions& options) {
  const Result<Backing> later = jit(options);
  if (!later) return later.error();
  // The portable executor has the bits of generated code: with fused multiply-adds, or without.
  CompileOptions at_first;
  at_first.cpu = later->fma ? "host" : "x86-64-v2";
  at_first.weights = options.weights;
  at_first.sparse = options.sparse;
  const Result<Backing> first = portable(at_first);
  if (!first) return compile_with(later, model, weights, options);
  return bind_and_compile(model, weights, options, [&](const ir::Network& network) {
    return compiler::compile_tiers(network, *first, *later, weights, with_threads_to_compile(options));
  });
}

}  // namespace

Result<Program> compile(const Model& model, const TensorMap& weights, const CompileOptions& options) try {
  const DefaultFloatEnvironment environment;
  const auto mark = [](Result<Program> program, const std::string& reason) {
    if (!program) return program;
    program->backend_ = Backend::Portable;
    program->fallback_ = reason;
    return program;
  };
  if (const Result<void> checked = runtime::check_threads(options.threads); !checked) return checked.error();
  if (options.compile_threads < 0) return Error{ErrorCode::Usage, {}, "compile_threads is negative"};
  if (options.backend == Backend::Portable) return mark(compile_with(portable(options), model, weights, options), {});
  if (options.backend == Backend::Jit) return compile_with(jit(options), model, weights, options);
  if (const std::string reason = why_not_jit(); !reason.empty())
    return mark(compile_with(fallback(options, reason), model, weights, options), reason);
  if (options.backend == Backend::Auto) return compile_with(jit(options), model, weights, options);
  return compile_tiered(model, weights, options);
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {}, "not enough memory to compile the model"};
}

Result<Training> Training::make(const Model& model, const TensorMap& weights, const TrainingOptions& options) try {
  const DefaultFloatEnvironment environment;
  const CompileOptions& compile = options.compile;
  if (const Result<void> checked = runtime::check_threads(compile.threads); !checked) return checked.error();
  if (compile.compile_threads < 0) return Error{ErrorCode::Usage, {}, "compile_threads is negative"};
  const std::string reason = compile.backend == Backend::Jit ? "" : why_not_jit();
  const bool is_portable = compile.backend == Backend::Portable || !reason.empty();
  const Result<Backing> backing = compile.backend == Backend::Portable ? portable(compile)
                                  : is_portable                        ? fallback(compile, reason)
                                                                       : jit(compile);
  if (!backing) return backing.error();
  const Result<ir::Network> network = compiler::choose_program(model, weights, compile);
  if (!network) return network.error();
  Result<std::unique_ptr<compiler::Trainer>> trainer = compiler::Trainer::make(*network, *backing, weights, options);
  if (!trainer) return trainer.error();
  return Training(std::move(*trainer));
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {}, "not enough memory to compile the model"};
}

}  // namespace rnnc
