// Forms that only other languages have are refused with the way in which they are written here.
#include <string>

#include "tests/support/wrong_text.hpp"

using namespace rnnc;
using namespace rnnc::test;

namespace {

// In a network with x : seq f32[3] and W : f32[4, 3]; the statement is line 2.
std::string in_network(const std::string& statement) {
  return "network n { input x : seq f32[3] param W : f32[4, 3]\n" + statement + " }";
}

}  // namespace

TEST_CASE("a matrix that is called is multiplied with @", "[errors][hints]") {
  check({{in_cell("y = W(x)"), "t.rnn:3:5: W is a matrix, not a function; to multiply, write W @ (...)"},
         {in_cell("y = v(x)"), "t.rnn:3:5: v is a value, not a function; to multiply, write v * (...)"}});
}

TEST_CASE("one element is written as what the place takes, from the beginning or the end", "[errors][hints]") {
  check({
      {in_cell("y = v[-1]"),
       "t.rnn:3:7: a slice is [begin:end], counted from 0; [H-1:H] is a vector of one element, and sum(v[H-1:H]) is "
       "the scalar"},
      {in_cell("y = v[-2]"),
       "t.rnn:3:7: a slice is [begin:end], counted from 0; [H-2:H-1] is a vector of one element, and sum(v[H-2:H-1]) "
       "is the scalar"},
      {in_cell("y = (v + h)[0]"),
       "t.rnn:3:13: a slice is [begin:end]; [0:1] is a vector of one element, and sum((...)[0:1]) is the scalar"},
      {in_cell("y = W[0]"),
       "t.rnn:3:7: a slice is [begin:end]; [0:1] is a matrix of one row, and lookup(W, 0) is the row as a vector"},
      {in_cell("y = W[-1]"), "t.rnn:3:7: a slice is [begin:end], counted from 0; [H-1:H] is a matrix of one row"},
      {in_cell("y = W[0:1, 2]"), "t.rnn:3:12: a slice is [begin:end]; for one element write [2:3]"},
      {in_network("output x[0]"), "t.rnn:2:10: a slice is [begin:end]; for one element write [0:1]"},
  });
  // What the hints write is accepted.
  CHECK(error_of(in_cell("y = v * sum(v[H-1:H]) z = lookup(W, 0)")) == "");
}

TEST_CASE("characters and operators of other languages have their answer", "[errors][hints]") {
  const std::string power = "; there is no power: write x * x, or exp(p * log(x)) for x above 0";
  const std::string transpose =
      "; nothing is transposed here: declare the parameter with its dims swapped, so that @ takes it as it is";
  check({{in_cell("y = x ** 2"), "t.rnn:3:7: unexpected '**'" + power},
         {in_cell("y = x ^ 2"), "t.rnn:3:7: unexpected '^'" + power},
         {in_cell("# gates"), "t.rnn:3:1: unexpected '#'; a comment begins with //"},
         {in_cell("y = x;"), "t.rnn:3:6: unexpected ';'; nothing stands between statements: leave it out"},
         {in_cell("y = W.T @ h"), "t.rnn:3:6: unexpected '.T'" + transpose},
         {in_network("output W.T @ x"), "t.rnn:2:9: unexpected '.T'" + transpose},
         {in_cell("y = transpose(W) @ h"), "t.rnn:3:5: unknown function 'transpose'" + transpose}});
}

TEST_CASE("functions of other languages have their names here", "[errors][hints]") {
  check({
      {in_cell("y = where(x > k, x, k)"), "t.rnn:3:5: unknown function 'where'; write select(a > b, x, y)"},
      {in_cell("y = if(x > k, x, k)"), "t.rnn:3:5: unknown function 'if'; write select(a > b, x, y)"},
      {in_cell("y = swish(x)"), "t.rnn:3:5: unknown function 'swish'; it is silu(x)"},
      {in_cell("y = sin(x)"),
       "t.rnn:3:5: unknown function 'sin'; there are no sine and cosine: give such a value as an input or a parameter"},
      {in_cell("y = dot(v, h)"),
       "t.rnn:3:5: unknown function 'dot'; write W @ x for a matrix and a vector, sum(a * b) for two vectors"},
      {in_cell("y = Linear(x)"), "t.rnn:3:5: unknown function 'Linear'; write W @ x + b"},
      {in_cell("y = Sigmoid(x)"), "t.rnn:3:5: unknown function 'Sigmoid'; did you mean sigmoid?"},
  });
}

TEST_CASE("two values side by side are told that a product has a sign", "[errors][hints]") {
  const std::string hint = "; a product has its sign: W @ x with a matrix, a * b without one";
  check({
      {in_cell("y = W x + v"), "t.rnn:3:9: expected '=' after x, not '+'" + hint},
      {in_cell("y = v\nk z = x"), "t.rnn:4:3: expected '=' after k, not 'z'"},
      {in_network("a = gru<H=4>(x) output W a"), "t.rnn:2:28: expected '=' after a, not '}'" + hint},
  });
  CHECK(error_of(in_cell("y = v z = y + v")) == "");
}

TEST_CASE("names that differ in the case of letters alone are suggested", "[errors][hints]") {
  check({
      {in_cell("y = LSTM(x)"),
       "t.rnn:3:5: unknown function 'LSTM'; lstm is a cell, which a network runs over a sequence, and a cell has no "
       "others in it"},
      {in_cell("y = X"), "t.rnn:3:5: unknown name 'X'; did you mean x?"},
      {in_network("a = LSTM<H=4>(x) output a"), "t.rnn:2:5: there is no cell 'LSTM'; did you mean lstm?"},
      {in_network("a = LSTM(x) output a"), "t.rnn:2:5: unknown function or cell 'LSTM'; did you mean lstm?"},
  });
}

TEST_CASE("a statement with a sign too many says what stands there", "[errors][hints]") {
  check({
      {"cell a { input x : f32\noutput = x }", "t.rnn:2:8: unexpected '='; the value follows directly: output x"},
      {"cell a { input x : f32 state h : f32\nh' = x\noutput = h' }",
       "t.rnn:3:8: unexpected '='; the value follows directly: output h'"},
      {"cell a { input x : f32\noutput = (x) }", "t.rnn:2:8: unexpected '='; the value follows directly: output (...)"},
      {"cell a { input x : f32\noutput = tanh(x) }",
       "t.rnn:2:8: unexpected '='; the value follows directly: output tanh(...)"},
      {"cell a {\nstate s : f32[2] = 0 }",
       "t.rnn:2:18: a state begins at 0; a network gives it another beginning, as in y = a(x) from (s = v)"},
      {in_cell("param b : f32 = 1"), "t.rnn:3:15: a declaration has no value; the caller gives b"},
  });
}
