// The limits of this machine: bench measures those anew that a shape has beaten, and no result is above 100 %.
#include "tools/limits.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "tests/tools/program.hpp"
#include "tools/beaten_limits.hpp"

namespace rnnc::test {
namespace {

using tools::Work;

const std::string kTiny = "bench --shape lstm:20:1:16:16 --rounds 3 ";

std::string limits_file(const Folder& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder / "cache"))
    if (const std::string name = entry.path().filename(); name.starts_with("limits-")) return "cache/" + name;
  return "";
}

// Plants limits that any machine beats, and returns them.
nlohmann::json plant_low_limits(const Folder& folder) {
  REQUIRE(folder.rnnc(kTiny).code == 0);
  nlohmann::json limits = nlohmann::json::parse(folder.text(limits_file(folder)));
  limits["flops_per_second"] = 2e6;
  for (nlohmann::json& read : limits["reads"]) read[1] = 2e6;
  folder.write(limits_file(folder), limits.dump());
  return limits;
}

// Limits of a machine that reads 16 KiB at 100 bytes a second and larger sets at 10, and adds and multiplies at 1,000.
tools::Limits slow_machine() { return {"a CPU", "", 1000, {{16384, 100}, {32768, 10}, {65536, 10}}}; }

// A gauge that counts how often it is read, and finds the same as before.
struct Counted {
  int flops = 0, reading = 0;
  tools::Gauge gauge(double flops_found, double reading_found) {
    return {[=, this] { return ++flops, flops_found; }, [=, this](double) { return ++reading, reading_found; }};
  }
};

// The numbers behind `name` in each element of `page` that has the class `kind`.
std::vector<std::vector<double>> numbers_of(const std::string& page, const std::string& kind, const std::string& name) {
  std::vector<std::vector<double>> all;
  const std::regex element("<[a-z]+ [^>]*class=\"" + kind + "\"[^>]*>");
  for (auto found = std::sregex_iterator(page.begin(), page.end(), element); found != std::sregex_iterator(); ++found) {
    const std::string text = found->str();
    const std::size_t begin = text.find(" " + name + "=\"") + name.size() + 3;
    std::string list = text.substr(begin, text.find('"', begin) - begin);
    std::ranges::replace(list, ',', ' ');
    std::istringstream numbers(list);
    all.emplace_back(std::istream_iterator<double>(numbers), std::istream_iterator<double>());
  }
  return all;
}

// How far (x, y) is from a line from (a[0], a[1]) to (a[2], a[3]).
double distance(double x, double y, const std::vector<double>& a) {
  const double dx = a[2] - a[0], dy = a[3] - a[1];
  const double along = std::clamp(((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy), 0.0, 1.0);
  return std::hypot(a[0] + along * dx - x, a[1] + along * dy - y);
}

// Pixels for a factor of ten on the vertical axis, by two of its marks, whose texts end at it.
double pixels_of_ten(const std::string& figure) {
  const std::regex mark("<text x=\"[^\"]*\" y=\"([0-9.]+)\" class=\"faint\" text-anchor=\"end\">([0-9.]+)</text>");
  std::vector<std::pair<double, double>> marks;
  for (auto found = std::sregex_iterator(figure.begin(), figure.end(), mark); found != std::sregex_iterator(); ++found)
    marks.emplace_back(std::stod((*found)[1].str()), std::log10(std::stod((*found)[2].str())));
  REQUIRE(marks.size() >= 2);
  return (marks.front().first - marks.back().first) / (marks.back().second - marks.front().second);
}

}  // namespace

TEST_CASE("limits that hold are left alone, and nothing is measured", "[tools]") {
  tools::Limits limits = slow_machine();
  Counted counted;
  const std::vector<Work> work = {{.flops_per_step = 100, .steps = 5, .batch = 2}};
  CHECK(least_seconds(work, limits) == 1);
  CHECK_FALSE(correct_limits(work, 1, counted.gauge(1e9, 1e9), limits));
  CHECK(counted.flops + counted.reading == 0);
  CHECK(limits.flops_per_second == 1000);
}

TEST_CASE("a limit that is beaten is measured anew, and only this one", "[tools]") {
  tools::Limits limits = slow_machine();
  Counted counted;
  const std::vector<Work> reads = {{.flops_per_step = 1, .recurrent_bytes = 20000, .steps = 1, .batch = 1}};
  REQUIRE(least_seconds(reads, limits) == 2000);
  CHECK(correct_limits(reads, 1000, counted.gauge(1e9, 40), limits));
  CHECK((counted.flops == 0 && counted.reading == 1));
  CHECK(limits.reads[1].bytes_per_second == 40);
  CHECK(limits.reads[0].bytes_per_second == 100);
  CHECK(limits.reads[2].bytes_per_second == 10);
  CHECK(limits.flops_per_second == 1000);
  CHECK(least_seconds(reads, limits) == 500);
}

