// Flags that several verbs share, and the checks of their values: an error names the flag and what it takes.
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <rnnc/result.hpp>

namespace rnnc::tools {

// No dim, batch or sequence may be longer; the language and the file readers have the same limit.
inline constexpr std::int64_t kMaxSize = std::int64_t{1} << 24;

/// A flag that takes a whole number in [least, most].
CLI::Option* add_number(CLI::App& app, const std::string& name, std::int64_t& value, std::int64_t least,
                        std::int64_t most, const std::string& description);

/// A flag that takes one of `choices`; an error names them all, and the one that is meant.
CLI::Option* add_choice(CLI::App& app, const std::string& name, std::string& value,
                        const std::vector<std::string>& choices, const std::string& description);

/// A flag that takes several of them, with commas between, or is given several times.
CLI::Option* add_numbers(CLI::App& app, const std::string& name, std::vector<std::int64_t>& values, std::int64_t least,
                         std::int64_t most, const std::string& description);

/// The number that the whole of `text` is; nothing where it is none in [least, most].
std::optional<std::int64_t> whole_number(const std::string& text, std::int64_t least, std::int64_t most);

/// A flag that may be given several times, with one value each.
CLI::Option* add_list(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                      const std::string& description);

/// A network made of one cell.
struct StackFlags {
  std::int64_t layers = 1;
  bool bidirectional = false;
  bool any() const { return layers != 1 || bidirectional; }
};

/// What a file of another program does not say by itself.
struct PartFlags {
  std::string node;    // of an ONNX model, imported alone
  std::string prefix;  // of a state_dict: its modules
  bool relu = false;   // of a state_dict of torch.nn.RNN
};

/// Which cell, with which sizes, weights and CPU.
struct ModelFlags {
  std::string model;  // a .rnn file; "" for a standard cell
  std::string cell;
  std::string weights;  // a safetensors file; "" for none
  std::vector<std::string> dims;
  std::string isa;
  std::string backend = "jit";
  PartFlags part;
  std::string plan;  // of a compilation, for experiments
  StackFlags stack;
};

void add_part_flags(CLI::App& app, PartFlags& flags);
void add_model_flags(CLI::App& app, ModelFlags& flags);
/// The same for verbs that take layers of a cell as well.
void add_stacked_model_flags(CLI::App& app, ModelFlags& flags);
void add_plan_flag(CLI::App& app, ModelFlags& flags);
/// `backends` are jit, portable, auto and, of some verbs, interpret.
void add_backend_flag(CLI::App& app, ModelFlags& flags, const std::vector<std::string>& backends);

using Assignments = std::map<std::string, std::string>;

/// NAME=VALUE texts of one flag. Errors: Usage where one has no `=` or no value, or a name comes twice.
Result<Assignments> parse_assignments(const std::string& flag, const std::vector<std::string>& texts,
                                      const std::string& value_name);

/// `H=128` texts of a flag. Errors: Usage.
Result<std::map<std::string, std::int64_t>> parse_sizes(const std::string& flag, const std::vector<std::string>& texts);

}  // namespace rnnc::tools
