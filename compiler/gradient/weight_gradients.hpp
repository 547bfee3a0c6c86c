// The gradients of weights are sums over all steps and sequences. This file adds them up, block by block, from the
// factors that the forward and the backward pass leave in memory.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <rnnc/tensor.hpp>

#include "compiler/gradient/network_gradient.hpp"
#include "compiler/gradient/outer_products.hpp"
#include "runtime/cell.hpp"

namespace rnnc::compiler {

/// The rows of a factor: row (t, b) begins at data + (t * batch + b) * stride, or at data + b * stride if the factor
/// has no time.
struct FactorRows {
  const float* data = nullptr;
  std::int64_t stride = 0;
  bool has_time = true;
};

class WeightGradients {
 public:
  /// `shapes` are those of all weights. `add_outer` is the function of the CPU's level.
  WeightGradients(std::vector<WeightTerm> terms, const std::map<std::string, Shape>& shapes, std::int64_t batch,
                  const runtime::Threads& threads, AddOuterProducts add_outer);

  const std::vector<WeightTerm>& terms() const { return terms_; }
  std::span<const float> of(const std::string& weight) const;
  void clear() noexcept;

  /// The steps after which a call may be cut: a piece of time that begins at a multiple of them has the blocks of the
  /// whole.
  std::int64_t steps_of_block() const { return steps_of_block_; }

  /// Adds the terms of `steps` steps, the last blocks first. `left` and `right` have the rows of each term's factors,
  /// `lengths` is empty or has a length for each sequence. Terms without a time are added once: if `is_first`.
  void add(std::span<const FactorRows> left, std::span<const FactorRows> right, std::int64_t steps,
           std::span<const std::int32_t> lengths, bool is_first) noexcept;

 private:
  // A thread, which adds to rows of the matrices of its own, and its memory.
  struct Part {
    int number = 0, count = 1;
    runtime::AlignedBuffer scratch;
    std::vector<const float*> left;                // the rows of a block, those of the first term of its stream
    std::vector<std::vector<const float*>> right;  // of each group of the stream
    std::vector<OuterSum> sums;
    std::vector<float> chains;
  };

  struct Sum {
    std::vector<float> values;
    std::int64_t columns = 1;
  };

  // The rows of each term's factors, and the lengths of the sequences, if they have any.
  struct Rows {
    std::span<const FactorRows> left, right;
    std::span<const std::int32_t> lengths;
  };

  // Products that have the same right factor, or a single term.
  using Group = std::vector<std::size_t>;

  // Groups whose left factors are parts of one value: its rows are gone through once for all of them.
  struct Stream {
    std::vector<Group> groups;
    bool is_packed_once = false;  // the groups of products have the same parts
  };

  void find_owners();
  void group_terms();
  std::int64_t begin_in(const Stream& stream, std::size_t term) const;
  bool have_same_parts(const Group& a, const Group& b) const;
  void run_part(int part, int parts, const Rows& rows, std::int64_t steps, bool is_first) noexcept;
  void add_rows(Part& memory, const Stream& stream, const Rows& rows, std::int64_t begin, std::int64_t end) noexcept;
  void add_block(Part& memory, const Stream& stream) noexcept;
  void add_products(Part& memory, const Stream& stream, std::size_t group, bool is_packed) noexcept;
  void add_sums(Part& memory, const Stream& stream, std::size_t group) noexcept;
  void add_looked_up(const Part& memory, const Stream& stream, std::size_t group) noexcept;
  double multiply_adds(std::int64_t rows) const noexcept;

  const std::vector<WeightTerm> terms_;
  // Of each term, the number of the one part that adds it, modulo the number of parts; kDivided where each part adds
  // rows of its own. Terms that add to the same elements have one owner.
  std::vector<int> owners_;
  std::vector<Stream> streams_;
  const std::int64_t batch_;
  const runtime::Threads threads_;
  const AddOuterProducts add_outer_;
  std::int64_t steps_of_block_ = 1;
  std::map<std::string, Sum> sums_;
  std::vector<Part> parts_;
};

}  // namespace rnnc::compiler
