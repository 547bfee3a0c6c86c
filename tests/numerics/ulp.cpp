// rnnc_ulp: the largest error of the generated element-wise functions over all 2^32 first operands, or every n-th.
// Further operands are drawn from the range that the op table gives. The hash is over all result bits: equal hashes are
// equal functions, for any lane count and CPU. docs/numerics.md holds what it printed.
#include <array>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "compiler/function_harness.hpp"
#include "ir/interpret.hpp"
#include "tests/support/ulp_error.hpp"

namespace {

using namespace rnnc;

constexpr std::uint64_t kInputs = std::uint64_t{1} << 32;
constexpr std::size_t kBlock = 1 << 15;
constexpr int kMaxArity = 4;

struct Options {
  std::vector<std::string> functions;
  std::string cpu = "host";
  unsigned lanes = 16;
  std::uint64_t stride = 1;
  unsigned threads = 1;
  bool assembly = false;
};

struct Findings {
  double ulp = 0;     // of the errors above the row's floor
  double beyond = 0;  // the largest absolute error where the row's ulp bound does not hold
  float at = 0;
  std::uint64_t wrong = 0, hash = 0;

  void merge(const Findings& other) {
    if (other.ulp > ulp) ulp = other.ulp, at = other.at;
    beyond = std::max(beyond, other.beyond);
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

Findings compare(const Block& block, const ir::FunctionFacts& row, std::uint64_t first) {
  Findings findings;
  const bool bounded = bounded_by_one(row.function);
  for (std::size_t i = 0; i < block.result.size(); ++i) {
    std::array<double, kMaxArity> operands{};
    for (int k = 0; k < row.arity; ++k) operands[k] = test::flushed(block.operands[k][i]);
    const double exact = ir::evaluate(row.function, operands.data());
    const float got = block.result[i];
    const double error = test::ulp_error(got, exact);
    const double absolute = std::fabs(static_cast<double>(got) - exact);
    const std::uint32_t bits = std::isnan(got) ? 0x7fc00000u : std::bit_cast<std::uint32_t>(got);
    findings.hash += mix((first + i) << 32 | bits);
    if (std::isinf(error) || (bounded && std::fabs(got) > 1)) {
      ++findings.wrong;
    } else if (error > findings.ulp && absolute > row.floor) {
      findings.ulp = error;
      findings.at = block.operands[0][i];
    }
    if (error > row.ulp) findings.beyond = std::max(findings.beyond, absolute);
  }
  return findings;
}

Findings sweep(const compiler::FunctionHarness& harness, const ir::FunctionFacts& row, const Options& options) {
  Findings total;
  std::mutex mutex;
  const auto work = [&](std::uint64_t worker) {
    Block block;
    Findings mine;
    const std::uint64_t step = options.stride * kBlock;
    for (std::uint64_t first = worker * step; first < kInputs; first += options.threads * step) {
      fill(block, row, first, options.stride);
      harness(block.pointers().data(), block.result.data(), block.result.size());
      mine.merge(compare(block, row, first));
    }
    const std::scoped_lock lock(mutex);
    total.merge(mine);
  };
  std::vector<std::jthread> workers;
  for (unsigned t = 0; t < options.threads; ++t) workers.emplace_back(work, t);
  workers.clear();
  return total;
}

int report(const ir::FunctionFacts& row, const Options& options) {
  auto harness = compiler::FunctionHarness::make(row.function, options.cpu, options.lanes);
  if (!harness) {
    std::fprintf(stderr, "rnnc_ulp: %s\n", harness.error().to_string().c_str());
    return 4;
  }
  if (options.assembly) {
    std::fputs(harness->assembly().c_str(), stdout);
    return 0;
  }
  const Findings found = sweep(*harness, row, options);
  std::printf("%-16s %-10s %2u lanes  max %.3f ulp at %a (%.9g)  wrong specials %llu  hash %016llx",
              std::string(row.name).c_str(), options.cpu.c_str(), options.lanes, found.ulp,
              static_cast<double>(found.at), static_cast<double>(found.at),
              static_cast<unsigned long long>(found.wrong), static_cast<unsigned long long>(found.hash));
  if (found.beyond > 0) std::printf("  beyond %g ulp: max %.3g absolute", row.ulp, found.beyond);
  std::printf("\n");
  std::fflush(stdout);
  const bool within = found.wrong == 0 && found.beyond <= row.floor;
  return within ? 0 : 1;
}

int usage() {
  std::fputs(
      "example: rnnc_ulp tanh --lanes 8 --cpu x86-64-v3 --threads 2\n"
      "usage:   rnnc_ulp [FUNCTION]... [--lanes N] [--cpu NAME] [--sample STRIDE] [--threads N] [--assembly]\n"
      "Without FUNCTION all of them. Exit code 1 where a bound of ir/ops.def does not hold.\n",
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
    } else if (!argument.starts_with("--")) {
      options.functions.push_back(argument);
    } else if (k + 1 == argc) {
      return usage();
    } else if (const char* value = argv[++k]; argument == "--cpu") {
      options.cpu = value;
    } else if (const auto number = std::max(1ul, std::strtoul(value, nullptr, 10)); argument == "--lanes") {
      options.lanes = static_cast<unsigned>(number);
    } else if (argument == "--sample") {
      options.stride = number;
    } else if (argument == "--threads") {
      options.threads = static_cast<unsigned>(number);
    } else {
      return usage();
    }
  }
  int worst = 0;
  for (const ir::FunctionFacts& row : ir::kFunctions) {
    const auto& wanted = options.functions;
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), row.name) != wanted.end())
      worst = std::max(worst, report(row, options));
  }
  return worst;
}
