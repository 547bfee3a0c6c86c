// Every command that the documents show is run, prints what they show and overwrites nothing. RNNC_BLESS=1
// (scripts/refresh_docs) writes into the documents what was printed, for a change that is meant.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <regex>
#include <set>
#include <span>

#include "tests/structure/document.hpp"
#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

namespace fs = std::filesystem;

// A block of commands that no test run can take, by its first line; its scripts and flags are checked all the same.
struct NotRun {
  const char *document, *first_line, *reason;
};

constexpr NotRun kNotRun[] = {
    {"README.md", "scripts/test     # builds and runs every test", "it runs all tests, this one among them"},
    {"docs/numerics.md",
     "rnnc_ulp --all-widths --threads 2                              # every function and width: hours",
     "it takes hours"},
    {"docs/performance.md", "scripts/bench --quick --rounds 3 --peer ort=...",
     "it takes an hour, and the page itself is what it writes"},
    {"docs/python.md", "scripts/setup --python", "it installs packages"},
    {"docs/python.md", "venv/bin/pip install --no-build-isolation .", "it needs Debian 13, and builds for minutes"},
    {"docs/debugging.md", "apt-get install -y gdb linux-perf", "it installs packages"},
    {"docs/python.md", "scripts/wheel --without-llvm", "it builds for minutes, and tests/python/wheel_test.py does it"},
    {"docs/python.md",
     "PYTHONPATH=build/release/python taskset -c 0 /usr/bin/python3 bench/python/compare.py step modules ragged import",
     "it measures for a minute, beside programs that not every machine has"},
    {"examples/char_lm/README.md", "/usr/bin/python3 examples/char_lm/train.py --output examples/char_lm",
     "it needs PyTorch and some minutes"},
    {"examples/dask/README.md", "/usr/bin/python3 bench/dask/workers.py build/release", "it takes two minutes"},
};

// A block that needs what not every machine has. It runs where the probe, a command, succeeds.
struct NeedsProbe {
  const char *document, *first_line, *probe;
};

// Programs of others do not load libraries with sanitizers, and those take too long for the demo.
#define RNNC_PLAIN_BUILD "test -z '" RNNC_SANITIZE_FLAGS "'"

#define RNNC_WITH_SQLITE RNNC_PLAIN_BUILD " && test -e build/release/rnnc_sqlite.so && command -v sqlite3"

