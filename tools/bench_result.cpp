#include "tools/bench_result.hpp"

#include <algorithm>
#include <utility>

#include "tools/beaten_limits.hpp"

namespace rnnc::tools {
namespace {

using Json = nlohmann::ordered_json;

struct Measured {
  Times ours, ragged, together, baseline;
};

Measured take_times(const Contest& contest, int rounds, const Report& report) {
  Measured measured;
  std::vector<Contestant> contestants;
  std::vector<Times*> times;
  for (const auto& [call, to] : {std::pair(&contest.ours, &measured.ours),
                                 {&contest.ragged, &measured.ragged},
                                 {&contest.together, &measured.together}}) {
    if (!*call) continue;
    contestants.push_back({*call, {}});
    times.push_back(to);
  }
  if (contest.baseline.contestant.any()) {
    contestants.push_back(contest.baseline.contestant);
    times.push_back(&measured.baseline);
  }
  const std::vector<Times> found = time_in_turns(contestants, rounds, report);
  for (std::size_t i = 0; i < found.size(); ++i) *times[i] = found[i];
  return measured;
}

// Holds the work of one call of `ours`, which with --sessions is a step of each session.
struct CallWork {
  double flops = 0, recurrent_bytes = 0;
  double steps = 0;      // those that are one behind the other
  double sequences = 0;  // those that end in the call, side by side or one behind the other
  double sequence_steps = 0;
};

double runs_of(const BenchFlags& flags) { return static_cast<double>(std::max<std::int64_t>(flags.sessions, 1)); }

CallWork work_of(const Contest& contest, const BenchFlags& flags) {
  const double runs = runs_of(flags);
  CallWork call;
  for (const Work& work : contest.work) {
    call.flops += runs * work.flops_per_step * static_cast<double>(work.steps) * static_cast<double>(work.batch);
    call.recurrent_bytes += work.recurrent_bytes;
  }
  call.steps = runs * static_cast<double>(flags.steps);
  call.sequences = runs * static_cast<double>(flags.batch);
  call.sequence_steps = call.sequences * static_cast<double>(flags.steps);
  return call;
}

Json to_json(const Limits& limits) {
  Json reads = Json::array();
  for (const ReadSpeed& read : limits.reads) reads.push_back({read.bytes, read.bytes_per_second * 1e-9});
  return {{"cpu", limits.cpu}, {"peak_gflops", limits.flops_per_second * 1e-9}, {"read_gbytes_per_second", reads}};
}

// Times of the same steps need no names.
Json steps_of_times(const Contest& contest) {
  Json steps = Json::object();
  if (contest.flags.steps_of_times.empty()) return steps;
  for (const auto& [name, count] : contest.steps) steps[name] = count;
  return steps;
}

Json shape_fields(const Contest& contest, const BenchFlags& flags) {
  return {{"cell", contest.name},
          {"steps", flags.steps},
          {"steps_of_times", steps_of_times(contest)},
          {"batch", flags.batch},
          {"input_size", contest.input_size},
          {"hidden_size", contest.hidden_size},
          {"layers", contest.layers},
          {"directions", contest.directions},
          {"threads", flags.threads},
          {"isa", contest.cpu},
          {"backend", contest.backend},
          {"weights_as", flags.model.weights_as},
          {"sparse", flags.model.sparse},
          {"fallback", contest.fallback}};
}

void add_times(Json& fields, const Times& ours, const CallWork& work) {
  fields["time_us_min"] = ours.min() * 1e6;
  fields["time_us_median"] = ours.median() * 1e6;
  fields["time_us_p99"] = ours.p99() * 1e6;
  fields["samples"] = ours.samples;
  fields["per_step_us"] = ours.min() * 1e6 / work.steps;
  fields["sequences_per_second"] = work.sequences / ours.min();
  fields["steps_per_second"] = work.sequence_steps / ours.min();
  fields["gflops"] = work.flops / ours.min() * 1e-9;
  fields["bytes_per_step"] = work.recurrent_bytes;
}

void add_others(Json& fields, const Contest& contest, const BenchFlags& flags, const Measured& measured) {
  const double ours = measured.ours.min();
  if (contest.ragged)
    fields["ragged"] = {{"time_us_min", measured.ragged.min() * 1e6}, {"of_whole", measured.ragged.min() / ours}};
  if (contest.together)
    fields["sessions"] = {{"count", flags.sessions},
                          {"time_us_min", measured.together.min() * 1e6},
                          {"of_single_steps", measured.together.min() / ours}};
  if (!contest.baseline.contestant.any()) return;
  fields["baseline"] = {{"name", contest.baseline.name},
                        {"version", contest.baseline.version},
                        {"time_us_min", measured.baseline.min() * 1e6},
                        {"time_us_median", measured.baseline.median() * 1e6},
                        {"time_us_p99", measured.baseline.p99() * 1e6},
                        {"max_difference", contest.from_baseline.error}};
  fields["ratio"] = measured.baseline.min() / ours;
}

std::string shape_text(const Json& fields) {
  std::string text = fields.at("cell").get<std::string>();
  for (const char* key : {"steps", "batch", "input_size", "hidden_size", "threads"})
    text += ":" + std::to_string(fields.at(key).get<std::int64_t>());
  for (const auto& [name, count] : fields.at("steps_of_times").items()) text += " " + name + "=" + count.dump();
  const std::string format = fields.at("weights_as").get<std::string>();
  if (format != "f32") text += " " + format;
  return fields.at("sparse").get<bool>() ? text + " sparse" : text;
}

}  // namespace

BenchResult measure(const Contest& contest, const Report& report) {
  const BenchFlags& flags = contest.flags;
  const Measured measured = take_times(contest, static_cast<int>(flags.rounds), report);
  const CallWork work = work_of(contest, flags);
  const Noise noise = noise_of({measured.ours, measured.ragged, measured.together, measured.baseline});
  Json fields = shape_fields(contest, flags);
  add_times(fields, measured.ours, work);
  fields["compile_ms"] = contest.compile_ms;
  fields["limit_us"] = fields["limit_fraction"] = Json();  // in their places until `judge` knows them
  fields["max_error"] = contest.knows_error ? Json(contest.from_interpreter.error) : Json();
  fields["noisy"] = noise.is_noisy();
  fields["noise"] = {{"round_spread", noise.round_spread},
                     {"median_over_min", noise.median_over_min},
                     {"preemptions_per_second", noise.preemptions_per_second}};
  fields["core"] = Json();
  add_others(fields, contest, flags, measured);
  if (!contest.knows_limit) fields["gflops"] = fields["bytes_per_step"] = Json();
  const double bytes = work.recurrent_bytes * work.steps;
  const std::string shape = shape_text(fields);
  return {shape,
          std::move(fields),
          measured.ours,
          measured.baseline,
          contest.baseline.title,
          noise,
          bytes > 0 ? work.flops / bytes : 0,
          contest.work,
          runs_of(flags),
          contest.knows_limit};
}

bool correct_limits(const BenchResult& result, Limits& limits) {
  const auto baseline = result.fields.find("baseline");
  const bool counts = baseline != result.fields.end() && baseline->at("name") == "onednn";
  const double seconds = counts ? std::min(result.ours.min(), result.baseline.min()) : result.ours.min();
  return correct_limits(result.work, seconds / result.runs, gauge_of_this_machine(), limits);
}

void judge(BenchResult& result, const Limits& limits) {
  result.fields["core"] = to_json(limits);
  if (!result.knows_limit) return;
  const double seconds = result.runs * least_seconds(result.work, limits);
  result.fields["limit_us"] = seconds * 1e6;
  result.fields["limit_fraction"] = seconds / result.ours.min();
}

}  // namespace rnnc::tools
