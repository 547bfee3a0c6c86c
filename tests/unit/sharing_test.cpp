// These tests ask how a call is shared among threads, by what its code says of itself.
#include "runtime/sharing.hpp"

#include "compiler/llvm/resolve_target.hpp"
#include "compiler/schedule/lower.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_cell.hpp"

namespace rnnc::test {
namespace {

runtime::Description description_of(const std::string& name, std::int64_t size, int threads) {
  const compiler::Target target = compiler::resolve_target("x86-64-v4", false).value();
  const ir::Cell cell = standard(name, size, size);
  return compiler::describe(cell, compiler::lower(cell, target, {.threads = threads}).value(), target);
}

}  // namespace

TEST_CASE("a call too small to share stays on one thread", "[sharing]") {
  const runtime::Description tiny = description_of("lstm", 16, 2), large = description_of("lstm", 512, 2);
  CHECK(runtime::choose_shares(tiny, Sharing::Auto, 2, 1, 1).parts == 1);
  CHECK(runtime::choose_shares(tiny, Sharing::Auto, 2, 1000, 1).parts == 1);  // threads would meet at every step
  CHECK(runtime::choose_shares(large, Sharing::Auto, 1, 100, 64).parts == 1);
}

TEST_CASE("units are shared where there is one sequence, sequences where meeting would cost more", "[sharing]") {
  const runtime::Description large = description_of("lstm", 512, 2), small = description_of("lstm", 16, 2);
  const runtime::Shares units = runtime::choose_shares(large, Sharing::Auto, 2, 100, 1);
  CHECK(units.sharing == Sharing::Units);
  CHECK(units.parts == 2);
  CHECK(units.saving > 0);
  const runtime::Shares batch = runtime::choose_shares(small, Sharing::Auto, 2, 1000, 64);
  CHECK(batch.sharing == Sharing::Batch);
  CHECK(batch.parts == 2);
}

TEST_CASE("a stage with a reduction is one thread's, and code for one thread has no units to share", "[sharing]") {
  const runtime::Description norm = description_of("lstm_layer_norm", 256, 2);
  CHECK(norm.shared_bytes < norm.recurrent_bytes);
  CHECK(runtime::choose_shares(norm, Sharing::Auto, 2, 100, 1).parts == 1);
  const runtime::Description alone = description_of("lstm", 512, 1);
  CHECK(runtime::choose_shares(alone, Sharing::Units, 2, 100, 1).parts == 1);
}

}  // namespace rnnc::test
