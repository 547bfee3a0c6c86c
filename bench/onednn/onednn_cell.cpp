#include "bench/onednn/onednn_cell.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <oneapi/dnnl/dnnl.hpp>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "runtime/kernel_float_mode.hpp"

namespace rnnc::bench {
namespace {

using dnnl::memory;
using Descriptor = memory::desc;
using Names = std::vector<std::string>;

using Directions = std::span<const TensorMap>;

enum class Kind { Lstm, LstmPeephole, GruLinearBeforeReset, Gru, Rnn, RnnRelu };

// Our parameters in the order of oneDNN's gates, from its developer guide, "RNN": LSTM i, f, c~, o, and peepholes i, f,
// o; GRU u, r, o with h' = u * h + (1 - u) * o, so that u is our z; the linear-before-reset GRU has a fourth bias,
// which stays inside the product with r.
struct Layout {
  std::string name;
  Kind kind;
  Names input, recurrent, bias, peephole;
};

const std::vector<Layout>& layouts() {
  static const std::vector<Layout> all = {
      {"lstm", Kind::Lstm, {"Wi", "Wf", "Wg", "Wo"}, {"Ui", "Uf", "Ug", "Uo"}, {"bi", "bf", "bg", "bo"}, {}},
      {"lstm_peephole",
       Kind::LstmPeephole,
       {"Wi", "Wf", "Wg", "Wo"},
       {"Ui", "Uf", "Ug", "Uo"},
       {"bi", "bf", "bg", "bo"},
       {"Pi", "Pf", "Po"}},
      {"gru", Kind::GruLinearBeforeReset, {"Wz", "Wr", "Wn"}, {"Uz", "Ur", "Un"}, {"bz", "br", "bn", "bun"}, {}},
      {"gru_cho", Kind::Gru, {"Wz", "Wr", "Wn"}, {"Uz", "Ur", "Un"}, {"bz", "br", "bn"}, {}},
      {"rnn", Kind::Rnn, {"W"}, {"U"}, {"b"}, {}},
      {"rnn_relu", Kind::RnnRelu, {"W"}, {"U"}, {"b"}, {}},
  };
  return all;
}

Error baseline_error(ErrorCode code, const std::string& why) { return {code, {}, "oneDNN baseline: " + why}; }

struct Sizes {
  std::int64_t steps = 0, batch = 0, input = 0, hidden = 0, directions = 1;
};

struct Descriptors {
  Descriptor x, y, h, c, w, u, bias, peephole;
};

using Type = memory::data_type;

Type type_of_values(Numbers numbers) {
  switch (numbers) {
    case Numbers::F32: return Type::f32;
    case Numbers::Bf16: return Type::bf16;
    case Numbers::U8: return Type::u8;
  }
  return Type::f32;
}

Descriptors descriptors(const Layout& layout, const Sizes& s, Numbers numbers) {
  using Tag = memory::format_tag;
  const auto gates = static_cast<std::int64_t>(layout.input.size());
  const auto f32 = [](memory::dims dims, Tag tag) { return Descriptor(std::move(dims), Type::f32, tag); };
  const Type values = type_of_values(numbers), weights = numbers == Numbers::U8 ? Type::s8 : values;
  Descriptors d;
  d.x = {{s.steps, s.batch, s.input}, values, Tag::tnc};
  d.y = {{s.steps, s.batch, s.directions * s.hidden}, values, Tag::tnc};
  d.h = {{1, s.directions, s.batch, s.hidden}, values, Tag::ldnc};
  d.c = f32({1, s.directions, s.batch, s.hidden}, Tag::ldnc);
  d.w = {{1, s.directions, s.input, gates, s.hidden}, weights, Tag::any};
  d.u = {{1, s.directions, s.hidden, gates, s.hidden}, weights, Tag::any};
  d.bias = f32({1, s.directions, static_cast<std::int64_t>(layout.bias.size()), s.hidden}, Tag::ldgo);
  d.peephole = f32({1, s.directions, 3, s.hidden}, Tag::ldgo);
  return d;
}

struct Made {
  dnnl::primitive primitive;
  Descriptor w, u;  // as the primitive wants its weights
};

// Version 3 dropped the operation descriptor that version 2 wraps the arguments in.
template <class Primitive, class... Arguments>
Made make_primitive(const dnnl::engine& engine, const dnnl::primitive_attr& attributes, const Arguments&... arguments) {
  const auto description = [&] {
    using Description = typename Primitive::primitive_desc;
    if constexpr (std::is_constructible_v<Description, const dnnl::engine&, const Arguments&...,
                                          const dnnl::primitive_attr&>)
      return Description(engine, arguments..., attributes);
    else
      return Description(typename Primitive::desc(arguments...), attributes, engine);
  }();
  return {Primitive(description), description.weights_layer_desc(), description.weights_iter_desc()};
}

Made make_primitive(Kind kind, const dnnl::engine& engine, const dnnl::primitive_attr& a, const Descriptors& d,
                    std::int64_t directions) {
  const auto use = dnnl::prop_kind::forward_inference;
  const auto direction =
      directions == 1 ? dnnl::rnn_direction::unidirectional_left2right : dnnl::rnn_direction::bidirectional_concat;
  switch (kind) {
    case Kind::Lstm:
      return make_primitive<dnnl::lstm_forward>(engine, a, use, direction, d.x, d.h, d.c, d.w, d.u, d.bias, d.y, d.h,
                                                d.c);
    case Kind::LstmPeephole:
      return make_primitive<dnnl::lstm_forward>(engine, a, use, direction, d.x, d.h, d.c, d.w, d.u, d.peephole, d.bias,
                                                d.y, d.h, d.c);
    case Kind::GruLinearBeforeReset:
      return make_primitive<dnnl::lbr_gru_forward>(engine, a, use, direction, d.x, d.h, d.w, d.u, d.bias, d.y, d.h);
    case Kind::Gru:
      return make_primitive<dnnl::gru_forward>(engine, a, use, direction, d.x, d.h, d.w, d.u, d.bias, d.y, d.h);
    case Kind::Rnn:
      return make_primitive<dnnl::vanilla_rnn_forward>(engine, a, use, dnnl::algorithm::eltwise_tanh, direction, d.x,
                                                       d.h, d.w, d.u, d.bias, d.y, d.h);
    case Kind::RnnRelu:
      return make_primitive<dnnl::vanilla_rnn_forward>(engine, a, use, dnnl::algorithm::eltwise_relu, direction, d.x,
                                                       d.h, d.w, d.u, d.bias, d.y, d.h);
  }
  return {};
}

Result<void> check(const Layout& layout, const TensorMap& weights, const Sizes& s) {
  const auto expect = [&](const Names& names, const Shape& shape) -> Result<void> {
    for (const std::string& name : names) {
      const auto found = weights.find(name);
      if (found == weights.end()) return baseline_error(ErrorCode::InvalidData, "no tensor for parameter " + name);
      if (found->second.shape != shape)
        return baseline_error(ErrorCode::InvalidData, "parameter " + name + " must be " + to_string(shape) +
                                                          " but is " + to_string(found->second.shape));
    }
    return {};
  };
  for (const auto& checked : {expect(layout.input, {s.hidden, s.input}), expect(layout.recurrent, {s.hidden, s.hidden}),
                              expect(layout.bias, {s.hidden}), expect(layout.peephole, {s.hidden})})
    if (!checked) return checked;
  return {};
}

std::span<float> elements(const memory& m) {
  return {static_cast<float*>(m.get_data_handle()), m.get_desc().get_size() / sizeof(float)};
}

// A byte is round(kScale * value + kShift). One scale is for inputs, outputs and h alike; what our benchmarks draw is
// within 1.74.
constexpr float kScale = 127 / 1.75f, kShift = 128;

memory zeros(const Descriptor& descriptor, const dnnl::engine& engine, Numbers numbers = Numbers::F32) {
  memory m(descriptor, engine);
  std::memset(m.get_data_handle(), numbers == Numbers::U8 ? static_cast<int>(kShift) : 0, descriptor.get_size());
  return m;
}

// Returns the scale of each gate's each unit, over both matrices and both directions, since oneDNN takes one mask for
// all.
std::vector<float> scales_of(const Layout& layout, Directions directions) {
  constexpr float kMost = 127;
  std::vector<float> scales;
  for (std::size_t gate = 0; gate < layout.input.size(); ++gate) {
    const auto rows = directions[0].at(layout.input[gate]).shape[0];
    std::vector<float> largest(static_cast<std::size_t>(rows), 1e-9f);
    for (const TensorMap& weights : directions)
      for (const Names* names : {&layout.input, &layout.recurrent}) {
        const Tensor& matrix = weights.at((*names)[gate]);
        const std::vector<float> values = matrix.to_f32();
        const auto columns = static_cast<std::size_t>(matrix.shape[1]);
        for (std::size_t i = 0; i < values.size(); ++i)
          largest[i / columns] = std::max(largest[i / columns], std::fabs(values[i]));
      }
    for (const float each : largest) scales.push_back(kMost / each);
  }
  return scales;
}

dnnl::primitive_attr attributes_of(const Layout& layout, Directions directions, Numbers numbers) {
  constexpr int kGateAndUnit = (1 << 3) + (1 << 4);
  dnnl::primitive_attr attributes;
  if (numbers != Numbers::U8) return attributes;
  attributes.set_rnn_data_qparams(kScale, kShift);
  attributes.set_rnn_weights_qparams(kGateAndUnit, scales_of(layout, directions));
  return attributes;
}

// [direction][gate][unit] in one block.
void fill_vectors(const memory& to, const Names& names, Directions directions) {
  float* next = elements(to).data();
  for (const TensorMap& weights : directions)
    for (const std::string& name : names) next = std::ranges::copy(weights.at(name).to_f32(), next).out;
}

}  // namespace

struct OnednnCell::Content {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::primitive primitive;
  dnnl::primitive_attr attributes;
  Numbers numbers = Numbers::F32;
  std::string difference;
  memory x, y, h, h_final, c, c_final;      // as the primitive reads and writes them
  memory x_f32, y_f32, h_f32, h_final_f32;  // what callers see
  bool is_changed = true;                   // a caller may have written x_f32 or h_f32 since the last run
  bool has_c = false;
  std::unordered_map<int, memory> arguments;

