// Objects of networks, and of programs so large that their code is cut into functions, have the bits of x86-64 under
// emulators of the machines that tests/tools/board_program.hpp lists.
#include "ir/parse.hpp"
#include "tests/support/large_frame.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/run_network.hpp"
#include "tests/tools/board_program.hpp"

namespace rnnc::test {

TEST_CASE("networks have the bits of x86-64 on a board", "[tools][boards]") {
  if (!can_build()) return;
  const std::string text =
      "network n { input x : seq f32[5] param W : f32[3, 9] param V : f32[8, 9] param E : f32[4, 5] "
      "a = gru<H=9>(x) b = lstm<H=9>(concat(a, x)) output concat(W @ b, tanh(V @ a), lookup(E, argmax(W @ a))) }";
  const ir::Network network = network_of(text);
  for (const Machine& machine : machines())
    for (const WeightFormat format : {WeightFormat::F32, WeightFormat::W8}) {
      if (!can_run(machine)) continue;
      INFO(machine.target << ", " << runtime::name(format));
      const Folder folder;
      Random random(4);
      const ir::NamedVectors weights = random_weights(network, random);
      const ir::NetworkBatch input{kBatch, {{"T", {kSteps, {}}}}, {{"x", random_vector(random, kSteps * kBatch * 5)}}};
      const CompileOptions options{.cpu = "x86-64-v3", .weights = format};
      const NetworkOutcome jit = run_network(compile_network(network, weights, options), network, input);
      save_safetensors(folder / "w.safetensors", tensors_of(network, weights)).value();
      folder.write("n.rnn", text);
      folder.write("x.bin", bytes(rows_of_x(network, input, kSteps)));
      compile_for(folder, machine, "n.rnn --weights w.safetensors --weights-as " + std::string(runtime::name(format)));
      build_and_run(folder, machine, "-DB=3");
      CHECK(folder.text("y.bin") == bytes(jit.y));
    }
}

TEST_CASE("a step of many parts has the bits of x86-64 on a board", "[tools][boards]") {
  if (!can_build()) return;
  for (const Machine& machine : machines())
    for (const WeightFormat format : {WeightFormat::F32, WeightFormat::W8}) {
      if (!can_run(machine)) continue;
      const std::string text = format == WeightFormat::F32 ? text_of_large_frame() : text_of_large_frame(8, 4);
      const ir::Cell cell = ir::parse(text).value().cells.at(0);
      INFO(machine.target << ", " << runtime::name(format));
      const Folder folder;
      folder.write("frame.rnn", text);
      const Outcome jit = fill(folder, cell, format);
      compile_for(folder, machine,
                  "frame.rnn --weights w.safetensors --weights-as " + std::string(runtime::name(format)));
      build_and_run(folder, machine, "-DB=3", "ld.lld-19", "64K");
      CHECK(folder.text("y.bin") == bytes(jit.y));
    }
}

}  // namespace rnnc::test
