#include "ir/parse.hpp"
#include "tests/support/catch.hpp"
#include "tests/tools/program.hpp"

namespace rnnc::test {

TEST_CASE("inspect --gradient shows two passes, each of which is a model", "[tools][gradient]") {
  const Folder folder;
  for (const std::string cell : {"lstm", "gru_layer_norm", "lstm --layers 2 --bidirectional"}) {
    const Finished outcome = folder.rnnc("inspect --cell " + cell + " --dim I=3 --dim H=4 --gradient");
    REQUIRE(outcome.code == 0);
    const std::size_t backward = outcome.out.find("// the backward pass");
    REQUIRE(backward != std::string::npos);
    for (const std::string& text : {outcome.out.substr(0, backward), outcome.out.substr(backward)}) {
      const Result<ir::Module> module = ir::parse(text);
      INFO(text);
      REQUIRE(module.ok());
      CHECK(module->networks.size() == 1);
    }
  }
}

TEST_CASE("inspect --gradient tells what a step saves, and of what each gradient is a sum", "[tools][gradient]") {
  const Folder folder;
  const Finished outcome = folder.rnnc("inspect --cell lstm --dim I=3 --dim H=4 --gradient");
  const auto shows = [&](const std::string& line) {
    return outcome.out.find("\n// " + line + "\n") != std::string::npos;
  };
  CHECK(shows("The forward pass saves 28 floats a step and sequence."));  // y, h, c, i, f, g, o
  CHECK(shows("lstm_back.Ui_t is Ui transposed."));
  CHECK(shows("lstm_back.d_c is the gradient of state c."));
  CHECK(outcome.out.find("// d_Wi[0:4, 0:3] is a sum of factor_0[12:16] times x[0:3] transposed.") !=
        std::string::npos);
}

TEST_CASE("inspect --gradient refuses flags that it does not go with", "[tools][gradient]") {
  const Folder folder;
  const Finished outcome = folder.rnnc("inspect --cell lstm --dim I=3 --dim H=4 --gradient --emit plan");
  CHECK(outcome.code == 2);
  CHECK(outcome.err.find("--gradient") != std::string::npos);
}

}  // namespace rnnc::test
