// Shapes that do not fit each other get messages with both of them, word for word.
#include "tests/support/wrong_text.hpp"

using namespace rnnc::test;

TEST_CASE("shapes that do not fit are named with both operands", "[errors][shapes]") {
  check({
      {in_cell("y = W @ h"),
       "t.rnn:3:5: shape mismatch: W is f32[H,I] but h is f32[H]\n"
       "t.rnn:2:7: note: W declared here\n"
       "t.rnn:1:53: note: h declared here"},
      {in_cell("y = tanh(W @ h + v)"),
       "t.rnn:3:10: shape mismatch: W is f32[H,I] but h is f32[H]\n"
       "t.rnn:2:7: note: W declared here\n"
       "t.rnn:1:53: note: h declared here"},
      {in_cell("y = x + h"),
       "t.rnn:3:7: shape mismatch: x is f32[I] but h is f32[H]\n"
       "t.rnn:1:22: note: x declared here\n"
       "t.rnn:1:53: note: h declared here"},
      {in_cell("y = W @ x + x"),
       "t.rnn:3:11: shape mismatch: W @ x is f32[H] but x is f32[I]\n"
       "t.rnn:1:22: note: x declared here"},
      {in_cell("i = sigmoid(W @ x) y = i * x"),
       "t.rnn:3:26: shape mismatch: i is f32[H] but x is f32[I]\n"
       "t.rnn:3:1: note: i defined here\n"
       "t.rnn:1:22: note: x declared here"},
      {in_cell("y = h' + x"),
       "t.rnn:3:8: shape mismatch: h is f32[H] but x is f32[I]\n"
       "t.rnn:1:53: note: h declared here\n"
       "t.rnn:1:22: note: x declared here"},
      {in_cell("y = clip(k, x, h)"),
       "t.rnn:3:5: shape mismatch: x is f32[I] but h is f32[H]\n"
       "t.rnn:1:22: note: x declared here\n"
       "t.rnn:1:53: note: h declared here"},
      {in_cell("y = W @ k"),
       "t.rnn:3:5: the right operand of @ must be a vector: k is f32\n"
       "t.rnn:1:39: note: k declared here"},
      {in_cell("y = x @ h"),
       "t.rnn:3:5: the left operand of @ must be a matrix: x is f32[I]; element by element, * multiplies\n"
       "t.rnn:1:22: note: x declared here"},
      {in_cell("y = 2 @ h"),
       "t.rnn:3:5: the left operand of @ must be a matrix: 2 is f32; element by element, * multiplies"},
      {in_cell("y = W @ W"),
       "t.rnn:3:5: the right operand of @ must be a vector: W is f32[H,I]\n"
       "t.rnn:2:7: note: W declared here"},
      {in_cell("y = W + 1"),
       "t.rnn:3:7: a matrix can only be multiplied with a vector (W @ x), looked up, sliced or joined: W is f32[H,I]\n"
       "t.rnn:2:7: note: W declared here"},
      {in_cell("y = -W"),
       "t.rnn:3:5: a matrix can only be multiplied with a vector (W @ x), looked up, sliced or joined: W is f32[H,I]\n"
       "t.rnn:2:7: note: W declared here"},
      {in_cell("y = tanh(W)"),
       "t.rnn:3:5: a matrix can only be multiplied with a vector (W @ x), looked up, sliced or joined: W is f32[H,I]\n"
       "t.rnn:2:7: note: W declared here"},
      {in_cell("y = sum(W)"),
       "t.rnn:3:5: a matrix can only be multiplied with a vector (W @ x), looked up, sliced or joined: W is f32[H,I]\n"
       "t.rnn:2:7: note: W declared here"},
      {in_cell("y = sum(k)"),
       "t.rnn:3:5: operand 1 of sum must be a vector: k is f32\n"
       "t.rnn:1:39: note: k declared here"},
      {in_cell("y = softmax(1)"), "t.rnn:3:5: operand 1 of softmax must be a vector: 1 is f32"},
      {in_cell("y = layer_norm(h, x, h, k)"),
       "t.rnn:3:5: shape mismatch: h is f32[H] but x is f32[I]\n"
       "t.rnn:1:53: note: h declared here\n"
       "t.rnn:1:22: note: x declared here"},
      {in_cell("y = layer_norm(h, v, k, k)"),
       "t.rnn:3:5: operand 3 of layer_norm must be a vector: k is f32\n"
       "t.rnn:1:39: note: k declared here"},
      {in_cell("y = layer_norm(h, v, v, v)"),
       "t.rnn:3:5: operand 4 of layer_norm must be a scalar: v is f32[H]\n"
       "t.rnn:2:27: note: v declared here"},
      {in_cell("y = hoist(W)"),
       "t.rnn:3:5: a matrix can only be multiplied with a vector (W @ x), looked up, sliced or joined: W is f32[H,I]\n"
       "t.rnn:2:7: note: W declared here"},
      {in_cell("y = concat(x, k)"),
       "t.rnn:3:5: concat joins vectors, or matrices: x is f32[I] but k is f32\n"
       "t.rnn:1:22: note: x declared here\n"
       "t.rnn:1:39: note: k declared here"},
      {in_cell("y = concat(k)"),
       "t.rnn:3:5: concat joins vectors, or matrices: k is f32\n"
       "t.rnn:1:39: note: k declared here"},
      {in_cell("y = concat(x, W)"),
       "t.rnn:3:5: concat joins vectors, or matrices: x is f32[I] but W is f32[H,I]\n"
       "t.rnn:1:22: note: x declared here\n"
       "t.rnn:2:7: note: W declared here"},
      {in_cell("param V : f32[H, H] y = concat(W, V)"),
       "t.rnn:3:25: shape mismatch: concat joins matrices of the same width: W is f32[H,I] but V is f32[H,H]\n"
       "t.rnn:2:7: note: W declared here\n"
       "t.rnn:3:7: note: V declared here"},
      {in_cell("y = project(k, W, v)"),
       "t.rnn:3:5: project takes a vector first: k is f32\n"
       "t.rnn:1:39: note: k declared here"},
      {in_cell("y = project(x, v, v)"),
       "t.rnn:3:5: project takes a matrix here: v is f32[H]\n"
       "t.rnn:2:27: note: v declared here"},
      {in_cell("y = project(h, W, v)"),
       "t.rnn:3:5: shape mismatch: W is f32[H,I] but h is f32[H]\n"
       "t.rnn:2:7: note: W declared here\n"
       "t.rnn:1:53: note: h declared here"},
      {in_cell("y = project(x, W, x)"),
       "t.rnn:3:5: shape mismatch: W is f32[H,I] but its start x is f32[I]\n"
       "t.rnn:2:7: note: W declared here\n"
       "t.rnn:1:22: note: x declared here"},
      {in_cell("y = project(x, W, W)"),
       "t.rnn:3:5: shape mismatch: W is f32[H,I] but its start W is f32[H,I]\n"
       "t.rnn:2:7: note: W declared here\n"
       "t.rnn:2:7: note: W declared here"},
      {in_cell("y = concat(x[0:2], x[0:16777215])"),
       "t.rnn:3:5: the result is f32[16777217]; a dim may be at most 16777216"},
      {in_cell("y = tanh(x) + (sigmoid(x) * tanh(x + 1) - (x / 2 + 3) * (x + x * 7)) + h"),
       "t.rnn:3:70: shape mismatch: tanh(x) + (sigmoid(x) * tanh(x + 1) - (x / 2 + 3) * (x + ... is f32[I] but h is "
       "f32[H]\n"
       "t.rnn:1:53: note: h declared here"},
  });
}
