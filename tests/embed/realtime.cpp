// The real-time contract of run and step: nothing is allocated, no lock taken, no system call made and no page touched
// for the first time once the state exists. malloc and locks are replaced by ones that count; for system calls a child
// process forbids itself all of them (seccomp's strict mode), so that one ends it.
#include <dlfcn.h>
#include <link.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include <rnnc/ahead.hpp>
#include <rnnc/artifact.hpp>
#include <rnnc/rnnc.hpp>

namespace {

thread_local long calls = 0;  // of what is replaced below

}  // namespace

extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* memory);

void* malloc(std::size_t size) {
  ++calls;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++calls;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  ++calls;
  return __libc_realloc(memory, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  ++calls;
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++calls;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  ++calls;
  *memory = __libc_memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}
void free(void* memory) {
  ++calls;
  __libc_free(memory);
}

int pthread_mutex_lock(pthread_mutex_t* mutex) {
  static const auto real = reinterpret_cast<int (*)(pthread_mutex_t*)>(dlsym(RTLD_NEXT, "pthread_mutex_lock"));
  ++calls;
  return real(mutex);
}
int pthread_mutex_trylock(pthread_mutex_t* mutex) {
  static const auto real = reinterpret_cast<int (*)(pthread_mutex_t*)>(dlsym(RTLD_NEXT, "pthread_mutex_trylock"));
  ++calls;
  return real(mutex);
}
int pthread_rwlock_wrlock(pthread_rwlock_t* lock) {
  static const auto real = reinterpret_cast<int (*)(pthread_rwlock_t*)>(dlsym(RTLD_NEXT, "pthread_rwlock_wrlock"));
  ++calls;
  return real(lock);
}
int pthread_rwlock_rdlock(pthread_rwlock_t* lock) {
  static const auto real = reinterpret_cast<int (*)(pthread_rwlock_t*)>(dlsym(RTLD_NEXT, "pthread_rwlock_rdlock"));
  ++calls;
  return real(lock);
}
int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  static const auto real =
      reinterpret_cast<int (*)(pthread_cond_t*, pthread_mutex_t*)>(dlsym(RTLD_NEXT, "pthread_cond_wait"));
  ++calls;
  return real(condition, mutex);
}

}  // extern "C"

namespace {

int failures = 0;

void check(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "realtime: %s\n", what.c_str());
  ++failures;
}

long page_faults() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

// Whether `work` ends in a process that may make no system call but read, write and exit.
bool runs_without_system_calls(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) _exit(77);
    work();
    syscall(SYS_exit, 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
    std::puts("realtime: seccomp is not allowed here; system calls are not tested");
    return true;
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// A fork makes pages fault once more, so that all faults are counted before the first one.
enum class Pass { Counts, SystemCalls };

void check_contract(Pass pass, const std::string& name, const std::function<void()>& call) {
  if (pass == Pass::SystemCalls) return check(runs_without_system_calls(call), name + ": a system call");
  const long faults = page_faults(), before = calls;
  call();
  const long calls_made = calls - before, faults_made = page_faults() - faults;
  check(calls_made == 0, name + ": " + std::to_string(calls_made) + " allocations and locks");
  check(faults_made == 0, name + ": " + std::to_string(faults_made) + " page faults in the first call");
}

rnnc::TensorMap weights_of(const rnnc::Model& model, std::int64_t I, std::int64_t H) {
  rnnc::TensorMap weights;
  const bool is_lstm = model.cells().front() == "lstm";
  const auto add = [&](const std::string& param, rnnc::Shape shape) {
    std::int64_t count = 1;
    for (const std::int64_t dim : shape) count *= dim;
    std::vector<float> values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.2f * static_cast<float>(static_cast<int>(i % 7) - 3);
    weights.emplace(param, rnnc::Tensor::from_f32(std::move(shape), values));
  };
  for (const char* gate : is_lstm ? std::vector<const char*>{"i", "f", "g", "o"} : std::vector<const char*>{""}) {
    add(std::string("W") + gate, {H, I});
    add(std::string("U") + gate, {H, H});
    add(std::string("b") + gate, {H});
  }
  return weights;
}

// Where programs come from: each way must keep the contract.
enum class Source { Jit, Portable, Artifact };

constexpr struct {
  Source source;
  const char* name;
} kSources[] = {{Source::Jit, "jit"}, {Source::Portable, "portable"}, {Source::Artifact, "artifact"}};

// As if nobody had called the runtime before: its code and constants are in memory again only when they are asked for.
void forget_code() {
  const auto forget = [](dl_phdr_info* object, std::size_t, void*) {
    if (std::strstr(object->dlpi_name, "librnnc_runtime") == nullptr) return 0;
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    for (std::size_t i = 0; i < object->dlpi_phnum; ++i) {
      const auto& segment = object->dlpi_phdr[i];
      if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
      const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) / page * page;
      const std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
      check(madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED) == 0, "code is not forgotten");
    }
    return 1;
  };
  check(dl_iterate_phdr(forget, nullptr) == 1, "the runtime's library is not found");
}

rnnc::Program program_of(const rnnc::Model& model, const rnnc::TensorMap& weights, Source source) {
  if (source == Source::Artifact) return rnnc::parse_artifact(rnnc::compile_artifact(model, weights).value()).value();
  const rnnc::Backend backend = source == Source::Jit ? rnnc::Backend::Jit : rnnc::Backend::Portable;
  return rnnc::compile(model, weights, {.backend = backend, .cache = false}).value();
}

