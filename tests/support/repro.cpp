// This file writes what a failure leaves behind, and asks for it again without falling with it.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <rnnc/tensor_files.hpp>

#include "ir/scan.hpp"
#include "runtime/number_format.hpp"
#include "tests/support/reduce.hpp"

namespace rnnc::test {

Ending ending_in_child(const std::function<bool()>& holds) {
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    ::alarm(60);
    for (const int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGILL, SIGBUS}) std::signal(signal, SIG_DFL);
    Ending ending = Ending::Throws;
    try {
      ending = holds() ? Ending::Holds : Ending::DoesNotHold;
    } catch (const std::exception&) {
    }
    ::_exit(static_cast<int>(ending));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? static_cast<Ending>(WEXITSTATUS(status)) : Ending::Crashes;
}

namespace {

class ReproWriter {
 public:
  ReproWriter(const Case& found, std::string folder) : found_(found), folder_(std::move(folder)) {}

  std::string write() {
    std::filesystem::create_directories(folder_);
    std::ofstream(at("repro.rnn")) << model_of(found_.subject).text();
    save_safetensors(at("repro.safetensors"), tensors_of(found_.subject)).value();
    inputs();
    states();
    lengths();
    const bool portable = found_.setting.executor.starts_with("portable ");
    const std::string cpu = portable ? found_.setting.executor.substr(9) : found_.setting.executor;
    const std::string model = at("repro.rnn") + " --cell " + found_.subject.graph.name +
                              (found_.subject.weights.empty() ? "" : " --weights " + at("repro.safetensors"));
    const WeightFormat format = found_.setting.weights;
    const std::string weights = format == WeightFormat::F32 ? ""
                                                            : std::string(" --weights-as ") + runtime::name(format) +
                                                                  (found_.setting.sparse ? " --sparse" : "");
    const std::string backend = (portable ? " --backend portable" : "") + (" --isa " + cpu) + weights;
    // The interpreter of the program computes no integers.
    const std::string other = runtime::is_integer(format) ? " --backend portable" + weights : " --backend interpret";
    const std::string threads = " --threads " + std::to_string(found_.setting.threads);
    return "rnnc run " + model + flags_ + backend + threads + " --output " + at("y.npy") + "\n" +  //
           "rnnc run " + model + flags_ + other + " --output " + at("exact.npy") + "\n" +          //
           "rnnc verify " + model + backend + " --steps " + std::to_string(found_.setting.steps) + " --batch " +
           std::to_string(found_.setting.batch) + "\n";
  }

 private:
  std::string at(const std::string& name) const { return folder_ + "/" + name; }
  const ir::Graph& graph() const { return found_.subject.graph; }

  void save(const std::string& flag, const std::string& name, bool named, Shape shape, std::vector<float> values) {
    const std::string path = at(name + ".npy");
    save_npy(path, Tensor::from_f32(std::move(shape), values)).value();
    flags_ += " " + flag + " " + (named ? name + "=" : "") + path;
  }

  static std::vector<float> narrowed(const ir::Vector& values) { return {values.begin(), values.end()}; }

  void inputs() {
    const std::int64_t batch = data_.batch.sequences;
    if (graph().kind == ir::Graph::Kind::Cell) {
      const std::int64_t steps = found_.setting.steps;
      const std::vector<float> x = rows_of_x(graph(), data_.batch, steps);
      return save("--input", "x", false, {steps, batch, std::ssize(x) / (steps * batch)}, x);
    }
    for (const auto& [name, values] : data_.batch.inputs) {
      const ir::Type& type = type_of(name);
      Shape shape = {batch, type.rank() == 0 ? 1 : type.dims[0].value()};
      if (type.is_sequence()) shape.insert(shape.begin(), data_.batch.times.at(type.axis).steps);
      save("--input", name, true, std::move(shape), narrowed(values));
    }
  }

  const ir::Type& type_of(const std::string& input) const {
    for (const ir::Node& node : graph().nodes)
      if (node.op == ir::Op::Input && node.name == input) return node.type;
    throw std::logic_error("no input " + input);
  }

  void states() {
    const auto begun = ir::begun_by_inputs(graph());
    for (const auto& [name, values] : data_.states)
      if (!begun.contains(name))
        save("--state", name, true, {data_.batch.sequences, std::ssize(values) / data_.batch.sequences},
             narrowed(values));
  }

  void lengths() {
    std::set<std::string> told;
    for (const ir::Node& node : graph().nodes)
      if (node.op == ir::Op::Input) told.insert(node.type.axis);
    const bool cell = graph().kind == ir::Graph::Kind::Cell;
    for (const auto& [name, time] : data_.batch.times) {
      if (!cell && !told.contains(name)) flags_ += " --steps " + name + "=" + std::to_string(time.steps);
      if (time.lengths.empty()) continue;
      const std::vector<std::int32_t> values(time.lengths.begin(), time.lengths.end());
      Tensor tensor{ElementType::I32, {std::ssize(values)}, std::vector<std::byte>(values.size() * 4)};
      std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
      const std::string path = at("lengths_" + name + ".npy");
      save_npy(path, tensor).value();
      flags_ += " --lengths " + (name == ir::kTime ? "" : name + "=") + path;
    }
  }

  const Case& found_;
  std::string folder_, flags_;
  const Data data_ = random_data(found_.subject.graph, found_.setting);
};

}  // namespace

std::string write_repro(const Case& found, const std::string& folder) { return ReproWriter(found, folder).write(); }

}  // namespace rnnc::test
