// examples/amp: a WAV file through a NAM model gives NumPy's samples, whatever the blocks, and nothing is left behind
// on errors.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

#ifdef RNNC_AMP
const std::string kAmp = RNNC_AMP;
#else
const std::string kAmp = "";
#endif
const std::string kAudio = RNNC_SOURCE_DIR "/tests/conformance/audio/";

template <class T>
void append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Floats of two channels at 48 kHz.
std::string wav_of(const std::vector<float>& samples) {
  const auto size = static_cast<std::uint32_t>(samples.size() * sizeof(float));
  std::string bytes = "RIFF";
  append(bytes, 36 + size);
  bytes += "WAVEfmt ";
  append(bytes, std::uint32_t{16});
  append(bytes, std::uint16_t{3});
  append(bytes, std::uint16_t{2});
  append(bytes, std::uint32_t{48000});
  append(bytes, std::uint32_t{8 * 48000});
  append(bytes, std::uint16_t{8});
  append(bytes, std::uint16_t{32});
  bytes += "data";
  append(bytes, size);
  return bytes.append(reinterpret_cast<const char*>(samples.data()), size);
}

std::vector<float> samples_of(const std::string& wav) {
  const std::size_t at = wav.find("data");
  REQUIRE(at != std::string::npos);
  std::uint32_t size = 0;
  std::memcpy(&size, wav.data() + at + 4, sizeof size);
  REQUIRE(wav.size() >= at + 8 + size);
  std::vector<float> samples(size / sizeof(float));
  std::memcpy(samples.data(), wav.data() + at + 8, size);
  return samples;
}

int amp(const Folder& folder, const std::string& arguments) {
  const std::string command =
      "cd '" + (folder / "") + "' && RNNC_CACHE=off '" + kAmp + "' " + arguments + " >out.txt 2>err.txt";
  return WEXITSTATUS(std::system(command.c_str()));
}

}  // namespace

TEST_CASE("the amplifier plays a NAM model as NumPy does", "[examples]") {
  if (kAmp.empty()) {
    WARN("skipped: libsndfile was not found when this was configured");
    return;
  }
  const Folder folder;
  // [steps, 2, 1], as two channels lie in a file.
  const std::vector<float> x = load_npy(kAudio + "nam_two_layers.x.npy").value().to_f32();
  const std::vector<float> expected = load_npy(kAudio + "nam_two_layers.y.npy").value().to_f32();
  folder.write("in.wav", wav_of(x));
  const std::string model = "'" + kAudio + "nam_two_layers.nam'";
  for (const std::string block : {"", "1", "7", "100000"}) {
    INFO("blocks of " << block);
    REQUIRE(amp(folder, model + " in.wav out.wav " + block) == 0);
    const std::vector<float> y = samples_of(folder.text("out.wav"));
    REQUIRE(y.size() == expected.size());
    for (std::size_t i = 0; i < y.size(); ++i) REQUIRE(std::fabs(y[i] - expected[i]) <= 1e-6);
    CHECK(folder.text("out.txt").find("times real time") != std::string::npos);
  }
  const std::vector<std::string> mistakes = {"nothing.nam in.wav y.wav", model + " nothing.wav y.wav",
                                             "in.wav in.wav y.wav"};
  for (const std::string& wrong : mistakes) {
    INFO(wrong);
    CHECK(amp(folder, wrong) == 1);
    CHECK(folder.text("err.txt").starts_with("amp: "));
  }
  CHECK(amp(folder, model + " in.wav") == 2);
  CHECK(amp(folder, model + " in.wav y.wav 0") == 2);
  CHECK(folder.outputs().empty());
}

}  // namespace rnnc::test
