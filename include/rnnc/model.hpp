// Models as people hand them in: text, or a standard cell by name. A Model is what `compile` takes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <rnnc/export.hpp>
#include <rnnc/result.hpp>

namespace RNNC_API rnnc {

namespace ir {
struct Module;
}

/// A parameter of a cell or network, whose weights are a tensor of this name and shape.
struct Parameter {
  std::string name;
  std::vector<std::string> shape;  // dims as the text has them: "4*H", "64"; none of a scalar
};

/// The verified cells and networks of one file. Immutable; copies share it.
class Model {
 public:
  explicit Model(std::shared_ptr<const ir::Module> module) : module_(std::move(module)) {}

  const ir::Module& module() const { return *module_; }
  std::vector<std::string> cells() const;  // their names, in the order of the file
  std::vector<std::string> networks() const;
  std::string text() const;  // `parse(text())` gives an equal model

  /// What `compile` wants weights for, of the cell or network `name`, which may be left out where CompileOptions::cell
  /// may. Errors: Name, with those there are.
  Result<std::vector<Parameter>> parameters(std::string_view name = {}) const;

 private:
  std::shared_ptr<const ir::Module> module_;
};

/// Errors: Syntax, Name, ShapeMismatch, InvalidModel, Limit, each with its place; File where the file cannot be read.
Result<Model> parse(std::string_view text, std::string_view file = "<text>");
Result<Model> parse_file(const std::string& path);

/// One of the cells that come with rnnc. Errors: Name, with the list of those there are.
Result<Model> standard_cell(std::string_view name);
std::vector<std::string> standard_cell_names();

}  // namespace rnnc
