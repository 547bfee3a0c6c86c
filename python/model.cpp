#include "python/model.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <memory>
#include <span>

#include <rnnc/artifact.hpp>
#include <rnnc/compile.hpp>
#include <rnnc/import.hpp>
#include <rnnc/tensor_files.hpp>

#include "python/calls.hpp"
#include "python/errors.hpp"
#include "python/options.hpp"

namespace rnnc::python {
namespace {

enum class Kind { Text, Path, Bytes, Cell };

Kind kind_of(const std::string& name) {
  if (name == "path") return Kind::Path;
  if (name == "bytes") return Kind::Bytes;
  if (name == "cell") return Kind::Cell;
  return Kind::Text;
}

// Everything that is read with Python's lock held, before the work begins without it.
struct Job {
  Kind kind;
  std::string source, weights_path;
  std::string file;  // the name of an artifact in messages
  bool is_artifact, keeps_weights;
  TensorMap weights;
  CompileOptions compile;
  ImportOptions import;
  LoadOptions load;
};

Result<Imported> read_model(const Job& job) {
  const auto from_model = [](Result<Model> model) -> Result<Imported> {
    if (!model) return model.error();
    return Imported{std::move(*model), {}};
  };
  switch (job.kind) {
    case Kind::Text: return from_model(parse(job.source));
    case Kind::Cell: return from_model(standard_cell(job.source));
    case Kind::Path: return import_model_file(job.source, job.import);
    case Kind::Bytes: return import_model(std::as_bytes(std::span(job.source)), "<memory>", job.import);
  }
  return Error{ErrorCode::Usage, {}, "no kind of model"};
}

// Returns the tensors of the file beside a text that `rnnc import` wrote, if it has all parameters and no others.
Result<TensorMap> weights_beside(const std::string& path, const Model& model, const std::string& cell) {
  const std::string stem = path.substr(0, path.size() - std::string_view(".rnn").size());
  const Result<std::vector<Parameter>> wanted = model.parameters(cell);
  if (!wanted) return TensorMap();
  for (const std::string& file : {stem + ".safetensors", stem + "_weights.safetensors"}) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(file, ignored)) continue;
    Result<TensorMap> tensors = load_tensors(file);
    if (!tensors) return tensors;
    const bool fits =
        tensors->size() == wanted->size() &&
        std::ranges::all_of(*wanted, [&](const Parameter& parameter) { return tensors->contains(parameter.name); });
    if (fits) return tensors;
  }
  return TensorMap();
}

bool is_name(const std::string& dim) {
  return std::ranges::all_of(dim, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }) &&
         !std::isdigit(static_cast<unsigned char>(dim.front()));
}

// Returns the dims that were given, and those that are a whole side of a tensor.
std::map<std::string, std::int64_t> dims_of(const Job& job, const Model& model, const TensorMap& weights) {
  std::map<std::string, std::int64_t> dims = job.compile.dims;
  const Result<std::vector<Parameter>> parameters = model.parameters(job.compile.cell);
  if (!parameters) return dims;
  for (const Parameter& parameter : *parameters) {
    const auto found = weights.find(parameter.name);
    if (found == weights.end()) continue;
    for (std::size_t i = 0; i < parameter.shape.size(); ++i)
      if (is_name(parameter.shape[i])) dims[parameter.shape[i]] = found->second.shape[i];
  }
  return dims;
}

ProgramContent describe(Program program) {
  const Result<void> streams = program.streams();
  const std::int64_t inputs = program.input_size(), outputs = program.output_size(), bytes = program.weights_bytes();
  const bool keeps_rows = program.state_bytes(1, 1024) != program.state_bytes(1, 1);
  return {std::move(program), "", {}, streams ? "" : streams.error().message, inputs, outputs, bytes, keeps_rows};
}

