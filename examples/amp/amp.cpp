// A guitar amplifier: a WAV file through a NAM model (or one of GuitarML or RTNeural, or any network with one input and
// one output), block by block as a sound card would ask for them, into another WAV file of the same format.
//
// Usage: amp MODEL in.wav out.wav [BLOCK]
#include <sndfile.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <rnnc/rnnc.hpp>

namespace {

using Sound = std::unique_ptr<SNDFILE, decltype(&sf_close)>;

int fail(const std::string& what, const std::string& why) {
  std::fprintf(stderr, "amp: %s: %s\n", what.c_str(), why.c_str());
  return 1;
}

struct Times {
  double sum = 0, slowest = 0;  // of the calls, in seconds
  sf_count_t frames = 0;
};

// Each channel is a sequence of the batch. All memory is there before the first block; a block is one call that neither
// allocates nor waits, and the state carries over to the next.
Times play(const rnnc::Program& program, SNDFILE* in, SNDFILE* out, int channels, int block) {
  rnnc::State state = program.make_state(channels, block);
  std::vector<float> x(static_cast<std::size_t>(block * channels)), y(x.size());
  Times times;
  while (const sf_count_t frames = sf_readf_float(in, x.data(), block)) {
    const auto begin = std::chrono::steady_clock::now();
    // x and y are [frames, channels, 1], which is how WAV interleaves them.
    const auto status = program.run(state, {.x = x, .y = y, .steps = frames});
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (status != rnnc::RunStatus::Ok || sf_writef_float(out, y.data(), frames) != frames) return {};
    times.sum += took;
    times.slowest = std::max(times.slowest, took);
    times.frames += frames;
  }
  return times;
}

int run(const std::string& model, const std::string& from, const std::string& to, int block) {
  const auto imported = rnnc::import_model_file(model);
  if (!imported) return fail(model, imported.error().to_string());
  const auto program = rnnc::compile(imported->model, imported->weights);
  if (!program) return fail(model, program.error().to_string());
  if (program->input_size() != 1 || program->output_size() != 1)
    return fail(model, "has not one input and one output, as sound has");

  SF_INFO format{};
  const Sound in(sf_open(from.c_str(), SFM_READ, &format), &sf_close);
  if (!in) return fail(from, sf_strerror(nullptr));
  const sf_count_t frames = format.frames;  // which opening the other file changes
  const std::string unfinished = to + ".part";
  Sound out(sf_open(unfinished.c_str(), SFM_WRITE, &format), &sf_close);
  if (!out) return fail(to, sf_strerror(nullptr));
  sf_command(out.get(), SFC_SET_CLIPPING, nullptr, SF_TRUE);
  const Times times = play(*program, in.get(), out.get(), format.channels, block);
  if (times.frames != frames || sf_close(out.release()) != 0 || std::rename(unfinished.c_str(), to.c_str()) != 0) {
    std::remove(unfinished.c_str());
    return fail(to, "cannot write it");
  }
  const double seconds = static_cast<double>(times.frames) / format.samplerate;
  std::printf("%lld frames at %d Hz: %.1f times real time, slowest block %.1f us of %.1f us\n",
              static_cast<long long>(times.frames), format.samplerate, seconds / times.sum, 1e6 * times.slowest,
              1e6 * block / format.samplerate);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int block = argc == 5 ? std::atoi(argv[4]) : 64;
  if (argc < 4 || argc > 5 || block < 1 || block > 1 << 20) {
    std::fprintf(stderr, "usage: amp MODEL in.wav out.wav [BLOCK]\n");
    return 2;
  }
  return run(argv[1], argv[2], argv[3], block);
}
