#include "tools/verify_report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "ir/graph.hpp"
#include "tools/rounding_errors.hpp"

namespace rnnc::tools {
namespace {

std::string number(double value, const char* form = "%.3g") {
  char text[40];
  std::snprintf(text, sizeof text, form, value);
  return text;
}

// Says why the limit at the place of the difference is what it is.
std::string reason(const Difference& difference, double promised) {
  const std::string most = number(promised) + " of max(1, |value|)";
  if (difference.rounding <= promised)
    return "the limit is the " + most + " that is promised; rounding every operation to f32 explains at most " +
           number(difference.rounding) + " here";
  if (std::isinf(difference.rounding))
    return "values that this one depends on may leave the range of f32, which ends at 3.4e38; no limit is above " +
           number(kMostRounding);
  const std::string rounding =
      "rounding every operation to f32 may move this value by " + number(difference.rounding) + " of max(1, |value|)";
  if (difference.rounding <= kMostRounding)
    return "the limit is above the " + most + " that is promised, since " + rounding;
  return rounding + ", so that f32 tells hardly a digit of it; no limit is above " + number(kMostRounding);
}

}  // namespace

void print_line(const std::string& when, const Difference& difference, double promised, const std::string& other) {
  if (difference.limit == 0 && difference.error == 0) {
    std::printf("%-18s same bits as %s\n", when.c_str(), other.c_str());
    return;
  }
  const bool kept = Verdict::is_kept(difference);
  const std::string limit = std::isinf(difference.limit) ? "no limit for weights that are rounded"
                                                         : "limit " + number(difference.limit, "%.2g");
  std::printf("%-18s max error %.3g%s%s  (%s)%s\n", when.c_str(), difference.error,
              difference.where.empty() ? "" : " at ", difference.where.c_str(), limit.c_str(),
              kept ? "" : "  MISMATCH");
  if (!kept) {
    std::printf("  %s%s, sequence %lld, element %lld: the program gives %.9g, %s %.9g", difference.what.c_str(),
                difference.step < 0 ? "" : (" of step " + std::to_string(difference.step)).c_str(),
                static_cast<long long>(difference.sequence), static_cast<long long>(difference.element), difference.a,
                other.c_str(), difference.b);
    const double distance = std::fabs(difference.a - difference.b);
    if (std::isfinite(distance))
      std::printf("; they differ by %.3g, and %.3g is allowed", distance,
                  difference.limit * std::max(1.0, std::fabs(difference.b)));
    std::printf("\n");
  }
  if (difference.limit > 0 && promised != kMostOfExample && (!kept || difference.limit > promised))
    std::printf("  %s\n", reason(difference, promised).c_str());
}

namespace {

nlohmann::json json_of(const Difference& difference, double promised) {
  return {{"what", difference.what},
          {"step", difference.step},
          {"sequence", difference.sequence},
          {"element", difference.element},
          {"program", difference.a},
          {"interpreter", difference.b},
          {"rounding", difference.rounding},
          {"limit", difference.limit},
          {"error", difference.error},
          {"promised", promised},
          {"reason", reason(difference, promised)}};
}

// The steps of the time T, or of another if there is no such time.
std::int64_t first_steps(const Steps& steps) {
  const auto found = steps.find(std::string(ir::kTime));
  return found != steps.end() ? found->second : steps.empty() ? 0 : steps.begin()->second;
}

}  // namespace

std::string steps_text(const Steps& steps) {
  const auto is_first = [&](const auto& time) { return time.second == first_steps(steps); };
  if (std::ranges::all_of(steps, is_first)) return std::to_string(first_steps(steps)) + " steps";
  std::string text;
  for (const auto& [name, count] : steps)
    text += (text.empty() ? "" : ", ") + std::to_string(count) + (text.empty() ? " steps of " : " of ") + name;
  return text;
}

nlohmann::json json_of(const Verdict& verdict) {
  nlohmann::json result = {{"isa", verdict.isa},
                           {"backend", verdict.backend},
                           {"fallback", verdict.fallback},
                           {"steps", first_steps(verdict.steps)},
                           {"batch", verdict.batch},
                           {"max_error", verdict.whole.error},
                           {"where", verdict.whole.where},
                           {"limit", verdict.whole.limit},
                           {"compared_with", verdict.other},
                           {"ok", verdict.ok()}};
  if (verdict.steps.size() > 1) result["times"] = verdict.steps;
  if (verdict.seed) result["seed"] = *verdict.seed;
  if (verdict.first) {
    result["max_error_one_step"] = verdict.first->error;
    result["where_one_step"] = verdict.first->where;
    result["limit_one_step"] = verdict.first->limit;
  }
  if (verdict.example) result["max_error_of_example"] = verdict.example->error;
  if (verdict.expected) {
    result["max_error_of_expected"] = verdict.expected->error;
    result["where_of_expected"] = verdict.expected->where;
  }
  if (verdict.drift) result["from_f32_weights"] = json_of(*verdict.drift);
  if (verdict.first && !Verdict::is_kept(*verdict.first))
    result["mismatch_one_step"] = json_of(*verdict.first, kMostAfterOneStep);
  if (!Verdict::is_kept(verdict.whole)) result["mismatch"] = json_of(verdict.whole, kMostAtTheEnd);
  return result;
}

void print(const Verdict& verdict) {
  if (verdict.first) print_line("after one step:", *verdict.first, kMostAfterOneStep, verdict.other);
  print_line("over all steps:", verdict.whole, kMostAtTheEnd, verdict.other);
  if (verdict.example) print_line("the file's example:", *verdict.example, kMostOfExample, "the file says");
  if (verdict.expected) print_line("what is expected:", *verdict.expected, kMostOfExample, "the file says");
  if (verdict.drift) print(*verdict.drift, "from f32 weights:");
}

}  // namespace rnnc::tools