constexpr NeedsProbe kNeedsProbe[] = {
    {"README.md", "scripts/demo     # builds, then shows what it does in under a minute",
     RNNC_PLAIN_BUILD " && test -e build/release/librnnc_bench_onednn.so"},
    {"docs/audio-plugins.md", "cmake -G Ninja -S pedal -B build/pedal -DCMAKE_PREFIX_PATH=\"$PWD/PREFIX\"",
     RNNC_PLAIN_BUILD},
    {"docs/databases-and-servers.md", "$ sqlite3 < watch.sql", RNNC_WITH_SQLITE},
    {"docs/databases-and-servers.md",
     "$ printf 'a,1,1\\nb,1,5\\na,2,1\\n' > today.csv && sqlite3 sensors.db < today.sql", RNNC_WITH_SQLITE},
    {"docs/databases-and-servers.md", "/usr/bin/python3 make_onnx.py", "/usr/bin/python3 -c 'import onnx'"},
    {"docs/databases-and-servers.md",
     "$ c++ -std=c++17 -I/usr/include/onnxruntime serve.cpp -lonnxruntime -o serve && ./serve 2>/dev/null",
     RNNC_PLAIN_BUILD " && test -e build/release/rnnc_onnxruntime.so && test -e watch.onnx"},
    {"docs/databases-and-servers.md", "/usr/bin/python3 weights_apart.py", "test -e watch.onnx"},
    {"docs/databases-and-servers.md", "$ ./serve 2>/dev/null", RNNC_PLAIN_BUILD " && test -x serve"},
    {"docs/databases-and-servers.md", "$ /usr/bin/python3 make_utterances.py",
     RNNC_PLAIN_BUILD " && test -e build/release/python/rnnc/_rnnc.abi3.so && "
                      "/usr/bin/python3 -c 'import distributed, numpy'"},
    {"docs/debugging.md", "gdb -batch -ex 'break smooth_step' -ex run -ex 'x/4i $pc' -ex bt demo/ahead",
     "gdb -batch -ex run --args true 2>&1 | grep -q 'exited normally'"},
    {"docs/debugging.md", "perf record -o demo/perf.data demo/ahead && perf report -i demo/perf.data --stdio",
     "perf record -o /dev/null true"},
    {"docs/embedding.md", "aarch64-linux-gnu-gcc -static main.c arm.o -o main && qemu-aarch64 ./main",
     "command -v aarch64-linux-gnu-gcc && command -v qemu-aarch64"},
    {"docs/embedding.md", "cmake -G Ninja -S examples/embedding -B build/embedding -DCMAKE_PREFIX_PATH=\"$PWD/PREFIX\"",
     RNNC_PLAIN_BUILD},
    {"docs/embedding.md", "$ python3 play.py", RNNC_PLAIN_BUILD " && command -v python3"},
    {"docs/importing.md", "$ build/release/amp tests/conformance/audio/nam_two_layers.nam input.wav output.wav",
     "test -x build/release/amp"},
    {"docs/python.md", "$ PYTHONPATH=build/release/python /usr/bin/python3 stream.py",
     "PYTHONPATH=build/release/python /usr/bin/python3 -c 'import numpy, rnnc'"},
    {"examples/char_lm/README.md",
     "PYTHONPATH=build/release/python /usr/bin/python3 examples/char_lm/learn.py --output own --cell "
     "examples/char_lm/own_cell.rnn --epochs 5",
     RNNC_PLAIN_BUILD " && /usr/bin/python3 -c 'import torch'"},
    {"docs/webassembly.md", "cp examples/embedding/smooth.rnn examples/embedding/smooth.safetensors .",
     "command -v wasm-ld-19 || command -v wasm-ld"},
    {"docs/webassembly.md", "$ node play.mjs", "command -v node && test -e smooth.wasm"},
    {"docs/webassembly.md", "rnnc compile smooth.rnn -o smooth.wasm --target wasm32,wasm32-relaxed",
     "test -e smooth.wasm"},
    {"docs/webassembly.md", "rnnc compile smooth.rnn -o small.wasm --weights-apart", "test -e smooth.wasm"},
    {"docs/webassembly.md", "rnnc compile tests/conformance/audio/nam_two_layers.nam -o amp.wasm --worklet",
     "test -e smooth.wasm"},
    {"docs/webassembly.md", "cp -r examples/web page", "test -e smooth.wasm"},
    {"docs/microcontrollers.md", "$ examples/microcontroller/build.sh cortex-m4",
     "command -v qemu-system-arm && command -v clang-19 && command -v ld.lld-19"},
    {"docs/microcontrollers.md", "bench/microcontroller/count.py --cells lstm --units 4 --formats w8",
     "command -v python3 && command -v qemu-system-arm && command -v clang-19 && command -v ld.lld-19"},
    {"docs/numerics.md",
     "rnnc_ulp tanh sigmoid exp --cpu x86-64-v2 --lanes 4 --sample 1009   # every 1009th operand: a second",
     "rnnc inspect --isa help | grep -q 'x86-64-v3  runs here'"},
};

#ifdef RNNC_ONEDNN_PLUGIN
constexpr bool kHasOnednn = true;
#else
constexpr bool kHasOnednn = false;
#endif

// LeakSanitizer of GCC 12 takes a wrong place for the thread-local memory of threads of OpenMP, which oneDNN's plug-in
// loads, and ends the program.
constexpr const char* kThreadsOfOthers = "ASAN_OPTIONS=intercept_tls_get_addr=0";

bool lacks_onednn(const Block& block) {
  return !kHasOnednn && block.text.find("--against onednn") != std::string::npos;
}

template <class Row>
const Row* row_of(std::span<const Row> rows, const Block& block) {
  const std::string first = block.text.substr(0, block.text.find('\n'));
  for (const Row& row : rows)
    if (block.document == row.document && first == row.first_line) return &row;
  return nullptr;
}

// A reader's folder: a copy of the sources as in a checkout, and the build in build/release, so that scripts/build has
// nothing to do.
class ReaderFolder {
 public:
  ReaderFolder() {
    const fs::path root = RNNC_SOURCE_DIR, here = folder_ / "";
    for (const auto& entry : fs::directory_iterator(root)) {
      const std::string name = entry.path().filename().string();
      if (name != "build" && !name.starts_with('.')) fs::copy(entry.path(), here / name, fs::copy_options::recursive);
    }
    write("scripts/build", "#!/bin/sh\n");
    for (const auto& entry : fs::recursive_directory_iterator(here))
      if (entry.is_regular_file()) checkout_.emplace(fs::relative(entry.path(), here), content_of(entry.path()));
    fs::create_directory(here / "build");
    fs::create_directory_symlink(fs::path(RNNC_PROGRAM).parent_path(), here / "build/release");
    fs::create_directory(here / ".compilers");
    if (*RNNC_SANITIZE_FLAGS != '\0') add_compilers(here / ".compilers");
  }

