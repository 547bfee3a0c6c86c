// ONNX Runtime's shared library becomes sessions that run ONNX files. The program does not link it: the library is
// loaded where `rnnc bench` is asked for it, and its C interface is called by the places of its functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

namespace rnnc::tools {

struct OnnxPort {
  std::string name;
  ElementType type = ElementType::F32;
  Shape dims;  // -1 for a size that the file leaves open
};

/// Holds an open file. Its tensors and runs use the memory of the caller.
class OnnxSession {
 public:
  /// Refers to values of the caller, which must live as long as it.
  using Value = std::shared_ptr<void>;

  const std::vector<OnnxPort>& inputs() const { return inputs_; }
  const std::vector<OnnxPort>& outputs() const { return outputs_; }

  /// `data` has the elements of the shape, row-major. Errors: Unsupported, with the library's own text.
  Result<Value> value(ElementType type, const Shape& shape, std::byte* data) const;

  /// Returns "" or what the library says. `inputs` and `outputs` have a value for each name.
  std::string run(const std::vector<const char*>& input_names, const std::vector<void*>& inputs,
                  const std::vector<const char*>& output_names, std::vector<void*>& outputs) const;

 private:
  friend class OnnxRuntime;
  struct Library;
  std::shared_ptr<const Library> library_;
  std::shared_ptr<void> session_;
  std::vector<OnnxPort> inputs_, outputs_;
};

class OnnxRuntime {
 public:
  /// Loads `path`, or without one the library that the system knows, else that of the npm package onnxruntime-node in a
  /// node_modules at or above the working folder, or where npm installs for all.
  ///
  /// Errors    Unsupported: there is none, it cannot be loaded, is no ONNX Runtime, or is older than version 1.8
  static Result<OnnxRuntime> load(const std::string& path);

  std::string version() const;

  /// Errors: Unsupported where the library refuses the file, with its own text.
  Result<OnnxSession> open(const std::string& model, std::int64_t threads) const;

 private:
  std::shared_ptr<const OnnxSession::Library> library_;
};

}  // namespace rnnc::tools
