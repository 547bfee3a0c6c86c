#include <algorithm>

#include "import/file_error.hpp"
#include "import/onnx/reader.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

bool is_batch(const Axis& axis) { return axis.is('B') || axis.is_one(); }

}  // namespace

void GraphReader::add_lengths(const OnnxNode& node) {
  const std::string name = node.input(4);
  if (lengths_ && *lengths_ != name)
    unsupported(node, "its sequence_lens are not those of the recurrent nodes before it");
  lengths_ = name;
  if (name.empty() || !result_.lengths.empty()) return;
  if (const OnnxValue* value = find(name)) {
    const GraphInput* input = input_of(value->elements);
    if (value->elements.size() != 1 || input == nullptr || value->axes.size() != 1 || !is_batch(value->axes[0]))
      unsupported(node, "its sequence_lens are computed; make them a graph input");
    scope_.lengths = value->elements[0];
    return;
  }
  const auto values = constants_.integers(name);
  if (!values) unsupported(node, "its sequence_lens are computed; make them a graph input");
  for (const std::int64_t length : *values) {
    if (length < 0 || length > (1 << 24)) invalid(node, "sequence_lens has " + std::to_string(length));
    result_.lengths.push_back(static_cast<std::int32_t>(length));
  }
}

// ONNX Runtime gives zeros as the final state of a sequence of length 0, and a network its initial state.
void GraphReader::check_no_length_is_0(const OnnxNode& node, std::size_t state) const {
  const std::string& lengths = node.input(4);
  if (options_.like != OnnxLike::OnnxRuntime || lengths.empty() || constants_.is_done(node.output(state + 1))) return;
  if (!result_.lengths.empty() && std::ranges::all_of(result_.lengths, [](std::int32_t n) { return n > 0; })) return;
  unsupported(node, "may end in " + in_quotes(node.output(state + 1)) +
                        " after no step: ONNX Runtime then gives zeros, and a network the initial state; give lengths "
                        "of at least 1 (--const " +
                        lengths + "=N,... or --state " + lengths + "=lengths.npy), or leave --like out");
}

// Returns the initial state of one direction; nothing where it is left out. A constant has the same row for each
// sequence.
Elements GraphReader::initial(const OnnxNode& node, std::size_t input, const OnnxRecurrent& recurrent,
                              std::size_t direction, std::int64_t rows, std::int64_t row) {
  const std::string name = node.input(input);
  if (name.empty()) return {};
  const auto D = static_cast<std::int64_t>(recurrent.directions.size()), d = static_cast<std::int64_t>(direction);
  const std::int64_t H = recurrent.size(input - kFirstInitial);
  const std::size_t batch_axis = recurrent.batch_first ? 0 : 1;
  const auto mismatch = [&](const std::string& shape) {
    invalid(node, "shape mismatch: " + in_quotes(name) + " must be " + (recurrent.batch_first ? "[B," : "[") +
                      std::to_string(D) + (recurrent.batch_first ? "," : ",B,") + std::to_string(H) + "] but is " +
                      shape);
  };
  if (const OnnxValue* found = find(name)) {
    std::optional<OnnxValue> value = *found;
    // A constant that was made for the batch of the exporter's example has equal rows.
    const bool constant = std::ranges::all_of(value->elements, &Element::is_constant);
    if (constant && rows == 1 && value->axes.size() == 3 && value->axes[batch_axis].is_number())
      value = first_of_equal(*value, batch_axis);
    if (!value) unsupported(node, in_quotes(name) + " differs within the batch; make it a graph input");
    const Axes& axes = value->axes;
    if (axes.size() != 3 || axes[2] != Axis::of(H) || axes[1 - batch_axis] != Axis::of(D) ||
        !(rows > 1 ? axes[batch_axis] == Axis::of(rows) : is_batch(axes[batch_axis])))
      mismatch(to_string(axes));
    for (const Element& e : value->elements)
      if (!text_.is_step() && !e.is_constant() && text_.source(e.source).sequence)
        unsupported(node, "its initial state " + in_quotes(name) + " differs from step to step");
    const std::int64_t begin = (recurrent.batch_first ? row * D + d : d * rows + row) * H;
    return {value->elements.begin() + begin, value->elements.begin() + begin + H};
  }
  const TensorView* tensor = constants_.find(name);
  if (tensor == nullptr)
    unsupported(node, "its initial state " + in_quotes(name) + " is not known; make it a graph input");
  if (tensor->shape.size() != 3 || tensor->shape[2] != H || tensor->shape[1 - batch_axis] != D)
    mismatch(to_string(tensor->shape));
  const std::vector<float> all = tensor->to_f32();
  const std::int64_t B = tensor->shape[batch_axis];
  if (B < 1 || (rows > 1 && B != rows)) mismatch(to_string(tensor->shape));
  Elements result;
  for (std::int64_t k = 0; k < H; ++k) {
    const auto at = [&](std::int64_t b) {
      return all[static_cast<std::size_t>((recurrent.batch_first ? b * D + d : d * B + b) * H + k)];
    };
    for (std::int64_t b = 1; b < B && rows == 1; ++b)
      if (at(b) != at(0)) unsupported(node, in_quotes(name) + " differs within the batch; make it a graph input");
    result.push_back(Element::of(at(row)));
  }
  return result;
}