  // Our [unit][column] of each gate to oneDNN's [direction][column][gate][unit], then to the layout it asks for.
  memory pack(const Names& names, Directions directions, std::int64_t columns, std::int64_t hidden,
              const Descriptor& wanted) {
    const auto gates = static_cast<std::int64_t>(names.size());
    memory plain({{1, static_cast<std::int64_t>(directions.size()), columns, gates, hidden},
                  memory::data_type::f32,
                  memory::format_tag::ldigo},
                 engine);
    float* to = elements(plain).data();
    for (const TensorMap& weights : directions) {
      for (std::int64_t g = 0; g < gates; ++g) {
        const std::vector<float> from = weights.at(names[static_cast<std::size_t>(g)]).to_f32();
        for (std::int64_t unit = 0; unit < hidden; ++unit)
          for (std::int64_t k = 0; k < columns; ++k)
            to[(k * gates + g) * hidden + unit] = from[static_cast<std::size_t>(unit * columns + k)];
      }
      to += columns * gates * hidden;
    }
    memory packed(wanted, engine);
    dnnl::reorder(dnnl::reorder::primitive_desc(plain, packed, attributes)).execute(stream, plain, packed);
    stream.wait();
    return packed;
  }

  // Callers see the primitive's own memory where that is f32.
  memory visible(const memory& own, memory::dims dims, memory::format_tag tag) const {
    return numbers == Numbers::F32 ? own : zeros({std::move(dims), Type::f32, tag}, engine);
  }