  void write(const std::string& name, const std::string& text) const { folder_.write(name, text); }

  /// Runs a script; what it prints, to both streams, is in `out`.
  Finished run(const std::string& script) const {
    folder_.write(".script", script + "\n");
    const std::string build = fs::path(RNNC_PROGRAM).parent_path().string();
    const std::string command =
        "cd '" + folder_ / "" + "' && env -u RNNC_CACHE -u RNNC_DEBUG -u RNNC_ISA -u RNNC_DUMP_DIR " +
        kThreadsOfOthers + " HOME=\"$PWD\" RNNC_CACHE_DIR=\"$PWD/.cache\" PATH=\"$PWD/.compilers:" + build +
        ":$PATH\" timeout 120 bash -eu .script </dev/null >.out 2>&1";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 255, folder_.text(".out"), ""};
  }

  /// The files of the checkout that are no longer as they were, a line each.
  std::string changes() const {
    std::string changed;
    for (const auto& [path, content] : checkout_)
      if (!fs::exists(folder_ / path) || content_of(folder_ / path) != content) changed += path + "\n";
    return changed;
  }

 private:
  static std::string content_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // Programs that link libraries with sanitizers are to be compiled with them too, which no document tells.
  static void add_compilers(const fs::path& folder) {
    for (const std::string name : {"cc", "c++"}) {
      std::ofstream(folder / name) << "#!/bin/sh\nexec /usr/bin/" << name << " " RNNC_SANITIZE_FLAGS " \"$@\"\n";
      fs::permissions(folder / name, fs::perms::owner_all);
    }
  }

  Folder folder_;
  std::map<std::string, std::string> checkout_;  // what the sources' files were at first, by their paths
};

// Times and speeds differ from run to run. Those that the cost model predicts for a machine do not.
std::string without_times(const std::string& output) {
  static const std::regex time(R"( *[0-9][0-9.,]* *(ns|us|µs|ms|s|times real time)\b)");
  std::string compared;
  for (std::size_t at = 0; at < output.size();) {
    const std::size_t end = std::min(output.find('\n', at), output.size() - 1) + 1;
    const std::string line = output.substr(at, end - at);
    compared += line.find("predicted") != std::string::npos ? line : std::regex_replace(line, time, "# $1");
    at = end;
  }
  return compared;
}

// Runs the commands of a console block. Gives the block with what they printed where that is not what it shows.
std::string replay(const ReaderFolder& folder, const Block& block) {
  std::vector<Exchange> exchanges = exchanges_of(block.text);
  for (Exchange& exchange : exchanges) {
    const Finished finished = folder.run(exchange.command);
    INFO(exchange.command << "\n" << finished.out);
    CHECK(finished.code < 124);                                         // neither too slow, nor missing, nor crashed
    const bool failed = exchange.output.empty() && finished.code != 0;  // an error that is shown is meant
    CHECK_FALSE(failed);
    if (!failed && without_times(finished.out) != without_times(exchange.output)) exchange.output = finished.out;
  }
  return console_of(exchanges);
}

void replace(std::string& document, const Block& block, const std::string& console) {
  std::string lines;
  for (std::size_t at = 0; at < console.size();) {
    const std::size_t end = console.find('\n', at) + 1;
    const bool blank = end == at + 1;
    lines += (blank ? "" : block.indent) + console.substr(at, end - at);
    at = end;
  }
  document.replace(block.begin, block.end - block.begin, lines);
}

// The flags of each verb of the program, "" those of the program itself, from its help.
const std::string& help_of(const std::string& verb) {
  static std::map<std::string, std::string> known;
  const auto [entry, first] = known.try_emplace(verb);
  if (first) entry->second = Folder().rnnc(verb + " --help").out;
  return entry->second;
}

bool has_word(const std::string& text, const std::string& word) {
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; ++at) {
    const std::size_t behind = at + word.size();
    if (behind == text.size() || (!std::isalnum(static_cast<unsigned char>(text[behind])) && text[behind] != '-'))
      return true;
  }
  return false;
}

