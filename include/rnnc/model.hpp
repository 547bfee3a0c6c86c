// A model is given as text, or as a standard cell by name. `compile` takes a Model.
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
  std::vector<std::string> shape;  // dims as the text has them: "4*H", "64"; empty for a scalar
};

/// The verified cells and networks of one file. A Model is immutable, and its copies share the content.
class Model {
 public:
  explicit Model(std::shared_ptr<const ir::Module> module) : module_(std::move(module)) {}

  const ir::Module& module() const { return *module_; }
  std::vector<std::string> cells() const;  // their names, in the order of the file
  std::vector<std::string> networks() const;
  std::string text() const;  // `parse(text())` gives an equal model

  /// Returns the parameters that `compile` wants weights for, of the cell or network `name`. The name may be left out
  /// in the same cases as CompileOptions::cell. Errors: Name, with the known names.
  Result<std::vector<Parameter>> parameters(std::string_view name = {}) const;

  /// Tells of what is right but most likely not meant: inputs and parameters that no output and no next value of a
  /// state depends on.
  std::vector<Note> warnings() const;

 private:
  std::shared_ptr<const ir::Module> module_;
};

/// Reads the text of a model. Errors: Syntax, Name, ShapeMismatch, InvalidModel, Limit, each with its place; File if
/// the file cannot be read.
Result<Model> parse(std::string_view text, std::string_view file = "<text>");
Result<Model> parse_file(const std::string& path);

/// Returns one of the cells that come with rnnc. Errors: Name, with the list of the known cells.
Result<Model> standard_cell(std::string_view name);
std::vector<std::string> standard_cell_names();

}  // namespace rnnc
