// Models of Keras 2 and 3 in all of its file formats give what their equations give in NumPy (keras/make_data.py).
#include <cstring>
#include <string>
#include <vector>

#include <rnnc/compile.hpp>
#include <rnnc/import.hpp>
#include <rnnc/tensor_files.hpp>

#include "compiler/llvm/resolve_target.hpp"
#include "import/inflate.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_imported.hpp"

namespace rnnc::test {
namespace {

const std::string kFolder = RNNC_SOURCE_DIR "/tests/conformance/keras/";

}  // namespace

TEST_CASE("models of Keras give NumPy's numbers", "[conformance][import]") {
  const std::string name = GENERATE("keras2_sequential.h5", "keras3_functional.keras", "keras3_bidirectional.keras",
                                    "keras3_alone.weights.h5");
  INFO(name);
  const Result<Imported> imported =
      import_model_file(kFolder + name, {.prefix = name == "keras3_alone.weights.h5" ? "bidirectional,gru,dense" : ""});
  if (name == "keras3_bidirectional.keras" && !files::can_inflate()) {
    REQUIRE_FALSE(imported.ok());
    CHECK(imported.error().message.find("built without zlib") != std::string::npos);
    return;
  }
  const std::string stem = kFolder + name.substr(0, name.find('.'));
  const Tensor x = load_npy(stem + ".x.npy").value(), y = load_npy(stem + ".y.npy").value();
  ir::Vector wanted(static_cast<std::size_t>(y.elements()));
  std::memcpy(wanted.data(), y.bytes.data(), y.bytes.size());
  const std::vector<float> values = x.to_f32();
  CHECK(largest_difference(interpret_imported(imported.value(), {values.begin(), values.end()}, x.shape[0], x.shape[1]),
                           wanted) <= 1e-12);
  for (const std::string& cpu : compiler::runnable_levels())
    CHECK(largest_difference(run_imported(imported.value(), values, x.shape[0], x.shape[1], cpu), wanted) <= 1e-6);
}

// A functional model: its inputs, its outputs, of which the first is y, and an output that is a final state.
struct Functional {
  const char* file;
  std::vector<std::string> inputs, outputs;
  std::string final;  // "" for none
};

std::vector<double> numbers_of(const std::string& path) {
  const Tensor tensor = load_npy(path).value();
  std::vector<double> numbers(static_cast<std::size_t>(tensor.elements()));
  std::memcpy(numbers.data(), tensor.bytes.data(), tensor.bytes.size());
  return numbers;
}

// Runs a model with its inputs side by side, and compares what it gives with the files STEM.NAME.npy.
void check_functional(const Functional& model, const std::string& stem, const Imported& imported,
                      const std::string& cpu) {
  INFO(cpu);
  std::int64_t steps = 0, batch = 0;
  std::vector<Tensor> parts;
  for (const std::string& input : model.inputs) {
    parts.push_back(load_npy(stem + input + ".npy").value());
    steps = parts.back().shape[0], batch = parts.back().shape[1];
  }
  std::vector<float> x;
  for (std::int64_t row = 0; row < steps * batch; ++row)
    for (const Tensor& part : parts) {
      const std::vector<float> values = part.to_f32();
      x.insert(x.end(), values.begin() + row * part.shape[2], values.begin() + (row + 1) * part.shape[2]);
    }
  std::vector<std::vector<double>> wanted;
  std::vector<std::vector<float>> found;
  for (const std::string& output : model.outputs) {
    wanted.push_back(numbers_of(stem + output + ".npy"));
    found.emplace_back(wanted.back().size());
  }
  std::vector<NamedOutput> others;
  for (std::size_t i = 1; i < found.size(); ++i) others.push_back({model.outputs[i], found[i]});
  const Program program = compile(imported.model, imported.weights, {.cpu = cpu}).value();
  State state = program.make_state(batch, steps);
  REQUIRE(program.run(state, {.x = x, .y = found[0], .steps = steps, .outputs = others}) == RunStatus::Ok);
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO(model.outputs[i]);
    CHECK(largest_difference(found[i], wanted[i]) <= 1e-6);
  }
  if (model.final.empty()) return;
  REQUIRE(imported.graph.finals.size() == 1);
  const GraphValue& final = imported.graph.finals[0];
  CHECK(final.name == model.final);
  CHECK(largest_difference(state.get(final.elements.at(0).first).value(), numbers_of(stem + final.name + ".npy")) <=
        1e-6);
}

// keras/make_graphs.py.
TEST_CASE("models of Keras with branches, masks and states give NumPy's numbers", "[conformance][import]") {
  const Functional model =
      GENERATE(Functional{"keras3_masked.keras", {"tokens"}, {"dense_1"}, ""},
               Functional{"keras3_branches.keras", {"x", "u"}, {"dense", "last"}, "gru"},
               Functional{"keras2_translation.h5", {"source", "target"}, {"concatenate", "top", "average"}, ""},
               Functional{"keras3_residual.keras", {"x", "u"}, {"end", "get_item"}, ""},
               Functional{"keras3_autoencoder.keras", {"x", "u"}, {"decoder", "encoder"}, ""},
               Functional{"keras2_nested.h5", {"x", "u"}, {"top", "body"}, ""},
               Functional{"keras2_dropped.h5", {"x"}, {"forward_lstm", "beside", "plain"}, ""});
  const std::string name = model.file;
  INFO(name);
  const Imported imported = import_model_file(kFolder + name).value();
  for (const std::string& cpu : compiler::runnable_levels())
    check_functional(model, kFolder + name.substr(0, name.find('.')) + ".", imported, cpu);
}

TEST_CASE("the text of a model of Keras is its layers by their names", "[import]") {
  const Imported imported = import_model_file(kFolder + "keras2_sequential.h5").value();
  const std::string text = imported.model.text();
  for (const char* line : {"  bidirectional_bwd = reverse lstm<H=4>(bidirectional_input)\n",
                           "  gru = gru_cell(bidirectional3)\n", "  output dense3\n", "hard_sigmoid(", ", 0.2, 0.5)"})
    CHECK(text.find(line) != std::string::npos);
  CHECK(parse(text).value().text() == text);
}

}  // namespace rnnc::test
