// The sizes that a generated header states, and what the functions do with counts whose memory no size can tell.
#include "tests/support/networks.hpp"
#include "tests/support/run_network.hpp"
#include "tests/tools/object_program.hpp"

namespace rnnc::test {
namespace {

constexpr const char* kNetwork =
    "network n { input x : seq f32[1] a = gru<H=8>(x) b = gru<H=8>(a) param W : f32[1, 8] output W @ b }";

// Makes objects of a cell and of a network.
void compile_both(const Folder& folder) {
  fill(folder, "lstm");
  folder.write("n.rnn", kNetwork);
  const ir::Network network = network_of(kNetwork);
  Random random(1);
  save_safetensors(folder / "n.safetensors", tensors_of(network, random_weights(network, random))).value();
  const Finished cell = folder.rnnc("compile --cell lstm --weights w.safetensors -o lstm.o --header lstm.h");
  INFO(cell.err);
  REQUIRE(cell.code == 0);
  const Finished net = folder.rnnc("compile n.rnn --weights n.safetensors -o n.o --header n.h");
  INFO(net.err);
  REQUIRE(net.code == 0);
}

// The guards behind state and scratch show a write; the refused sizes would need far more memory than there is.
constexpr const char* kSizes = R"(
#include <stdio.h>
#include "lstm.h"
#include "n.h"
static union { double align; float f[4096]; } memory;
static int failures;
#define CHECK(condition) ((condition) ? (void)0 : (void)(++failures, printf("%d: %s\n", __LINE__, #condition)))
int main(void) {
  const int64_t many = (int64_t)1 << 40, most = INT64_MAX;
  float* state = memory.f + (64 - (uintptr_t)memory.f % 64) % 64 / 4;
  float* scratch = state + 2048;
  int i, steps = 16777216, batch = 256;
  short few = 30000;
  int64_t steps64 = steps, batch64 = batch;
  CHECK(LSTM_CHUNK_ROWS(steps, batch) == LSTM_CHUNK_ROWS(steps64, batch64));
  CHECK(LSTM_CHUNK_ROWS(steps, batch) >= batch);
  CHECK(LSTM_SCRATCH_FLOATS(steps, batch) == LSTM_SCRATCH_FLOATS(steps64, batch64));
  CHECK(LSTM_SCRATCH_FLOATS(few, few) == LSTM_SCRATCH_FLOATS((int64_t)30000, (int64_t)30000));
  batch = 40000000;
  CHECK(LSTM_STATE_FLOATS(batch) == (int64_t)40000000 * LSTM_STATE_FLOATS(1));
  steps = 48000 * 60 * 60;
  batch = 4;
  CHECK(N_SCRATCH_FLOATS(steps, batch) == N_SCRATCH_FLOATS((int64_t)steps, (int64_t)batch));
  CHECK(N_SCRATCH_FLOATS(steps, batch) > (int64_t)steps * batch);
  for (i = 0; i < 4096 - 16; ++i) state[i] = 7;
  CHECK(lstm_run(state, scratch, 0, 0, -1, 1) == LSTM_BAD_SIZE);
  CHECK(lstm_run(state, scratch, 0, 0, 1, -1) == LSTM_BAD_SIZE);
  CHECK(lstm_run(state, scratch, 0, 0, INT64_MIN, INT64_MIN) == LSTM_BAD_SIZE);
  CHECK(lstm_run(state, scratch, 0, 0, most, 1) == LSTM_BAD_SIZE);
  CHECK(lstm_run(state, scratch, 0, 0, 1, most) == LSTM_BAD_SIZE);
  CHECK(lstm_run(state, scratch, 0, 0, 0, most) == LSTM_BAD_SIZE);
  CHECK(lstm_run(state, scratch, 0, 0, many, many) == LSTM_BAD_SIZE);
  CHECK(lstm_run(state, scratch, 0, 0, many << 1, (int64_t)1 << 23) == LSTM_BAD_SIZE);
  CHECK(lstm_run(state, scratch, 0, 0, most, 0) == LSTM_OK);
  CHECK(lstm_step(state, scratch, 0, 0, most) == LSTM_BAD_SIZE);
  CHECK(lstm_step(state, scratch, 0, 0, most / LSTM_STATE_FLOATS(1)) == LSTM_BAD_SIZE);
  CHECK(lstm_start(state, most, 0, 1) == LSTM_BAD_SIZE);
  CHECK(lstm_start(state, -1, 0, -1) == LSTM_BAD_SIZE);
  CHECK(n_run(state, scratch, 0, 0, many, many) == N_BAD_SIZE);
  CHECK(n_run(state, scratch, 0, 0, most / 4, 1) == N_BAD_SIZE);
  CHECK(n_run(state, scratch, 0, 0, -1, 0) == N_BAD_SIZE);
  CHECK(n_step(state, scratch, 0, 0, most / 16) == N_BAD_SIZE);
  for (i = 0; i < 4096 - 16; ++i) CHECK(state[i] == 7);
  return failures;
}
)";

constexpr const char* kHeaders = R"(
#include "lstm.h"
#include "n.h"
static float state[LSTM_STATE_FLOATS(3)], scratch[N_SCRATCH_FLOATS(5, 3)];
int64_t all(int steps, short batch);
int64_t all(int steps, short batch) {
  int64_t sum = LSTM_STATE_FLOATS(batch) + N_STATE_FLOATS((int64_t)batch);
  sum += LSTM_SCRATCH_FLOATS(steps, batch) + N_SCRATCH_FLOATS((int64_t)steps, batch) + LSTM_CHUNK_ROWS(steps, batch);
  return sum + (lstm_state_h(state, batch, 0) == scratch) + (n_state_a_h(state, batch, 0) == scratch);
}
)";

}  // namespace

