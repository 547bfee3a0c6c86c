// The plug-in librnnc_bench_onednn.so becomes an object that runs oneDNN. The program neither links oneDNN nor needs
// it, and loads the plug-in only where `rnnc bench` is asked for oneDNN.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "bench/onednn/plugin.hpp"

namespace rnnc::tools {

/// The numbers that oneDNN computes with, as the plug-in counts them.
enum class OnednnNumbers : std::int32_t { F32, Bf16, U8 };

/// Runs layers of oneDNN on sequences of one length and batch, from states of zero.
class OnednnStack {
 public:
  OnednnStack(const bench::Plugin& plugin, void* stack) : plugin_(&plugin), stack_(stack, plugin.free) {}

  std::span<float> input() { return values(plugin_->input(stack_.get())); }  // [T, B, I], to be filled
  std::span<const float> output() const { return values(plugin_->output(stack_.get())); }
  /// Returns a state of the last layer; it is empty where the layer has no such state.
  std::span<const float> final_state(const std::string& name) const {
    return values(plugin_->final_state(stack_.get(), name.c_str()));
  }

  /// Says where the mathematics are not those of the cell; "" where they are.
  std::string difference() const {
    const char* const text = plugin_->difference(stack_.get());
    return text ? text : "";
  }

  /// Throws std::runtime_error where oneDNN fails.
  void run();

 private:
  static std::span<float> values(const bench::PluginValues& of) {
    return {of.values, static_cast<std::size_t>(of.count)};
  }

  const bench::Plugin* plugin_;
  std::unique_ptr<void, void (*)(void*)> stack_;
};

/// Holds a plug-in that is loaded and stays loaded to the end of the program.
class OnednnPlugin {
 public:
  /// Looks in RNNC_PLUGIN_DIR, else beside the program, else in the folder that the plug-in is installed to.
  ///
  /// Errors    Unsupported: there is none, the system cannot load it, or it is of another version; says how to get one
  /// Threads   OpenMP looks meanwhile which CPUs it may use, and may bind the calling thread to one
  static Result<OnednnPlugin> load();

  std::string version() const { return plugin_->library_version(); }
  std::vector<std::string> cells() const;

  /// Shapes    `layers` has the weights of each layer's one or two directions, under the cell's names
  /// Errors    Unsupported: oneDNN has no such cell, or refuses the shape; InvalidData: a tensor lacks or is misshapen
  Result<OnednnStack> make(const std::string& cell, const std::vector<std::vector<TensorMap>>& layers,
                           std::int64_t steps, std::int64_t batch, std::int64_t threads, OnednnNumbers numbers) const;

 private:
  explicit OnednnPlugin(const bench::Plugin& plugin) : plugin_(&plugin) {}
  const bench::Plugin* plugin_;
};

}  // namespace rnnc::tools
