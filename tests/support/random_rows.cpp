#include "tests/support/random_rows.hpp"

#include <string>
#include <vector>

#include "ir/parse.hpp"
#include "ir/verify.hpp"
#include "tests/support/random.hpp"
#include "tests/support/run_cell.hpp"

namespace rnnc::test {
namespace {

using Count = std::int64_t;

std::string of(Count n) { return std::to_string(n); }

// Writes the text of a cell, value by value.
class RowsText {
 public:
  explicit RowsText(std::uint64_t seed) : random_(seed) {}

  std::string write() {
    const Count input = 2 * size(20), state = size(20);
    text_ = "cell r { input x : f32[" + of(input) + "] state h : f32[" + of(state) + "]";
    vectors_ = {{"x", 1, input}, {"h", 1, state}};
    make_rows();
    for (Count left = 4 + size(6); left > 0; --left) add();
    std::string all = "concat(h";
    Count total = state;
    for (const Made& made : vectors_) all += ", " + made.name, total += made.width;
    for (const Made& made : rows_) all += ", flatten(" + made.name + ")", total += made.count * made.width;
    let("all", all + ")");
    // Sums over rows may multiply a change of the state by fifty, so that rounding errors would grow from step to step.
    text_ += " param U : f32[" + of(state) + ", " + of(total) + "] h' = 0.01 * tanh(U @ all) output concat(all, h') }";
    return text_;
  }

 private:
  struct Made {
    std::string name;
    Count count, width;
  };

  Count size(Count most) { return 1 + static_cast<Count>(random_.below(static_cast<std::uint64_t>(most))); }

  std::string name(const char* kind) { return kind + of(number_++); }
  void let(const std::string& name, const std::string& value) { text_ += " " + name + " = " + value; }

  std::string param(const std::string& dims) {
    const std::string made = name("P");
    text_ += " param " + made + " : f32[" + dims + "]";
    return made;
  }

  // A value that is too large is left out, so that neither sums nor texts grow without end.
  void keep_rows(Count count, Count width, const std::string& value) {
    if (count < 1 || count > 9 || width < 1 || width > 48) return;
    rows_.push_back({name("X"), count, width});
    let(rows_.back().name, value);
  }

  void keep_vector(Count width, const std::string& value) {
    if (width > 64) return;
    vectors_.push_back({name("v"), 1, width});
    let(vectors_.back().name, value);
  }

  void make_rows() {
    const Made from = random_.pick(vectors_);
    Count count = size(6);
    while (from.width % count != 0) --count;
    keep_rows(count, from.width / count, "rows(" + from.name + ", " + of(count) + ")");
    if (rows_.empty()) keep_rows(1, from.width, "rows(" + from.name + ", 1)");
  }

  void add() {
    const Made X = random_.pick(rows_);
    switch (random_.below(11)) {
      case 0: return make_rows();
      case 1: return cut(random_.pick(vectors_), false);
      case 2: return cut(X, true);
      case 3: return put_around(X, true);
      case 4: return put_around(random_.pick(vectors_), false);
      case 5: {
        const Count units = size(40);
        const std::string matrix = param(of(units) + ", " + of(X.width));
        return keep_rows(X.count, units, "tanh(" + matrix + " @ " + X.name + ")");
      }
      case 6: return map(X);
      case 7: return join(X);
      case 8: return slice(X);
      case 9: {
        const char* const names[] = {"sum", "mean", "max"};
        const std::string function = random_.pick(names);
        return keep_vector(X.width, "tanh(" + function + "_rows(" + X.name + "))");
      }
      default: return keep_vector(X.count * X.width, "flatten(" + X.name + ")");
    }
  }

  void cut(const Made& from, bool rows) {
    const Count extent = rows ? from.count : from.width, length = size(extent), stride = size(3);
    const std::string value = "windows(" + from.name + ", " + of(length) + ", " + of(stride) + ")";
    keep_rows((extent - length) / stride + 1, rows ? length * from.width : length, value);
  }

  void put_around(const Made& from, bool rows) {
    const Count extent = rows ? from.count : from.width;
    const bool mirrors = random_.chance(0.5);
    const Count most = mirrors ? extent : 3;
    const Count before = size(most) - 1, after = size(most) - 1;
    const std::string value = (mirrors ? "reflect(" : "pad(") + from.name + ", " + of(before) + ", " + of(after) + ")";
    if (rows) return keep_rows(extent + before + after, from.width, value);
    keep_vector(extent + before + after, value);
  }

  void map(const Made& X) {
    const std::string &x = X.name, wide = of(X.width);
    std::string value;
    switch (random_.below(7)) {
      case 0: value = x + " * " + param(wide); break;
      case 1: value = "sigmoid(" + x + ") + " + param(of(X.count) + ", " + wide); break;
      case 2: value = x + " - mean(" + x + ")"; break;
      case 3: value = "select(" + x + " > 0, " + x + ", tanh(sum(" + x + ")) * " + x + ")"; break;
      case 4: value = "softmax(" + x + ")"; break;
      case 5: value = "layer_norm(" + x + ", " + param(wide) + ", " + param(wide) + ", 0.5)"; break;
      default: value = "tanh(" + x + " * max(" + x + ") + fill(sum(h), " + wide + "))"; break;
    }
    keep_rows(X.count, X.width, value);
  }

  void join(const Made& X) {
    const Made Y = random_.pick(rows_);
    if (X.count == Y.count) return keep_rows(X.count, X.width + Y.width, "beside(" + X.name + ", " + Y.name + ")");
    if (X.width == Y.width) return keep_rows(X.count + Y.count, X.width, "concat(" + X.name + ", " + Y.name + ")");
    // Errors of many elements would add up.
    keep_rows(X.count, 1, "0.03 * sum(" + X.name + ")");
  }

  void slice(const Made& X) {
    const Count count = size(X.count), width = size(X.width);
    const Count row = size(X.count - count + 1) - 1, column = size(X.width - width + 1) - 1;
    keep_rows(count, width,
              X.name + "[" + of(row) + ":" + of(row + count) + ", " + of(column) + ":" + of(column + width) + "]");
  }

  Random random_;
  std::string text_;
  int number_ = 0;
  std::vector<Made> vectors_, rows_;
};

}  // namespace

RandomCell random_rows(std::uint64_t seed) {
  const ir::Module module = ir::parse(RowsText(seed).write()).value();
  const ir::Cell cell = ir::bind_dims(module.cells.at(0), {}).value();
  return {cell, random_weights(cell, seed)};
}

}  // namespace rnnc::test
