// bench_compile_time times cold compilations, whole and in their parts, of each standard cell in a few sizes; T and B
// do not matter.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <tuple>

#include "bench/standard_cell.hpp"
#include "compiler/llvm/codegen.hpp"
#include "compiler/llvm/link_image.hpp"
#include "compiler/llvm/resolve_target.hpp"
#include "compiler/schedule/lower.hpp"
#include "ir/scan.hpp"

namespace rnnc::bench {
namespace {

struct Prepared {
  StandardCell source;
  compiler::Target target;
};

Prepared prepare(const std::string& name, std::int64_t size) {
  return {make_standard_cell(name, size, size), compiler::resolve_target("host").value()};
}

void whole(benchmark::State& state, const std::string& name, std::int64_t size) {
  const Prepared p = prepare(name, size);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        compile(p.source.model, p.source.weights, {.dims = {{"I", size}, {"H", size}}, .cache = false}).ok());
  state.SetLabel(p.target.cpu);
}

// compile() where the cache has the code.
void cached(benchmark::State& state, const std::string& name, std::int64_t size) {
  const Prepared p = prepare(name, size);
  const CompileOptions options = {.dims = {{"I", size}, {"H", size}}};
  if (!compile(p.source.model, p.source.weights, options)) return state.SkipWithError("does not compile");
  for (auto _ : state) benchmark::DoNotOptimize(compile(p.source.model, p.source.weights, options).ok());
}

// The time until a new program has answered for the first time: it compiles, makes a state and runs a step. What is
// destroyed afterwards, and the code that is still being made, do not count.
void first_answer(benchmark::State& state, const std::string& name, std::int64_t size, Backend backend) {
  const Prepared p = prepare(name, size);
  const CompileOptions options = {.dims = {{"I", size}, {"H", size}}, .backend = backend, .cache = false};
  std::vector<float> x(static_cast<std::size_t>(size)), y(static_cast<std::size_t>(size));
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    const Program program = compile(p.source.model, p.source.weights, options).value();
    State stream = program.make_state(1);
    if (program.step(stream, x, y) != RunStatus::Ok) return state.SkipWithError("does not run");
    state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    (void)program.wait_for_code().ok();
  }
}

// A stack of layers of 128 units, of which the first one reads 64 inputs. The code of those that follow is the same; if
// each has `fewer` units than the layer before, every layer has code of its own.
void layers(benchmark::State& state, int count, int fewer, int threads) {
  std::string text = "network n { input x : seq f32[64] ";
  std::string last = "x";
  for (int i = 0; i < count; ++i) {
    const std::string layer = "a" + std::to_string(i);
    text += layer + " = lstm<H=" + std::to_string(128 - i * fewer) + ">(" + last + ") ";
    last = layer;
  }
  const Model model = parse(text + "output " + last + " }").value();
  TensorMap weights;
  for (const ir::Weight& weight : ir::weights_of(compiler::choose_program(model, "", {}, {}).value())) {
    Shape shape;
    for (const ir::Dim& dim : weight.type.dims) shape.push_back(dim.value());
    const std::vector<float> values(static_cast<std::size_t>(elements(weight.type)), 0.1f);
    weights[weight.name] = Tensor::from_f32(shape, values);
  }
  const CompileOptions options = {.cache = false, .compile_threads = threads};
  for (auto _ : state) benchmark::DoNotOptimize(compile(model, weights, options).ok());
}

void parse_text(benchmark::State& state, const std::string& name, std::int64_t) {
  const std::string text = standard_cell(name).value().text();
  for (auto _ : state) benchmark::DoNotOptimize(parse(text).ok());
}

void passes(benchmark::State& state, const std::string& name, std::int64_t size) {
  const Prepared p = prepare(name, size);
  for (auto _ : state) benchmark::DoNotOptimize(compiler::run_passes(p.source.cell).nodes.size());
}

void plan(benchmark::State& state, const std::string& name, std::int64_t size) {
  const Prepared p = prepare(name, size);
  const ir::Cell cell = compiler::run_passes(p.source.cell);
  for (auto _ : state)
    benchmark::DoNotOptimize(compiler::make_plan(compiler::make_schedule(cell), p.target).value().weights_size);
}

void codegen(benchmark::State& state, const std::string& name, std::int64_t size) {
  const Prepared p = prepare(name, size);
  const compiler::Lowered lowered = compiler::lower(p.source.cell, p.target).value();
  for (auto _ : state) benchmark::DoNotOptimize(compiler::emit_object(lowered.schedule, lowered.plan, p.target).size());
}

void link_object(benchmark::State& state, const std::string& name, std::int64_t size) {
  const Prepared p = prepare(name, size);
  const compiler::Lowered lowered = compiler::lower(p.source.cell, p.target).value();
  const std::vector<std::byte> object = compiler::emit_object(lowered.schedule, lowered.plan, p.target);
  for (auto _ : state)
    benchmark::DoNotOptimize(runtime::map_code(compiler::link_image(p.target.arch, object)).value().run);
}

// A folder for the cache that is gone afterwards.
class TemporaryCache {
 public:
  TemporaryCache() {
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("there is no folder for temporary files");
    ::setenv("RNNC_CACHE_DIR", path_.c_str(), 1);
    ::setenv("RNNC_CACHE", "on", 1);
  }
  ~TemporaryCache() { std::filesystem::remove_all(path_); }

 private:
  std::string path_ = std::filesystem::temp_directory_path() / "rnnc-bench-XXXXXX";
};

using Part = void (*)(benchmark::State&, const std::string&, std::int64_t);

void add(const char* part, Part run, const std::string& cell, std::int64_t size) {
  const std::string name = std::string(part) + "/" + cell + "/I:" + std::to_string(size) + "/H:" + std::to_string(size);
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { run(state, cell, size); })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

}  // namespace
}  // namespace rnnc::bench

int main(int argc, char** argv) {
  using namespace rnnc::bench;
  const TemporaryCache cache;
  for (const std::string& cell : rnnc::standard_cell_names())
    for (const std::int64_t size : {16, 128, 512}) add("compile", whole, cell, size);
  for (const char* cell : {"lstm", "gru"})
    for (const std::int64_t size : {16, 128, 512}) add("cached", cached, cell, size);
  for (const char* cell : {"lstm", "gru"}) {
    add("parse", parse_text, cell, 128);
    add("passes", passes, cell, 128);
    add("plan", plan, cell, 128);
    add("codegen", codegen, cell, 128);
    add("link", link_object, cell, 128);
  }
  for (const auto& [backend, name] : {std::pair{rnnc::Backend::Tiered, "tiered"}, {rnnc::Backend::Jit, "jit"}})
    for (const char* cell : {"lstm", "gru"})
      benchmark::RegisterBenchmark(
          (std::string("first_answer/") + cell + "/" + name).c_str(),
          [=, backend = backend](benchmark::State& state) { first_answer(state, cell, 128, backend); })
          ->Unit(benchmark::kMillisecond)
          ->UseManualTime();
  for (const int threads : {1, 2})
    for (const auto& [count, fewer, name] : {std::tuple{1, 0, "1"}, {5, 0, "5"}, {5, 1, "5_unlike"}})
      benchmark::RegisterBenchmark(
          (std::string("layers/") + name + "/threads:" + std::to_string(threads)).c_str(),
          [=, count = count, fewer = fewer](benchmark::State& state) { layers(state, count, fewer, threads); })
          ->Unit(benchmark::kMillisecond)
          ->UseRealTime();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
