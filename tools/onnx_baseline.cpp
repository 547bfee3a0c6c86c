// The user's own ONNX file runs in ONNX Runtime on the job's data. A graph that is one step is called once a step, and
// its new states become its next ones without a copy.
#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>

#include "runtime/half.hpp"
#include "tools/baseline.hpp"
#include "tools/graph_layout.hpp"
#include "tools/onnx_runtime.hpp"

namespace rnnc::tools {
namespace {

Error baseline_refused(const std::string& message) {
  return {ErrorCode::Unsupported, {}, "--against onnxruntime: " + message};
}

template <class Element>
void store_as(double value, std::byte* to) {
  const auto element = static_cast<Element>(value);
  std::memcpy(to, &element, sizeof element);
}

void store(double value, ElementType type, std::byte* to) {
  switch (type) {
    case ElementType::F64: return store_as<double>(value, to);
    case ElementType::F32: return store_as<float>(value, to);
    case ElementType::F16: return store_as<std::uint16_t>(runtime::to_f16(static_cast<float>(value)), to);
    case ElementType::BF16: return store_as<std::uint16_t>(runtime::to_bf16(static_cast<float>(value)), to);
    case ElementType::I64: return store_as<std::int64_t>(value, to);
    case ElementType::I32: return store_as<std::int32_t>(value, to);
    case ElementType::I16: return store_as<std::int16_t>(value, to);
    case ElementType::I8: return store_as<std::int8_t>(value, to);
    case ElementType::U64: return store_as<std::uint64_t>(value, to);
    case ElementType::U32: return store_as<std::uint32_t>(value, to);
    case ElementType::U16: return store_as<std::uint16_t>(value, to);
    case ElementType::U8: return store_as<std::uint8_t>(value, to);
    case ElementType::Bool: return store_as<bool>(value, to);
  }
}

std::size_t elements_of(const Shape& shape) {
  std::size_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
  return count;
}

// A tensor of the graph, or of a graph of one step the tensors of all steps, one behind the other.
struct Buffer {
  std::string name;
  ElementType type = ElementType::F32;
  Shape shape;  // of a call
  std::vector<std::byte> bytes;
  std::vector<OnnxSession::Value> values;  // for each call
};

// A state of a graph of one step takes turns between two buffers.
struct CarriedState {
  std::string name, next;
  std::vector<std::byte> bytes[2];
  OnnxSession::Value read[2], written[2];
};

class OnnxRun {
 public:
  explicit OnnxRun(OnnxSession session) : session_(std::move(session)) {}

  Result<void> prepare(const BenchJob& job);
  Result<void> run();
  /// Throws std::runtime_error, since a call that fails has no time.
  void run_or_throw() {
    if (const auto done = run(); !done) throw std::runtime_error(done.error().message);
  }
  SequenceResult result(const BenchJob& job) const;

 private:
  Result<void> add_input(const BenchJob& job, const OnnxPort& port);
  Result<void> add_state(const ImportedGraph& graph, const GraphValue& value, const OnnxPort& port);
  Result<void> add_output(const GraphValue& value);
  Result<void> add_buffer(std::vector<Buffer>& to, Buffer buffer, std::int64_t calls);
  const OnnxPort* output_port(const std::string& name) const;
  std::string call(std::size_t index);

  // The sizes of one call of the graph.
  GraphSizes sizes() const { return {is_step_ ? 1 : steps_, sequences_}; }
  Shape with_batch(Shape dims) const {
    for (std::int64_t& size : dims)
      if (size < 0) size = sequences_;
    return dims;
  }

