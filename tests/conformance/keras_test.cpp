// Models of Keras 2 and 3 in all of its file formats give what their equations give in NumPy (keras/make_data.py).
#include <cstring>
#include <string>

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

TEST_CASE("the text of a model of Keras is its layers by their names", "[import]") {
  const Imported imported = import_model_file(kFolder + "keras2_sequential.h5").value();
  const std::string text = imported.model.text();
  for (const char* line : {"  bidirectional_ = bidirectional lstm<H=4>(x) merge mean\n",
                           "  gru = gru_1<H=5>(bidirectional_)\n", "  output dense\n", "hard_sigmoid(", ", 0.2, 0.5)"})
    CHECK(text.find(line) != std::string::npos);
  CHECK(parse(text).value().text() == text);
}

}  // namespace rnnc::test
