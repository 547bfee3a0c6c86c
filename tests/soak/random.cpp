// rnnc_random: random cells and networks, each in a random setting, through the checks of trial.hpp, in processes of
// their own so that what crashes is found too. The first failure of each process is reduced to the smallest graph that
// fails the same way and written to files that replay it.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "ir/print.hpp"
#include "runtime/number_format.hpp"
#include "tests/support/random_network.hpp"
#include "tests/support/random_rows.hpp"
#include "tests/support/reduce.hpp"
#include "tests/support/trial.hpp"

namespace {

using namespace rnnc;
using test::Case;
using test::Check;
using Clock = std::chrono::steady_clock;

struct Options {
  std::uint64_t seed = 0, count = 500;
  double seconds = 1e9;
  unsigned workers = 1;
  int threads = 0;
  std::optional<WeightFormat> weights = {};
  std::string folder = "repro";
  bool print = false;
};

constexpr unsigned kMostWorkers = 256;

// What a worker is at. A fault, not a crash, leaves the number of its check.
struct Progress {
  std::atomic<std::uint64_t> seed, done;
  std::atomic<int> check;
};

// In memory that all processes see. Workers take one seed after the other: some are dearer than others.
struct Shared {
  std::atomic<std::uint64_t> next;
  std::array<Progress, kMostWorkers> workers;
};

constexpr int kCompiles = -1;  // not yet at any check
constexpr int kFaulty = 17;    // a worker's exit code

// The dear ones now and then.
std::vector<Check> checks_of(std::uint64_t seed) {
  std::vector<Check> checks = {Check::Interpreter, Check::Alone, Check::Pieces, Check::FloatModes};
  if (seed % 2 == 0) checks.push_back(Check::Executors);
  if (seed % 3 == 0) checks.push_back(Check::Gradients);
  if (seed % 4 == 1) checks.push_back(Check::Training);
  if (seed % 5 == 0) checks.push_back(Check::Plans);
  if (seed % 7 == 0) checks.push_back(Check::Again);
  if (seed % 11 == 0) checks.push_back(Check::Threads);
  if (seed % 13 == 0) checks.push_back(Check::Levels);
  if (seed % 17 == 0) checks.push_back(Check::Artifact);
  if (seed % 211 == 0) checks.push_back(Check::Object);
  return checks;
}

// One seed of twelve is a cell with rows.
test::Subject subject_of(std::uint64_t seed) {
  if (seed % 12 != 7) return test::random_subject(seed);
  test::RandomCell random = test::random_rows(seed);
  return {std::move(random.cell), std::move(random.weights)};
}

Case case_of(std::uint64_t seed, const Options& options) {
  Case drawn{subject_of(seed), {}};
  drawn.setting = test::random_setting(drawn.subject, seed, options.weights);
  if (options.threads > 0) drawn.setting.threads = options.threads;
  if (drawn.setting.sparse) test::leave_out_blocks(drawn.subject, seed);
  return drawn;
}

// What a worker says of one seed; empty where all is well.
std::string fault_of(const Case& drawn, std::uint64_t seed, Progress& progress) {
  try {
    progress.check = kCompiles;
    const test::Trial trial(drawn.subject, drawn.setting);
    for (const Check check : checks_of(seed)) {
      progress.check = static_cast<int>(check);
      if (auto fault = trial.fault(check)) return *fault;
    }
  } catch (const std::exception& exception) {
    return exception.what();
  }
  return {};
}

int work(const Options& options, Clock::time_point until, Shared& shared, Progress& progress) {
  while (Clock::now() < until) {
    const std::uint64_t seed = shared.next++;
    if (seed >= options.seed + options.count) break;
    progress.seed = seed;
    const std::string fault = fault_of(case_of(seed, options), seed, progress);
    if (!fault.empty()) {
      std::fprintf(stderr, "\nseed %llu: %s\n", static_cast<unsigned long long>(seed), fault.c_str());
      return kFaulty;
    }
    ++progress.done;
  }
  return 0;
}

// What differs in the end, the plan or the CPU too where that is another: a process of its own says it, which may
// crash.
bool say_fault(const Case& small, int check) {
  const test::Trial trial(small.subject, small.setting);
  const auto fault = check == kCompiles ? std::nullopt : trial.fault(static_cast<Check>(check));
  if (fault) std::printf("%s\n", fault->c_str());
  std::fflush(stdout);
  return !fault;
}

void report(const Options& options, std::uint64_t seed, int check) {
  const auto ending_of = [&](const Case& tried) {
    return test::ending_in_child([&] {
      const test::Trial trial(tried.subject, tried.setting);
      return check == kCompiles || !trial.fault(static_cast<Check>(check));
    });
  };
  const Case drawn = case_of(seed, options);
  const std::string what = check == kCompiles ? "compile or run" : std::string(name_of(static_cast<Check>(check)));
  const std::string folder = options.folder + "-" + std::to_string(seed);
  std::printf("\nFAILED  seed %llu, check: %s, on %s\n", static_cast<unsigned long long>(seed), what.c_str(),
              drawn.setting.executor.c_str());
  std::fflush(stdout);  // the children would write it again
  // A difference is not made smaller to a crash, nor a crash to a refusal.
  const test::Ending ending = ending_of(drawn);
  if (ending == test::Ending::Holds) {
    std::printf("asked again it does not fail; not reduced\n%s\n", test::write_repro(drawn, folder).c_str());
    return;
  }
  const Case small = test::reduce(drawn, [&](const Case& tried) { return ending_of(tried) == ending; });
  test::ending_in_child([&] { return say_fault(small, check); });
  std::printf("%zu nodes became %zu, in %s:\n\n%s\n%lld steps, %lld sequences, %d threads%s; to replay:\n%s\n",
              drawn.subject.graph.nodes.size(), small.subject.graph.nodes.size(), folder.c_str(),
              test::model_of(small.subject).text().c_str(), static_cast<long long>(small.setting.steps),
              static_cast<long long>(small.setting.batch), small.setting.threads,
              small.setting.ragged ? ", of various lengths" : "", test::write_repro(small, folder).c_str());
}

class Soak {
 public:
  explicit Soak(const Options& options)
      : options_(options),
        begin_(Clock::now()),
        until_(begin_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds))) {
    void* const memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    shared_ = new (memory) Shared{};
    shared_->next = options.seed;
    children_.resize(options.workers);
    for (unsigned w = 0; w < options.workers; ++w) start(w);
  }

  int run() {
    while (std::ranges::any_of(children_, [](pid_t child) { return child > 0; })) {
      int status = 0;
      const pid_t ended = ::waitpid(-1, &status, WNOHANG);
      if (ended > 0) reap(ended, status);
      if (ended == 0) ::usleep(200'000), show();
    }
    std::printf("\r%llu graphs, %d failures, %.0f s, seeds %llu on\n", static_cast<unsigned long long>(done()),
                failures_, elapsed(), static_cast<unsigned long long>(options_.seed));
    return failures_ == 0 ? 0 : 1;
  }

 private:
  void start(unsigned worker) {
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child == 0) ::_exit(work(options_, until_, *shared_, shared_->workers[worker]));
    children_[worker] = child;
  }

  void reap(pid_t ended, int status) {
    const auto worker = static_cast<unsigned>(std::ranges::find(children_, ended) - children_.begin());
    children_[worker] = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    ++failures_;
    const Progress& progress = shared_->workers[worker];
    report(options_, progress.seed, progress.check);
    if (failures_ < 10) start(worker);
  }

  std::uint64_t done() const {
    std::uint64_t total = 0;
    for (const Progress& progress : shared_->workers) total += progress.done;
    return total;
  }
  double elapsed() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

  void show() {
    const bool terminal = ::isatty(STDOUT_FILENO) != 0;
    const double now = elapsed();
    if (now < shown_ + (terminal ? 0.5 : 60)) return;
    shown_ = now;
    std::printf("%s%llu of %llu graphs, %d failures, %.0f s%s", terminal ? "\r" : "",
                static_cast<unsigned long long>(done()), static_cast<unsigned long long>(options_.count), failures_,
                now, terminal ? "   " : "\n");
    std::fflush(stdout);
  }

  const Options& options_;
  const Clock::time_point begin_, until_;
  Shared* shared_ = nullptr;
  std::vector<pid_t> children_;
  int failures_ = 0;
  double shown_ = 0;
};

