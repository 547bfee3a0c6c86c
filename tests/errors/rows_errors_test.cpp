// Mistakes with rows get messages with the shapes and what would mend them, word for word.
#include "tests/support/wrong_text.hpp"

using namespace rnnc::test;

namespace {

std::string in_rows(const std::string& statement) {
  return "cell t { input v : f32[12] param W : f32[2, 3] input s : f32 input w : f32[4] X = rows(v, 4) output v\n" +
         statement + " }";
}

}  // namespace

TEST_CASE("rows that do not fit are named with both operands", "[errors][shapes][rows]") {
  check({
      {in_rows("y = rows(v, 5)"),
       "t.rnn:2:5: v is f32[12], which is not 5 rows of equal length\n"
       "t.rnn:1:16: note: v declared here"},
      {in_rows("y = rows(s, 1)"),
       "t.rnn:2:5: rows takes a vector: s is f32\n"
       "t.rnn:1:54: note: s declared here"},
      {in_rows("y = rows(v, 0)"),
       "t.rnn:2:5: v is f32[12], which is not 0 rows of equal length\n"
       "t.rnn:1:16: note: v declared here"},
      {in_rows("y = rows(v)"), "t.rnn:2:5: rows takes a value and a dim"},
      {in_rows("y = rows(v, 2, 3)"), "t.rnn:2:14: expected ')' after operands, not ','"},
      {in_rows("y = flatten(v)"),
       "t.rnn:2:5: flatten takes rows, f32[p,n]: v is f32[12]; rows(v, p) makes p rows of a vector\n"
       "t.rnn:1:16: note: v declared here"},
      {in_rows("y = windows(v, 13, 1)"),
       "t.rnn:2:5: windows of 13 every 1 do not fit: v is f32[12]\n"
       "t.rnn:1:16: note: v declared here"},
      {in_rows("y = windows(v, 3, 0)"),
       "t.rnn:2:5: windows of 3 every 0 do not fit: v is f32[12]\n"
       "t.rnn:1:16: note: v declared here"},
      {in_rows("y = windows(s, 3, 1)"),
       "t.rnn:2:5: windows takes a vector or rows: s is f32\n"
       "t.rnn:1:54: note: s declared here"},
      {in_rows("y = windows(v, 3)"), "t.rnn:2:5: windows takes a value and two dims"},
      {in_rows("y = pad(v, -1, 0)"),
       "t.rnn:2:5: pad takes dims of at least 0: v is f32[12]\n"
       "t.rnn:1:16: note: v declared here"},
      {in_rows("y = pad(v, s, 0)"), "t.rnn:2:12: unknown dim 's'; declare it in the head, as in cell t<s>"},
      {in_rows("y = reflect(w, 4, 0)"),
       "t.rnn:2:5: reflect mirrors fewer than there are: w is f32[4]\n"
       "t.rnn:1:68: note: w declared here"},
      {in_rows("y = X + w"),
       "t.rnn:2:7: shape mismatch: X is f32[4,3] but w is f32[4]; a vector beside rows is the same in each\n"
       "t.rnn:1:79: note: X defined here\n"
       "t.rnn:1:68: note: w declared here"},
      {in_rows("y = X * rows(v, 3)"),
       "t.rnn:2:7: shape mismatch: X is f32[4,3] but rows(v, 3) is f32[3,4]; rows agree in number\n"
       "t.rnn:1:79: note: X defined here"},
      {in_rows("y = X @ w"),
       "t.rnn:2:5: the left operand of @ must be a matrix of parameters, not rows of a step: X is f32[4,3]\n"
       "t.rnn:1:79: note: X defined here"},
      {in_rows("y = lookup(X, s)"),
       "t.rnn:2:5: lookup takes a matrix first: X is f32[4,3]\n"
       "t.rnn:1:79: note: X defined here"},
      {in_rows("y = W @ W"),
       "t.rnn:2:5: the right operand of @ must be a vector: W is f32[2,3]\n"
       "t.rnn:1:34: note: W declared here"},
      {in_rows("y = rows(w, 2) @ W"),
       "t.rnn:2:5: the left operand of @ must be a matrix of parameters, not rows of a step: rows(w, 2) is f32[2,2]"},
      {in_rows("y = beside(X, v)"),
       "t.rnn:2:5: beside takes rows, f32[p,n]: v is f32[12]; rows(v, p) makes p rows of a vector\n"
       "t.rnn:1:16: note: v declared here"},
      {in_rows("y = beside(X, rows(w, 2))"),
       "t.rnn:2:5: shape mismatch: X is f32[4,3] but rows(w, 2) is f32[2,2]; rows agree in number\n"
       "t.rnn:1:79: note: X defined here"},
      {in_rows("y = sum_rows(v)"),
       "t.rnn:2:5: sum_rows takes rows, f32[p,n]: v is f32[12]; rows(v, p) makes p rows of a vector\n"
       "t.rnn:1:16: note: v declared here"},
      {in_rows("y = sum_rows(X, X)"), "t.rnn:2:5: sum_rows takes 1 operand, not 2"},
      {in_rows("y = layer_norm(v, X, X, s)"),
       "t.rnn:2:5: layer_norm has rows as another operand than its first: v is f32[12]\n"
       "t.rnn:1:16: note: v declared here"},
      {in_rows("y = layer_norm(X, w, w, s)"),
       "t.rnn:2:5: operand 2 of layer_norm must be a vector as long as a row: X is f32[4,3] but w is f32[4]\n"
       "t.rnn:1:79: note: X defined here\n"
       "t.rnn:1:68: note: w declared here"},
      {in_rows("y = concat(X, rows(w, 2))"),
       "t.rnn:2:5: shape mismatch: concat joins matrices of the same width: X is f32[4,3] but rows(w, 2) is f32[2,2]\n"
       "t.rnn:1:79: note: X defined here"},
      {in_rows("y = concat(X, v)"),
       "t.rnn:2:5: concat joins vectors, or matrices: X is f32[4,3] but v is f32[12]\n"
       "t.rnn:1:79: note: X defined here\n"
       "t.rnn:1:16: note: v declared here"},
      {in_rows("y = fill(v, 3)"),
       "t.rnn:2:5: fill takes a scalar: v is f32[12]\n"
       "t.rnn:1:16: note: v declared here"},
      {in_rows("y = X[0:5]"),
       "t.rnn:2:5: slice [0:5] does not fit: X is f32[4,3], and a slice [a:b] takes elements a to b-1, with 0 <= a < b "
       "<= 4\n"
       "t.rnn:1:79: note: X defined here"},
      {in_rows("y = X[0:4, 0:4]"),
       "t.rnn:2:5: slice [0:4] does not fit: X is f32[4,3], and a slice [a:b] takes elements a to b-1, with 0 <= a < b "
       "<= 3\n"
       "t.rnn:1:79: note: X defined here"},
      {in_rows("y = X[0]"),
       "t.rnn:2:7: a slice is [begin:end]; [0:1] is rows, of which there is one, and flatten(X[0:1]) is the vector"},
      {in_rows("y = v[:, 0:1]"),
       "t.rnn:2:5: a slice with two ranges needs a matrix: v is f32[12]\n"
       "t.rnn:1:16: note: v declared here"},
      {in_rows("y = -X @ w"),
       "t.rnn:2:6: the left operand of @ must be a matrix of parameters, not rows of a step: X is f32[4,3]\n"
       "t.rnn:1:79: note: X defined here"},
      {in_rows("y = argmax_rows(X)"), "t.rnn:2:5: unknown function 'argmax_rows'; did you mean max_rows?"},
      {in_rows("y = W + X"),
       "t.rnn:2:7: shape mismatch: W is f32[2,3] but X is f32[4,3]; rows agree in number\n"
       "t.rnn:1:34: note: W declared here\n"
       "t.rnn:1:79: note: X defined here"},
  });
}