TEST_CASE("an object's sizes are counted in 64 bits, and counts whose memory overflows them are a status", "[tools]") {
  const Folder folder;
  compile_both(folder);
  folder.write("sizes.c", kSizes);
  const int code =
      shell(folder, "cc -std=c99 -O1 -Wall -Wextra -Wpedantic -Werror sizes.c lstm.o n.o -o sizes && ./sizes");
  INFO(folder.text("log.txt"));
  CHECK(code == 0);
}

TEST_CASE("an object's header compiles as C99 to C17 and C++11 to C++20 without a warning", "[tools]") {
  const Folder folder;
  compile_both(folder);
  folder.write("headers.c", kHeaders);
  folder.write("headers.cpp", kHeaders);
  for (const std::string compiler : {"gcc", "clang"}) {
    if (lacks(compiler)) continue;
    for (const std::string standard : {"c99", "c11", "c17", "c++11", "c++14", "c++17", "c++20"}) {
      const bool is_c = !standard.starts_with("c++");
      const std::string command = compiler + " -std=" + standard +
                                  " -Wall -Wextra -Wconversion -Wpedantic -Werror -c headers." + (is_c ? "c" : "cpp") +
                                  " -o headers.o";
      INFO(command);
      const int code = shell(folder, command);
      INFO(folder.text("log.txt"));
      CHECK(code == 0);
    }
  }
}

TEST_CASE("a header whose sizes are counted in 32 bits does not compile", "[tools]") {
  const Folder folder;
  compile_both(folder);
  const std::string macro = "#define LSTM_STATE_FLOATS(batch) ((int64_t)";
  std::string header = folder.text("lstm.h");
  const std::size_t at = header.find(macro);
  REQUIRE(at != std::string::npos);
  header.replace(at, macro.size(), "#define LSTM_STATE_FLOATS(batch) (");
  folder.write("lstm.h", header);
  folder.write("headers.c", kHeaders);
  CHECK(shell(folder, "cc -std=c11 -c headers.c -o headers.o") != 0);
  CHECK(folder.text("log.txt").find("sizes are counted in 64 bits") != std::string::npos);
}

}  // namespace rnnc::test