int usage() {
  std::fputs(
      "example: rnnc_random --seed 1000 --count 10000 --workers 2\n"
      "usage:   rnnc_random [--seed S] [--count N] [--seconds S] [--workers N] [--threads N] [--weights-as FORMAT] "
      "[--folder REPRO] [--print]\n"
      "Graphs of seeds S to S + N. --workers: processes side by side; --threads, --weights-as: of every call, where "
      "they\n"
      "are not to be random (f32, w16, w8a16 or w8); --print: the graph of --seed, and its setting. A failure is "
      "reduced and written to REPRO-SEED/.\n"
      "Exit code 1 where one failed.\n",
      stderr);
  return 2;
}

bool parse(int argc, char** argv, Options& options) {
  for (int k = 1; k < argc; ++k) {
    const std::string flag = argv[k];
    if (flag == "--print") {
      options.print = true;
      continue;
    }
    if (k + 1 == argc) return false;
    const char* const value = argv[++k];
    const std::uint64_t number = std::strtoull(value, nullptr, 10);
    if (flag == "--seed")
      options.seed = number;
    else if (flag == "--count")
      options.count = number;
    else if (flag == "--seconds")
      options.seconds = std::strtod(value, nullptr);
    else if (flag == "--workers")
      options.workers = static_cast<unsigned>(std::clamp<std::uint64_t>(number, 1, kMostWorkers));
    else if (flag == "--threads")
      options.threads = static_cast<int>(std::clamp<std::uint64_t>(number, 1, 256));
    else if (flag == "--weights-as") {
      const auto* const found = std::ranges::find_if(
          runtime::kNumberFormats, [&](WeightFormat each) { return value == std::string(runtime::name(each)); });
      if (found == std::end(runtime::kNumberFormats)) return false;
      options.weights = *found;
    } else if (flag == "--folder")
      options.folder = value;
    else
      return false;
  }
  return true;
}

void print(const Options& options) {
  const Case drawn = case_of(options.seed, options);
  std::printf("%s\n%s, %lld steps, %lld sequences, %d threads%s\n", test::model_of(drawn.subject).text().c_str(),
              drawn.setting.executor.c_str(), static_cast<long long>(drawn.setting.steps),
              static_cast<long long>(drawn.setting.batch), drawn.setting.threads,
              drawn.setting.ragged ? ", of various lengths" : "");
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) return usage();
  if (options.print) return print(options), 0;
  return Soak(options).run();
}