TEST_CASE("what rows may not be is refused", "[errors][shapes][rows]") {
  const auto cell = [](const std::string& rest) {
    return "cell t<N, M> { input v : f32[N] input u : f32[10000] " + rest + " }";
  };
  check({
      {cell("output rows(u, 4)"),
       "t.rnn:1:54: the output must be a vector or a scalar, not f32[4,2500]; flatten(...) makes a vector of rows"},
      {cell("output flatten(rows(v, M))"),
       "t.rnn:1:69: v is f32[N], which is not M rows of equal length\nt.rnn:1:22: note: v declared here"},
      {cell("output reflect(u, 5000, 0)"), "t.rnn:1:61: reflect mirrors at most 4096 elements: u is f32[10000]"},
      {cell("output flatten(rows(u, 5000))"),
       "t.rnn:1:69: the result is f32[5000,2]; a step may have at most 4096 rows"},
      {cell("output flatten(windows(v, 3, M))"),
       "t.rnn:1:69: the number of windows does not follow from N-3 and the stride M; give the dims as numbers: v is "
       "f32[N]\nt.rnn:1:22: note: v declared here"},
      {"network n { input v : seq f32[12] output mean(rows(v, 4)) }",
       "t.rnn:1:42: mean of a sequence is over time, of vectors: rows(v, 4) is seq f32[4,3]; flatten(...) makes "
       "vectors of rows, and over features it is written in a cell"},
  });
}
