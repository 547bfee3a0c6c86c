#include "tests/support/kept_programs.hpp"

#include <rnnc/import.hpp>
#include <rnnc/tensor_files.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include "tests/support/networks.hpp"
#include "tests/support/random_cell.hpp"
#include "tests/support/random_network.hpp"
#include "tests/support/run_cell.hpp"
#include "tests/support/subject.hpp"

namespace rnnc::test {
namespace {

constexpr std::uint64_t kCells = 500, kNetworks = 100;

Weighted weighted(const Subject& subject) { return {model_of(subject), tensors_of(subject), subject.graph.name}; }

void add_standard_cells(std::vector<KeptProgram>& programs) {
  // One element; fewer than a register holds; several tiles and a rest.
  static constexpr std::array<std::pair<int, int>, 3> kSizes = {{{1, 1}, {5, 7}, {19, 70}}};
  for (const std::string& name : standard_cell_names())
    for (const auto& [inputs, units] : kSizes) {
      const std::string sizes = std::to_string(inputs) + "x" + std::to_string(units);
      programs.push_back({"standard/" + name + "/" + sizes, [name, inputs = inputs, units = units] {
                            const ir::Cell cell = standard(name, inputs, units);
                            return weighted({cell, random_weights(cell, 1)});
                          }});
    }
}

// The bits of these programs were kept when networks had one output.
Subject with_first_output(Subject subject) {
  bool first = true;
  std::erase_if(subject.graph.statements, [&](const ir::Statement& statement) {
    return statement.kind == ir::Statement::Kind::Output && !std::exchange(first, false);
  });
  return subject;
}

void add_random_graphs(std::vector<KeptProgram>& programs) {
  for (std::uint64_t seed = 0; seed < kCells; ++seed)
    programs.push_back({"random_cell/" + std::to_string(seed), [seed] {
                          RandomCell random = random_cell(seed);
                          return weighted({std::move(random.cell), std::move(random.weights)});
                        }});
  for (std::uint64_t seed = 0; seed < kNetworks; ++seed)
    programs.push_back({"random_network/" + std::to_string(seed),
                        [seed] { return weighted(with_first_output(random_network(seed))); }});
}

void add_sample_networks(std::vector<KeptProgram>& programs) {
  for (std::size_t i = 0; i < sample_networks().size(); ++i)
    programs.push_back({"sample_network/" + std::to_string(i), [i] {
                          const ir::Network network = sample_network(sample_networks()[i]);
                          Random random(i);
                          Subject subject{network, {}};
                          for (const auto& [name, values] : random_weights(network, random))
                            subject.weights[name] = {values.begin(), values.end()};
                          return weighted(subject);
                        }});
}

// The files below `folder` that `wanted` takes, by their paths from the root of the source.
template <class Wanted>
std::vector<std::string> files_below(const std::string& folder, const Wanted& wanted) {
  const std::filesystem::path root = RNNC_SOURCE_DIR;
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder))
    if (wanted(entry.path())) found.push_back(std::filesystem::relative(entry.path(), root).generic_string());
  std::ranges::sort(found);
  return found;
}

void add_examples(std::vector<KeptProgram>& programs) {
  const auto weights_of = [](std::filesystem::path path) { return path.replace_extension(".safetensors"); };
  const auto has_weights = [&](const std::filesystem::path& path) {
    return path.extension() == ".rnn" && std::filesystem::exists(weights_of(path));
  };
  for (const std::string& name : files_below("examples", has_weights))
    programs.push_back({name, [name, weights_of] {
                          const std::string path = RNNC_SOURCE_DIR "/" + name;
                          return Weighted{parse_file(path).value(), load_safetensors(weights_of(path)).value()};
                        }});
}

void add_imported(std::vector<KeptProgram>& programs) {
  static constexpr std::array kFormats = {".onnx", ".json", ".nam"};
  // Its recurrent nodes are inside of another and are imported one by one, by name.
  static constexpr std::string_view kNested = "nested_in_if";
  const auto is_model = [](const std::filesystem::path& path) {
    return std::ranges::find(kFormats, path.extension()) != kFormats.end() && path.stem() != kNested;
  };
  for (const char* folder : {"tests/conformance/audio", "tests/conformance/onnx"})
    for (const std::string& name : files_below(folder, is_model))
      programs.push_back({name, [name] {
                            const Imported imported = import_model_file(RNNC_SOURCE_DIR "/" + name).value();
                            return Weighted{imported.model, imported.weights};
                          }});
}

}  // namespace

std::vector<KeptProgram> kept_programs() {
  std::vector<KeptProgram> programs;
  add_standard_cells(programs);
  add_random_graphs(programs);
  add_sample_networks(programs);
  add_examples(programs);
  add_imported(programs);
  return programs;
}

}  // namespace rnnc::test
