// The flags that several verbs share become values that are checked: an error names the flag and what the flag takes.
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <rnnc/result.hpp>
#include <rnnc/weight_format.hpp>

namespace rnnc::tools {

// No dim, batch or sequence may be longer; the language and the file readers have the same limit.
inline constexpr std::int64_t kMaxSize = std::int64_t{1} << 24;

/// Adds a flag that takes a whole number in [least, most].
CLI::Option* add_number(CLI::App& app, const std::string& name, std::int64_t& value, std::int64_t least,
                        std::int64_t most, const std::string& description);

/// Adds a flag that takes one of `choices`; an error names them all, and the one that was probably meant.
CLI::Option* add_choice(CLI::App& app, const std::string& name, std::string& value,
                        const std::vector<std::string>& choices, const std::string& description);

/// Adds an option that takes several of the choices, with commas between, or by repeating the flag.
CLI::Option* add_choices(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                         const std::vector<std::string>& choices, const std::string& description);

/// Adds a flag that takes several whole numbers, with commas between or by being given several times.
CLI::Option* add_numbers(CLI::App& app, const std::string& name, std::vector<std::int64_t>& values, std::int64_t least,
                         std::int64_t most, const std::string& description);

/// Reads a number from the whole of `text`; returns nothing where `text` is no number in [least, most].
std::optional<std::int64_t> whole_number(const std::string& text, std::int64_t least, std::int64_t most);

/// Returns the complaint about such a text.
std::string no_number(const std::string& text, std::int64_t least, std::int64_t most);

/// Adds a flag that may be given several times, with one value each time.
CLI::Option* add_list(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                      const std::string& description);

/// The flags describe a network made of one cell.
struct StackFlags {
  std::int64_t layers = 1;
  bool bidirectional = false;
  bool any() const { return layers != 1 || bidirectional; }
};

/// The flags say what a file of another program does not say by itself.
struct PartFlags {
  std::string node;                                     // of an ONNX or TFLite model, imported alone
  std::vector<std::string> constants, shapes, carried;  // of such a model's inputs
  std::string output;                                   // of such a model
  std::string like;                                     // the program that an ONNX model is read like
  std::string prefix;                                   // of a state_dict: its modules
  bool relu = false;                                    // of a state_dict of torch.nn.RNN

  bool any() const {
    return relu || !(node.empty() && prefix.empty() && output.empty() && like.empty() && constants.empty() &&
                     shapes.empty() && carried.empty());
  }
};

/// The flags select a cell, its sizes, its weights and the CPU.
struct ModelFlags {
  std::string model;  // a .rnn file; "" for a standard cell
  std::string cell;
  std::string weights;  // a safetensors file; "" for none
  std::vector<std::string> dims;
  std::string isa;
  std::string backend = "jit";
  PartFlags part;
  std::string plan;                // of a compilation, for experiments
  std::string weights_as = "f32";  // the format in which products keep their weights
  bool sparse = false;             // products leave out zeros
  std::string ranges;              // a file of rnnc calibrate; "" for none
  StackFlags stack;
  bool is_known = false;       // the model was loaded before, and its warnings printed
  bool weights_beside = true;  // take m.safetensors for m.rnn where no weights are given
};

/// `with_shape` tells whether --shape is among them; bench has one of its own, which takes both kinds.
void add_part_flags(CLI::App& app, PartFlags& flags, bool with_shape = true);
void add_model_flags(CLI::App& app, ModelFlags& flags, bool with_shape = true);
/// Adds the same flags, and those for layers of a cell.
void add_stacked_model_flags(CLI::App& app, ModelFlags& flags, bool with_shape = true);
/// Makes `help` as the value of an option print the CPUs that there are, and `native` mean this machine's.
CLI::Option* lists_cpus(CLI::Option* option);
/// Makes `-` as the value of an option mean standard input.
CLI::Option* takes_standard_input(CLI::Option* option);
inline constexpr const char* kStandardInput = "/dev/stdin";
void add_plan_flag(CLI::App& app, ModelFlags& flags);
/// Returns the names of the formats of weights.
std::vector<std::string> weight_formats();
/// Adds --weights-as and what goes with integers.
void add_weights_as_flag(CLI::App& app, ModelFlags& flags);
/// Adds --ranges and --sparse.
void add_integer_flags(CLI::App& app, ModelFlags& flags);
/// Returns the format that --weights-as names.
WeightFormat weight_format(const ModelFlags& flags);
/// These values of --layout say how sequences lie in files: [T,B,F] or [B,T,F].
inline constexpr const char *kStepsFirst = "tbf", *kBatchFirst = "btf";
void add_layout_flag(CLI::App& app, std::string& layout);
/// `backends` are jit, portable, auto and, of some verbs, interpret.
void add_backend_flag(CLI::App& app, ModelFlags& flags, const std::vector<std::string>& backends);

using Assignments = std::map<std::string, std::string>;

/// Splits the NAME=VALUE texts of one flag. Errors: Usage where one has no `=` or no value, or a name comes twice.
Result<Assignments> parse_assignments(const std::string& flag, const std::vector<std::string>& texts,
                                      const std::string& value_name);

/// Reads the texts of a flag, such as `H=128`. Errors: Usage.
Result<std::map<std::string, std::int64_t>> parse_sizes(const std::string& flag, const std::vector<std::string>& texts);

}  // namespace rnnc::tools
