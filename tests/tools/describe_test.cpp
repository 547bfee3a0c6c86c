// rnnc describe tells what a model is before anybody runs it.
#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

std::string described(const std::string& text) {
  const Folder folder;
  folder.write("m.rnn", text);
  const Finished finished = folder.rnnc("describe m.rnn");
  INFO(finished.err);
  CHECK(finished.code == 0);
  return finished.out;
}

}  // namespace

TEST_CASE("describe tells names, sizes, states and parameters", "[tools]") {
  CHECK(described("network n { input x : seq f32[3] a = lstm<H=4>(x) param W : f32[2, 4] output W @ a }") ==
        "network     n\n"
        "inputs      x : seq f32[3]\n"
        "outputs     y : seq f32[2]\n"
        "states      a.h : 4 floats\n"
        "            a.c : 4 floats\n"
        "            8 floats for each sequence\n"
        "parameters  a.Wi : f32[4,3]\n"
        "            a.Wf : f32[4,3]\n"
        "            a.Wg : f32[4,3]\n"
        "            a.Wo : f32[4,3]\n"
        "            a.Ui : f32[4,4]\n"
        "            a.Uf : f32[4,4]\n"
        "            a.Ug : f32[4,4]\n"
        "            a.Uo : f32[4,4]\n"
        "            a.bi : f32[4]\n"
        "            a.bf : f32[4]\n"
        "            a.bg : f32[4]\n"
        "            a.bo : f32[4]\n"
        "            W : f32[2,4]\n"
        "            136 numbers, 544 bytes as f32\n"
        "streams     yes: it runs step by step, and in pieces of any length\n");
}

TEST_CASE("describe lists the first of hundreds of parameters", "[tools]") {
  std::string params, sum = "x";
  for (int i = 0; i < 100; ++i) {
    params += " param p" + std::to_string(i) + " : f32[2]";
    sum += " + p" + std::to_string(i);
  }
  const std::string text = described("cell c { input x : f32[2]" + params + " output " + sum + " }");
  CHECK(text.find("            p39 : f32[2]\n"
                  "            and 60 more; rnnc inspect prints them all\n"
                  "            200 numbers, 800 bytes as f32\n") != std::string::npos);
}

TEST_CASE("describe says why a network does not stream and what would help", "[tools]") {
  const std::string both = described("network n { input x : seq f32[3] a = bidirectional gru<H=4>(x) output a }");
  CHECK(has(both, "streams     no: a.bwd reads time backwards, so that the network cannot run step by step\n"));
  CHECK(has(both,
            "            it would if no layer read backwards, and no convolution over time read later steps (as "
            "padding on both sides makes it do)\n"));
  const std::string begun =
      described("network n { input x : seq f32[3] input s : f32[4] a = gru<H=4>(x) from (h = s) output a }");
  CHECK(has(begun, "streams     no: a begins with a value that inputs decide"));
  CHECK(has(begun, "name the input and the output that is its new value with --carry IN=OUT\n"));
  const std::string mean = described("network n { input x : seq f32[3] a = gru<H=4>(x) output mean(a) }");
  CHECK(has(mean, "streams     no: the network sums up whole sequences"));
  CHECK(has(mean, "            it would with last(x) in its place"));
  const std::string turned = described("network n { input x : seq f32[3] a = gru<H=4>(x) output turned(a) }");
  CHECK(has(turned, "streams     no: the network turns the steps of a sequence round"));
  CHECK(has(turned, "            it would if no sequence were turned round\n"));
}

TEST_CASE("describe tells the sizes that an ONNX file fixes where it tells how its values lie", "[tools]") {
  const std::string graphs = RNNC_SOURCE_DIR "/tests/conformance/onnx/";
  const Folder folder;
  const std::string fixed = folder.rnnc("describe " + graphs + "lstm_bidirectional.onnx").out;
  CHECK(has(fixed, "X [T=7, B=3, 4]\n"));
  CHECK(has(fixed, "one call is whole sequences\n"));
  CHECK(has(fixed, "fixed at 7 steps\n"));
  CHECK(has(fixed, "fixed at 3 sequences\n"));
  CHECK(has(folder.rnnc("describe " + graphs + "fronts/batch_first_states.onnx").out, " [1, T=1, 4]\n"));
  const std::string any = folder.rnnc("describe " + graphs + "exported/tokens_any_batch.onnx").out;
  CHECK(has(any, "B"));
  CHECK(!has(any, "fixed"));
}

TEST_CASE("describe tells the dims of a cell that have no number", "[tools]") {
  const Folder folder;
  const Finished open = folder.rnnc("describe --cell gru");
  CHECK(open.code == 0);
  CHECK(has(open.out, "inputs      x : f32[I]\n"));
  CHECK(has(open.out, "states      h : f32[H]\n"));
  CHECK(has(open.out, "dims        I, H; weights or --dim give them numbers"));
  const Finished bound = folder.rnnc("describe --cell gru --dim I=3 --dim H=4");
  CHECK(has(bound.out, "states      h : 4 floats\n"));
  CHECK(has(bound.out, "streams     yes"));
  check_fails(folder, "describe --cell gru --dim I=3", 2, "dim H has no value");
}

}  // namespace rnnc::test
