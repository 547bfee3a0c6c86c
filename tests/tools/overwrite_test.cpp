// No output of the program takes the place of a file that the same command reads, or of another output.
#include <filesystem>

#include "tests/tools/example_files.hpp"
#include "tests/tools/object_program.hpp"

namespace rnnc::test {
namespace {

namespace fs = std::filesystem;

// Every file of the folder, so that a change of any shows.
std::map<std::string, std::string> contents(const Folder& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::directory_iterator(folder / "")) {
    const std::string name = entry.path().filename();
    if (name != "out.txt" && name != "err.txt" && name != "log.txt" && entry.is_regular_file())
      all[name] = folder.text(name);
  }
  return all;
}

void fill_names(const Folder& folder) {
  fill_example_files(folder);
  fs::create_symlink("x.npy", folder / "soft.npy");
  fs::create_hard_link(folder / "x.npy", folder / "hard.npy");
  fs::copy_file(folder / "lstm.safetensors", folder / "w.rnnc");
  fs::copy_file(folder / "lstm.safetensors", folder / "w.o");
  fs::copy_file(folder / "lstm.rnn", folder / "text.o");
  fs::create_symlink("both.o", folder / "dangling.h");
}

const std::string kRun = "run lstm.rnn --weights lstm.safetensors --input x.npy ";

}  // namespace

TEST_CASE("no output takes the place of the weights that stand beside a text", "[tools]") {
  const Folder folder;
  fill_names(folder);
  fs::copy_file(folder / "lstm.safetensors", folder / "lstm_weights.safetensors");
  const auto before = contents(folder);
  for (const std::string file : {"lstm.safetensors", "lstm_weights.safetensors"})
    for (const auto& [arguments, flag] : std::vector<std::pair<std::string, std::string>>{
             {"run lstm.rnn --input x.npy --output " + file, "--output"},
             {"run lstm.rnn --input x.npy --output y.npy --final-state h=" + file, "--final-state h"},
             {"compile lstm.rnn -o m.o --header " + file, "--header"},
             {"explain lstm.rnn --html " + file, "--html"},
             {"bench lstm.rnn --html " + file, "--html"}}) {
      check_fails(folder, arguments, 2, flag + ": would overwrite " + file + ", which MODEL reads; name another file");
      CHECK(contents(folder) == before);
    }
}

