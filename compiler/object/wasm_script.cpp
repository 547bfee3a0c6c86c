#include "compiler/object/wasm_script.hpp"

#include <nlohmann/json.hpp>

#include <string_view>

#include <rnnc/version.hpp>

#include "ir/check.hpp"
#include "wasm_texts.hpp"

namespace rnnc::compiler {
namespace {

using Json = nlohmann::ordered_json;
using runtime::StepList;

Json port(const std::string& name, std::int64_t size) { return {{"name", name}, {"size", size}}; }

Json outputs_of(const StepList& list) {
  Json outputs = Json::array();
  for (const runtime::Output& output : list.outputs) {
    outputs.push_back(port(output.port.name, output.width()));
    outputs.back()["timed"] = output.time != runtime::kNoTime;
  }
  return outputs;
}

// A stream of the script is a batch of one sequence.
Json states_of(const std::vector<StatePlace>& places) {
  Json states = Json::array();
  for (const StatePlace& place : places) {
    states.push_back(port(place.tensor.name, place.size));
    states.back()["at"] = place.before + place.offset;
  }
  return states;
}

Json scratch_of(const ObjectMemory& memory, std::int64_t chunk_rows) {
  return {{"once", memory.once_columns + memory.cell_row + (memory.has_blocks() ? kLine : 0)},
          {"timed", memory.timed_columns},
          {"chunkRow", memory.chunk_row},
          {"chunkRows", chunk_rows}};
}

// Holds what is the same for all modules of a script.
Json common_json(const HeaderFacts& facts) {
  const StepList& list = facts.program.list;
  Json features = Json::array(), inputs = Json::array();
  for (const runtime::TensorInfo& input : facts.description.inputs)
    features.push_back(port(input.name, Port{input.name, input.shape}.size()));
  for (const NamedPort& input : list.inputs) inputs.push_back(port(input.port.name, input.port.size()));
  return {{"name", facts.description.cell},
          {"inputSize", facts.description.input_size},
          {"features", features},
          {"inputs", inputs},
          {"outputs", outputs_of(list)},
          {"states", states_of(facts.states)},
          {"stateFloats", facts.program.memory.state_row},
          {"noStreaming", list.no_streaming}};
}

Json json_of(const WasmModule& module) {
  Json json = {{"target", module.target},
               {"file", module.file},
               {"id", id_of(module)},
               {"scratch", scratch_of(module.facts.program.memory, module.facts.chunk_rows)}};
  if (const auto& weights = module.weights)
    json["weights"] = {{"file", weights->file}, {"bytes", weights->bytes}, {"hash", weights->hash}};
  return json;
}

// The characters that end a path or a name in an address, or that an address cannot hold; others are encoded by the
// engine. So names with spaces stay as they are, and bundlers find the file.
std::string address_of(const std::string& file) {
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string address = "./";
  for (const char each : file) {
    const auto code = static_cast<unsigned char>(each);
    if (code > 0x1f && std::string_view("%#?\\").find(each) == std::string_view::npos)
      address += each;
    else
      address += {'%', kDigits[code / 16], kDigits[code % 16]};
  }
  return address;
}

// Bundlers replace such an expression, as it is written, by the address that the file has behind them.
std::string addresses_of(const Json& json) {
  std::vector<std::string> files;
  for (const Json& module : json["modules"]) {
    files.push_back(module["file"]);
    if (module.contains("weights")) files.push_back(module["weights"]["file"]);
  }
  if (json.contains("worklet")) files.push_back(json["worklet"]["file"]);
  std::string text = "const addresses = {\n";
  for (const std::string& file : files)
    text += "  " + Json(file).dump() + ": () => new URL(" + Json(address_of(file)).dump() + ", import.meta.url),\n";
  return text + "};\n\n";
}

std::string union_of(const Json& ports) {
  std::string text;
  for (const Json& each : ports) text += (text.empty() ? "" : " | ") + each["name"].dump();
  return text.empty() ? "never" : text;
}

}  // namespace

// FNV-1a with its constants of 32 bits.
std::uint32_t id_of(const WasmModule& module) {
  Json json = common_json(module.facts);
  json["target"] = module.target;
  json["scratch"] = scratch_of(module.facts.program.memory, module.facts.chunk_rows);
  if (module.weights) json["weights"] = module.weights->hash;
  std::uint32_t id = 2166136261u;
  for (const char each : json.dump()) id = (id ^ static_cast<unsigned char>(each)) * 16777619u;
  return id & 0x7fffffffu;  // the script reads it as an integer with a sign
}

WasmScript wasm_script(const std::vector<WasmModule>& modules, const WasmProcessor& processor) {
  const HeaderFacts& facts = modules.front().facts;
  Json json = common_json(facts);
  std::string cpus, targets;
  json["modules"] = Json::array();
  for (const WasmModule& module : modules) {
    RNNC_ASSERT(common_json(module.facts) == common_json(facts), nullptr);
    cpus += (cpus.empty() ? "" : ", ") + module.target;
    targets += (targets.empty() ? "'" : " | '") + module.target + "'";
    json["modules"].push_back(json_of(module));
  }
  const std::string head = "// " + facts.description.cell + ", compiled by rnnc " + kVersion + " for " + cpus + ".\n";
  const bool has_processor = !processor.file.empty();
  if (has_processor) json["worklet"] = {{"file", processor.file}, {"processor", processor.name}};
  const std::string begin =
      head + "const facts = " + json.dump(2) + ";\n\n" + addresses_of(json) + kWasmLoad + "\n" + kWasmModel;
  const std::string types = head + "export type Target = " + targets +
                            ";\nexport type StateName = " + union_of(json["states"]) +
                            ";\nexport type OutputName = " + union_of(json["outputs"]) +
                            ";\nexport type InputName = " + union_of(json["inputs"]) + ";\n\n" + kWasmTypes;
  if (!has_processor) return {begin, types, ""};
  return {begin + "\n" + kWasmNode, types + kWasmNodeTypes, begin + "\n" + kWasmWorklet};
}

std::string unfit_for_worklet(const HeaderFacts& facts) {
  const StepList& list = facts.program.list;
  if (!list.no_streaming.empty()) return "it takes no single steps: " + list.no_streaming;
  if (facts.description.inputs.size() != 1) return "its x is not one sequence of samples";
  const std::int64_t frame = facts.description.input_size;
  for (const runtime::Output& output : list.outputs) {
    const std::string name = "its output " + output.port.name;
    if (output.time == runtime::kNoTime) return name + " is not a sequence";
    if (output.width() != frame && output.width() != 1)
      return name + " has " + std::to_string(output.width()) + " numbers for each step; a step takes " +
             std::to_string(frame) + " samples and may give as many, or one number";
  }
  return "";
}

}  // namespace rnnc::compiler