void check_cell(Pass pass, std::int64_t hidden, std::int64_t batch, Source source, const std::string& source_name) {
  constexpr std::int64_t kInputs = 5, kSteps = 33;
  const rnnc::Model model = rnnc::standard_cell("lstm").value();
  const rnnc::Program program = program_of(model, weights_of(model, kInputs, hidden), source);
  const std::string name = source_name + " lstm H=" + std::to_string(hidden) + " B=" + std::to_string(batch);
  std::vector<float> x(static_cast<std::size_t>(kSteps * batch * kInputs), 0.25f);
  std::vector<float> y(static_cast<std::size_t>(kSteps * batch * hidden), 1.0f);
  std::vector<std::int32_t> lengths(static_cast<std::size_t>(batch));
  for (std::size_t b = 0; b < lengths.size(); ++b) lengths[b] = static_cast<std::int32_t>((7 * b) % kSteps);
  forget_code();
  rnnc::State one = program.make_state(batch), two = program.make_state(batch), three = program.make_state(batch);
  check_contract(pass, name + " step", [&] { (void)program.step(one, x, y); });
  check_contract(pass, name + " run", [&] { (void)program.run(two, {.x = x, .y = y, .steps = kSteps}); });
  check_contract(pass, name + " lengths",
                 [&] { (void)program.run(three, {.x = x, .y = y, .steps = kSteps, .lengths = lengths}); });
  check_contract(pass, name + " reset", [&] { three.reset(); });
}

constexpr const char* kLeak = R"(
    cell leak {
      input x : f32[4]
      state h : f32[4]
      param U : f32[4, 4]
      h' = tanh(x + U @ h)
      output h'
    })";

constexpr const char* kTagger = R"(
    network tagger {
      input x : seq f32[4]
      input v : f32[4]
      a = bidirectional leak(x)
      b = leak(a[0:4]) from (h = v)
      param W : f32[2, 4]
      output softmax(W @ last(b))
    })";

rnnc::TensorMap network_weights(std::initializer_list<const char*> scans) {
  rnnc::TensorMap weights;
  for (const char* name : scans) weights.emplace(name, rnnc::Tensor::from_f32({4, 4}, std::vector<float>(16, 0.1f)));
  return weights;
}

void check_network(Pass pass, Source source, const std::string& source_name) {
  constexpr std::int64_t kBatch = 3, kSteps = 20;
  const rnnc::Model model = rnnc::parse(std::string(kTagger) + kLeak).value();
  rnnc::TensorMap weights = network_weights({"a.fwd.U", "a.bwd.U", "b.U"});
  weights.emplace("W", rnnc::Tensor::from_f32({2, 4}, std::vector<float>(8, 0.3f)));
  const rnnc::Program program = program_of(model, weights, source);
  forget_code();
  rnnc::State state = program.make_state(kBatch, kSteps);
  const std::vector<float> x(kSteps * kBatch * 4, 0.5f), v(kBatch * 4, 0.2f);
  const std::int32_t lengths[kBatch] = {20, 0, 7};
  const rnnc::NamedInput inputs[] = {{"v", v}};
  std::vector<float> y(kBatch * 2, 1.0f);
  check_contract(pass, source_name + " network with lengths", [&] {
    (void)program.run(state, {.x = x, .y = y, .steps = kSteps, .lengths = lengths, .inputs = inputs});
  });
}

// A network that streams: step by step, and several streams at once of which some are there.
void check_streams(Pass pass, Source source, const std::string& source_name) {
  const rnnc::Model model =
      rnnc::parse(std::string("network stack { input x : seq f32[4] a = leak(x) b = leak(a) output b }") + kLeak)
          .value();
  const rnnc::Program program = program_of(model, network_weights({"a.U", "b.U"}), source);
  const std::vector<float> x(5 * 4, 0.5f);
  std::vector<float> y(5 * 4, 1.0f);
  forget_code();
  rnnc::State state = program.make_state(2);
  check_contract(pass, source_name + " network step", [&] { (void)program.step(state, x, y); });
  rnnc::Sessions sessions = rnnc::Sessions::make(program, 5).value();
  for (int i = 0; i < 4; ++i) sessions.join().value();
  sessions.leave(1);
  check_contract(pass, source_name + " sessions step", [&] { (void)sessions.step(x, y); });
  check_contract(pass, source_name + " sessions leave and reset", [&] {
    sessions.leave(2);
    sessions.reset(0);
  });
}

// The tests above would see what they look for.
void check_the_checks() {
  const long before = calls;
  free(malloc(1));
  const long made = calls - before;
  check(made == 2, "malloc is not counted");
  const long faults = page_faults();
  std::vector<char> fresh(64 << 20);
  std::memset(fresh.data(), 1, fresh.size());
  check(page_faults() > faults, "page faults are not seen");
}

}  // namespace

int main() {
  check_the_checks();
  for (const Pass pass : {Pass::Counts, Pass::SystemCalls})
    for (const auto& [source, name] : kSources) {
      for (const std::int64_t hidden : {1, 16, 67})
        for (const std::int64_t batch : {1, 3, 17}) check_cell(pass, hidden, batch, source, name);
      check_cell(pass, 300, 2, source, name);
      check_network(pass, source, name);
      check_streams(pass, source, name);
    }
  check(!runs_without_system_calls([] { getppid(); }), "a system call is not seen");
  if (failures == 0) std::puts("realtime: no allocation, lock, page fault or system call");
  return failures == 0 ? 0 : 1;
}