Result<ProgramContent> compile_job(const Job& job) {
  if (job.is_artifact) {
    Result<Program> program = parse_artifact(std::as_bytes(std::span(job.source)), job.file, job.load);
    if (!program) return program.error();
    return describe(std::move(*program));
  }
  Result<Imported> imported = read_model(job);
  if (!imported) return imported.error();
  TensorMap weights = job.weights;
  const bool has_given = !job.weights_path.empty() || !weights.empty();
  if (has_given && !imported->weights.empty())
    return Error{ErrorCode::Usage, {}, "weights: the model has its own; leave the argument out"};
  if (!imported->weights.empty()) weights = std::move(imported->weights);
  if (!job.weights_path.empty() ||
      (!has_given && weights.empty() && job.kind == Kind::Path && job.source.ends_with(".rnn"))) {
    Result<TensorMap> read = job.weights_path.empty() ? weights_beside(job.source, imported->model, job.compile.cell)
                                                      : load_tensors(job.weights_path);
    if (!read) return read.error();
    weights = std::move(*read);
  }
  Result<Program> program = compile(imported->model, weights, job.compile);
  if (!program) return program.error();
  ProgramContent made = describe(std::move(*program));
  made.text = imported->model.text();
  made.dims = dims_of(job, imported->model, weights);
  if (job.keeps_weights) made.weights = std::make_shared<const TensorMap>(std::move(weights));
  return made;
}

bool is_true(PyObject* options, const char* name) {
  PyObject* const value = PyDict_GetItemString(options, name);
  return value && PyObject_IsTrue(value) == 1;
}

}  // namespace

std::unique_ptr<ProgramContent> compile_from(PyObject* kind, PyObject* source, PyObject* weights, PyObject* options) {
  Job job{.kind = kind_of(text_of(kind, "kind")),
          .source = {},
          .weights_path = {},
          .file = {},
          .is_artifact = is_true(options, "is_artifact"),
          .keeps_weights = is_true(options, "keep_weights"),
          .weights = {},
          .compile = compile_options(options),
          .import = import_options(options),
          .load = load_options(options)};
  if (job.kind == Kind::Bytes) {
    char* data = nullptr;
    Py_ssize_t size = 0;
    if (PyBytes_AsStringAndSize(source, &data, &size) != 0) throw Raised{};
    job.source.assign(data, static_cast<std::size_t>(size));
  } else {
    job.source = text_of(source, "the model");
  }
  if (job.is_artifact) job.file = text_of(PyDict_GetItemString(options, "file"), "file");
  if (PyUnicode_Check(weights))
    job.weights_path = text_of(weights, "weights");
  else if (weights != Py_None)
    job.weights = tensors_of(weights);
  Result<ProgramContent> made = calls().run([&]() noexcept -> Result<ProgramContent> {
    try {
      return compile_job(job);
    } catch (const std::bad_alloc&) {
      return Error{ErrorCode::Limit, {}, "there is not enough memory to compile the model"};
    }
  });
  return std::make_unique<ProgramContent>(take(std::move(made)));
}

PyObject* parameters_of(PyObject* kind, PyObject* source, PyObject* cell) {
  const std::string text = text_of(source, "the model");
  Result<Model> model = Error{ErrorCode::Usage, {}, "no kind of model"};
  switch (kind_of(text_of(kind, "kind"))) {
    case Kind::Text: model = parse(text); break;
    case Kind::Cell: model = standard_cell(text); break;
    case Kind::Path: model = parse_file(text); break;
    case Kind::Bytes: raise(ErrorCode::Usage, "parameters are told of a text alone");
  }
  const Model read = take(std::move(model));
  Object dict = Object::steal(PyDict_New());
  for (const Parameter& parameter : take(read.parameters(cell == Py_None ? std::string() : text_of(cell, "cell")))) {
    const Object dims = Object::steal(PyTuple_New(static_cast<Py_ssize_t>(parameter.shape.size())));
    for (std::size_t i = 0; i < parameter.shape.size(); ++i)
      PyTuple_SetItem(dims.get(), static_cast<Py_ssize_t>(i), string_of(parameter.shape[i]));
    if (PyDict_SetItemString(dict.get(), parameter.name.c_str(), dims.get()) != 0) throw Raised{};
  }
  return dict.release();
}

}  // namespace rnnc::python
