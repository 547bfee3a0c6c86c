#include "tools/expected.hpp"

#include <algorithm>

#include "tools/graph_layout.hpp"
#include "tools/read_data.hpp"

namespace rnnc::tools {
namespace {

// Reads an output as a run writes it, [T, B, O] or [B, O].
Result<std::vector<float>> read_output(const NamedType& output, const Job& job, const std::string& path) {
  Result<Tensor> tensor = read_f32(path, output.name);
  if (!tensor) return tensor.error();
  if (job.batch_first && tensor->shape.size() == 3) tensor = with_first_axes_swapped(*tensor);
  Shape wanted = {job.batch.sequences, elements(output.type)};
  if (output.type.is_sequence()) wanted.insert(wanted.begin(), job.batch.times.at(output.type.axis).steps);
  if (tensor->shape == wanted) return tensor->to_f32();
  const auto in_file = [&](Shape shape) {
    if (job.batch_first && shape.size() == 3) std::swap(shape[0], shape[1]);
    return shape;
  };
  return wrong_shape(path, output.name, in_file(wanted), in_file(tensor->shape));
}

Result<std::vector<float>> read_state(const std::string& what, const Shape& wanted, const std::string& path) {
  const Result<Tensor> tensor = read_f32(path, what);
  if (!tensor) return tensor.error();
  if (tensor->shape != wanted) return wrong_shape(path, what, wanted, tensor->shape);
  return tensor->to_f32();
}

// Reads final states that lie as in the graph's output. Elements of a state that the output lacks stay as they are in
// `states`.
Result<void> read_final(const GraphValue& final, const Job& job, const std::string& path,
                        std::map<std::string, std::vector<float>>& states) {
  const std::int64_t sequences = job.batch.sequences;
  const GraphSizes sizes{1, sequences};
  const Result<std::vector<float>> values = read_state("final " + final.name, shape_of(final, sizes), path);
  if (!values) return values.error();
  const std::vector<std::size_t> places = places_in_graph(final, sizes);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto sequence = static_cast<std::int64_t>(i / final.elements.size());
    const auto& [state, index] = final.elements[i % final.elements.size()];
    std::vector<float>& all = states.at(state);
    all[static_cast<std::size_t>(sequence * (std::ssize(all) / sequences) + index)] = (*values)[places[i]];
  }
  return {};
}

}  // namespace

Result<Difference> compare_with_files(SequenceResult ours, const Interface& interface, const Job& job,
                                      double promised) {
  SequenceResult expected;
  for (std::size_t i = 0; i < interface.outputs.size(); ++i) {
    const NamedType& output = interface.outputs[i];
    std::vector<float>& values = expected.outputs.emplace_back();
    const auto file = job.outputs.find(output.name);
    if (file == job.outputs.end()) continue;
    Result<std::vector<float>> read = read_output(output, job, file->second);
    if (!read) return read.error();
    values = std::move(*read);
    if (output.type.is_sequence()) fill_behind_the_end(output, job, ours.outputs[i]);
  }
  for (const auto& [name, final] : job.graph_finals) {
    for (const auto& [state, index] : final.first.elements) expected.states.emplace(state, ours.states.at(state));
    if (const auto read = read_final(final.first, job, final.second, expected.states); !read) return read.error();
  }
  for (const NamedSize& state : interface.states) {
    const auto file = job.final_states.find(state.name);
    if (file == job.final_states.end()) continue;
    Result<std::vector<float>> read =
        read_state("final " + state.name, {job.batch.sequences, state.size}, file->second);
    if (!read) return read.error();
    expected.states[state.name] = std::move(*read);
  }
  return compare(ours, expected, interface, job.batch.sequences, {promised});
}

}  // namespace rnnc::tools
