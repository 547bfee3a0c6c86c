#include "compiler/object/wasm_script.hpp"

#include <nlohmann/json.hpp>

#include <rnnc/version.hpp>

#include "wasm_texts.hpp"

namespace rnnc::compiler {
namespace {

using Json = nlohmann::ordered_json;
using runtime::StepList;

Json port(const std::string& name, std::int64_t size) { return {{"name", name}, {"size", size}}; }

std::int64_t size_of(const Shape& shape) {
  std::int64_t size = 1;
  for (const std::int64_t extent : shape) size *= extent;
  return size;
}

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

Json json_of(const HeaderFacts& facts, const std::string& file) {
  const StepList& list = facts.program.list;
  Json features = Json::array(), inputs = Json::array();
  for (const runtime::TensorInfo& input : facts.description.inputs)
    features.push_back(port(input.name, size_of(input.shape)));
  for (const NamedPort& input : list.inputs) inputs.push_back(port(input.port.name, size_of(input.port.shape)));
  return {{"file", file},
          {"name", facts.description.cell},
          {"inputSize", facts.description.input_size},
          {"features", features},
          {"inputs", inputs},
          {"outputs", outputs_of(list)},
          {"states", states_of(facts.states)},
          {"stateFloats", facts.program.memory.state_row},
          {"scratch", scratch_of(facts.program.memory, facts.chunk_rows)},
          {"noStreaming", list.no_streaming}};
}

// FNV-1a with its constants of 32 bits. The name of the file does not count: a file may be renamed.
std::uint32_t id_of(Json facts) {
  facts.erase("file");
  std::uint32_t id = 2166136261u;
  for (const char each : facts.dump()) id = (id ^ static_cast<unsigned char>(each)) * 16777619u;
  return id & 0x7fffffffu;  // the script reads it as an integer with a sign
}

std::string union_of(const Json& ports) {
  std::string text;
  for (const Json& each : ports) text += (text.empty() ? "" : " | ") + each["name"].dump();
  return text.empty() ? "never" : text;
}

}  // namespace

WasmScript wasm_script(const HeaderFacts& facts, const std::string& file) {
  Json json = json_of(facts, file);
  const std::uint32_t id = id_of(json);
  json["id"] = id;
  const std::string begin =
      "// " + facts.description.cell + ", compiled by rnnc " + kVersion + " for " + facts.cpus + ".\n";
  return {begin + "const facts = " + json.dump(2) + ";\n\n" + kWasmScript,
          begin + "export type StateName = " + union_of(json["states"]) +
              ";\nexport type OutputName = " + union_of(json["outputs"]) +
              ";\nexport type InputName = " + union_of(json["inputs"]) + ";\n\n" + kWasmTypes,
          id};
}

}  // namespace rnnc::compiler