TEST_CASE("a limit that is still beaten is raised to what was seen", "[tools]") {
  for (const double found : {5.0, 10.0, 15.0}) {
    tools::Limits limits = slow_machine();
    Counted counted;
    const std::vector<Work> reads = {{.flops_per_step = 1, .recurrent_bytes = 20000, .steps = 1, .batch = 1},
                                     {.flops_per_step = 1000, .steps = 10, .batch = 1}};
    REQUIRE(least_seconds(reads, limits) == 2010);
    CHECK(correct_limits(reads, 100, counted.gauge(found, found), limits));
    CHECK((counted.flops == 1 && counted.reading == 1));
    CHECK(least_seconds(reads, limits) == Approx(100));
    CHECK(least_seconds(reads, limits) <= 100);
    CHECK(limits.reads[0].bytes_per_second >= limits.reads[1].bytes_per_second);
    CHECK(limits.reads[2].bytes_per_second == 10);
  }
}

TEST_CASE("bench raises limits that are far too low, and keeps them", "[tools]") {
  const Folder folder;
  const nlohmann::json planted = plant_low_limits(folder);
  const Finished finished = folder.rnnc(kTiny + "--json");
  INFO(finished.out << finished.err);
  REQUIRE(finished.code == 0);
  const nlohmann::json result = nlohmann::json::parse(finished.out);
  CHECK(result.at("limit_fraction") <= 1);
  CHECK(result.at("limit_us") <= result.at("time_us_min"));
  const nlohmann::json kept = nlohmann::json::parse(folder.text(limits_file(folder)));
  CHECK(kept.at("flops_per_second").get<double>() > 1e8);
  CHECK(kept.at("reads")[0][1].get<double>() > 1e8);
  CHECK(kept.at("reads")[12][1] == planted.at("reads")[12][1]);  // no weights were so large
  CHECK(result.at("core").at("peak_gflops").get<double>() * 1e9 == Approx(kept.at("flops_per_second").get<double>()));
}

TEST_CASE("no form of bench has a result above its limit", "[tools]") {
  const Folder folder;
  for (const char* form : {"", "--csv", "--markdown", "--html page.html"}) {
    plant_low_limits(folder);
    const Finished finished = folder.rnnc(kTiny + form);
    REQUIRE(finished.code == 0);
    const std::string text = finished.out + (folder.has("page.html") ? folder.text("page.html") : "");
    INFO(text);
    for (std::size_t at = text.find(" %"); at != std::string::npos; at = text.find(" %", at + 1)) {
      const std::size_t begin = text.find_last_not_of("0123456789", at - 1) + 1;
      CHECK((begin == at || std::stoi(text.substr(begin, at - begin)) <= 100));
    }
  }
}

TEST_CASE("a point of a page stands as far below its roof as the table says", "[tools]") {
  const Folder folder;
  for (const char* shape : {"lstm:20:1:64:64", "lstm:4:16:32:32", "gru:2:1:300:300", "rnn:2:1:24:24:2"}) {
    const Finished finished =
        folder.rnnc(std::string("bench --shape ") + shape + " --rounds 3 --json --html page.html");
    REQUIRE(finished.code == 0);
    const double fraction = nlohmann::json::parse(finished.out).at("limit_fraction");
    const std::string page = folder.text("page.html");
    const std::size_t begin = page.find("aria-label=\"Roofline");
    const std::string figure = page.substr(begin, page.find("</svg>", begin) - begin);
    INFO(shape << "\n" << figure);
    const double x = numbers_of(figure, "mark ours", "cx").at(0).at(0);
    const double y = numbers_of(figure, "mark ours", "cy").at(0).at(0);
    const std::vector<double> limit = numbers_of(figure, "limit", "points").at(0);
    CHECK((limit[0] + limit[2]) / 2 == Approx(x));
    CHECK((y - limit[1]) / pixels_of_ten(figure) == Approx(-std::log10(fraction)).margin(0.01));
    double nearest = 1e9;
    for (const char* roof : {"roof", "read"})
      for (const std::vector<double>& line : numbers_of(figure, roof, "points"))
        nearest = std::min(nearest, distance(x, limit[1], line));
    CHECK(nearest < 1);
  }
}

TEST_CASE("limits are not written where the cache may not be", "[tools]") {
  const Folder folder;
  plant_low_limits(folder);
  const std::string before = folder.text(limits_file(folder));
  const std::string command = "cd '" + folder / "" + "' && RNNC_CACHE=ro RNNC_CACHE_DIR='" + folder / "cache" +
                              "' '" RNNC_PROGRAM "' " + kTiny + "--json >out.txt";
  REQUIRE(std::system(command.c_str()) == 0);
  CHECK(nlohmann::json::parse(folder.text("out.txt")).at("limit_fraction") <= 1);
  CHECK(folder.text(limits_file(folder)) == before);
}

}  // namespace rnnc::test
