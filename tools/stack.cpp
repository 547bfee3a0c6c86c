#include "tools/stack.hpp"

#include <optional>

#include <rnnc/builder.hpp>

#include "tools/exit_code.hpp"

namespace rnnc::tools {
namespace {

// Returns the name of the dim of the cell's only input, or "" where there is none.
std::string input_dim(const ir::Cell& cell) {
  std::string name;
  int inputs = 0;
  for (const ir::Node& node : cell.nodes) {
    if (node.op != ir::Op::Input) continue;
    ++inputs;
    if (node.type.rank() != 1) continue;
    const std::string dim = node.type.dims[0].to_string();
    for (const std::string& known : cell.dims)
      if (known == dim) name = dim;
  }
  return inputs == 1 ? name : "";
}

}  // namespace

Result<Model> stack(const Model& cells, const ir::Cell& cell, const StackFlags& flags) {
  const std::string flag = flags.bidirectional ? "--bidirectional" : "--layers";
  const std::string input = input_dim(cell);
  if (input.empty() || cell[cell.output()].type.rank() != 1)
    return usage_error(
        flag, "takes cells with one input, a vector whose size is a dim, and a vector as output, which " + cell.name +
                  " has not; write the network as text");
  NetworkBuilder network("stack", cells);
  ScanOptions options{.direction = flags.bidirectional ? Direction::Bidirectional : Direction::Forward};
  std::optional<Dim> width;
  for (const std::string& name : cell.dims) {
    const Dim dim = network.dim(name);
    if (name == input)
      width = dim;
    else
      options.dims.emplace(name, dim);
  }
  Value row = network.sequence("x", {*width});
  for (std::int64_t layer = 1; layer <= flags.layers; ++layer)
    row = network.scan("l" + std::to_string(layer), cell.name, {row}, options);
  network.output(row);
  return network.build();
}

}  // namespace rnnc::tools
