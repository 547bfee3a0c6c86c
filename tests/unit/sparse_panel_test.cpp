// Panels without their zeros: what is kept, what that takes off a description, and that damaged tables are refused.
#include "runtime/sparse_panel.hpp"

#include <cstring>

#include "compiler/llvm/resolve_target.hpp"
#include "compiler/schedule/lower.hpp"
#include "runtime/pack.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/subject.hpp"

namespace rnnc::test {
namespace {

using runtime::Description;
using runtime::PanelPacking;

struct Packed {
  Description description;
  std::vector<float> block;
};

Packed pack(const Subject& subject, const std::string& cpu, bool sparse) {
  const compiler::Target target = compiler::resolve_target(cpu, false).value();
  const ir::Cell cell(subject.graph);
  const compiler::CellKind kind =
      compiler::make_kind(cell, target, {.weights = WeightFormat::W8, .sparse = sparse}).value();
  const TensorMap tensors = tensors_of(subject);
  runtime::AlignedBuffer block;
  runtime::pack_weights(kind.description, runtime::refs_to(tensors), block).value();
  return {kind.description, {block.data(), block.data() + block.size()}};
}

Subject gru(std::int64_t units, double kept) {
  const ir::Cell cell = standard("gru", 5, units);
  Subject subject{cell, random_weights(cell, 3)};
  leave_out_blocks(subject, 9, kept);
  return subject;
}

const PanelPacking& sparse_panel(const Description& description) {
  return *std::ranges::find_if(description.panels, &PanelPacking::sparse);
}

template <class T>
T read(const Packed& packed, std::int64_t at) {
  T value;
  std::memcpy(&value, packed.block.data() + at, sizeof value);
  return value;
}

template <class T>
void write(Packed& packed, std::int64_t at, T value) {
  std::memcpy(packed.block.data() + at, &value, sizeof value);
}

std::span<const std::uint16_t> groups_of(const Packed& packed, const PanelPacking& panel, std::int64_t entries) {
  const auto from = panel.offset + read<std::int64_t>(packed, panel.offset + runtime::kEntryGroups);
  return {reinterpret_cast<const std::uint16_t*>(packed.block.data() + from), static_cast<std::size_t>(entries)};
}

}  // namespace

TEST_CASE("the entries of a vector are its groups of columns that are not all zero", "[sparse]") {
  for (const char* cpu : {"x86-64-v2", "x86-64-v3", "x86-64-v4"})
    for (const std::int64_t units : {16, 37, 64}) {
      INFO(cpu << ", " << units << " units");
      const Subject subject = gru(units, 0.4);
      const Packed packed = pack(subject, cpu, true);
      REQUIRE(runtime::is_packed_as(packed.description, packed.block));
      const PanelPacking& panel = sparse_panel(packed.description);
      REQUIRE(panel.gates == 3);
      const std::int64_t first = panel.offset + runtime::kFirstEntries;
      const std::int64_t vectors = panel.shape().vectors_of_column();
      const auto groups = groups_of(packed, panel, read<std::int32_t>(packed, first + vectors));
      // The vectors of full blocks; those of the last one may be shared by gates.
      for (std::int64_t block = 0; block < units / panel.lanes; ++block)
        for (int gate = 0; gate < 3; ++gate) {
          const std::int64_t vector = block * 3 + gate;
          const auto begin = read<std::int32_t>(packed, first + vector),
                     end = read<std::int32_t>(packed, first + vector + 1);
          CHECK(begin % runtime::kEntriesTogether == 0);
          std::vector<std::uint16_t> expected;
          const auto piece = std::ranges::find(panel.pieces, gate, &runtime::MatrixPiece::gate);
          const std::vector<float>& matrix = subject.weights.at(piece->param);
          for (std::int64_t column = 0; column < units; column += 4) {
            bool any = false;
            for (std::int64_t row = block * panel.lanes; row < (block + 1) * panel.lanes; ++row)
              for (std::int64_t c = column; c < std::min(column + 4, units); ++c)
                any = any || matrix[static_cast<std::size_t>(row * units + c)] != 0;
            if (any) expected.push_back(static_cast<std::uint16_t>(column / 4));
          }
          expected.resize((expected.size() + 3) / 4 * 4);
          CHECK(std::ranges::equal(
              groups.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)), expected));
        }
    }
}

