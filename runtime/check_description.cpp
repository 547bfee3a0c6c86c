#include "runtime/check_description.hpp"

#include <cmath>
#include <string>

#include "runtime/archive.hpp"

namespace rnnc::runtime {
namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 31;  // floats; with this limit every size fits in 64 bits

void require(bool right, const char* what) {
  if (!right) throw Damaged(std::string("its cell has ") + what);
}

bool is_size(std::int64_t size) { return size >= 0 && size <= kMost; }

// Returns the number of elements of an input, output or state, which is a scalar or a vector.
std::int64_t elements_of(const TensorInfo& tensor) {
  require(tensor.shape.size() <= 1, "a value of more than one dim");
  const std::int64_t elements = tensor.shape.empty() ? 1 : tensor.shape.front();
  require(is_size(elements), "a value of no size");
  return elements;
}

}  // namespace

void check_description(const Description& description) {
  for (const std::int64_t size :
       {description.input_size, description.output_size, description.doubled_row, description.in_place_row,
        description.sequence_row, description.step_row, description.chunk_rows, description.weights_size,
        description.block_groups, std::int64_t{description.step_stages}})
    require(is_size(size), "rows of no size");
  for (const double figure : {description.flops_per_step, description.recurrent_bytes, description.shared_bytes,
                              description.row_seconds, description.weights_seconds})
    require(std::isfinite(figure) && figure >= 0, "times that are none");
  for (const PanelPacking& panel : description.panels) require(bytes_of(panel.format, 1) > 0, "weights of no format");
  check_ports(description);
  for (const StateInfo& state : description.states) {
    const std::int64_t row = state.doubled ? description.doubled_row : description.in_place_row;
    require(elements_of(state.tensor) == state.size, "a state of another size");
    require(state.low <= 0 && state.high >= 0, "a state with a range that its start at 0 is not in");
    require(state.offset >= 0 && state.offset <= row && state.size <= row - state.offset, "a state outside of its row");
  }
}

void check_ports(const Description& description) {
  std::int64_t inputs = 0;
  for (const TensorInfo& input : description.inputs) {
    inputs += elements_of(input);
    require(inputs <= description.input_size, "inputs of another size");
  }
  require(inputs == description.input_size, "inputs of another size");
  require(elements_of(description.output) == description.output_size, "an output of another size");
}

}  // namespace rnnc::runtime
