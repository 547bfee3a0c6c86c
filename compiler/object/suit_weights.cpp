#include "compiler/object/suit_weights.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "compiler/llvm/byte_products.hpp"
#include "compiler/schedule/plan_stage.hpp"

namespace rnnc::compiler {
namespace {

// ByteProducts::Dual reads two neighbouring weights as one number of 16 bits (byte_products.hpp): where the first is
// negative, it has taken 1 from the other.
void pair_weights(const Plan& plan, float* block) {
  for (const Panel& panel : plan.panels) {
    if (!runtime::is_integer(panel.format) || panel.is_shared) continue;
    auto* bytes = reinterpret_cast<std::int8_t*>(block + panel.offset);
    const std::int64_t count = runtime::bytes_of(runtime::kRowFormat, panel.shape().floats_of_weights());
    for (std::int64_t i = 0; i < count; i += 2)
      if (bytes[i] < 0) bytes[i + 1] = static_cast<std::int8_t>(bytes[i + 1] - 1);
  }
}

// Puts the words of the blocks that lie together, of `vectors` vectors, in their order for ByteProducts::Rows, which
// reads sixteen columns of a lane at once (byte_products.hpp): those are words of four groups. Returns the end of them.
float* put_rows_together(const Panel& panel, std::int64_t vectors, float* words) {
  const std::int64_t digits = runtime::weight_digits(panel.format), sets = panel.passes() / kGroupsOfRow;
  const std::vector<float> before(words, words + panel.passes() * vectors * digits * panel.lanes);
  for (std::int64_t vector = 0; vector < vectors; ++vector)
    for (std::int64_t group = 0; group < sets * kGroupsOfRow; ++group)
      for (std::int64_t digit = 0; digit < digits; ++digit)
        for (std::int64_t lane = 0; lane < panel.lanes; ++lane) {
          const std::int64_t set = group / kGroupsOfRow;
          const std::int64_t from = ((group * vectors + vector) * digits + digit) * panel.lanes + lane;
          const std::int64_t to = (((vector * sets + set) * panel.lanes + lane) * digits + digit) * kGroupsOfRow;
          words[to + group % kGroupsOfRow] = before[static_cast<std::size_t>(from)];
        }
  return words + std::ssize(before);
}

void put_rows_together(const Plan& plan, float* block) {
  for (const Panel& panel : plan.panels) {
    if (!runtime::is_integer(panel.format) || panel.is_shared) continue;
    const std::int64_t full = panel.units / panel.lanes, blocks = divide_up(panel.units, panel.lanes);
    const std::int64_t alike = panel.is_packed() ? full : blocks;
    float* words = block + panel.offset;
    for (std::int64_t first = 0; first < alike; first += panel.together)
      words = put_rows_together(panel, std::min<std::int64_t>(panel.together, alike - first) * panel.gates, words);
    if (blocks > alike) put_rows_together(panel, panel.vectors(true), words);
  }
}

}  // namespace

void suit_weights(const Plan& plan, ByteProducts way, float* block) {
  switch (way) {
    case ByteProducts::Unsigned:
    case ByteProducts::Signs:
    case ByteProducts::Long:
    case ByteProducts::Signed:
    case ByteProducts::Words:
    case ByteProducts::Wide: return;
    case ByteProducts::Dual: return pair_weights(plan, block);
    case ByteProducts::Rows: return put_rows_together(plan, block);
  }
}

}  // namespace rnnc::compiler