// What is wrong with a command that is not run, or that prose shows: verbs, flags, and scripts that there are not.
std::string mistakes_in(const std::string& command) {
  static const std::regex verb("(^|[ /])rnnc ([a-z]+)"), flag("(^| )(--[a-z][a-z-]*)"),
      script("(^|[ ;&])(scripts/[a-z_.]+)");
  std::string mistakes;
  const std::sregex_iterator none;
  for (std::sregex_iterator s(command.begin(), command.end(), script); s != none; ++s)
    if (!fs::exists(RNNC_SOURCE_DIR "/" + (*s)[2].str())) mistakes += "there is no " + (*s)[2].str() + "\n";
  for (std::sregex_iterator v(command.begin(), command.end(), verb); v != none; ++v) {
    const std::string help = help_of((*v)[2]);
    if (help.find("Usage: rnnc " + (*v)[2].str()) == std::string::npos) mistakes += "no verb " + (*v)[2].str() + "\n";
    const auto next = std::next(v);
    const auto end = next == none ? command.end() : next->prefix().second;
    for (std::sregex_iterator f((*v)[0].second, end, flag); f != none; ++f)
      if (!has_word(help, (*f)[2])) mistakes += "no " + (*f)[2].str() + " of " + (*v)[2].str() + "\n";
  }
  return mistakes;
}

}  // namespace

TEST_CASE("the commands of every document do and print what it shows", "[docs]") {
  const bool bless = std::getenv("RNNC_BLESS") != nullptr;
  std::set<const void*> used;
  for (const Document& document : all_documents()) {
    if (document.blocks.empty()) continue;
    const ReaderFolder folder;
    std::string changed = document.text;
    std::ptrdiff_t longer = 0;
    for (Block block : document.blocks) {
      INFO(document.path << ":" << block.line << "\n" << block.text);
      const NotRun* never = row_of(std::span<const NotRun>(kNotRun), block);
      const NeedsProbe* probed = row_of(std::span<const NeedsProbe>(kNeedsProbe), block);
      used.insert({never, probed});
      if (never != nullptr || lacks_onednn(block)) continue;
      if (probed != nullptr && folder.run(probed->probe).code != 0) {
        WARN("skipped: " << block.document << ": " << probed->first_line);
      } else if (block.language == "sh") {
        const Finished finished = folder.run(block.text);
        INFO(finished.out);
        CHECK(finished.code == 0);
      } else if (block.language == "console") {
        const std::string real = replay(folder, block);
        if (!bless) CHECK(real == block.text);
        block.begin = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(block.begin) + longer);
        block.end = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(block.end) + longer);
        const auto before = static_cast<std::ptrdiff_t>(changed.size());
        if (real != block.text) replace(changed, block, real);
        longer += static_cast<std::ptrdiff_t>(changed.size()) - before;
      } else if (!block.file.empty()) {
        folder.write(block.file, block.text);
      }
    }
    INFO(document.path << " overwrites files of the checkout");
    CHECK(folder.changes() == "");
    if (bless && changed != document.text) std::ofstream(RNNC_SOURCE_DIR "/" + document.path) << changed;
  }
  const auto check_used = [&](const auto& row) {
    INFO(row.document << ": " << row.first_line << " is no longer there");
    CHECK(used.contains(&row));
  };
  for (const NotRun& row : kNotRun) check_used(row);
  for (const NeedsProbe& row : kNeedsProbe) check_used(row);
}

TEST_CASE("the commands that the documents' test does not run have scripts, verbs and flags that exist", "[docs]") {
  for (const Document& document : all_documents())
    for (const Block& block : document.blocks)
      for (const std::string& command : commands_of(block)) {
        INFO(document.path << ":" << block.line << ": " << command);
        CHECK(mistakes_in(command) == "");
      }
}

TEST_CASE("the checks of documents see wrong commands and outputs", "[docs]") {
  CHECK(mistakes_in("build/release/rnnc inspect --cell lstm --dim I=64 --emit plan") == "");
  CHECK(mistakes_in("build/release/rnnc inspect --emits plan") != "");
  CHECK(mistakes_in("rnnc inspect --dims I=64") != "");
  CHECK(mistakes_in("rnnc inspekt --cell lstm") != "");
  CHECK(mistakes_in("scripts/tests") != "");
  CHECK(without_times("slowest block 11.1 us of 2 blocks") == without_times("slowest block 9 us of 2 blocks"));
  CHECK(without_times("2 blocks") != without_times("3 blocks"));
  CHECK(without_times("a 1 us\nb 2 ms") == without_times("a 3 us\nb 4 ms"));
  CHECK(without_times("predicted 2 us\n") != without_times("predicted 3 us\n"));
  const ReaderFolder folder;
  const Block wrong = blocks_of("a.md", "```console\n$ echo 1; echo 2\n1\n3\n```\n").at(0);
  CHECK(replay(folder, wrong) == "$ echo 1; echo 2\n1\n2\n");
  CHECK(folder.run("false").code != 0);
  CHECK(folder.changes() == "");
  CHECK(folder.run("echo >new; echo >>README.md; rm LICENSE").code == 0);
  CHECK(folder.changes() == "LICENSE\nREADME.md\n");
}

}  // namespace rnnc::test
