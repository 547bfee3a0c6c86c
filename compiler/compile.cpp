// A model and weights become a program: compile() chooses the network or cell, binds its dims, makes code for each kind
// of cell and loads the weights.
#include <rnnc/compile.hpp>
#include <rnnc/default_float_environment.hpp>

#include <new>

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

// The function that makes code for the cells of a program, and the name of the CPU.
struct Backing {
  std::string cpu;
  compiler::MakeCode make_code;
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
  return Backing{compiler::portable_cpu(*kernels),
                 [kernels](const ir::Cell& cell) { return compiler::portable_code_of(cell, *kernels); }};
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
  return Backing{compiler::name_of(*target), [target = *target, &options](const ir::Cell& cell) {
                   return compiler::code_of(cell, target, options);
                 }};
}

Result<Program> compile_bound(const ir::Network& network, const Backing& backing, const TensorMap& weights,
                              const CompileOptions& options) try {
  return compiler::compile_network(network, backing.cpu, weights, options, backing.make_code);
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {network.file}, "not enough memory for the weights of " + network.name};
}

Result<Program> compile_with(const Result<Backing>& backing, const Model& model, const TensorMap& weights,
                             const CompileOptions& options) {
  if (!backing) return backing.error();
  const Result<ir::Network> network = compiler::choose_program(model, options.cell, options.dims, weights);
  if (!network) return network.error();
  return compile_bound(*network, *backing, weights, options);
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
  switch (options.backend) {
    case Backend::Portable: return mark(compile_with(portable(options), model, weights, options), {});
    case Backend::Jit: return compile_with(jit(options), model, weights, options);
    case Backend::Auto: break;
  }
  const std::string reason = why_not_jit();
  if (reason.empty()) return compile_with(jit(options), model, weights, options);
  return mark(compile_with(fallback(options, reason), model, weights, options), reason);
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {}, "not enough memory to compile the model"};
}

}  // namespace rnnc
