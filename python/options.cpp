#include "python/options.hpp"

#include <array>
#include <span>
#include <utility>

#include <rnnc/tensor_files.hpp>

#include "python/arrays.hpp"
#include "python/errors.hpp"

namespace rnnc::python {
namespace {

constexpr std::array<std::pair<const char*, Backend>, 4> kBackends = {
    {{"auto", Backend::Auto}, {"jit", Backend::Jit}, {"portable", Backend::Portable}, {"tiered", Backend::Tiered}}};
constexpr std::array<std::pair<const char*, WeightFormat>, 6> kFormats = {{{"f32", WeightFormat::F32},
                                                                           {"f16", WeightFormat::F16},
                                                                           {"bf16", WeightFormat::BF16},
                                                                           {"w16", WeightFormat::W16},
                                                                           {"w8a16", WeightFormat::W8A16},
                                                                           {"w8", WeightFormat::W8}}};
constexpr std::array<std::pair<const char*, Sharing>, 4> kSharings = {
    {{"auto", Sharing::Auto}, {"batch", Sharing::Batch}, {"units", Sharing::Units}, {"layers", Sharing::Layers}}};

// Returns a borrowed option, or null if it is missing or None.
PyObject* option(PyObject* options, const char* name) {
  PyObject* value = PyDict_GetItemString(options, name);
  return value == Py_None ? nullptr : value;
}

std::string text_option(PyObject* options, const char* name) {
  PyObject* value = option(options, name);
  return value ? text_of(value, name) : std::string();
}

template <class Choices, class Choice>
void choose(PyObject* options, const char* name, const Choices& choices, Choice& to) {
  if (!option(options, name)) return;
  const std::string given = text_option(options, name);
  std::string known;
  for (const auto& [text, choice] : choices) {
    if (given == text) return void(to = choice);
    known += (known.empty() ? "" : ", ") + std::string(text);
  }
  raise(ErrorCode::Usage, std::string(name) + " must be one of " + known + ", not '" + given + "'");
}

// Calls `take` with the key and the value of each pair of a dict. Throws Raised if it is none.
template <class Take>
void for_each(PyObject* dict, const char* what, Take take) {
  if (!dict) return;
  if (!PyDict_Check(dict)) {
    PyErr_Format(PyExc_TypeError, "%s must be a dict, not %R", what, Py_TYPE(dict));
    throw Raised{};
  }
  PyObject *key = nullptr, *value = nullptr;
  for (Py_ssize_t at = 0; PyDict_Next(dict, &at, &key, &value) != 0;) take(text_of(key, what), value);
}

int int_option(PyObject* options, const char* name, int fallback) {
  PyObject* value = option(options, name);
  if (!value) return fallback;
  const long long number = integer_of(value);
  if (number < 0 || number > kMaxThreads)
    raise(ErrorCode::Usage,
          std::string(name) + " must be 0 to " + std::to_string(kMaxThreads) + ", not " + std::to_string(number));
  return static_cast<int>(number);
}

bool is_set(PyObject* options, const char* name, bool fallback) {
  PyObject* value = option(options, name);
  return value ? PyObject_IsTrue(value) == 1 : fallback;
}

template <class Element>
TensorMap tensors_as(PyObject* dict, ElementType type) {
  TensorMap tensors;
  for_each(dict, "weights", [&](const std::string& name, PyObject* value) {
    Array array;
    if (!array.read_as<Element>(value, name.c_str())) throw Raised{};
    Tensor& tensor = tensors[name];
    tensor.type = type;
    for (int i = 0; i < array.rank(); ++i) tensor.shape.push_back(array.dim(i));
    const auto bytes = std::as_bytes(array.elements<const Element>());
    tensor.bytes.assign(bytes.begin(), bytes.end());
  });
  return tensors;
}

}  // namespace

CompileOptions compile_options(PyObject* options) {
  CompileOptions made;
  made.cell = text_option(options, "cell");
  made.cpu = text_option(options, "cpu");
  made.plan = text_option(options, "plan");
  for_each(option(options, "dims"), "dims",
           [&](const std::string& name, PyObject* value) { made.dims[name] = integer_of(value); });
  made.threads = int_option(options, "threads", 1);
  made.compile_threads = int_option(options, "compile_threads", 0);
  made.cache = is_set(options, "cache", true);
  made.sparse = is_set(options, "sparse", false);
  choose(options, "backend", kBackends, made.backend);
  choose(options, "weights_as", kFormats, made.weights);
  choose(options, "sharing", kSharings, made.sharing);
  if (const std::string ranges = text_option(options, "ranges"); !ranges.empty())
    made.ranges = take(parse_ranges(ranges, "ranges"));
  return made;
}

LoadOptions load_options(PyObject* options) {
  LoadOptions made;
  made.threads = int_option(options, "threads", 1);
  made.cpu = text_option(options, "cpu");
  choose(options, "sharing", kSharings, made.sharing);
  return made;
}

ImportOptions import_options(PyObject* options) {
  ImportOptions made;
  made.prefix = text_option(options, "prefix");
  made.relu = is_set(options, "relu", false);
  made.node = text_option(options, "node");
  made.output = text_option(options, "take");
  if (!text_option(options, "like").empty()) made.like = OnnxLike::OnnxRuntime;
  for_each(option(options, "shapes"), "shapes", [&](const std::string& name, PyObject* sizes) {
    const Object list = Object::steal(PySequence_Tuple(sizes));
    Shape shape;
    for (Py_ssize_t i = 0; i < PyTuple_Size(list.get()); ++i)
      shape.push_back(integer_of(PyTuple_GetItem(list.get(), i)));
    made.shapes[name] = shape;
  });
  for_each(option(options, "carry"), "carry",
           [&](const std::string& input, PyObject* output) { made.carried[input] = text_of(output, "carry"); });
  if (PyObject* constants = option(options, "constants")) made.inputs = tensors_of(constants);
  return made;
}

TensorMap tensors_of(PyObject* dict) { return tensors_as<float>(dict, ElementType::F32); }
TensorMap doubles_of(PyObject* dict) { return tensors_as<double>(dict, ElementType::F64); }

}  // namespace rnnc::python
