#include "tools/drift.hpp"

#include <algorithm>
#include <cstdio>
#include <span>

#include "ir/scan.hpp"

namespace rnnc::tools {
namespace {

bool is_softmax(const ir::Network& network, std::size_t output) {
  const ir::Node& last = network[network.outputs()[output].value];
  const bool is_scan = last.op == ir::Op::Scan && last.scan->direction != Direction::Bidirectional;
  const ir::Node& node = is_scan ? (*last.scan->cell)[last.scan->cell->output()] : last;
  return node.op == ir::Op::Reduce && node.reduction == ir::Reduction::Softmax;
}

// Returns the part of the rows whose largest element is at the same place.
double same_tops(std::span<const float> ours, std::span<const float> exact, std::size_t width) {
  std::size_t same = 0, rows = 0;
  for (std::size_t i = 0; i + width <= ours.size(); i += width, ++rows) {
    const auto top = [&](std::span<const float> values) {
      const auto row = values.subspan(i, width);
      return std::ranges::max_element(row) - row.begin();
    };
    same += top(ours) == top(exact);
  }
  return rows == 0 ? 1 : static_cast<double>(same) / static_cast<double>(rows);
}

// A NaN against a number is an infinite difference.
double difference_of(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b) ? 0 : HUGE_VAL;
  return a == b ? 0 : std::fabs(a - b);
}

std::string percent(double part) {
  char text[40];
  std::snprintf(text, sizeof text, "%.4g %%", 100 * part);
  return text;
}

}  // namespace

Drift drift_of(const SequenceResult& ours, const SequenceResult& exact, const ir::Network& network,
               const Interface& interface, std::int64_t batch) {
  Drift drift{compare(ours, exact, interface, batch), {}};
  for (std::size_t k = 0; k < ours.outputs.size(); ++k) {
    const std::vector<float>&y = ours.outputs[k], &other = exact.outputs[k];
    OutputDrift one{interface.outputs[k].name, 0, 0, {}};
    for (std::size_t i = 0; i < y.size(); ++i) {
      const double difference = difference_of(y[i], other[i]);
      one.largest = std::max(one.largest, difference);
      one.mean += difference / static_cast<double>(y.size());
    }
    if (is_softmax(network, k))
      one.same_top = same_tops(y, other, static_cast<std::size_t>(elements(interface.outputs[k].type)));
    drift.outputs.push_back(std::move(one));
  }
  return drift;
}

void print(const Drift& drift, const std::string& label) {
  std::printf("%-18s max error %.3g%s%s, mean of %s %.3g\n", label.c_str(), drift.largest.error,
              drift.largest.where.empty() ? "" : " at ", drift.largest.where.c_str(),
              drift.outputs.front().name.empty() ? "y" : drift.outputs.front().name.c_str(),
              drift.outputs.front().mean);
  if (!drift.are_numbers())
    std::printf("  MISMATCH: the program gives NaN or an infinity where f32 weights give a number\n");
  for (const OutputDrift& one : drift.outputs) {
    const std::string top = one.same_top ? ", the same largest element in " + percent(*one.same_top) + " of rows" : "";
    if (drift.outputs.size() > 1 || one.same_top)
      std::printf("  %-16s max error %.3g, mean %.3g%s\n", ((one.name.empty() ? "y" : one.name) + ":").c_str(),
                  one.largest, one.mean, top.c_str());
  }
}

nlohmann::json json_of(const Drift& drift) {
  nlohmann::json outputs = nlohmann::json::array();
  for (const OutputDrift& one : drift.outputs) {
    outputs.push_back({{"name", one.name}, {"max_error", one.largest}, {"mean_error", one.mean}});
    if (one.same_top) outputs.back()["same_top_1"] = *one.same_top;
  }
  return {{"max_error", drift.largest.error},
          {"where", drift.largest.where},
          {"mean_error_of_y", drift.outputs.front().mean},
          {"outputs", outputs}};
}

}  // namespace rnnc::tools
