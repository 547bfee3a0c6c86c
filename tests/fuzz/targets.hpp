// Fuzzers call targets. A target hands any bytes to one reader and checks what it gives: an error that says something,
// or a value that keeps what the reader promises. What is not so throws std::logic_error; crashes, leaks and undefined
// behaviour are for sanitizers. libFuzzer runs each as a program of its own (scripts/fuzz), the test program replays
// all on what was found (replay_test.cpp).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rnnc::fuzz {

using Bytes = std::span<const std::byte>;

void fuzz_text(Bytes bytes);         // parse, verify, print, parse again
void fuzz_cell(Bytes bytes);         // text, compiled for the portable executor and run
void fuzz_safetensors(Bytes bytes);  // tensors, and a state_dict
void fuzz_npy(Bytes bytes);
void fuzz_json(Bytes bytes);  // RTNeural, GuitarML, NAM, ICU, a state_dict
void fuzz_rnnoise(Bytes bytes);
void fuzz_zip(Bytes bytes);       // .npz and .keras
void fuzz_hdf5(Bytes bytes);      // a model of Keras
void fuzz_onnx(Bytes bytes);      // protobuf, the graph and its conversion
void fuzz_tflite(Bytes bytes);    // a flatbuffer, which becomes an ONNX graph
void fuzz_artifact(Bytes bytes);  // as a file, and as what stands behind a right checksum
void fuzz_cache(Bytes bytes);     // likewise, an entry of the code cache
void fuzz_state(Bytes bytes);     // State::restore and Sessions::restore
void fuzz_plan(Bytes bytes);      // a plan by hand

struct Target {
  std::string_view name;
  void (*run)(Bytes bytes);
};

std::span<const Target> targets();
const Target& find_target(std::string_view name);

/// Small inputs that the target's reader takes, made or read from the files of `source`, the project's folder.
std::vector<std::string> seeds(std::string_view target, const std::string& source);

/// Throws std::logic_error with `what` where it does not hold.
void require(bool holds, const std::string& what);

inline std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace rnnc::fuzz
