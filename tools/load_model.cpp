#include "tools/load_model.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>

#include <rnnc/join.hpp>
#include <rnnc/tensor_files.hpp>

#include "compiler/llvm/resolve_target.hpp"
#include "compiler/network/choose_cell.hpp"
#include "compiler/network/network.hpp"
#include "import/file_content.hpp"
#include "import/state_dict_scales.hpp"
#include "ir/environment.hpp"
#include "ir/scan.hpp"
#include "ir/syntax.hpp"
#include "runtime/memory_limit.hpp"
#include "runtime/number_format.hpp"
#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"
#include "tools/given_weights.hpp"
#include "tools/interface.hpp"
#include "tools/outputs.hpp"
#include "tools/stack.hpp"
#include "tools/write_model.hpp"

namespace rnnc::tools {
namespace {

constexpr std::uint64_t kMostRangesBytes = std::uint64_t{1} << 26;

// Judges a file by its beginning; what cannot be read counts as text, whose reader says why.
FileFormat format_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char head[64] = {};
  if (!std::filesystem::is_regular_file(path) || !file.read(head, 1)) return FileFormat::Text;
  file.read(head + 1, sizeof head - 1);
  return format_of(std::as_bytes(std::span(head, static_cast<std::size_t>(1 + file.gcount()))));
}

bool is_onnx(const std::string& path) { return format_of_file(path) == FileFormat::Onnx; }

// Returns the parts of a text between separators.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0, end = 0; begin <= text.size(); begin = end + 1) {
    end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
  }
  return parts;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && at == text.data() + text.size() && !text.empty() ? std::optional(value) : std::nullopt;
}

// Reads numbers with commas between: one is a scalar, several a list. Without a point they are whole numbers.
Result<Tensor> parse_constant(const std::string& flag, const std::string& text) {
  std::vector<float> reals;
  std::vector<std::int64_t> wholes;
  for (const std::string_view part : split(text, ',')) {
    const auto real = number<float>(part);
    if (!real) return usage_error(flag, "'" + text + "' is no list of numbers such as 16000 or 0.5,1");
    if (const auto whole = number<std::int64_t>(part)) wholes.push_back(*whole);
    reals.push_back(*real);
  }
  const auto size = static_cast<std::int64_t>(reals.size());
  const Shape shape = size == 1 ? Shape{} : Shape{size};
  if (wholes.size() != reals.size()) return Tensor::from_f32(shape, reals);
  const auto bytes = std::as_bytes(std::span(wholes));
  return Tensor{ElementType::I64, shape, {bytes.begin(), bytes.end()}};
}

// Reads sizes with an x between, ? for an open one.
Result<Shape> parse_shape(const std::string& flag, const std::string& text) {
  Shape shape;
  for (const std::string_view part : split(text, 'x')) {
    const auto size = part == "?" ? std::optional<std::int64_t>(-1) : number<std::int64_t>(part);
    if (!size || (*size < 1 && part != "?"))
      return usage_error(flag, "'" + text + "' is no shape such as 1x512 or ?x512");
    shape.push_back(*size);
  }
  return shape;
}

// Reads the flags that say what of a model is meant.
Result<ImportOptions> import_options(const PartFlags& flags) {
  ImportOptions options{.node = flags.node, .output = flags.output, .prefix = flags.prefix, .relu = flags.relu};
  if (!flags.like.empty()) options.like = OnnxLike::OnnxRuntime;
  const Result<Assignments> constants = parse_assignments("--const", flags.constants, "N");
  if (!constants) return constants.error();
  for (const auto& [name, text] : *constants) {
    Result<Tensor> value = parse_constant("--const " + name, text);
    if (!value) return value.error();
    options.inputs[name] = std::move(*value);
  }
  const Result<Assignments> shapes = parse_assignments("--shape", flags.shapes, "1x512");
  if (!shapes) return shapes.error();
  for (const auto& [name, text] : *shapes) {
    Result<Shape> shape = parse_shape("--shape " + name, text);
    if (!shape) return shape.error();
    options.shapes[name] = std::move(*shape);
  }
  const Result<Assignments> carried = parse_assignments("--carry", flags.carried, "OUT");
  if (!carried) return carried.error();
  for (const auto& [input, output] : *carried) options.carried[input] = output;
  return options;
}

Result<Imported> load_model(const ModelFlags& flags, const std::vector<std::string>& states) {
  const bool from_onnx = !flags.model.empty() && is_onnx(flags.model);
  if (flags.model.empty() && flags.part.any())
    return usage_error("MODEL",
                       "missing; --node, --const, --shape, --carry, --take, --like, --prefix and --relu are of one");
  // The states of an ONNX graph are among its inputs; other models have theirs in the text alone.
  if (!flags.model.empty())
    return import_part(flags.model, flags.part, from_onnx ? states : std::vector<std::string>());
  const auto names = standard_cell_names();
  if (flags.cell.empty())
    return usage_error("MODEL", "missing; give a model file, or --cell with one of " + join(names));
  if (std::ranges::find(names, flags.cell) == names.end())
    return usage_error("--cell", "there is no standard cell '" + flags.cell + "'; there are " + join(names) +
                                     ir::did_you_mean(flags.cell, names));
  Result<Model> model = standard_cell(flags.cell);
  if (!model) return model.error();
  return Imported{std::move(*model), {}};
}