  void to_own(memory& floats, memory& own) {
    if (numbers == Numbers::F32) return;
    if (numbers == Numbers::Bf16) return reorder(floats, own);
    auto* bytes = static_cast<std::uint8_t*>(own.get_data_handle());
    for (const float value : elements(floats))
      *bytes++ = static_cast<std::uint8_t>(std::clamp(std::nearbyint(value * kScale + kShift), 0.0f, 255.0f));
  }

  void to_floats(memory& own, memory& floats) {
    if (numbers == Numbers::F32) return;
    if (numbers == Numbers::Bf16) return reorder(own, floats);
    const auto* bytes = static_cast<const std::uint8_t*>(own.get_data_handle());
    for (float& value : elements(floats)) value = (static_cast<float>(*bytes++) - kShift) / kScale;
  }

  void reorder(memory& from, memory& to) {
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
  }

  void set_up(const Layout& layout, Directions weights, const Sizes& s) {
    using Tag = memory::format_tag;
    const Descriptors d = descriptors(layout, s, numbers);
    attributes = attributes_of(layout, weights, numbers);
    Made made = make_primitive(layout.kind, engine, attributes, d, s.directions);
    primitive = std::move(made.primitive);
    x = zeros(d.x, engine, numbers), y = zeros(d.y, engine, numbers);
    h = zeros(d.h, engine, numbers), h_final = zeros(d.h, engine, numbers);
    const memory::dims of_h = {1, s.directions, s.batch, s.hidden};
    x_f32 = visible(x, {s.steps, s.batch, s.input}, Tag::tnc);
    y_f32 = visible(y, {s.steps, s.batch, s.directions * s.hidden}, Tag::tnc);
    h_f32 = visible(h, of_h, Tag::ldnc), h_final_f32 = visible(h_final, of_h, Tag::ldnc);
    memory bias = zeros(d.bias, engine);
    fill_vectors(bias, layout.bias, weights);
    arguments = {{DNNL_ARG_SRC_LAYER, x},
                 {DNNL_ARG_SRC_ITER, h},
                 {DNNL_ARG_WEIGHTS_LAYER, pack(layout.input, weights, s.input, s.hidden, made.w)},
                 {DNNL_ARG_WEIGHTS_ITER, pack(layout.recurrent, weights, s.hidden, s.hidden, made.u)},
                 {DNNL_ARG_BIAS, bias},
                 {DNNL_ARG_DST_LAYER, y},
                 {DNNL_ARG_DST_ITER, h_final}};
    has_c = layout.kind == Kind::Lstm || layout.kind == Kind::LstmPeephole;
    if (has_c) {
      c = zeros(d.c, engine), c_final = zeros(d.c, engine);
      arguments[DNNL_ARG_SRC_ITER_C] = c;
      arguments[DNNL_ARG_DST_ITER_C] = c_final;
    }
    if (!layout.peephole.empty()) {
      memory peephole = zeros(d.peephole, engine);
      fill_vectors(peephole, layout.peephole, weights);
      arguments[DNNL_ARG_WEIGHTS_PEEPHOLE] = peephole;
    }
  }

