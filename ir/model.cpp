// Models are made from text, files and the standard cells, which a build step puts into standard_cells_text.inc.
#include <rnnc/default_float_environment.hpp>
#include <rnnc/join.hpp>
#include <rnnc/model.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <new>

#include "ir/parse.hpp"
#include "ir/print.hpp"
#include "ir/scan.hpp"
#include "ir/syntax.hpp"
#include "ir/warnings.hpp"

namespace rnnc {

namespace {

struct StandardCell {
  std::string_view name;
  std::string_view text;
};

constexpr StandardCell kStandardCells[] = {
#include "standard_cells_text.inc"
};

// The file is read piece by piece, since a pipe, a folder or a growing file has no reliable size.
Result<std::string> read(const std::string& path) {
  const auto failed = [&](const std::string& why) {
    return Error{ErrorCode::File, {path, 0, 0}, "cannot read the file: " + why};
  };
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return failed(std::strerror(errno));
  constexpr std::size_t kMost = (std::size_t{16} << 20) + 1;  // the parser refuses more than 16 MiB
  std::string text;
  char piece[1 << 14];
  while (text.size() < kMost && (file.read(piece, sizeof piece), file.gcount() > 0)) {
    text.append(piece, static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return failed(std::strerror(errno));
  return text;
}

Error out_of_memory(std::string_view file) {
  return {ErrorCode::Limit, {std::string(file)}, "not enough memory to read the text"};
}

}  // namespace

std::vector<std::string> Model::cells() const {
  std::vector<std::string> names;
  for (const ir::Cell& cell : module_->cells) names.push_back(cell.name);
  return names;
}

std::vector<std::string> Model::networks() const {
  std::vector<std::string> names;
  for (const ir::Network& network : module_->networks) names.push_back(network.name);
  return names;
}

std::string Model::text() const { return ir::print(*module_); }

Result<std::vector<Parameter>> Model::parameters(std::string_view name) const {
  const Result<const ir::Graph*> graph = module_->choose(std::string(name));
  if (!graph) return graph.error();
  std::vector<Parameter> parameters;
  for (const ir::Weight& weight : ir::weights_of(**graph)) {
    Parameter& parameter = parameters.emplace_back(Parameter{weight.name, {}});
    for (const ir::Dim& dim : weight.type.dims) parameter.shape.push_back(dim.to_string());
  }
  return parameters;
}

std::vector<Note> Model::warnings() const {
  std::vector<Note> all;
  const auto add = [&all](const ir::Graph& graph) {
    for (Note& warning : ir::warnings(graph)) all.push_back(std::move(warning));
  };
  for (const ir::Cell& cell : module_->cells) add(cell);
  for (const ir::Network& network : module_->networks) add(network);
  return all;
}

Result<Model> parse(std::string_view text, std::string_view file) try {
  const DefaultFloatEnvironment environment;
  Result<ir::Module> module = ir::parse(text, file);
  if (!module) return module.error();
  return Model(std::make_shared<const ir::Module>(std::move(*module)));
} catch (const std::bad_alloc&) {
  return out_of_memory(file);
}

Result<Model> parse_file(const std::string& path) try {
  const Result<std::string> text = read(path);
  if (!text) return text.error();
  return parse(*text, path);
} catch (const std::bad_alloc&) {
  return out_of_memory(path);
}

Result<Model> standard_cell(std::string_view name) try {
  for (const StandardCell& cell : kStandardCells) {
    if (cell.name == name) return parse(cell.text, "standard cell " + std::string(name));
  }
  const std::string known = join(kStandardCells, &StandardCell::name);
  return Error{ErrorCode::Name, {}, "there is no standard cell '" + std::string(name) + "'; there are " + known};
} catch (const std::bad_alloc&) {
  return out_of_memory(name);
}

std::vector<std::string> standard_cell_names() {
  std::vector<std::string> names;
  for (const StandardCell& cell : kStandardCells) names.emplace_back(cell.name);
  return names;
}

}  // namespace rnnc