  OnnxSession session_;
  std::int64_t steps_ = 1, sequences_ = 1;
  bool is_step_ = false;
  std::vector<Buffer> inputs_, outputs_;
  std::vector<CarriedState> states_;
  std::size_t turn_ = 0;  // which buffer of a state is read next
  std::vector<const char*> input_names_, output_names_;
};

const OnnxPort* OnnxRun::output_port(const std::string& name) const {
  const auto port = std::ranges::find(session_.outputs(), name, &OnnxPort::name);
  return port == session_.outputs().end() ? nullptr : &*port;
}

Result<void> OnnxRun::add_buffer(std::vector<Buffer>& to, Buffer buffer, std::int64_t calls) {
  const std::size_t each = elements_of(buffer.shape) * size_bytes(buffer.type);
  buffer.bytes.resize(each * static_cast<std::size_t>(calls));
  for (std::int64_t i = 0; i < calls; ++i) {
    auto value = session_.value(buffer.type, buffer.shape, buffer.bytes.data() + static_cast<std::size_t>(i) * each);
    if (!value) return value.error();
    buffer.values.push_back(std::move(*value));
  }
  to.push_back(std::move(buffer));
  return {};
}

Result<void> OnnxRun::add_state(const ImportedGraph& graph, const GraphValue& value, const OnnxPort& port) {
  const OnnxPort* const next = output_port(value.next);
  if (next == nullptr || next->type != port.type)
    return baseline_refused("there is no output " + value.next + " of its type");
  CarriedState& state = states_.emplace_back();
  state.name = value.name;
  state.next = value.next;
  // The file may leave the shapes open, of the new value even its rank.
  const Shape shape = value.dims.empty() ? with_batch(port.dims) : shape_of(value, sizes());
  const auto final = std::ranges::find(graph.finals, value.next, &GraphValue::name);
  const Shape next_shape =
      final != graph.finals.end() && !final->dims.empty() ? shape_of(*final, sizes()) : with_batch(next->dims);
  if (elements_of(shape) != elements_of(next_shape))
    return baseline_refused("its state " + value.name + " is " + to_string(shape) + ", and its new value " +
                            value.next + " " + to_string(next_shape));
  for (std::size_t i = 0; i < 2; ++i) {
    state.bytes[i].resize(elements_of(shape) * size_bytes(port.type));
    for (const auto& [to, its_shape] : {std::pair(&state.read[i], shape), {&state.written[i], next_shape}}) {
      auto made = session_.value(port.type, its_shape, state.bytes[i].data());
      if (!made) return made.error();
      *to = std::move(*made);
    }
  }
  return {};
}

Result<void> OnnxRun::add_input(const BenchJob& job, const OnnxPort& port) {
  const ImportedGraph& graph = job.source.given.graph;
  const auto value = std::ranges::find(graph.inputs, port.name, &GraphValue::name);
  const bool is_known = value != graph.inputs.end();
  if (is_known && !value->next.empty()) return add_state(graph, *value, port);
  const auto data = is_known ? job.batch.inputs.find(value->as) : job.batch.inputs.end();
  Buffer buffer{port.name, port.type, {}, {}, {}};
  if (data != job.batch.inputs.end()) {
    buffer.shape = shape_of(*value, sizes());
    const std::vector<std::size_t> places = places_in_graph(*value, sizes());
    const auto calls = static_cast<std::size_t>(is_step_ ? steps_ : 1);
    if (data->second.size() != places.size() * calls)
      return baseline_refused("the graph takes one " + port.name +
                              " for all sequences, and rnnc one for each; give --batch 1");
    if (const auto added = add_buffer(inputs_, std::move(buffer), is_step_ ? steps_ : 1); !added) return added;
    std::byte* call = inputs_.back().bytes.data();
    const std::size_t bytes = size_bytes(port.type);
    for (std::size_t i = 0; i < data->second.size(); i += places.size(), call += places.size() * bytes)
      for (std::size_t k = 0; k < places.size(); ++k) store(data->second[i + k], port.type, call + places[k] * bytes);
    return {};
  }
  const auto given = graph.given.find(port.name);
  const bool is_length = port.type == ElementType::I32 || port.type == ElementType::I64;
  buffer.shape = given != graph.given.end() ? given->second.shape : with_batch(port.dims);
  std::vector<float> values(elements_of(buffer.shape), is_length ? static_cast<float>(steps_) : 0);  // zero states
  if (given != graph.given.end()) values = given->second.to_f32();
  if (const auto added = add_buffer(inputs_, std::move(buffer), 1); !added) return added;
  for (std::size_t i = 0; i < values.size(); ++i)
    store(values[i], port.type, inputs_.back().bytes.data() + i * size_bytes(port.type));
  return {};
}

Result<void> OnnxRun::add_output(const GraphValue& value) {
  const OnnxPort* const port = output_port(value.name);
  if (port == nullptr) return baseline_refused("there is no output " + value.name);
  return add_buffer(outputs_, {port->name, port->type, shape_of(value, sizes()), {}, {}}, is_step_ ? steps_ : 1);
}

Result<void> OnnxRun::prepare(const BenchJob& job) {
  const ImportedGraph& graph = job.source.given.graph;
  is_step_ = graph.is_step;
  steps_ = job.flags.steps;
  sequences_ = job.flags.batch;
  for (const auto& [fixed, asked, what] :
       {std::tuple(is_step_ ? 0 : graph.steps, steps_, "steps"), {graph.sequences, sequences_, "sequences"}})
    if (fixed > 0 && fixed != asked)
      return baseline_refused("the file is of " + std::to_string(fixed) + " " + what +
                              ", which ONNX Runtime does not change; " + "leave --" +
                              (what == std::string("steps") ? "steps" : "batch") + " out, or export the model " +
                              "with dynamic axes");
  for (const OnnxPort& port : session_.inputs())
    if (const auto added = add_input(job, port); !added) return added;
  for (const GraphValue& value : graph.outputs)
    if (const auto added = add_output(value); !added) return added;
  for (const Buffer& buffer : inputs_) input_names_.push_back(buffer.name.c_str());
  for (const Buffer& buffer : outputs_) output_names_.push_back(buffer.name.c_str());
  for (const CarriedState& state : states_) {
    input_names_.push_back(state.name.c_str());
    output_names_.push_back(state.next.c_str());
  }
  return {};
}

std::string OnnxRun::call(std::size_t index) {
  std::vector<void*> inputs, outputs;
  const auto value_of = [&](const Buffer& buffer) {
    return buffer.values[std::min(index, buffer.values.size() - 1)].get();
  };
  for (const Buffer& buffer : inputs_) inputs.push_back(value_of(buffer));
  for (const Buffer& buffer : outputs_) outputs.push_back(value_of(buffer));
  for (const CarriedState& state : states_) {
    inputs.push_back(state.read[turn_].get());
    outputs.push_back(state.written[1 - turn_].get());
  }
  turn_ = 1 - turn_;
  return session_.run(input_names_, inputs, output_names_, outputs);
}

Result<void> OnnxRun::run() {
  for (std::int64_t i = 0; i < (is_step_ ? steps_ : 1); ++i)
    if (const std::string failure = call(static_cast<std::size_t>(i)); !failure.empty())
      return baseline_refused(failure);
  return {};
}

SequenceResult OnnxRun::result(const BenchJob& job) const {
  SequenceResult result;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const Buffer& buffer = outputs_[i];
    const std::vector<std::size_t> places = places_in_graph(job.source.given.graph.outputs[i], sizes());
    Shape all = buffer.shape;
    all.insert(all.begin(), static_cast<std::int64_t>(buffer.values.size()));
    const std::vector<float> values = Tensor{buffer.type, all, buffer.bytes}.to_f32();
    std::vector<float>& rows = result.outputs.emplace_back();
    for (std::size_t begin = 0; begin < values.size(); begin += places.size())
      for (const std::size_t place : places) rows.push_back(values[begin + place]);
  }
  return result;
}

class OnnxRuntimeLibrary : public BaselineLibrary {
 public:
  explicit OnnxRuntimeLibrary(OnnxRuntime runtime) : runtime_(std::move(runtime)) {}