TEST_CASE("an output that is an input or another output is refused before anything is written", "[tools]") {
  const Folder folder;
  fill_names(folder);
  const auto before = contents(folder);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {kRun + "--output x.npy", "--output: would overwrite x.npy, which --input reads; name another file"},
      {kRun + "--output ./x.npy",
       "--output: would overwrite x.npy under the name ./x.npy, which --input reads; name another file"},
      {kRun + "--output soft.npy",
       "--output: would overwrite x.npy under the name soft.npy, which --input reads; name another file"},
      {kRun + "--output hard.npy",
       "--output: would overwrite x.npy under the name hard.npy, which --input reads; name another file"},
      {kRun + "--output lstm.safetensors",
       "--output: would overwrite lstm.safetensors, which --weights reads; name another file"},
      {kRun + "--output lstm.rnn", "--output: would overwrite lstm.rnn, which MODEL reads; name another file"},
      {kRun + "--lengths n.npy --output n.npy",
       "--output: would overwrite n.npy, which --lengths reads; name another file"},
      {kRun + "--state h=h.npy --output h.npy",
       "--output: would overwrite h.npy, which --state reads; name another file"},
      {kRun + "--state h=h.npy --output y.npy --final-state h=h.npy",
       "--final-state h: would overwrite h.npy, which --state reads; name another file"},
      {kRun + "--output y.npy --final-state h=y.npy",
       "--final-state h: would overwrite y.npy, which --output writes; name another file"},
      {kRun + "--output y.npy --final-state h=./y.npy",
       "--final-state h: would overwrite y.npy under the name ./y.npy, which --output writes; name another file"},
      {kRun + "--output y.npy --final-state c=f.npy --final-state h=f.npy",
       "--final-state h: would overwrite f.npy, which --final-state c writes; name another file"},
      {"compile lstm.rnn --weights w.rnnc -o w.rnnc",
       "-o: would overwrite w.rnnc, which --weights reads; name another file"},
      {"compile lstm.rnn --weights w.o -o w.o --header m.h",
       "-o: would overwrite w.o, which --weights reads; name another file"},
      {"compile text.o --weights lstm.safetensors -o text.o --header m.h",
       "-o: would overwrite text.o, which MODEL reads; name another file"},
      {"compile lstm.rnn --weights lstm.safetensors -o both.o --header both.o",
       "--header: would overwrite both.o, which -o writes; name another file"},
      {"compile lstm.rnn --weights lstm.safetensors -o both.o --header dangling.h",
       "--header: would overwrite both.o under the name dangling.h, which -o writes; name another file"},
      {"compile lstm.rnn --weights lstm.safetensors -o m.o --header lstm.rnn",
       "--header: would overwrite lstm.rnn, which MODEL reads; name another file"},
      {"compile lstm.rnn --weights lstm.safetensors -o m.o --header lstm.safetensors",
       "--header: would overwrite lstm.safetensors, which --weights reads; name another file"},
      {"import encoder.safetensors -o encoder.rnn --weights encoder.safetensors",
       "--weights: would overwrite encoder.safetensors, which MODEL reads; name another file"},
      {"import encoder.safetensors -o encoder.rnn --weights encoder.rnn",
       "--weights: would overwrite encoder.rnn, which -o writes; name another file"},
      {"import lstm.rnn -o lstm.rnn", "-o: would overwrite lstm.rnn, which MODEL reads; name another file"},
      {"bench lstm.rnn --weights lstm.safetensors --steps 3 --batch 1 --html lstm.rnn",
       "--html: would overwrite lstm.rnn, which MODEL reads; name another file"},
      {"bench lstm.rnn --weights lstm.safetensors --steps 3 --batch 1 --html ./lstm.safetensors",
       "--html: would overwrite lstm.safetensors under the name ./lstm.safetensors, which --weights reads; name "
       "another file"},
  };
  for (const auto& [arguments, message] : cases) {
    const Finished finished = folder.rnnc(arguments);
    INFO(arguments);
    CHECK(finished.code == 2);
    CHECK(finished.err == "rnnc: " + message + "\n");
    CHECK(contents(folder) == before);
  }
}

TEST_CASE("an artifact is not overwritten by its own results", "[tools]") {
  const Folder folder;
  fill_names(folder);
  REQUIRE(folder.rnnc("compile lstm.rnn --weights lstm.safetensors -o m.rnnc").code == 0);
  const auto before = contents(folder);
  const Finished finished = folder.rnnc("run m.rnnc --input x.npy --output m.rnnc");
  CHECK(finished.code == 2);
  CHECK(finished.err == "rnnc: --output: would overwrite m.rnnc, which MODEL reads; name another file\n");
  CHECK(contents(folder) == before);
}

TEST_CASE("an input named NAME=PATH is a path too, of one input or of the whole text", "[tools]") {
  const Folder folder;
  folder.write("net.rnn", "network n { input x : seq f32[2] input v : f32[2] output x + v }");
  folder.write("x.npy", {3, 1, 2}, {1, 2, 3, 4, 5, 6});
  folder.write("v.npy", {1, 2}, {1, 2});
  folder.write("x=1.npy", {3, 1, 2}, {1, 2, 3, 4, 5, 6});
  const std::string run = "run net.rnn --input v=v.npy ";
  CHECK(folder.rnnc(run + "--input x.npy --output v.npy").err ==
        "rnnc: --output: would overwrite v.npy, which --input reads; name another file\n");
  CHECK(folder.rnnc(run + "--input x=1.npy --output x=1.npy").err ==
        "rnnc: --output x: would overwrite 1.npy, which --input reads; name another file\n");
  CHECK(folder.rnnc(run + "--input x=1.npy --output ./x=1.npy").err ==
        "rnnc: --output: would overwrite x=1.npy under the name ./x=1.npy, which --input reads; name another file\n");
  CHECK(folder.values("v.npy") == std::vector<float>{1, 2});
  CHECK(folder.rnnc(run + "--input x.npy --output y.npy").code == 0);
}

