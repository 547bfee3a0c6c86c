// The results of a run become files, laid out as --layout and the ONNX graph say, and a line of text for each.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "ir/syntax.hpp"
#include "tools/exit_code.hpp"
#include "tools/graph_layout.hpp"
#include "tools/model_facts.hpp"
#include "tools/outputs.hpp"
#include "tools/run_data.hpp"

namespace rnnc::tools {
namespace {

Tensor tensor_of(const NamedType& output, const Job& job, std::vector<float> values) {
  const std::int64_t sequences = job.batch.sequences;
  Shape shape = {sequences, elements(output.type)};
  if (!output.type.is_sequence()) return Tensor::from_f32(shape, values);
  const auto& time = job.batch.times.at(output.type.axis);
  shape.insert(shape.begin(), time.steps);
  fill_behind_the_end(output, job, values);
  Tensor tensor = Tensor::from_f32(shape, values);
  return job.batch_first ? with_first_axes_swapped(tensor) : tensor;
}

// Lays final states as the graph's output has them.
Tensor tensor_of(const GraphValue& final, std::int64_t sequences, const SequenceResult& result) {
  const GraphSizes sizes{1, sequences};
  const std::vector<std::size_t> places = places_in_graph(final, sizes);
  std::vector<float> values(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto sequence = static_cast<std::int64_t>(i / final.elements.size());
    const auto& [state, index] = final.elements[i % final.elements.size()];
    const std::vector<float>& all = result.states.at(state);
    values[places[i]] = all[static_cast<std::size_t>(sequence * (std::ssize(all) / sequences) + index)];
  }
  return Tensor::from_f32(shape_of(final, sizes), values);
}

bool is_standard_output(const std::string& path) {
  struct stat file {
  }, output{};
  return stat(path.c_str(), &file) == 0 && fstat(STDOUT_FILENO, &output) == 0 && file.st_dev == output.st_dev &&
         file.st_ino == output.st_ino;
}

// Says what the sizes of files were taken for, since a wrong layout is wrong without an error.
void print_shapes(const Interface& interface, const Job& job, const std::vector<Output>& outputs) {
  if (std::ranges::any_of(outputs, [](const Output& output) { return is_standard_output(output.path); })) return;
  for (const auto& [name, time] : job.batch.times) {
    if (name == ir::kTime)
      std::printf("x: %s of %s, %s a step\n", plural(time.steps, "step").c_str(),
                  plural(job.batch.sequences, "sequence").c_str(), plural(interface.input_size(), "feature").c_str());
    else
      std::printf("%s: %s\n", name.c_str(), plural(time.steps, "step").c_str());
  }
  for (const Output& output : outputs)
    std::printf("%s: f32%s\n", output.path.c_str(), to_string(output.tensor.shape).c_str());
}

}  // namespace

void fill_behind_the_end(const NamedType& output, const Job& job, std::vector<float>& values) {
  const auto found = job.behind_the_end.find(output.name);
  if (found == job.behind_the_end.end()) return;
  const auto& time = job.batch.times.at(output.type.axis);
  for (std::size_t k = 0; k < time.lengths.size(); ++k)
    for (std::int64_t t = time.lengths[k]; t < time.steps; ++t)
      std::ranges::copy(found->second, values.begin() + (t * job.batch.sequences + static_cast<std::int64_t>(k)) *
                                                            std::ssize(found->second));
}

Result<int> write_results(const Interface& interface, const Job& job, const Result<SequenceResult>& result) {
  if (!result) return result.error();
  const std::int64_t sequences = job.batch.sequences;
  std::vector<Output> outputs;
  for (std::size_t i = 0; i < interface.outputs.size(); ++i)
    if (const auto wanted = job.outputs.find(interface.outputs[i].name); wanted != job.outputs.end())
      outputs.push_back({wanted->second, tensor_of(interface.outputs[i], job, result->outputs[i])});
  for (const NamedSize& state : interface.states)
    if (const auto wanted = job.final_states.find(state.name); wanted != job.final_states.end())
      outputs.push_back({wanted->second, Tensor::from_f32({sequences, state.size}, result->states.at(state.name))});
  for (const auto& [name, final] : job.graph_finals)
    outputs.push_back({final.second, tensor_of(final.first, sequences, *result)});
  if (const auto written = write_outputs(outputs); !written) return written.error();
  print_shapes(interface, job, outputs);
  return kOk;
}

}  // namespace rnnc::tools
