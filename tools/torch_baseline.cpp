// A state_dict, or layers of the cells that torch.nn has, run in PyTorch on the job's data.
#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include <rnnc/tensor_files.hpp>

#include "tools/baseline.hpp"
#include "tools/command_line.hpp"
#include "tools/layer_weights.hpp"
#include "tools/torch_process.hpp"

namespace rnnc::tools {
namespace {

Error refused(const std::string& message) { return {ErrorCode::Unsupported, {}, "--against torch: " + message}; }

using Gates = std::vector<std::string>;

// Our parameters in the order of torch.nn's gates. "" is a bias of zeros, since ours are the sums of torch's two.
struct TorchCell {
  std::string_view name;
  Gates input, recurrent, input_bias, recurrent_bias;
};

const std::array<TorchCell, 4>& cells() {
  static const std::array<TorchCell, 4> all = {{
      {"lstm", {"Wi", "Wf", "Wg", "Wo"}, {"Ui", "Uf", "Ug", "Uo"}, {"bi", "bf", "bg", "bo"}, {"", "", "", ""}},
      {"gru", {"Wr", "Wz", "Wn"}, {"Ur", "Uz", "Un"}, {"br", "bz", "bn"}, {"", "", "bun"}},
      {"rnn", {"W"}, {"U"}, {"b"}, {""}},
      {"rnn_relu", {"W"}, {"U"}, {"b"}, {""}},
  }};
  return all;
}

const TorchCell* find_cell(const std::string& name) {
  const auto found = std::ranges::find(cells(), name, &TorchCell::name);
  return found == cells().end() ? nullptr : &*found;
}

// Puts the gates one behind the other, as the rows of one tensor.
Result<Tensor> joined(const Gates& gates, const TensorMap& tensors, std::int64_t rows) {
  std::vector<float> values;
  Shape shape = {0};
  for (const std::string& gate : gates) {
    if (gate.empty()) {
      values.insert(values.end(), static_cast<std::size_t>(rows), 0);
      shape[0] += rows;
      continue;
    }
    const auto found = tensors.find(gate);
    if (found == tensors.end()) return refused("the cell has no parameter " + gate + " as the standard cell has");
    if (found->second.shape.empty())
      return refused("parameter " + gate + " is a scalar, and no vector as torch.nn has");
    const std::vector<float> own = found->second.to_f32();
    values.insert(values.end(), own.begin(), own.end());
    shape[0] += found->second.shape[0];
    if (found->second.shape.size() == 2) shape.resize(2, found->second.shape[1]);
  }
  return Tensor::from_f32(shape, values);
}

Result<TensorMap> torch_weights(const BenchJob& job) {
  const TorchCell* const cell = find_cell(job.source.cell.name);
  if (cell == nullptr)
    return refused("torch.nn has no cell " + job.source.cell.name + "; it has lstm, gru, rnn and rnn_relu");
  TensorMap result;
  const std::vector<std::vector<TensorMap>> layers = weights_by_layer(job);
  for (std::size_t layer = 0; layer < layers.size(); ++layer)
    for (std::size_t direction = 0; direction < layers[layer].size(); ++direction) {
      const TensorMap& own = layers[layer][direction];
      const auto any = own.find(cell->recurrent.front());
      const std::int64_t hidden = any == own.end() || any->second.shape.empty() ? 0 : any->second.shape[0];
      const std::string end = "_l" + std::to_string(layer) + (direction == 1 ? "_reverse" : "");
      for (const auto& [name, gates] : {std::pair("weight_ih", &cell->input),
                                        {"weight_hh", &cell->recurrent},
                                        {"bias_ih", &cell->input_bias},
                                        {"bias_hh", &cell->recurrent_bias}}) {
        Result<Tensor> tensor = joined(*gates, own, hidden);
        if (!tensor) return tensor.error();
        result[name + end] = std::move(*tensor);
      }
    }
  return result;
}

class TorchLibrary : public BaselineLibrary {
 public:
  explicit TorchLibrary(std::string python) : python_(std::move(python)) {}

  Result<void> check(const Source& source, const ir::Network&) const override {
    if (source.network || find_cell(source.cell.name) != nullptr) return {};  // make looks closer
    return refused("torch.nn has no cell " + source.cell.name + "; it has lstm, gru, rnn and rnn_relu");
  }

  Result<Baseline> make(const BenchJob& job) const override {
    Result<TorchRequest> request = request_of(job);
    if (!request) return request.error();
    Result<TorchProcess> started = TorchProcess::start(python_, *request);
    if (!started) return started.error();
    auto process = std::make_shared<TorchProcess>(std::move(*started));
    Baseline baseline{"torch",
                      process->version(),
                      baseline_title("torch"),
                      {{}, [process](double seconds) { return process->take_turn(seconds); }},
                      SequenceResult{{process->result()}, {}}};
    baseline.is_f32 = weight_format(job.flags.model) == WeightFormat::F32;
    return baseline;
  }

 private:
  static Result<TorchRequest> request_of(const BenchJob& job) {
    const ModelFlags& model = job.flags.model;
    TorchRequest request;
    request.threads = job.flags.threads;
    request.shape = {job.flags.steps, job.flags.batch, job.interface.input_size()};
    const ir::Vector& x = job.batch.inputs.begin()->second;
    request.x.assign(x.begin(), x.end());
    const bool is_stack = !job.source.network || model.stack.any();
    const FileFormat format = job.source.given.format;
    if (format == FileFormat::Safetensors || format == FileFormat::Zip) {
      Result<TensorMap> tensors = load_tensors(model.model);
      if (!tensors) return tensors.error();
      request.weights = std::move(*tensors);
      if (!model.part.prefix.empty()) request.prefixes = split(model.part.prefix, ',');
      request.relu = model.part.relu;
      return request;
    }
    if (!is_stack)
      return refused("it runs a state_dict, or layers of lstm, gru, rnn or rnn_relu, and not " + job.network.name +
                     "; --against onnxruntime runs ONNX files");
    Result<TensorMap> weights = torch_weights(job);
    if (!weights) return weights.error();
    request.weights = std::move(*weights);
    request.prefixes = {""};
    request.relu = job.source.cell.name == "rnn_relu";
    return request;
  }

  std::string python_;
};

}  // namespace

Result<std::unique_ptr<BaselineLibrary>> load_torch(const std::string& python) {
  const std::string found = TorchProcess::find_python(
      python.empty() ? std::vector<std::string>{"python3", "/usr/bin/python3"} : std::vector<std::string>{python});
  if (found.empty()) {
    Error error = refused(python.empty() ? "no python3 has PyTorch" : python + " is no Python that has PyTorch");
    error.notes.push_back({{}, "install python3-torch, or name a Python that has it by --library venv/bin/python"});
    return error;
  }
  return std::unique_ptr<BaselineLibrary>(std::make_unique<TorchLibrary>(found));
}

}  // namespace rnnc::tools
