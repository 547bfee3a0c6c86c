// SQLite itself runs our window functions; what they give is compared with the interpreter and with the program alone.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <thread>

#include <rnnc/rnnc.hpp>

#include "tests/extensions/sqlite_database.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"
#include "tests/support/run_cell.hpp"
#include "tests/support/temporary_folder.hpp"

namespace rnnc::test {
namespace {

using Catch::Matchers::EndsWith, Catch::Matchers::StartsWith;

constexpr std::int64_t kIn = 3, kHidden = 7;
constexpr const char* kRunningSum = "cell total { input x : f32  state s : f32  s' = s + x  output s' }";
constexpr const char* kWindow = " OVER (PARTITION BY user ORDER BY t) FROM events ORDER BY user, t";

// A GRU with random weights: for SQLite as text and file, for the interpreter as it is.
struct Gru {
  explicit Gru(std::uint64_t seed = 1) : cell(standard("gru", kIn, kHidden)), weights(random_weights(cell, seed)) {
    save_safetensors(file(), tensors_of(cell, weights)).value();
  }

  std::string file() const { return folder / "gru.safetensors"; }
  std::string text() const { return standard_cell("gru").value().text(); }
  void put_into(const Database& database, const std::string& name = "gru") const {
    database.run("SELECT rnn_model(?, ?, ?)", {SqlValue::of(name), SqlValue::of(text()), SqlValue::of(file())});
  }

