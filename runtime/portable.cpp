#include "runtime/portable.hpp"

#include <algorithm>

#include "runtime/cpu_features.hpp"
#include "runtime/portable_integers.hpp"

namespace rnnc::runtime {
namespace {

float*& base(PortableRows& rows, PortableSpace space) { return rows.base[static_cast<int>(space)]; }
std::int64_t& stride(PortableRows& rows, PortableSpace space) { return rows.stride[static_cast<int>(space)]; }

void run_ops(const PortableKernels& kernels, std::span<const PortableOp> ops, const PortableRows& rows) noexcept {
  using Kind = PortableOp::Kind;
  const auto is_alone = [](const PortableOp& op) {
    return op.kind == Kind::Product || op.kind == Kind::Quantize || op.kind == Kind::IntegerProduct;
  };
  for (auto op = ops.begin(); op != ops.end();) {
    const auto end = std::find_if(op, ops.end(), is_alone);
    if (end != op) kernels.others({op, end}, rows);
    if (end == ops.end()) return;
    if (end->kind == Kind::Product)
      kernels.product(*end, rows);
    else if (end->kind == Kind::Quantize)
      quantize(*end, rows);
    else
      integer_product(*end, rows);
    op = end + 1;
  }
}

PortableRows shared_rows(const PortableProgram& program, const float* weights) noexcept {
  PortableRows rows;
  // Only the operations of `once` write to weights.
  base(rows, PortableSpace::Weights) = const_cast<float*>(weights);
  base(rows, PortableSpace::Constants) = const_cast<float*>(program.constants.data());
  return rows;
}

class Run {
 public:
  Run(const PortableProgram& program, const KernelArguments& arguments) noexcept
      : program_(program), a_(arguments), kernels_(*program.kernels), rows_(shared_rows(program, arguments.weights)) {
    stride(rows_, PortableSpace::Input) = a_.x_row;
    stride(rows_, PortableSpace::Current) = stride(rows_, PortableSpace::Next) = program.doubled_row;
    stride(rows_, PortableSpace::Sequence) = program.sequence_row;
    stride(rows_, PortableSpace::Step) = program.step_row;
    base(rows_, PortableSpace::Current) = a_.current;
    base(rows_, PortableSpace::Next) = a_.next;
    base(rows_, PortableSpace::Step) = a_.step;
  }

  // Runs one chunk of time after another: first the hoisted operations for all rows of the chunk at once, then step
  // after step.
  void run() noexcept {
    for (std::int64_t first = 0; first < a_.steps; first += a_.chunk_steps) {
      const std::int64_t steps = std::min(a_.chunk_steps, a_.steps - first);
      if (!program_.sequence.empty()) run_sequence(first, steps);
      for (std::int64_t step = 0; step < steps; ++step) run_step(first, step);
    }
  }

 private:
  // The rows of a chunk are run at once if x is dense or the batch is 1; otherwise the rows of each step are run at
  // once.
  void run_sequence(std::int64_t first, std::int64_t steps) noexcept {
    const bool single = a_.batch == 1, one_run = single || a_.x_step == a_.batch * a_.x_row;
    PortableRows rows = rows_;
    stride(rows, PortableSpace::Input) = single ? a_.x_step : a_.x_row;
    rows.count = one_run ? steps * a_.batch : a_.batch;
    for (std::int64_t step = 0; step < (one_run ? 1 : steps); ++step) {
      base(rows, PortableSpace::Input) = const_cast<float*>(a_.x) + (first + step) * a_.x_step;
      base(rows, PortableSpace::Sequence) = a_.sequence + step * a_.batch * program_.sequence_row;
      run_ops(kernels_, program_.sequence, rows);
    }
  }

  void run_step(std::int64_t first, std::int64_t step) noexcept {
    rows_.count = a_.batch;
    base(rows_, PortableSpace::Input) = const_cast<float*>(a_.x) + (first + step) * a_.x_step;
    base(rows_, PortableSpace::Output) = a_.y + (first + step) * a_.y_step;
    stride(rows_, PortableSpace::Output) = a_.y_row;
    base(rows_, PortableSpace::Sequence) = a_.sequence + step * a_.batch * program_.sequence_row;
    run_ops(kernels_, program_.step, rows_);
    std::swap(base(rows_, PortableSpace::Current), base(rows_, PortableSpace::Next));
  }

  const PortableProgram& program_;
  const KernelArguments& a_;
  const PortableKernels& kernels_;
  PortableRows rows_;
};

struct Choice {
  const PortableKernels* kernels;
  std::initializer_list<std::string_view> needs;  // beyond the base instruction set
};

bool can_run(const Choice& choice) noexcept {
  const CpuFeatures host = host_features();
  return std::ranges::all_of(choice.needs, [&](std::string_view wanted) { return has_feature(host, wanted); });
}

}  // namespace

const PortableKernels* portable_kernels(std::string_view cpu) noexcept {
  const Choice choices[] = {
#if defined(__x86_64__)
    {&kPortableAvx512, {"avx2", "fma", "avx512f", "avx512bw", "avx512cd", "avx512dq"}},
    {&kPortableAvx2, {"avx2", "fma"}},
#endif
    {&kPortableBaseline, {}}
  };
  for (const Choice& choice : choices)
    if ((cpu.empty() || cpu == "host" || cpu == choice.kernels->name) && can_run(choice)) return choice.kernels;
  return nullptr;
}

const PortableKernels* unfused_kernels() noexcept {
#if defined(__x86_64__)
  return &kPortableBaseline;
#else
  return &kPortableUnfused;
#endif
}

const char* name(const PortableKernels& kernels) noexcept { return kernels.name; }

void prepare_portable(const PortableProgram& program, float* weights) noexcept {
  PortableRows rows = shared_rows(program, weights);
  rows.count = 1;
  run_ops(*program.kernels, program.once, rows);
}

void run_portable(const PortableProgram& program, const KernelArguments& arguments) noexcept {
  Run(program, arguments).run();
}

}  // namespace rnnc::runtime
