// rnnc_ulp finds the largest error of the generated element-wise functions over all 2^32 first operands, or every n-th.
// Further operands are drawn from the range that the op table gives. The hash is over all result bits: equal hashes are
// equal functions, for any lane count and CPU, so that one width with fused multiply-add is measured and the others are
// hashed. docs/numerics.md holds what it printed.
#include <array>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "compiler/llvm/resolve_target.hpp"
#include "ir/interpret.hpp"
#include "tests/support/function_harness.hpp"
#include "tests/support/ulp_error.hpp"

namespace {

using namespace rnnc;

constexpr std::uint64_t kInputs = std::uint64_t{1} << 32;
constexpr std::size_t kBlock = 1 << 15;
constexpr int kMaxArity = 4;

struct Width {
  std::string cpu = "host";
  unsigned lanes = 16;
};

struct Options {
  std::vector<std::string> functions;
  Width width;
  bool all_widths = false;
  std::uint64_t stride = 1;
  unsigned threads = 1;
  bool assembly = false;
};

struct Findings {
  double ulp = 0;     // of the errors above the row's floor
  double beyond = 0;  // the largest absolute error where the row's ulp bound does not hold
  float at = 0, wrong_at = 0;
  std::uint64_t wrong = 0, hash = 0;

  void count_wrong(float operand) {
    if (wrong++ == 0) wrong_at = operand;
  }

  void merge(const Findings& other) {
    if (other.ulp > ulp) ulp = other.ulp, at = other.at;
    beyond = std::max(beyond, other.beyond);
    if (wrong == 0) wrong_at = other.wrong_at;
    wrong += other.wrong;
    hash += other.hash;
  }
};

std::uint64_t mix(std::uint64_t x) {  // splitmix64
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

float drawn(const ir::FunctionFacts& row, std::uint64_t seed) {
  const double unit = static_cast<double>(mix(seed) >> 11) * 0x1p-53;
  return static_cast<float>(row.low + unit * (static_cast<double>(row.high) - row.low));
}

struct Block {
  std::array<std::vector<float>, kMaxArity> operands;
  std::vector<float> result;

  std::array<const float*, kMaxArity> pointers() const {
    return {operands[0].data(), operands[1].data(), operands[2].data(), operands[3].data()};
  }
};

// Inputs first, first + stride, ...; at most kBlock of them.
void fill(Block& block, const ir::FunctionFacts& row, std::uint64_t first, std::uint64_t stride) {
  const std::size_t n = std::min<std::uint64_t>(kBlock, (kInputs - first + stride - 1) / stride);
  for (int k = 0; k < row.arity; ++k) block.operands[k].resize(n);
  block.result.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint64_t bits = first + i * stride;
    block.operands[0][i] = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    for (int k = 1; k < row.arity; ++k) block.operands[k][i] = drawn(row, bits * kMaxArity + k);
  }
}

bool bounded_by_one(ir::Function function) {
  using enum ir::Function;
  return function == Tanh || function == Sigmoid || function == Erf;
}

// At the ends of the line and at zero, whose sign counts, a function of one operand is exact where floats have the
// value.
bool is_limit(float operand, double exact) {
  const bool end = operand == 0 || std::isinf(operand);
  return end && !std::isnan(exact) && static_cast<double>(static_cast<float>(exact)) == exact;
}

std::uint64_t hash_of(float result, std::uint64_t operand) {
  const std::uint32_t bits = std::isnan(result) ? 0x7fc00000u : std::bit_cast<std::uint32_t>(result);
  return mix(operand << 32 | bits);
}

std::uint64_t hash_of(const Block& block, std::uint64_t first) {
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < block.result.size(); ++i) hash += hash_of(block.result[i], first + i);
  return hash;
}

Findings compare(const Block& block, const ir::FunctionFacts& row, std::uint64_t first) {
  Findings findings;
  findings.hash = hash_of(block, first);
  const bool bounded = bounded_by_one(row.function);
  for (std::size_t i = 0; i < block.result.size(); ++i) {
    std::array<double, kMaxArity> operands{};
    for (int k = 0; k < row.arity; ++k) operands[k] = test::flushed(block.operands[k][i]);
    const double exact = ir::evaluate(row.function, operands.data());
    const float got = block.result[i], x = block.operands[0][i];
    const double error = test::ulp_error(got, exact);
    const double absolute = std::fabs(static_cast<double>(got) - exact);
    const bool off_limit = row.arity == 1 && is_limit(x, exact) &&
                           std::bit_cast<std::uint32_t>(got) != std::bit_cast<std::uint32_t>(static_cast<float>(exact));
    if (std::isinf(error) || off_limit || (bounded && std::fabs(got) > 1)) {
      findings.count_wrong(x);
    } else if (error > findings.ulp && absolute > row.floor) {
      findings.ulp = error;
      findings.at = x;
    }
    if (error > row.ulp) findings.beyond = std::max(findings.beyond, absolute);
  }
  return findings;
}

enum class What { Errors, HashAlone };

Findings sweep(const test::FunctionHarness& harness, const ir::FunctionFacts& row, const Options& options, What what) {
  Findings total;
  std::mutex mutex;
  const auto work = [&](std::uint64_t worker) {
    Block block;
    Findings mine;
    const std::uint64_t step = options.stride * kBlock;
    for (std::uint64_t first = worker * step; first < kInputs; first += options.threads * step) {
      fill(block, row, first, options.stride);
      harness(block.pointers().data(), block.result.data(), block.result.size());
      if (what == What::Errors)
        mine.merge(compare(block, row, first));
      else
        mine.hash += hash_of(block, first);
    }
    const std::scoped_lock lock(mutex);
    total.merge(mine);
  };
  std::vector<std::jthread> workers;
  for (unsigned t = 0; t < options.threads; ++t) workers.emplace_back(work, t);
  workers.clear();
  return total;
}

