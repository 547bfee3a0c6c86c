// A Python with PyTorch becomes a process that runs a state_dict and times its own calls, turn by turn.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

namespace rnnc::tools {

struct TorchRequest {
  TensorMap weights;                  // by the names of torch.nn's modules
  std::vector<std::string> prefixes;  // of the modules, which run one after the other; none for the only recurrent one
  bool relu = false;                  // of a torch.nn.RNN
  Shape shape;                        // of x: [T, B, I]
  std::vector<float> x;
  std::int64_t threads = 1;
};

/// Holds a running process, which ends with this object.
class TorchProcess {
 public:
  /// Returns the first of these programs that is a Python with PyTorch; "" where none is.
  static std::string find_python(const std::vector<std::string>& pythons);

  /// Errors: Unsupported where Python or PyTorch are missing, or PyTorch refuses the tensors; File.
  static Result<TorchProcess> start(const std::string& python, const TorchRequest& request);

  const std::string& version() const { return version_; }
  const std::vector<float>& result() const { return y_; }

  /// Lets the process call its model for so long, and returns the seconds of each call. Throws std::runtime_error where
  /// the process has ended.
  std::vector<double> take_turn(double seconds);

 private:
  struct Connection;
  std::shared_ptr<Connection> connection_;
  std::string version_;
  std::vector<float> y_;
};

}  // namespace rnnc::tools