  std::span<float> state(const std::string& name, const memory& of_h, const memory& of_c) const {
    if (name == "h") return elements(of_h);
    if (name == "c" && has_c) return elements(of_c);
    return {};
  }
};

std::string OnednnCell::version() {
  const auto* version = dnnl_version();
  return std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch);
}

Names OnednnCell::cells() {
  Names names;
  for (const Layout& layout : layouts()) names.push_back(layout.name);
  return names;
}

Result<OnednnCell> OnednnCell::make(const std::string& cell, const TensorMap& weights, std::int64_t steps,
                                    std::int64_t batch, int threads, Numbers numbers) {
  return make(cell, Directions(&weights, 1), steps, batch, threads, numbers);
}

Result<OnednnCell> OnednnCell::make(const std::string& cell, Directions directions, std::int64_t steps,
                                    std::int64_t batch, int threads, Numbers numbers) {
  // The only GRU of 8 bits that oneDNN has is the one whose reset gate stands before the product. Its parameters are
  // among those of the other one.
  const bool is_other = numbers == Numbers::U8 && cell == "gru";
  const auto layout = std::ranges::find(layouts(), is_other ? "gru_cho" : cell, &Layout::name);
  if (layout == layouts().end()) {
    std::string known;
    for (const std::string& name : cells()) known += (known.empty() ? "" : ", ") + name;
    return baseline_error(ErrorCode::Unsupported, "oneDNN has no cell " + cell + "; it has " + known);
  }
  if (steps < 1 || batch < 1) return baseline_error(ErrorCode::Unsupported, "steps and batch must be at least 1");
  if (directions.empty() || directions.size() > 2)
    return baseline_error(ErrorCode::Unsupported, "oneDNN has layers of one or two directions");
  const auto first = directions[0].find(layout->input.front());
  if (first == directions[0].end() || first->second.shape.size() != 2)
    return baseline_error(ErrorCode::InvalidData, "no matrix " + layout->input.front());
  const Sizes sizes{steps, batch, first->second.shape[1], first->second.shape[0],
                    static_cast<std::int64_t>(directions.size())};
  for (const TensorMap& weights : directions)
    if (const auto checked = check(*layout, weights, sizes); !checked) return checked.error();
  omp_set_num_threads(threads);
  try {
    auto content = std::make_unique<Content>();
    content->numbers = numbers;
    if (is_other) content->difference = "oneDNN has no gru of 8 bits; it runs gru_cho, whose results are others";
    content->set_up(*layout, directions, sizes);
    return OnednnCell(std::move(content));
  } catch (const dnnl::error& error) {
    return baseline_error(ErrorCode::Unsupported, error.what());
  }
}

OnednnCell::OnednnCell(std::unique_ptr<Content> content) : content_(std::move(content)) {}
OnednnCell::OnednnCell(OnednnCell&&) noexcept = default;
OnednnCell& OnednnCell::operator=(OnednnCell&&) noexcept = default;
OnednnCell::~OnednnCell() = default;

std::string OnednnCell::difference() const { return content_->difference; }

std::span<float> OnednnCell::input() {
  content_->is_changed = true;
  return elements(content_->x_f32);
}
std::span<float> OnednnCell::initial_state(const std::string& name) {
  content_->is_changed = true;
  return content_->state(name, content_->h_f32, content_->c);
}
std::span<const float> OnednnCell::output() const {
  content_->to_floats(content_->y, content_->y_f32);
  return elements(content_->y_f32);
}
std::span<const float> OnednnCell::final_state(const std::string& name) const {
  content_->to_floats(content_->h_final, content_->h_final_f32);
  return content_->state(name, content_->h_final_f32, content_->c_final);
}

void OnednnCell::read_from(const OnednnCell& below) { content_->arguments[DNNL_ARG_SRC_LAYER] = below.content_->y; }

void OnednnCell::run() {
  const runtime::KernelFloatMode mode;
  if (std::exchange(content_->is_changed, false)) {
    content_->to_own(content_->x_f32, content_->x);
    content_->to_own(content_->h_f32, content_->h);
  }
  content_->primitive.execute(content_->stream, content_->arguments);
  content_->stream.wait();
}

}  // namespace rnnc::bench
