#include "tools/read_data.hpp"

#include <algorithm>
#include <cstring>

#include <rnnc/join.hpp>
#include <rnnc/tensor_files.hpp>

#include "ir/syntax.hpp"
#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"
#include "tools/flags.hpp"

namespace rnnc::tools {

namespace {

Error wrong_type(const std::string& path, const std::string& what, ElementType wanted, ElementType found) {
  return {ErrorCode::InvalidData,
          {path},
          what + " must be " + std::string(name(wanted)) + " but is " + std::string(name(found)) + "; save a.astype('" +
              (wanted == ElementType::F32 ? "float32" : "int32") + "') in place of the array a"};
}

// `-` is standard input, as it is of a model.
Result<Tensor> read_npy(const std::string& path) { return load_npy(path == "-" ? kStandardInput : path); }

}  // namespace

Error wrong_shape(const std::string& path, const std::string& what, const Shape& wanted, const Shape& found) {
  return {ErrorCode::ShapeMismatch,
          {path},
          "shape mismatch: " + what + " must be f32" + to_string(wanted) + " but is " + to_string(found)};
}

Result<Tensor> read_f32(const std::string& path, const std::string& what) {
  Result<Tensor> tensor = read_npy(path);
  if (tensor && tensor->type != ElementType::F32) return wrong_type(path, what, ElementType::F32, tensor->type);
  return tensor;
}

Result<std::vector<std::int32_t>> read_lengths(const std::string& path, std::int64_t steps, std::int64_t batch) {
  const Result<Tensor> tensor = read_npy(path);
  if (!tensor) return tensor.error();
  if (tensor->type != ElementType::I32) return wrong_type(path, "lengths", ElementType::I32, tensor->type);
  if (tensor->shape != Shape{batch})
    return Error{ErrorCode::ShapeMismatch,
                 {path},
                 "shape mismatch: lengths must be " + to_string({batch}) + ", one for each sequence, but are " +
                     to_string(tensor->shape)};
  std::vector<std::int32_t> lengths(static_cast<std::size_t>(batch));
  if (!tensor->bytes.empty()) std::memcpy(lengths.data(), tensor->bytes.data(), tensor->bytes.size());
  for (std::size_t b = 0; b < lengths.size(); ++b)
    if (lengths[b] < 0 || lengths[b] > steps)
      return Error{ErrorCode::InvalidData,
                   {path},
                   "length " + std::to_string(lengths[b]) + " of sequence " + std::to_string(b) +
                       " is not between 0 and the " + std::to_string(steps) + " steps of x"};
  return lengths;
}

Result<NamedSize> find_state(const std::string& flag, const std::string& name, const std::vector<NamedSize>& states) {
  const auto found = std::ranges::find(states, name, &NamedSize::name);
  if (found != states.end()) return *found;
  std::vector<std::string> known;
  for (const NamedSize& state : states) known.push_back(state.name);
  return usage_error(flag + " " + name, "there is no such state; the states are " +
                                            (known.empty() ? "none" : join(known)) + ir::did_you_mean(name, known));
}

}  // namespace rnnc::tools
