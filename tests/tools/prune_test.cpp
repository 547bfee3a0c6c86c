// rnnc prune: which weights it keeps, what it says of the outputs, and that --sparse programs have the bits of others.
#include <cmath>

#include <rnnc/tensor_files.hpp>

#include "tests/support/subject.hpp"
#include "tests/tools/object_program.hpp"

namespace rnnc::test {
namespace {

constexpr std::int64_t kInputs = 6, kUnits = 37;

TensorMap weights_of_gru() {
  const ir::Cell cell = standard("gru", kInputs, kUnits);
  return tensors_of({cell, random_weights(cell, 5)});
}

void save(const Folder& folder, const std::string& name, const TensorMap& tensors) {
  REQUIRE(save_safetensors(folder / name, tensors).ok());
}

// The plain loops of what is promised: of each 16 rows, the blocks of 4 columns with the largest sums of squares stay.
std::vector<float> pruned_by_hand(const Tensor& tensor, std::int64_t rows, std::size_t kept) {
  std::vector<float> values = tensor.to_f32();
  const std::int64_t width = tensor.shape[1];
  for (std::int64_t row = 0; row < tensor.shape[0]; row += rows) {
    const std::int64_t end = std::min(row + rows, tensor.shape[0]);
    std::vector<std::pair<double, std::int64_t>> blocks;
    for (std::int64_t column = 0; column < width; column += 4) {
      double sum = 0;
      for (std::int64_t r = row; r < end; ++r)
        for (std::int64_t c = column; c < std::min(column + 4, width); ++c)
          sum += std::pow(static_cast<double>(values[static_cast<std::size_t>(r * width + c)]), 2);
      blocks.emplace_back(-sum, column);
    }
    std::ranges::sort(blocks);
    for (std::size_t i = kept; i < blocks.size(); ++i)
      for (std::int64_t r = row; r < end; ++r)
        for (std::int64_t c = blocks[i].second; c < std::min(blocks[i].second + 4, width); ++c)
          values[static_cast<std::size_t>(r * width + c)] = 0;
  }
  return values;
}

}  // namespace

TEST_CASE("prune keeps the largest blocks of each row of blocks, and everything else", "[tools]") {
  const Folder folder;
  const TensorMap weights = weights_of_gru();
  save(folder, "gru.safetensors", weights);
  for (const auto& [block, rows] : {std::pair{"16x4", 16}, {"8x4", 8}}) {
    INFO(block);
    const Finished done = folder.rnnc(std::string("prune --cell gru --weights gru.safetensors --keep 0.3 --block ") +
                                      block + " -o pruned.safetensors");
    REQUIRE(done.code == 0);
    const TensorMap pruned = load_safetensors(folder / "pruned.safetensors").value();
    REQUIRE(pruned.size() == weights.size());
    for (const auto& [name, tensor] : weights) {
      INFO(name);
      const bool is_recurrent = name[0] == 'U';  // 10 blocks beside each other, of which 3 stay
      CHECK(pruned.at(name).to_f32() == (is_recurrent ? pruned_by_hand(tensor, rows, 3) : tensor.to_f32()));
    }
    for (const char* name : {"Un", "Ur", "Uz"}) CHECK(has(done.out, std::string("\n") + name + " "));
    CHECK(has(done.out, block[0] == '1' ? " 30     30.0 %" : " 50     30.0 %"));
    CHECK(has(done.out, "from all weights:  max error "));
  }
}

TEST_CASE("prune compares on sequences in either layout, and refuses a layout of no sequences", "[tools]") {
  const Folder folder;
  save(folder, "gru.safetensors", weights_of_gru());
  const std::vector<float> rows = Random(3).vector(7 * 2 * kInputs, -1, 1);
  std::vector<float> swapped;
  for (int b = 0; b < 2; ++b)
    for (int t = 0; t < 7; ++t)
      swapped.insert(swapped.end(), rows.begin() + (t * 2 + b) * kInputs, rows.begin() + (t * 2 + b + 1) * kInputs);
  folder.write("x.npy", {7, 2, kInputs}, rows);
  folder.write("xb.npy", {2, 7, kInputs}, swapped);
  const std::string prune = "prune --cell gru --weights gru.safetensors -o p.safetensors ";
  const Finished steps_first = folder.rnnc(prune + "--input x.npy");
  REQUIRE(steps_first.code == 0);
  CHECK(folder.rnnc(prune + "--input xb.npy --layout btf").out == steps_first.out);
  CHECK(folder.rnnc(prune + "--input xb.npy").out != steps_first.out);
  check_fails(folder, prune + "--layout btf", 2, "--layout: is that of --input; name the input too");
}

TEST_CASE("prune compares over times that no input tells", "[tools]") {
  const Folder folder;
  folder.write("pair.rnn",
               "cell decay { input x : f32[4] state h : f32[4] param U : f32[4, 4] h' = tanh(x + U @ h) output h' }\n"
               "cell count { state n : f32 n' = n + 1 output n' }\n"
               "network pair { input x : seq f32[4] a = decay(x) d = count() steps S output a output counts = d }");
  save(folder, "pair.safetensors", {{"a.U", Tensor::from_f32({4, 4}, std::vector<float>(16, 0.25F))}});
  folder.write("x.npy", {2, 1, 4}, std::vector<float>(8, 0.5F));
  const std::string prune = "prune pair.rnn --keep 0.5 -o pruned.safetensors --input x.npy";
  CHECK(folder.rnnc(prune + " --steps S=3").code == 0);
  CHECK(has(folder.rnnc(prune).err, "network pair runs for S steps"));
  CHECK(has(folder.rnnc(prune + " --steps R=3").err, "pair has no time of this name; its times are: S, T"));
  CHECK(has(folder.rnnc(prune + " --steps 3").err, "--input tells the steps of its own"));
}

TEST_CASE("a pruned model has the same bits with and without --sparse, in files too", "[tools]") {
  const Folder folder;
  save(folder, "gru.safetensors", weights_of_gru());
  folder.write("x.npy", {7, 2, kInputs}, Random(3).vector(7 * 2 * kInputs, -1, 1));
  REQUIRE(folder.rnnc("prune --cell gru --weights gru.safetensors --input x.npy -o p.rnn").code == 0);
  const std::string model = "p.rnn --weights p.safetensors --weights-as w8 ";
  REQUIRE(folder.rnnc("run " + model + "--input x.npy --output dense.npy").code == 0);
  REQUIRE(folder.rnnc("run " + model + "--sparse --input x.npy --output sparse.npy").code == 0);
  REQUIRE(folder.rnnc("run " + model + "--sparse --backend portable --input x.npy --output portable.npy").code == 0);
  REQUIRE(folder.rnnc("compile " + model + "--sparse -o p.rnnc").code == 0);
  REQUIRE(folder.rnnc("run p.rnnc --input x.npy --output artifact.npy").code == 0);
  const std::vector<float> dense = load_npy(folder / "dense.npy").value().to_f32();
  for (const char* other : {"sparse.npy", "portable.npy", "artifact.npy"})
    CHECK(load_npy(folder / other).value().to_f32() == dense);
  CHECK(folder.rnnc("verify " + model + "--sparse --input x.npy").code == 0);
  CHECK(has(folder.rnnc("inspect " + model + "--sparse --emit plan").out, "zeros left out"));
  CHECK_FALSE(has(folder.rnnc("inspect " + model + "--emit plan").out, "zeros left out"));
}

TEST_CASE("prune says what is wrong before it writes anything", "[tools]") {
  const Folder folder;
  save(folder, "gru.safetensors", weights_of_gru());
  const std::string gru = "prune --cell gru --weights gru.safetensors ";
  check_fails(folder, gru + "-o p.bin", 2, "'p.bin' ends neither in .rnn");
  check_fails(folder, gru + "-o gru.safetensors", 2, "would overwrite gru.safetensors");
  check_fails(folder, gru + "-o gru.rnn", 2, "would overwrite gru.safetensors");
  check_fails(folder, gru + "--keep 0 -o p.rnn", 2, "'0' is no part above 0 and up to 1");
  check_fails(folder, gru + "--keep 1.5 -o p.rnn", 2, "'1.5' is no part above 0 and up to 1");
  check_fails(folder, gru + "--only Wr -o p.rnn", 2,
              "Wr is no matrix that a step multiplies by a state; those are Un, Ur, Uz");
  check_fails(folder, "prune --cell gru --dim I=2 --dim H=3 -o p.rnn", 3, "give --weights");
  check_fails(folder, gru + "--input none.npy -o p.rnn", 3, "none.npy");
  check_fails(folder, "run --cell gru --weights gru.safetensors --sparse --input x.npy --output y.npy", 3, "x.npy");
  check_fails(folder, gru + "--steps 16000000 --batch 16000000 -o p.rnn", 3, "the sequences would take");
  CHECK_FALSE(folder.has("p.rnn"));
  CHECK_FALSE(folder.has("p.safetensors"));
  folder.write("x.npy", {1, 1, kInputs}, Random(3).vector(kInputs, -1, 1));
  check_fails(folder, "run --cell gru --weights gru.safetensors --sparse --input x.npy --output y.npy", 2,
              "sparse programs multiply integers, and f32 weights are none; use w8, w8a16, or w16");
  // The weights beside a text are read too, where no flag names them.
  REQUIRE(folder.rnnc(gru + "-o p.rnn").code == 0);
  check_fails(folder, "prune p.rnn -o p.safetensors", 2, "would overwrite p.safetensors, which MODEL reads");
}

}  // namespace rnnc::test