TEST_CASE("streams and devices may be named twice", "[tools]") {
  const Folder folder;
  fill_names(folder);
  REQUIRE(folder.rnnc(kRun + "--output y.npy --final-state h=h1.npy").code == 0);
  CHECK(folder.rnnc(kRun + "--output /dev/null --final-state h=/dev/null --final-state c=/dev/null").code == 0);
  CHECK(fs::is_character_file("/dev/null"));
  CHECK(folder.rnnc("compile lstm.rnn --weights lstm.safetensors -o m.o --header /dev/null").code == 0);
  // One behind the other, in the order of y and the states.
  const std::string both = "'" RNNC_PROGRAM "' " + kRun + "--output /dev/stdout --final-state h=/dev/stdout";
  CHECK(shell(folder, both + " | cat >piped.bin") == 0);
  CHECK(shell(folder, both + " >redirected.bin") == 0);
  CHECK(folder.text("piped.bin") == folder.text("y.npy") + folder.text("h1.npy"));
  CHECK(folder.text("redirected.bin") == folder.text("piped.bin"));
  CHECK(fs::is_symlink("/dev/stdout"));
  // A file behind a descriptor is a file.
  fs::copy_file(folder / "x.npy", folder / "copy.npy");
  CHECK(shell(folder, "'" RNNC_PROGRAM "' " + kRun + "--output /dev/stdout --final-state h=r.npy >>r.npy 2>err.txt") !=
        0);
  CHECK(folder.text("err.txt") ==
        "rnnc: --final-state h: would overwrite /dev/stdout under the name r.npy, which --output writes; name another "
        "file\n");
  CHECK(shell(folder,
              "'" RNNC_PROGRAM "' run lstm.rnn --weights lstm.safetensors --input copy.npy --output /dev/stdout "
              "2>err.txt >>copy.npy") != 0);
  CHECK(folder.text("copy.npy") == folder.text("x.npy"));
}

TEST_CASE("outputs of run follow links, keep modes, and leave nothing of a killed run", "[tools]") {
  const Folder folder;
  fill_names(folder);
  fs::create_symlink("target.npy", folder / "y.npy");
  folder.write(".rnnc-new-0123456789ab", "half");
  folder.write("h1.npy", "old");
  folder.write("y.npy.part", "someone's");
  fs::permissions(folder / "h1.npy", fs::perms::owner_read | fs::perms::owner_write);
  REQUIRE(folder.rnnc(kRun + "--output y.npy --final-state h=h1.npy").code == 0);
  CHECK(fs::is_symlink(folder / "y.npy"));
  CHECK(folder.values("target.npy").size() == 7 * 3 * kExampleHidden);
  CHECK(fs::status(folder / "h1.npy").permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(folder.values("h1.npy").size() == 3 * kExampleHidden);
  CHECK_FALSE(folder.has(".rnnc-new-0123456789ab"));
  CHECK(folder.text("y.npy.part") == "someone's");
}

TEST_CASE("a text that RNNC_DEBUG asks for does not overwrite the model", "[tools]") {
  const Folder folder;
  fill_names(folder);
  fs::create_directory(folder / "dump");
  const auto verify = [&](const std::string& variables, const std::string& model) {
    return shell(folder,
                 variables + " RNNC_CACHE=off '" RNNC_PROGRAM "' verify " + model + " --steps 2 >out.txt 2>err.txt");
  };
  REQUIRE(verify("RNNC_DEBUG=ir RNNC_DUMP_DIR=dump", "lstm.rnn --dim I=4 --dim H=5") == 0);
  const std::string name = "dump/lstm-0-source.rnn", mine = "// mine\n" + folder.text(name);
  folder.write(name, mine);
  CHECK(verify("RNNC_DEBUG=ir RNNC_DUMP_DIR=dump/.", name) != 0);
  CHECK(folder.text("err.txt") == "rnnc: MODEL: a text of RNNC_DEBUG may overwrite " + name +
                                      "; copy it, or name another folder in RNNC_DUMP_DIR\n");
  CHECK(folder.text(name) == mine);
  CHECK(verify("RNNC_DEBUG=plan RNNC_DUMP_DIR=dump", name) == 0);
  CHECK(verify("RNNC_DEBUG=ir RNNC_DUMP_DIR=.", name) == 0);
  CHECK(folder.text(name) == mine);
}

}  // namespace rnnc::test