// Chooses the cell or network that --cell names; without --cell, the only network, or the only cell of a model without
// networks.
Result<void> choose(const ModelFlags& flags, Source& source) {
  const ir::Module& module = source.model.module();
  const std::vector<std::string> cells = source.model.cells(), networks = source.model.networks();
  std::vector<std::string> names = networks;
  if (flags.cell.empty()) {
    const std::vector<std::string>& choice = networks.empty() ? cells : networks;
    const std::string kind = networks.empty() ? "cell" : "network";
    if (choice.size() != 1)
      return usage_error("--cell", "missing; " + flags.model + " has " +
                                       (choice.empty() ? "no " + kind : "several " + kind + "s: " + join(choice)));
    if (networks.empty()) return source.cell = module.cells.front(), Result<void>();
    return source.network = module.networks.front(), Result<void>();
  }
  if (const ir::Network* network = module.find_network(flags.cell)) return source.network = *network, Result<void>();
  if (const ir::Cell* cell = module.find(flags.cell)) return source.cell = *cell, Result<void>();
  names.insert(names.end(), cells.begin(), cells.end());
  return usage_error("--cell", flags.model + " has no cell '" + flags.cell + "'; it has " + join(names) +
                                   ir::did_you_mean(flags.cell, names));
}

Result<void> make_stack(const ModelFlags& flags, Source& source) {
  if (source.network)
    return usage_error(flags.stack.bidirectional ? "--bidirectional" : "--layers",
                       "goes with a cell; " + source.network->name + " is a network");
  Result<Model> made = stack(source.model, source.cell, flags.stack);
  if (!made) return made.error();
  source.model = std::move(*made);
  source.network = source.model.module().networks.front();
  return {};
}

Result<Ranges> load_ranges(const ModelFlags& flags) {
  if (flags.ranges.empty()) return Ranges{};
  if (!runtime::is_integer(weight_format(flags)))
    return usage_error("--ranges", "is of weights of integers; add --weights-as w8, w8a16 or w16");
  const auto file = files::FileContent::open(flags.ranges, kMostRangesBytes);
  if (!file) return file.error();
  return parse_ranges(file->text(), flags.ranges);
}

}  // namespace

Result<Imported> import_part(const std::string& model, const PartFlags& part, const std::vector<std::string>& states) {
  Result<ImportOptions> options = import_options(part);
  if (!options) return options.error();
  const std::map<std::string, Tensor> constants = options->inputs;
  const Result<Assignments> files = parse_assignments("--state", states, "s.npy");
  if (!files) return files.error();
  for (const auto& [name, path] : *files) {
    Result<Tensor> tensor = load_npy(path);
    if (!tensor) return tensor.error();
    options->inputs[name] = std::move(*tensor);
    options->initial_states.insert(name);
  }
  Result<Imported> imported = import_model_file(model, *options);
  if (!imported) return imported;
  for (const auto& [name, value] : constants)
    if (std::ranges::find(imported->inputs, name) == imported->inputs.end())
      return usage_error("--const " + name, "the graph has no such input; it has " + join(imported->inputs) +
                                                ir::did_you_mean(name, imported->inputs));
  for (const std::string& name : imported->left_out)
    std::fprintf(stderr, "rnnc: %s: graph output %s is left out, since it cannot be written; --take %s tells why\n",
                 model.c_str(), name.c_str(), name.c_str());
  if (imported->leaves_unrounded)
    std::fprintf(stderr, "rnnc: %s: activations that the file rounds to integers are f32 here\n", model.c_str());
  return imported;
}

Result<Source> load_source(const ModelFlags& flags, const std::vector<std::string>& states) {
  if (const auto checked = check_dumps(flags.model); !checked) return checked.error();
  Result<std::map<std::string, std::int64_t>> dims = parse_sizes("--dim", flags.dims);
  if (!dims) return dims.error();
  Result<Imported> imported = load_model(flags, states);
  if (!imported) return imported.error();
  for (const Note& warning : flags.is_known ? std::vector<Note>() : imported->warnings)
    std::fprintf(stderr, "rnnc: %s\n", warning.to_string("warning").c_str());
  std::map<std::string, std::vector<float>> behind_the_end = std::move(imported->others_behind_the_end);
  if (!imported->behind_the_end.empty())
    behind_the_end[imported->model.module().networks.at(0).outputs().at(0).name] = std::move(imported->behind_the_end);
  Source source{std::move(imported->model),
                {},
                std::move(imported->weights),
                std::move(*dims),
                {std::move(imported->inputs), std::move(imported->states), std::move(imported->lengths),
                 std::move(imported->example), std::move(behind_the_end), std::move(imported->graph),
                 imported->leaves_unrounded, flags.model.empty() ? FileFormat::Text : format_of_file(flags.model)}};
  if (const Result<void> chosen = choose(flags, source); !chosen) return chosen.error();
  if (flags.stack.any())
    if (const Result<void> made = make_stack(flags, source); !made) return made.error();
  Result<Ranges> ranges = load_ranges(flags);
  if (!ranges) return ranges.error();
  source.ranges = std::move(*ranges);
  if (flags.weights.empty() && flags.weights_beside) {
    if (const Result<void> taken = take_weights_beside(flags.model, source); !taken) return taken.error();
  }
  if (flags.weights.empty()) return source;
  if (!source.weights.empty())
    return usage_error("--weights", flags.model + " has its own weights; leave the flag out");
  Result<TensorMap> weights = load_tensors(flags.weights);
  if (!weights) return weights.error();
  if (const auto checked = check_any_fits(source, *weights, flags.weights); !checked) return checked.error();
  if (const Result<void> made = files::make_floats(*weights, flags.weights); !made) return made.error();
  source.weights = std::move(*weights);
  return source;
}

