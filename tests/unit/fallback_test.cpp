// Backend::Auto where the system lets no program make code: the program says what runs it and why, and what only
// generated code has is refused. A child process forbids itself pages that run.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/code_image.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_cell.hpp"
#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

// mprotect() to pages that run fails from here on, of programs that are started too.
bool forbid_code() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter = {static_cast<unsigned short>(std::size(program)), program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// What `answer` gives in a process that may make no code; "not allowed" where this system lets none forbid itself that.
template <class Answer>
std::string without_code(const Answer& answer) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string text = forbid_code() ? answer() : std::string("not allowed");
    const bool written = ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    std::_Exit(written ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  if (text == "not allowed") WARN("seccomp is not allowed here");
  return text;
}

std::string compiled(const CompileOptions& options) {
  const ir::Cell cell = standard("gru", 3, 5);
  auto module = std::make_shared<ir::Module>();
  module->cells.push_back(cell);
  const Result<Program> program = compile(Model(module), tensors_of(cell, random_weights(cell, 1)), options);
  if (!program) return program.error().to_string();
  const bool is_portable = program->backend() == Backend::Portable;
  return program->cpu() + (is_portable ? ": portable" : ": jit") + ": " + program->fallback();
}

const std::string kNotAllowed = "not allowed";
const std::string kReason = "this system lets no program make code at run time";

}  // namespace

TEST_CASE("a program says what runs it") {
  CHECK(compiled({.cpu = "x86-64-v2", .backend = Backend::Auto}) == "x86-64-v2: jit: ");
  CHECK(compiled({.cpu = "x86-64-v2", .backend = Backend::Jit}) == "x86-64-v2: jit: ");
  CHECK(compiled({.cpu = "x86-64-v2", .backend = Backend::Portable}) == "portable x86-64-v2: portable: ");
}

TEST_CASE("a program that came to the portable executor says why") {
  const std::string text = without_code([] { return compiled({.cpu = "x86-64-v2"}); });
  CHECK((text == kNotAllowed || text == "portable x86-64-v2: portable: " + kReason));
  const std::string tiered = without_code([] { return compiled({.cpu = "x86-64-v2", .backend = Backend::Tiered}); });
  CHECK(tiered == text);
  const std::string jit = without_code([] { return compiled({.backend = Backend::Jit}); });
  CHECK((jit == kNotAllowed || jit.find(kReason) != std::string::npos));
}

TEST_CASE("a CPU or a plan that the portable executor has not is refused where it stands in") {
  const std::string cpu = without_code([] { return compiled({.cpu = "znver4"}); });
  INFO(cpu);
  CHECK((cpu == kNotAllowed || (cpu.starts_with("the portable executor has no code for 'znver4'") &&
                                cpu.ends_with("note: the portable executor runs the program because " + kReason))));
  const std::string plan = without_code([] { return compiled({.plan = "b1:1"}); });
  INFO(plan);
  CHECK((plan == kNotAllowed || (plan.starts_with("a plan is of generated code") && plan.ends_with(kReason))));
}

TEST_CASE("--backend auto and --json tell of the portable executor", "[tools]") {
  const Folder folder;
  // The object is the last line.
  const auto verify = [&](const std::string& more) {
    const std::string out =
        folder.rnnc("verify --cell gru --dim I=3 --dim H=5 --isa x86-64-v2 --steps 3 --json " + more).out;
    return out.substr(out.find('{'));
  };
  const auto here = nlohmann::json::parse(verify("--backend auto"));
  CHECK(here.at("backend") == "jit");
  CHECK(here.at("fallback") == "");
  CHECK(nlohmann::json::parse(verify("--backend portable")).at("backend") == "portable");
  const std::string text = without_code([&] { return verify("--backend auto"); });
  if (text == kNotAllowed) return;
  const auto there = nlohmann::json::parse(text);
  CHECK(there.at("backend") == "portable");
  CHECK(there.at("fallback") == kReason);
  CHECK(there.at("ok") == true);
}

}  // namespace rnnc::test
