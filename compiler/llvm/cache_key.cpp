// A cell, its target and the options of its plan become the text that names an entry of the code cache: all that the
// entry's code depends on.
#include <llvm/Config/llvm-config.h>

#include <rnnc/version.hpp>

#include "compiler/schedule/code_cache.hpp"
#include "ir/print.hpp"

namespace rnnc::compiler {
namespace {

constexpr const char* kSourceHash =
#include "source_hash.inc"
    ;

}  // namespace

std::string cache_key(const ir::Cell& cell, const Target& target, const PlanOptions& options) {
  std::string key = std::string("rnnc ") + kVersion + " " + kSourceHash + "\nllvm " + LLVM_VERSION_STRING + "\ncpu " +
                    name_of(target) + " " + target.features + "\nthreads " + std::to_string(options.threads) +
                    (options.beside_others ? " beside others" : "") + "\nweights " + runtime::name(options.weights) +
                    (options.sparse ? " sparse" : "");
  if (options.machine) key += "\nmachine " + numbers_of(*options.machine);
  key += "\nplan";
  for (const PlanChoice& choice : options.choices) key += " " + print(choice);
  return key + "\n" + ir::print(cell);
}

}  // namespace rnnc::compiler