namespace {

Error with_flag(Error error) {
  if (error.code == ErrorCode::Usage) error.message = "--dim: " + error.message;
  return error;
}

}  // namespace

Result<ir::Network> bind(const Source& source) {
  auto network = compiler::choose_program(source.model, source.graph().name, source.dims, source.weights);
  return network ? network : with_flag(network.error());
}

Result<ir::Network> bind_with_ranges(const Source& source) {
  Result<ir::Network> network = bind(source);
  if (!network || source.ranges.empty()) return network;
  Result<ir::Network> bounded = compiler::with_ranges(*network, source.weights, source.ranges);
  return bounded ? bounded : about_weights(bounded.error(), source);
}

Result<ir::Cell> bind_cell(const Source& source) {
  if (source.network)
    return Error{ErrorCode::Unsupported, source.network->place(source.network->location),
                 "network " + source.network->name + ": a cell is wanted here; --cell names one"};
  if (source.ranges.empty()) {
    Result<ir::Cell> cell = compiler::bind(source.cell, source.dims, source.weights);
    return cell ? cell : with_flag(cell.error());
  }
  const Result<ir::Network> network = bind_with_ranges(source);
  if (!network) return network.error();
  const auto scan = std::ranges::find(network->nodes, ir::Op::Scan, &ir::Node::op);
  return ir::scan_cell(*network, *scan);
}

Result<compiler::Target> target_of(const ModelFlags& flags, bool must_run_here) {
  const std::string name = flags.isa.empty() ? read_environment().isa : flags.isa;
  Result<compiler::Target> target = compiler::resolve_target(name, must_run_here);
  if (target) return target;
  Error error = target.error();
  error.message = (flags.isa.empty() ? "RNNC_ISA: " : "--isa: ") + error.message;
  return error;
}

const char* name_of(Backend backend) {
  switch (backend) {
    case Backend::Auto: return "auto";
    case Backend::Jit: return "jit";
    case Backend::Portable: return "portable";
    case Backend::Tiered: return "tiered";
  }
  return "";
}

Result<Program> compile(const Source& source, const ModelFlags& flags, std::int64_t threads, bool cache) {
  const bool is_portable = flags.backend == "portable";
  if (const auto target = target_of(flags, true); !target && !is_portable) return target.error();
  const Result<ir::Network> network = bind(source);
  if (!network) return network.error();
  if (const auto checked = check_memory(3 * parameter_bytes(*network), "the weights"); !checked) return checked.error();
  CompileOptions options;
  options.cell = network->name;
  options.cpu = flags.isa;
  options.dims = source.dims;
  options.threads = static_cast<int>(threads);
  options.plan = flags.plan;
  options.backend = is_portable ? Backend::Portable : flags.backend == "auto" ? Backend::Auto : Backend::Jit;
  options.cache = cache;
  options.weights = weight_format(flags);
  options.sparse = flags.sparse;
  options.ranges = source.ranges;
  return rnnc::compile(source.model, source.weights, options);
}

Result<BoundSource> load_with_weights(const ModelFlags& flags, const std::vector<std::string>& states) {
  Result<Source> source = load_source(flags, states);
  if (!source) return source.error();
  if (const auto checked = check_has_weights(*source); !checked) return checked.error();
  Result<ir::Network> network = bind(*source);
  if (!network) return network.error();
  if (const auto checked = compiler::check_weights(*network, source->weights); !checked)
    return about_weights(checked.error(), *source);
  return BoundSource{std::move(*source), std::move(*network)};
}

Result<void> check_memory(double bytes, const std::string& what) {
  const auto memory = static_cast<double>(runtime::available_memory());
  if (bytes <= memory) return {};
  const auto mib = [](double size) { return std::to_string(std::llround(size / (1 << 20))) + " MiB"; };
  const std::string message = what + " would take " + mib(bytes) + ", but only " + mib(memory) + " of memory are left";
  return Error{ErrorCode::Limit, {}, message + "; use smaller sizes"};
}

double parameter_bytes(const ir::Network& network) {
  double bytes = 0;
  for (const ir::Weight& weight : ir::weights_of(network)) bytes += 4 * static_cast<double>(elements(weight.type));
  return bytes;
}

}  // namespace rnnc::tools
