// The peer we measure and test against: oneDNN's RNN primitives, forward inference, one layer in one direction or
// both, with weights prepacked as the library likes them best (format_tag::any). Takes weights by our parameters'
// names. Builds with oneDNN 2.6 and 3.x; no type of theirs appears here.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

namespace rnnc::bench {

/// The numbers that oneDNN computes with. Inputs and outputs are f32 here in any case: they are converted before the
/// first run and behind the last, which is no part of a run.
enum class Numbers {
  F32,
  Bf16,  // all of it
  U8,    // weights of 8 bits with a scale a row; inputs, outputs and h unsigned bytes of one scale; c f32
};

class OnednnCell {
 public:
  static std::string version();             // of the library that is loaded: "2.6.3"
  static std::vector<std::string> cells();  // names of the standard cells that oneDNN has

  /// A cell for sequences of exactly this length and batch, states at zero.
  ///
  /// Shapes    `weights` as the standard cell of that name declares them; steps, batch, threads >= 1
  /// Errors    Unsupported: oneDNN has no such cell, or refuses the shape; InvalidData: a tensor lacks or is misshapen
  /// Threads   sets OpenMP's number of threads for the calling thread
  static Result<OnednnCell> make(const std::string& cell, const TensorMap& weights, std::int64_t steps,
                                 std::int64_t batch, int threads, Numbers numbers = Numbers::F32);

  /// The same of one direction, or of forwards and backwards side by side: `directions` has weights of each.
  static Result<OnednnCell> make(const std::string& cell, std::span<const TensorMap> directions, std::int64_t steps,
                                 std::int64_t batch, int threads, Numbers numbers = Numbers::F32);

  OnednnCell(OnednnCell&&) noexcept;
  OnednnCell& operator=(OnednnCell&&) noexcept;
  ~OnednnCell();

  /// Says where the mathematics are not those of the cell; "" where they are.
  std::string difference() const;

  std::span<float> input();  // [T, B, I], to be filled before the next run
  std::span<float> initial_state(
      const std::string&);                // [directions, B, H] of "h" or "c"; empty where the cell lacks it
  std::span<const float> output() const;  // [T, B, H], of two directions [T, B, 2 H]
  std::span<const float> final_state(const std::string&) const;

  /// Reads the output of `below`, which lives as long, in place of an input of its own.
  void read_from(const OnednnCell& below);

  /// From the initial states over all steps. Denormals are flushed meanwhile, as in our own calls.
  void run();

 private:
  struct Content;
  explicit OnednnCell(std::unique_ptr<Content> content);
  std::unique_ptr<Content> content_;
};

}  // namespace rnnc::bench
