// A value that is the same at each step leaves the scan.
#include "compiler/network/split_constants.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/networks.hpp"

namespace rnnc::test {
namespace {

const char* const kInputs = "network n { input x : seq f32[3] input v : f32[2] ";

std::string calls_of(const std::string& statements) {
  return compiler::print(
      compiler::split_constants(compiler::cut_network(network_of(kInputs + statements + " }" + kSampleCells))));
}

}  // namespace

TEST_CASE("products of inputs that are the same at each step are a call of their own", "[network][cut]") {
  const std::string printed = calls_of("a = beside<H=4>(x, v) output a");
  INFO(printed);
  CHECK(printed.rfind("x over T -> b0\n"
                      "v -> b1\n"
                      "beside_constant of b1[0:2] -> b3\n"
                      "beside a. over T of b0[0:3], b3[0:8] -> b2\n"
                      "output over T is b2[0:4]\n",
                      0) == 0);
}

TEST_CASE("a scan of a repeated vector keeps only products of its states", "[network][cut]") {
  const compiler::CallList list = compiler::split_constants(
      compiler::cut_network(network_of(std::string(kInputs) + "d = gru<H=4>(v) steps S output d }")));
  REQUIRE(list.calls.size() == 2);
  const auto& scan = std::get<compiler::CellCall>(list.calls[1]);
  CHECK(scan.x == compiler::Row{{3, 0, 12}});
  CHECK(scan.weights.count("Uz") == 1);
  CHECK(scan.weights.count("Wz") == 0);
}

TEST_CASE("a scan without constant inputs, or that does nothing but read them, stays as it is", "[network][cut]") {
  for (const char* statements : {"a = gru<H=4>(x) output a", "k = max(v[0:1] * 2) a = rnn<H=2>(x * k) output a"})
    CHECK(calls_of(statements) ==
          compiler::print(compiler::cut_network(network_of(kInputs + std::string(statements) + " }" + kSampleCells))));
}

}  // namespace rnnc::test