TEST_CASE("what is left out takes no memory, operations or time", "[sparse]") {
  const Packed none = pack(gru(64, 0), "x86-64-v4", true), half = pack(gru(64, 0.4), "x86-64-v4", true),
               all = pack(gru(64, 1), "x86-64-v4", true), dense = pack(gru(64, 1), "x86-64-v4", false);
  CHECK(none.block.size() < half.block.size());
  CHECK(half.block.size() < all.block.size());
  const auto left = [](const Packed& packed) {
    Description description = packed.description;
    runtime::take_off_zeros(description, packed.block);
    return description;
  };
  CHECK(left(dense).flops_per_step == dense.description.flops_per_step);
  CHECK(left(all).flops_per_step == dense.description.flops_per_step);
  CHECK(left(all).recurrent_bytes == dense.description.recurrent_bytes);
  CHECK(left(half).flops_per_step < left(all).flops_per_step);
  CHECK(left(none).flops_per_step == Approx(2 * 3 * 64 * 5));
  CHECK(left(none).recurrent_bytes == 0);
  CHECK(left(none).weights_seconds == 0);
}

TEST_CASE("a block whose tables lead out of it is not taken for a packed one", "[sparse]") {
  const Packed good = pack(gru(37, 0.4), "x86-64-v4", true);
  const PanelPacking& panel = sparse_panel(good.description);
  const std::int64_t first = panel.offset + runtime::kFirstEntries, vectors = panel.shape().vectors_of_column();
  const auto entries = read<std::int32_t>(good, first + vectors);
  const auto size = static_cast<std::int64_t>(good.block.size());
  using Change = std::function<void(Packed&)>;
  const Change changes[] = {
      [&](Packed& p) { write<std::int32_t>(p, first, 4); },
      [&](Packed& p) { write<std::int32_t>(p, first + 1, 1); },
      [&](Packed& p) { write<std::int32_t>(p, first + 1, entries + 4); },
      [&](Packed& p) { write<std::int32_t>(p, first + 1, -4); },
      [&](Packed& p) { write<std::int32_t>(p, first + vectors, entries + 4000); },
      [&](Packed& p) { write<std::int64_t>(p, panel.offset + runtime::kEntryWeights, size); },
      [&](Packed& p) { write<std::int64_t>(p, panel.offset + runtime::kEntryWeights, -panel.offset - 16); },
      [&](Packed& p) { write<std::int64_t>(p, panel.offset + runtime::kEntryGroups, size - panel.offset); },
      [&](Packed& p) { write<std::int64_t>(p, panel.offset + runtime::kEntryGroups, std::int64_t{1} << 62); },
      [&](Packed& p) { const_cast<std::uint16_t&>(groups_of(p, panel, entries).front()) = 10; },
      [&](Packed& p) { p.block.resize(p.block.size() - 16); },
      [&](Packed& p) { p.block.resize(static_cast<std::size_t>(p.description.weights_size) - 1); },
      [&](Packed& p) { p.description.panels.back().lanes = 0; },
      [&](Packed& p) { p.description.panels.back().units = std::int64_t{1} << 40; },
      [&](Packed& p) { p.description.panels.back().offset = p.description.weights_size; },
      [&](Packed& p) { p.description.panels.back().format = WeightFormat::F32; },
  };
  REQUIRE(good.description.panels.back().sparse);
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    INFO("change " << i);
    Packed changed = good;
    changes[i](changed);
    CHECK_FALSE(runtime::is_packed_as(changed.description, changed.block));
  }
}

}  // namespace rnnc::test
