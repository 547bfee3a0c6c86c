// The sizes of a graph are one system: those that must be equal, those that are sums, those that slices cut. One size
// made smaller takes along what hangs on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "tests/support/subject.hpp"

namespace rnnc::test {

/// A different size than `size` for one of the subject's free sizes, where that can be: the graph with numbers that fit
/// again, weights cut to their leading elements. Sizes are counted from 0; nothing where there are no more, or it
/// cannot be.
class Sizes {
 public:
  explicit Sizes(const Subject& subject);

  std::size_t count() const { return roots_.size(); }
  std::int64_t size(std::size_t i) const { return values_[roots_[i]]; }
  std::optional<Subject> with(std::size_t i, std::int64_t size) const;

 private:
  struct Sum {  // total = parts
    std::size_t total;
    std::vector<std::size_t> parts;
  };
  struct Cut {  // result = end - begin, within source
    std::size_t source, result;
    std::int64_t begin, end;
  };
  struct Solution;

  std::size_t add(std::int64_t value);
  std::size_t find(std::size_t variable) const;
  void unite(std::size_t a, std::size_t b);
  void add_nodes(const ir::Graph& graph, std::vector<std::vector<std::size_t>>& slots,
                 std::vector<std::vector<std::size_t>>& cuts);
  void relate(const ir::Graph& graph, std::size_t i, std::vector<std::vector<std::size_t>>& slots,
              std::vector<std::vector<std::size_t>>& cuts);
  void relate_scan(const ir::Graph& graph, std::size_t i, std::vector<std::vector<std::size_t>>& slots);

  const Subject& subject_;
  std::vector<std::int64_t> values_;
  std::vector<std::size_t> parents_, roots_;
  std::vector<bool> frozen_;
  std::vector<Sum> sums_;
  std::vector<Cut> cuts_;
  // Of the graph and of each scan's cell that has numbers: the variable of each dim of each node.
  struct Places {
    std::vector<std::vector<std::size_t>> slots, cuts;
  };
  Places outer_;
  std::vector<Places> inner_;  // by node
};

}  // namespace rnnc::test