  TemporaryFolder folder;
  ir::Cell cell;
  Weights weights;
};

// Steps of several users, in an order that mixes them. Returns each user's x, [T, I].
std::map<int, std::vector<float>> fill_events(const Database& database, int users, std::uint64_t seed) {
  database.run("CREATE TABLE events(user, t, a REAL, b REAL, c REAL)");
  Random random(seed);
  std::map<int, std::vector<float>> sequences;
  for (int t = 0; t < 40; ++t) {
    for (int user = users; user-- > 0;) {
      if (random.chance(0.3)) continue;
      const std::vector<float> x = random.vector(kIn, -2, 2);
      sequences[user].insert(sequences[user].end(), x.begin(), x.end());
      database.run("INSERT INTO events VALUES (?, ?, ?, ?, ?)",
                   {SqlValue::of(user), SqlValue::of(t), SqlValue::of(x[0]), SqlValue::of(x[1]), SqlValue::of(x[2])});
    }
  }
  return sequences;
}

// The column of rows, one value after the other.
std::vector<float> floats_of(const Rows& rows, std::size_t column = 0) {
  std::vector<float> all;
  for (const auto& row : rows)
    for (const float value : row.at(column).floats()) all.push_back(value);
  return all;
}

std::vector<double> numbers_of(const Rows& rows) {
  std::vector<double> all;
  for (const auto& row : rows) all.push_back(row.at(0).type == SQLITE_NULL ? std::nan("") : row.at(0).number);
  return all;
}

}  // namespace

TEST_CASE("each partition of SQLite is a sequence of the interpreter", "[sqlite]") {
  const Gru gru;
  const Database database;
  gru.put_into(database);
  const auto sequences = fill_events(database, 5, 2);
  const std::vector<float> got = floats_of(database.run(std::string("SELECT rnn('gru', a, b, c)") + kWindow));
  ir::NamedVectors params;
  for (const auto& [name, values] : gru.weights) params[name].assign(values.begin(), values.end());
  ir::Vector expected;
  for (const auto& [user, x] : sequences) {
    ir::NamedVectors states;
    const ir::Batch batch{static_cast<std::int64_t>(x.size()) / kIn, 1, {x.begin(), x.end()}, {}};
    const ir::Vector y = ir::interpret(gru.cell, params, batch, states);
    expected.insert(expected.end(), y.begin(), y.end());
  }
  REQUIRE(expected.size() > 500);
  CHECK(worst_error(got, expected) < 1e-6);

  // An input may come as a blob of floats, and an aggregate of a whole group gives its last row.
  database.run("CREATE TABLE packed AS SELECT user, t, a, c FROM events LIMIT 0");
  const std::vector<float> x = sequences.at(0);
  for (std::size_t t = 0; t < x.size() / kIn; ++t)
    database.run("INSERT INTO packed VALUES (0, ?, ?, ?)",
                 {SqlValue::of(static_cast<double>(t)), SqlValue::blob_of({x[t * kIn], x[t * kIn + 1]}),
                  SqlValue::of(x[t * kIn + 2])});
  const std::vector<float> packed = floats_of(database.run("SELECT rnn('gru', a, c) OVER (ORDER BY t) FROM packed"));
  CHECK(packed == std::vector<float>(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(packed.size())));
  const std::vector<float> last = floats_of(database.run("SELECT rnn('gru', a, c) FROM packed"));
  CHECK(last == std::vector<float>(packed.end() - kHidden, packed.end()));
}

TEST_CASE("a sequence of SQLite goes on tomorrow with the bits of one run", "[sqlite]") {
  const Gru gru;
  const Database database;
  gru.put_into(database);
  fill_events(database, 4, 3);
  const Rows whole = database.run(std::string("SELECT rnn('gru', a, b, c)") + kWindow);
  database.run("CREATE TABLE states(user PRIMARY KEY, state BLOB)");
  Rows pieces;
  for (const std::string day : {"t < 15", "t >= 15 AND t < 16", "t >= 16"}) {
    const std::string from =
        " OVER w FROM events LEFT JOIN states USING (user) WHERE " + day + " WINDOW w AS (PARTITION BY user ORDER BY t";
    for (const auto& row : database.run("SELECT user, t, rnn_from('gru', state, a, b, c)" + from + ")"))
      pieces.push_back(row);
    database.run("INSERT OR REPLACE INTO states SELECT DISTINCT user, rnn_state_from('gru', state, a, b, c)" + from +
                 " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)");
  }
  std::ranges::sort(pieces, {}, [](const auto& row) { return std::pair(row[0].number, row[1].number); });
  CHECK(floats_of(pieces, 2) == floats_of(whole));

  // A state of rnn_state is that of the frame's last row, and belongs to the cell that it came from.
  const Rows states = database.run(std::string("SELECT rnn_state('gru', a, b, c)") + kWindow);
  CHECK(states.back()[0].text == database.run("SELECT state FROM states ORDER BY user DESC")[0][0].text);
  database.run("SELECT rnn_model('total', ?)", {SqlValue::of(kRunningSum)});
  CHECK_THAT(database.error_of("SELECT rnn_from('total', ?, 1)", {states.back()[0]}),
             StartsWith("rnn_from: the state is not of the model 'total': "));
  CHECK_THAT(database.error_of("SELECT rnn_from('total', 5, 1)"),
             StartsWith("rnn_from: the state is no blob; give one"));
  CHECK_THAT(database.error_of("SELECT rnn_state_from('total', x'00', 1)"),
             StartsWith("rnn_state_from: the state is not"));
  CHECK(numbers_of(database.run("SELECT rnn_from('total', NULL, 2)")) == std::vector<double>{2});
}

TEST_CASE("frames that begin with the partition run in SQLite, and others are refused in words", "[sqlite]") {
  const Database database;
  database.run("SELECT rnn_model('total', ?)", {SqlValue::of(kRunningSum)});
  const std::string values = " FROM (SELECT column1 AS t, column2 AS x FROM (VALUES (1,1), (2,10), (2,100), (3,1000)))";
  const auto sums = [&](const std::string& over) {
    return numbers_of(database.run("SELECT rnn('total', x) " + over + values));
  };
  CHECK(sums("OVER (ORDER BY t)") == std::vector<double>{1, 111, 111, 1111});  // rows of one t are peers
  CHECK(sums("OVER (ORDER BY t ROWS UNBOUNDED PRECEDING)") == std::vector<double>{1, 11, 111, 1111});
  CHECK(sums("OVER (ORDER BY t DESC)") == std::vector<double>{1000, 1110, 1110, 1111});
  CHECK(sums("OVER ()") == std::vector<double>{1111, 1111, 1111, 1111});
  CHECK(sums("OVER (ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING)") ==
        std::vector<double>{11, 111, 1111, 1111});
  CHECK(sums("OVER (ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW)")[3] == 111);
  CHECK(sums("FILTER (WHERE x <> 10) OVER (ORDER BY t)") == std::vector<double>{1, 101, 101, 1101});
  CHECK(sums("") == std::vector<double>{1111});
  for (const std::string frame : {"ROWS 1 PRECEDING", "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
                                  "RANGE BETWEEN 1 PRECEDING AND CURRENT ROW"})
    CHECK_THAT(database.error_of("SELECT rnn('total', x) OVER (ORDER BY t " + frame + ")" + values),
               StartsWith("rnn: a step cannot be taken back, so that a frame begins with UNBOUNDED PRECEDING"));
}

TEST_CASE("values of SQLite that are no numbers are no step, or are refused with the way out", "[sqlite]") {
  const Database database;
  database.run("SELECT rnn_model('total', ?)", {SqlValue::of(kRunningSum)});
  const auto sums = [&](const std::string& values) {
    return numbers_of(
        database.run("SELECT rnn('total', column1) OVER (ROWS UNBOUNDED PRECEDING) FROM (VALUES " + values + ")"));
  };
  const std::vector<double> gap = sums("(1), (NULL), (2)");
  CHECK((gap[0] == 1 && std::isnan(gap[1]) && gap[2] == 3));
  CHECK(sums("(9007199254740993), (-9007199254740992)") == std::vector<double>{9007199254740992, 0});
  const std::vector<double> large = sums("(1e300), (1), (-9e999), (1)");
  CHECK((std::isinf(large[0]) && std::isinf(large[1])));
  CHECK((std::isnan(large[2]) && std::isnan(large[3])));  // inf - inf is NaN, and SQLite's NaN is NULL
  CHECK(sums("(1.0e-45), (0)")[0] == 0);                  // denormals count as zero
  CHECK(database.run("SELECT rnn('total', 1) WHERE 0")[0][0].type == SQLITE_NULL);
  CHECK(database.run("SELECT rnn_state('total', 1) WHERE 0")[0][0].type == SQLITE_NULL);

  const auto error = [&](const std::string& arguments) { return database.error_of("SELECT rnn(" + arguments + ")"); };
  CHECK(error("'total', '12'") ==
        "rnn: the model 'total' takes numbers, or blobs of floats of 4 bytes; its input 1 is the text '12': CAST it AS "
        "REAL");
  CHECK(error("'total', x'0102'") ==
        "rnn: the model 'total' takes numbers, or blobs of floats of 4 bytes; its input 1 is a blob of 2 bytes");
  CHECK(error("'total'") == "rnn: the model 'total' takes 1 number a row, and is given 0");
  CHECK(error("'total', 1, 2") == "rnn: the model 'total' takes 1 number a row, and is given more");
  CHECK(error("'total', x'', 2") == "");
  CHECK(error("") == "rnn: the arguments are rnn(MODEL, X...)");
  CHECK(database.error_of("SELECT rnn_from('total')") == "rnn_from: the arguments are rnn_from(MODEL, STATE, X...)");
  CHECK_THAT(error("'other', 1"),
             StartsWith("rnn: this connection has no model 'other'; it has 'total'. SELECT rnn_model('other', "));
  CHECK_THAT(error("NULL, 1"), StartsWith("rnn: this connection has no model ''"));
  database.run("SELECT rnn_model('twice', 'cell twice { input x : f32  output 2 * x }')");
  CHECK_THAT(
      database.error_of("SELECT rnn(column1, 1) FROM (VALUES ('total'), ('twice'))"),
      StartsWith("rnn: the model changes from 'total' to 'twice' within a sequence; name it in PARTITION BY too"));
  CHECK(numbers_of(
            database.run("SELECT rnn(column1, 1) OVER (PARTITION BY column1) FROM (VALUES ('total'), ('twice'))")) ==
        std::vector<double>{1, 2});
}

TEST_CASE("outputs of several floats are a blob, and JSON where it is asked for", "[sqlite]") {
  const Database database;
  database.run("SELECT rnn_model('ratio', 'cell ratio { input a : f32[3]  input b : f32[3]  output a / b }')");
  const auto json = [&](const std::string& x) {
    return database.run("SELECT rnn_json(rnn('ratio', " + x + "))")[0][0];
  };
  CHECK(json("1, 1, 0, 0, 2, 0").text == "[9e999,0.5,null]");
  CHECK(json("-1, -1, 0, 0, 10, 5").text == "[-9e999,-0.1,0]");
  CHECK(json("1, 1, 1, 1, 1, NULL").type == SQLITE_NULL);
  CHECK(database.run("SELECT json_extract(rnn_json(rnn('ratio', 1, 2, 3, 2, 2, 2)), '$[2]')")[0][0].number == 1.5);
  CHECK(database.run("SELECT rnn_json(x'')")[0][0].text == "[]");
  CHECK_THAT(database.error_of("SELECT rnn_json(1)"), StartsWith("rnn_json: the argument is no blob of floats"));
  CHECK_THAT(database.error_of("SELECT rnn_json(x'010203')"),
             StartsWith("rnn_json: the argument is no blob of floats"));
}

TEST_CASE("models come from files, texts and tables, and what cannot run row by row is refused", "[sqlite]") {
  const Gru gru;
  const Database database;
  const std::string example = RNNC_SOURCE_DIR "/examples/embedding/smooth.rnn";
  CHECK(database.run("SELECT rnn_model('smooth', ?)", {SqlValue::of(example)})[0][0].text ==
        "smooth: 1 input, 2 outputs");
  database.run("CREATE TABLE models(text, weights)");
  std::ifstream file(gru.file(), std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  database.run("INSERT INTO models VALUES (?, ?)", {SqlValue::of(gru.text()), SqlValue::blob(content)});
  CHECK(database.run("SELECT rnn_model('gru', text, weights, 'cell=gru I=3') FROM models")[0][0].text ==
        "gru: 3 inputs, 7 outputs");
  const std::string amplifier = RNNC_SOURCE_DIR "/tests/conformance/audio/nam_two_layers.nam";
  CHECK_THAT(database.run("SELECT rnn_model('amplifier', ?)", {SqlValue::of(amplifier)})[0][0].text,
             EndsWith(": 1 input, 1 output"));

  const auto error = [&](const std::string& arguments, const std::vector<SqlValue>& bound = {}) {
    return database.error_of("SELECT rnn_model(" + arguments + ")", bound);
  };
  CHECK_THAT(error("'m', 'cell c { input x : f32 output y }'"), StartsWith("model:1:31: unknown name 'y'"));
  CHECK_THAT(error("'m', 'nowhere.rnn'"), StartsWith("nowhere.rnn: cannot open it"));
  CHECK_THAT(error("'m', ?, 'nowhere.safetensors'", {SqlValue::of(gru.text())}),
             StartsWith("nowhere.safetensors: cannot open it"));
  CHECK_THAT(error("'m', ?, x'00'", {SqlValue::of(gru.text())}), StartsWith("weights: "));
  CHECK_THAT(error("'m', NULL"), StartsWith("MODEL is NULL or empty; give a path or a text in rnn_model(NAME, "));
  CHECK_THAT(error("'m', 5"), StartsWith("MODEL is a number; give a path"));
  CHECK_THAT(error("'', 'm.rnn'"), StartsWith("NAME is no text"));
  CHECK_THAT(error("'m'"), StartsWith("the arguments are rnn_model(NAME, "));
  CHECK_THAT(error("'m', 'm.rnn', NULL, 'H'"), StartsWith("'H' is no option of a model; give sizes and names"));
  CHECK_THAT(error("'m', 'm.rnnc', NULL, 'H=3'"), StartsWith("m.rnnc: an artifact has its weights and sizes inside"));
  CHECK(error("'m', 'network n { input x : seq f32[2] output max(x) }'") ==
        "the network sums up whole sequences, so that it cannot run step by step");
  CHECK_THAT(error("'m', 'network n { input x : seq f32[2]  input v : f32[2]  output x + v }'"),
             StartsWith("the network n has the input v, which is not of each step"));

  // An artifact is machine code, which may come from a file that is named, and not from a table.
  const Result<std::vector<std::byte>> artifact = compile_artifact(parse(kRunningSum).value(), {});
  const std::string code(reinterpret_cast<const char*>(artifact->data()), artifact->size());
  std::ofstream(gru.folder / "total.rnnc", std::ios::binary) << code;
  CHECK(error("'total', ?", {SqlValue::of(gru.folder / "total.rnnc")}) == "");
  CHECK(numbers_of(database.run("SELECT rnn('total', column1) FROM (VALUES (1), (2))")) == std::vector<double>{3});
  CHECK_THAT(error("'m', ?", {SqlValue::blob(code)}), StartsWith("model: this is an artifact"));

  // A database may keep its text in UTF-16.
  database.run("SELECT rnn_model('größe', 'cell double { input x : f32  output 2 * x }')");
  CHECK(numbers_of(database.run("SELECT rnn('größe', 4)")) == std::vector<double>{8});
  const Database wide;
  wide.run("PRAGMA encoding = 'UTF-16'");
  wide.run("CREATE TABLE models AS SELECT 'größe' AS name, 'cell double { input x : f32  output 2 * x }' AS text");
  wide.run("SELECT rnn_model(name, text) FROM models");
  CHECK(numbers_of(wide.run("SELECT rnn(name, 4) FROM models")) == std::vector<double>{8});

  // The schema of a stranger's database cannot make models; its views may run those that the application has made.
  database.run("CREATE VIEW loads AS SELECT rnn_model('m', 'm.rnn')");
  CHECK(database.error_of("SELECT * FROM loads") == "unsafe use of rnn_model()");
  database.run("CREATE VIEW totals AS SELECT rnn('total', 4) AS y");
  CHECK(numbers_of(database.run("SELECT y FROM totals")) == std::vector<double>{4});
}

TEST_CASE("a statement of SQLite keeps its model, and one that is left midway keeps nothing", "[sqlite]") {
  const Gru gru;
  const Database database;
  gru.put_into(database);
  fill_events(database, 50, 5);
  const std::string sql = std::string("SELECT rnn('gru', a, b, c)") + kWindow;
  const Rows expected = database.run(sql);
  sqlite3_stmt* statement = nullptr;
  REQUIRE(sqlite3_prepare_v2(database.connection(), sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
  for (int row = 0; row < 3; ++row) REQUIRE(sqlite3_step(statement) == SQLITE_ROW);
  Gru(2).put_into(database);
  REQUIRE(sqlite3_step(statement) == SQLITE_ROW);
  CHECK(std::memcmp(sqlite3_column_blob(statement, 0), expected[3][0].text.data(), expected[3][0].text.size()) == 0);
  sqlite3_finalize(statement);  // a partition is open: the sanitizers see whether its state is freed
  CHECK(floats_of(database.run(sql)) != floats_of(expected));
  CHECK_THAT(database.error_of(
                 "SELECT rnn('gru', a, b, iif(t < 20, c, 'late')) OVER (PARTITION BY user ORDER BY t) FROM events"),
             StartsWith("rnn: the model 'gru' takes numbers"));
}

TEST_CASE("connections of SQLite run on threads of their own, and one connection serves several", "[sqlite]") {
  const Gru gru;
  const Database shared;
  gru.put_into(shared);
  fill_events(shared, 3, 7);
  const std::string sql = std::string("SELECT rnn('gru', a, b, c)") + kWindow;
  const std::vector<float> expected = floats_of(shared.run(sql));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i)
    threads.emplace_back([&, i] {
      const Database own;
      gru.put_into(own);
      fill_events(own, 3, 7);
      for (int round = 0; round < 5; ++round)
        if (floats_of((i % 2 == 0 ? own : shared).run(sql)) != expected) ++wrong;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

}  // namespace rnnc::test