void GraphReader::read_recurrent_node(const OnnxNode& node) {
  const OnnxValue* found = find(node.input(0));
  if (found == nullptr)
    unsupported(node, "its input " + in_quotes(node.input(0)) + " cannot be traced to a graph input");
  if (found->zeros_before != 0 || found->zeros_after != 0)
    unsupported(node, "takes a sequence with steps put around it");
  const bool batch_first = node.attributes.contains("layout") && node.attributes.at("layout").i == 1;
  if (batch_first && options_.like == OnnxLike::OnnxRuntime)
    unsupported(node,
                "has layout 1, which ONNX Runtime does not run; put a Transpose before and behind it instead, or leave "
                "--like out");
  const std::size_t time = batch_first ? 1 : 0, batch = 1 - time;
  OnnxValue input = *found;
  // A vector that a file of fixed sizes repeats as often as its sequences have steps is the same at each step.
  if (Axes wanted = input.axes; !text_.is_step() && wanted.size() == 3) {
    wanted[time] = Axis{{scope_.time}};
    input = with_symbols(std::move(input), wanted);
  }
  const Axes& axes = input.axes;
  const bool rows = text_.is_step() && axes.size() == 3 && axes[batch].is_number();  // of one step, as sequences
  const bool right = axes.size() == 3 && (is_batch(axes[batch]) || rows) && axes[2].is_number() &&
                     (text_.is_step() ? axes[time].is_number() : axes[time].is('T'));
  if (!right)
    unsupported(node, "its input has dimensions " + to_string(axes) + " but must have " +
                          (text_.is_step() ? "numbers and the batch: " : "") + (batch_first ? "[B,T,F]" : "[T,B,F]"));
  OnnxRecurrent recurrent = read_recurrent(node, constants_, model_.opset, file_, options_.like);
  if (axes[2].fixed() != recurrent.input_size)
    invalid(node, "shape mismatch: W is for " + std::to_string(recurrent.input_size) + " features but X has " +
                      std::to_string(axes[2].fixed()));
  if (text_.is_step() && !node.input(4).empty()) unsupported(node, "has sequence_lens within one step");
  if (text_.is_step() && recurrent.masked) unsupported(node, "has a mask within one step");
  if (!text_.is_step()) add_lengths(node);
  text_.is_step() ? add_steps(node, recurrent, input) : add_scans(node, recurrent, input);
}

// Returns the expression of the mask of a node, which must be of the steps of x, in the same order.
std::string GraphReader::mask_of(const OnnxNode& node, const OnnxValue& x) {
  const OnnxValue* mask = find(node.input(kMask));
  Axes axes = x.axes;
  axes.back() = Axis::of(1);
  if (mask == nullptr || mask->axes != axes || mask->turned != x.turned || mask->zeros_before + mask->zeros_after != 0)
    unsupported(node, "its mask is not of the steps of its input");
  const Expression each = text_.scalar(mask->elements[0]);
  if (!each.sequence) unsupported(node, "its mask is the same at each step");
  return each.text;
}

void GraphReader::add_scans(const OnnxNode& node, OnnxRecurrent& recurrent, const OnnxValue& x) {
  const std::string base = text_.fresh(layer_or_kind(node));
  const Expression argument = text_.vector(x.elements);
  const std::string mask = recurrent.masked ? ", " + mask_of(node, x) : "";
  const auto D = static_cast<std::int64_t>(recurrent.directions.size());
  const std::int64_t H = recurrent.output_size;
  const std::size_t time = recurrent.batch_first ? 1 : 0;
  const Axis batch = x.axes[1 - time];
  OnnxValue y{recurrent.batch_first ? Axes{batch, x.axes[1], Axis::of(D), Axis::of(H)}
                                    : Axes{x.axes[0], Axis::of(D), batch, Axis::of(H)},
              {}};
  y.turned = x.turned;
  std::vector<OnnxValue> finals(recurrent.states.size());
  for (std::size_t s = 0; s < finals.size(); ++s) {
    const Axis size = Axis::of(recurrent.size(s));
    finals[s].axes = recurrent.batch_first ? Axes{batch, Axis::of(D), size} : Axes{Axis::of(D), batch, size};
  }
  const auto append = [&](Elements& to, std::int32_t source) {
    const Elements all = text_.all(source);
    to.insert(to.end(), all.begin(), all.end());
    return all;
  };
  for (std::size_t d = 0; d < recurrent.directions.size(); ++d) {
    OnnxDirection& direction = recurrent.directions[d];
    Scan scan;
    scan.name = D == 1 ? base : text_.fresh(base + (direction.reverse ? "_bwd" : "_fwd"));
    const std::string cell = direction.standard.empty() ? text_.cell(scan.name + "_cell", direction.cell_body)
                                                        : direction.standard + "<H=" + std::to_string(H) + ">";
    scan.text =
        scan.name + " = " + (direction.reverse != x.turned ? "reverse " : "") + cell + "(" + argument.text + mask + ")";
    if (!argument.sequence && mask.empty()) scan.text += kOverTheTime;
    for (auto& [name, tensor] : direction.weights) text_.weights[scan.name + "." + name] = std::move(tensor);
    append(y.elements, text_.add({scan.name, H, false, true}));
    for (std::size_t s = 0; s < recurrent.states.size(); ++s) {
      scan.states.push_back(recurrent.states[s]);
      const std::int32_t last = text_.add({scan.name + "." + recurrent.states[s], recurrent.size(s), false, false});
      scan.links.push_back({initial(node, kFirstInitial + s, recurrent, d, 1, 0), append(finals[s].elements, last)});
      if (!std::ranges::all_of(scan.links.back().initial, &Element::is_zero)) check_no_length_is_0(node, s);
    }
    scan.statement = text_.statements.size();
    scan.size = H;
    text_.state("");
    scans_.push_back(std::move(scan));
  }
  if (!node.output(0).empty()) scope_.values[node.output(0)] = y;
  for (std::size_t s = 0; s < finals.size(); ++s)
    if (!node.output(s + 1).empty()) scope_.values[node.output(s + 1)] = finals[s];
}

}  // namespace rnnc::files
