#!/usr/bin/env bash
# oneDNN 2.6.3 (Debian 12's libdnnl2): with 8-bit data, bidirectional_sum adds the two directions with the shift of both.
#
# Expected   dnnl.hpp says of the data of an RNN "The quantization formula is `scale * data + shift`" and "Quantization scale and shift are
#            common for src_layer, src_iter, dst_iter, and dst_layer", and of bidirectional_sum "summation of the results". So a dst_layer
#            of bytes says (byte - shift) / scale, which is the sum of the two directions, with the error of 8 bits.
# Happens    the bytes of the two directions are added, so that the shift is in the sum twice: each result is too large by shift / scale.
#            The sum ends at 255, which with a shift of 128 is where each sum lies that is not negative. A dst_layer of floats has the
#            shift taken off twice, as it should, but after the end at 255: it is right with a shift of 64, and wrong with 128.
# Not ours   bidirectional_concat with the same data gives the two halves, close to those of the same LSTM in floats; their sum is what is
#            expected, and their bytes added are what happens. With a shift of 0 and positive data, all agree.
set -euo pipefail
. "$(dirname "$0")/support/debian.sh" libdnnl2=2.6.3-1 libdnnl-dev=2.6.3-1
cat >finding.cpp <<'CPP'
#include <dnnl.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>
using namespace dnnl;
using type = memory::data_type;
using tag = memory::format_tag;
using values = std::vector<float>;

static engine cpu(engine::kind::cpu, 0);
static stream queue(cpu);

// One LSTM of one unit over three steps, the same weights in both directions; without a scale in floats.
values lstm(rnn_direction direction, const values& x, float scale, float shift, type out) {
  const bool bytes = scale != 0;
  const memory::dim steps = x.size(), width = direction == rnn_direction::bidirectional_concat ? 2 : 1;
  const auto in = bytes ? type::u8 : type::f32;
  primitive_attr attributes;
  if (bytes) {
    attributes.set_rnn_data_qparams(scale, shift);
    attributes.set_rnn_weights_qparams(0, {100});
  }
  const memory::desc source({steps, 1, 1}, in, tag::tnc), target({steps, 1, width}, out, tag::tnc);
  const memory::desc weights({1, 2, 1, 4, 1}, bytes ? type::s8 : type::f32, tag::any), none;
  const memory::desc bias({1, 2, 4, 1}, type::f32, tag::ldgo);
  const lstm_forward::primitive_desc made({prop_kind::forward_inference, direction, source, none, none, weights, weights, bias, target,
      none, none}, attributes, cpu);
  memory from(source, cpu), to(target, cpu), b(bias, cpu), W(made.weights_layer_desc(), cpu), R(made.weights_iter_desc(), cpu);
  std::memset(b.get_data_handle(), 0, bias.get_size());
  for (std::size_t k = 0; k < x.size(); ++k)
    if (bytes) static_cast<std::uint8_t*>(from.get_data_handle())[k] = std::uint8_t(std::lrint(x[k] * scale + shift));
    else static_cast<float*>(from.get_data_handle())[k] = x[k];
  const auto store = [&](values numbers, memory& where) {
    memory plain({{1, 2, 1, 4, 1}, type::f32, tag::ldigo}, cpu, numbers.data());
    reorder(reorder::primitive_desc(plain, where, attributes)).execute(queue, plain, where);
    queue.wait();
  };
  store({0.5, 0.6, 0.7, 0.8, 0.5, 0.6, 0.7, 0.8}, W);
  store({0.1, 0.2, 0.3, 0.4, 0.1, 0.2, 0.3, 0.4}, R);
  lstm_forward(made).execute(queue, {{DNNL_ARG_SRC_LAYER, from}, {DNNL_ARG_WEIGHTS_LAYER, W}, {DNNL_ARG_WEIGHTS_ITER, R},
      {DNNL_ARG_BIAS, b}, {DNNL_ARG_DST_LAYER, to}});
  queue.wait();
  values result;
  for (memory::dim k = 0; k < steps * width; ++k)
    result.push_back(out == type::u8 ? (static_cast<std::uint8_t*>(to.get_data_handle())[k] - shift) / scale
                                     : static_cast<float*>(to.get_data_handle())[k]);
  return result;
}

static bool close(const values& a, const values& b, float error) {
  return std::equal(a.begin(), a.end(), b.begin(), [=](float x, float y) { return std::fabs(x - y) < error; });
}
static std::string digits(const values& numbers) {
  std::string text;
  for (const float x : numbers) {
    char buffer[16];
    std::snprintf(buffer, sizeof buffer, " %.2f", x);
    text += buffer;
  }
  return text;
}

int main() {
  const auto concat = rnn_direction::bidirectional_concat, sum = rnn_direction::bidirectional_sum;
  const auto added = [](const values& halves, auto add) {
    values result;
    for (std::size_t k = 0; k < halves.size(); k += 2) result.push_back(add(halves[k], halves[k + 1]));
    return result;
  };
  const auto plus = [](float a, float b) { return a + b; };
  const float scale = 100;
  bool same = true;
  for (const float shift : {0.f, 64.f, 128.f}) {
    const values x = shift == 0 ? values{1, 0.5, 0.25} : values{0.6f, 0.5f, -0.6f};
    const values halves = lstm(concat, x, scale, shift, type::u8), in_floats = lstm(concat, x, 0, 0, type::f32);
    const values expected = added(halves, plus);
    const auto ends = [=](float a, float b) { return std::min(255.f, (a + b) * scale + 2 * shift); };  // the bytes added
    values bytes = added(halves, ends), floats = bytes;
    for (float& byte : bytes) byte = (byte - shift) / scale;
    for (float& byte : floats) byte = (byte - 2 * shift) / scale;
    const values to_bytes = lstm(sum, x, scale, shift, type::u8), to_floats = lstm(sum, x, scale, shift, type::f32);
    std::printf("shift %.0f: sum in bytes%s, in floats%s; expected%s\n", shift, digits(to_bytes).c_str(), digits(to_floats).c_str(),
        digits(expected).c_str());
    same &= close(halves, in_floats, 0.03f) && close(lstm(sum, x, 0, 0, type::f32), added(in_floats, plus), 1e-4f);
    same &= close(to_bytes, bytes, 0.015f) && close(to_floats, floats, 0.015f);
    same &= close(to_bytes, expected, 0.03f) == (shift == 0) && close(to_floats, expected, 0.03f) == (shift < 128);
  }
  std::puts(same ? "a sum of two directions has the shift twice" : "it does something else now");
  return same ? 0 : 1;
}
CPP
build finding.cpp -ldnnl
./finding
