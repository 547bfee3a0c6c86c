// rnnc bench --machine: what it prints, what it keeps, and what follows from that.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

// The files of limits in the cache folder.
std::vector<std::string> kept(const Folder& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "cache", ignored))
    if (const std::string name = entry.path().filename(); name.starts_with("limits-")) names.push_back(name);
  return names;
}

std::string planned_for(const Folder& folder, const std::string& flags = "") {
  const std::string plan = folder.rnnc("inspect --cell gru --dim I=8 --dim H=24 --emit plan " + flags).out;
  const std::size_t begin = plan.find("machine: ");
  REQUIRE(begin != std::string::npos);
  return plan.substr(begin, plan.find('\n', begin) - begin);
}

}  // namespace

TEST_CASE("bench --machine measures, keeps and predicts; plans follow until the cache is cleared", "[tools]") {
  const Folder folder;
  const std::string before = planned_for(folder);
  CHECK(before != "machine: measured here");
  const Finished finished = folder.rnnc("bench --machine --json");
  INFO(finished.out << finished.err);
  REQUIRE(finished.code == 0);
  const nlohmann::json fields = nlohmann::json::parse(finished.out);
  const int pipes = fields.at("multiply_adds_per_cycle");
  CHECK((pipes >= 1 && pipes <= 4));
  CHECK(fields.at("loop_gflops").get<double>() < 1.5 * fields.at("peak_gflops").get<double>());
  double bytes = 0, speed = 1e9;
  for (const auto& level : fields.at("levels")) {
    CHECK(level.at("gbytes_per_second").get<double>() <= speed);
    speed = level.at("gbytes_per_second");
    if (level.at("bytes").is_null()) continue;
    CHECK(level.at("bytes").get<double>() > bytes);
    bytes = level.at("bytes");
  }
  CHECK(fields.at("levels").back().at("name") == "memory");
  CHECK(fields.at("row").get<std::string>().starts_with("constexpr Machine k"));
  const bool noisy = fields.at("noisy");
  const std::string after = noisy ? before : "machine: measured here";
  CHECK("machine: " + fields.at("predictions").at("machine").get<std::string>() == after);
  CHECK(fields.at("predictions").at("shapes").size() == 12);
  for (const auto& shape : fields.at("predictions").at("shapes")) {
    const double ratio = shape.at("ratio");
    INFO(shape);
    CHECK((ratio > 0.02 && ratio < 50));
  }
  CHECK((finished.err.find("the machine is noisy") != std::string::npos) == noisy);
  REQUIRE(kept(folder).size() == 1);
  CHECK(fields.at("file").get<std::string>().ends_with(kept(folder)[0]));

  CHECK(planned_for(folder) == after);
  CHECK(planned_for(folder, "--isa " + fields.at("isa").get<std::string>()) == before);
  const std::string text = folder.text("cache/" + kept(folder)[0]);
  CHECK(folder.rnnc("bench --shape rnn:2:1:3:4 --rounds 3").code == 0);  // takes its limits from the same file
  CHECK(folder.text("cache/" + kept(folder)[0]) == text);
  folder.write("cache/" + kept(folder)[0], text.substr(0, text.size() / 2));
  CHECK(planned_for(folder) == before);
  folder.write("cache/" + kept(folder)[0], text);
  CHECK(planned_for(folder) == after);
  REQUIRE(folder.rnnc("cache clear").code == 0);
  CHECK(kept(folder).empty());
  CHECK(planned_for(folder) == before);
}

TEST_CASE("bench --machine prints a table for people, and skips the flag where there is one CPU", "[tools]") {
  const Folder folder;
  const std::string command = "cd '" + folder / "" +
                              "' && RNNC_CACHE=off taskset -c $(taskset -cp $$ | sed 's/.*: //; "
                              "s/[-,].*//') '" RNNC_PROGRAM "' bench --machine >out.txt 2>err.txt";
  REQUIRE(std::system(command.c_str()) == 0);
  const std::string out = folder.text("out.txt");
  INFO(out);
  for (const char* part :
       {"GFLOP/s", "multiply-add", "cycles from one multiply-add", "not measured: this process has one CPU",
        "in a step GB/s", "constexpr Machine k", "nothing is kept", "predicted us", "lstm:100:1:64:64:1"})
    CHECK(out.find(part) != std::string::npos);
}

TEST_CASE("bench --machine goes with no shape and no other form than JSON", "[tools]") {
  const Folder folder;
  for (const char* flags : {"--cell lstm", "--shape lstm:1:1:4:4", "--steps 3", "--layers 2", "--csv", "--html a.html",
                            "--tune", "--isa host"})
    check_fails(folder, std::string("bench --machine ") + flags, 2, "--machine: measures this machine and does not go");
}

}  // namespace rnnc::test