test::FunctionHarness harness_of(const ir::FunctionFacts& row, const Width& width) {
  auto harness = test::FunctionHarness::make(row.function, width.cpu, width.lanes);
  if (harness) return std::move(*harness);
  std::fprintf(stderr, "rnnc_ulp: %s\n", harness.error().to_string().c_str());
  std::exit(4);
}

void print_head(const ir::FunctionFacts& row, const Width& width) {
  std::printf("%-16s %-10s %2u lanes  ", std::string(row.name).c_str(), width.cpu.c_str(), width.lanes);
}

// Errors of one width; 1 where a bound of the row does not hold.
int measure(const ir::FunctionFacts& row, const Width& width, const Options& options, std::uint64_t& hash) {
  const Findings found = sweep(harness_of(row, width), row, options, What::Errors);
  hash = found.hash;
  print_head(row, width);
  std::printf("max %.3f ulp at %a (%.9g)  wrong specials %llu", found.ulp, static_cast<double>(found.at),
              static_cast<double>(found.at), static_cast<unsigned long long>(found.wrong));
  if (found.wrong > 0) std::printf(", one at %a", static_cast<double>(found.wrong_at));
  std::printf("  hash %016llx", static_cast<unsigned long long>(found.hash));
  if (found.beyond > 0) std::printf("  beyond %g ulp: max %.3g absolute", row.ulp, found.beyond);
  std::printf("\n");
  std::fflush(stdout);
  return found.wrong == 0 && found.beyond <= row.floor ? 0 : 1;
}

// Whether another width gives the bits that were measured.
int compare_hash(const ir::FunctionFacts& row, const Width& width, const Options& options, std::uint64_t expected) {
  const std::uint64_t hash = sweep(harness_of(row, width), row, options, What::HashAlone).hash;
  print_head(row, width);
  std::printf("%s  hash %016llx\n", hash == expected ? "the same bits" : "OTHER BITS",
              static_cast<unsigned long long>(hash));
  std::fflush(stdout);
  return hash == expected ? 0 : 1;
}

// Registers of every width that this machine has. The first of those with fused multiply-add is measured.
int measure_all_widths(const ir::FunctionFacts& row, const Options& options) {
  const std::vector<std::string> levels = compiler::runnable_levels();
  std::uint64_t with_fma = 0, without = 0;
  int worst = 0;
  bool measured = false;
  for (const auto& [level, lanes] :
       {std::pair{"x86-64-v4", 16u}, {"x86-64-v3", 8u}, {"x86-64-v3", 4u}, {"x86-64-v2", 4u}}) {
    if (std::find(levels.begin(), levels.end(), level) == levels.end()) continue;
    const Width width{level, lanes};
    const bool fma = compiler::resolve_target(level)->fma;
    worst = std::max(worst, fma && measured ? compare_hash(row, width, options, with_fma)
                                            : measure(row, width, options, fma ? with_fma : without));
    measured |= fma;
  }
  return worst;
}

int report(const ir::FunctionFacts& row, const Options& options) {
  if (options.assembly) {
    std::fputs(harness_of(row, options.width).assembly().c_str(), stdout);
    return 0;
  }
  if (options.all_widths) return measure_all_widths(row, options);
  std::uint64_t hash = 0;
  return measure(row, options.width, options, hash);
}

int usage() {
  std::fputs(
      "example: rnnc_ulp tanh --lanes 8 --cpu x86-64-v3 --threads 2\n"
      "usage:   rnnc_ulp [FUNCTION]... [--lanes N] [--cpu NAME] [--sample STRIDE] [--threads N] [--assembly]\n"
      "         rnnc_ulp [FUNCTION]... --all-widths [--sample STRIDE] [--threads N]\n"
      "Without FUNCTION all of them; --all-widths measures those of x86-64-v4 (16 lanes) and v2 (4), and compares the "
      "bits\n"
      "of v3 (8 and 4) with v4's. Exit code 1 where a bound of runtime/functions.def does not hold or bits differ.\n",
      stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int k = 1; k < argc; ++k) {
    const std::string argument = argv[k];
    if (argument == "--assembly") {
      options.assembly = true;
    } else if (argument == "--all-widths") {
      options.all_widths = true;
    } else if (!argument.starts_with("--")) {
      options.functions.push_back(argument);
    } else if (k + 1 == argc) {
      return usage();
    } else if (const char* value = argv[++k]; argument == "--cpu") {
      options.width.cpu = value;
    } else if (const auto number = std::max(1ul, std::strtoul(value, nullptr, 10)); argument == "--lanes") {
      options.width.lanes = static_cast<unsigned>(number);
    } else if (argument == "--sample") {
      options.stride = number;
    } else if (argument == "--threads") {
      options.threads = static_cast<unsigned>(number);
    } else {
      return usage();
    }
  }
  int worst = 0;
  for (const ir::FunctionFacts& row : ir::kAllFunctions) {
    const auto& wanted = options.functions;
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), row.name) != wanted.end())
      worst = std::max(worst, report(row, options));
  }
  return worst;
}