  Result<void> check(const Source& source, const ir::Network&) const override {
    if (source.given.graph.inputs.empty())
      return baseline_refused("it runs MODEL itself, which is no ONNX file here; give the ONNX file");
    return {};
  }

  Result<Baseline> make(const BenchJob& job) const override {
    if (const auto checked = check(job.source, job.network); !checked) return checked.error();
    const ModelFlags& model = job.flags.model;
    if (!model.part.node.empty()) return baseline_refused("it runs whole files; leave --node out");
    if (model.model == kStandardInput) return baseline_refused("it opens the file itself; give its name, not -");
    Result<OnnxSession> session = runtime_.open(model.model, job.flags.threads);
    if (!session) return session.error();
    auto run = std::make_shared<OnnxRun>(std::move(*session));
    if (const auto prepared = run->prepare(job); !prepared) return prepared.error();
    if (const auto done = run->run(); !done) return done.error();
    Baseline baseline{"onnxruntime",
                      runtime_.version(),
                      baseline_title("onnxruntime"),
                      {[run] { run->run_or_throw(); }, {}},
                      run->result(job)};
    if (!job.source.given.behind_the_end.empty()) {
      baseline.result.reset();
      baseline.notes.emplace_back(
          "ONNX Runtime computes something behind the ends of sequences; results are not compared");
    }
    const bool is_rounded = weight_format(model) != WeightFormat::F32;
    const GivenByModel& given = job.source.given;
    baseline.is_f32 = !is_rounded && !given.leaves_unrounded && !given.graph.has_halves;
    return baseline;
  }

 private:
  OnnxRuntime runtime_;
};

}  // namespace

Result<std::unique_ptr<BaselineLibrary>> load_onnx_runtime(const std::string& library) {
  Result<OnnxRuntime> runtime = OnnxRuntime::load(library);
  if (!runtime) return runtime.error();
  return std::unique_ptr<BaselineLibrary>(std::make_unique<OnnxRuntimeLibrary>(std::move(*runtime)));
}

}  // namespace rnnc::tools
