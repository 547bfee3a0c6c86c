#include "runtime/saved_row.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "runtime/state_bound.hpp"

namespace rnnc::runtime {
namespace {

constexpr std::uint32_t kMagic = 0x534e4e52;  // "RNNS"
constexpr std::uint32_t kVersion = 1;

void append(std::vector<std::byte>& bytes, const void* data, std::size_t size) {
  const auto* first = static_cast<const std::byte*>(data);
  for (std::size_t i = 0; i < size; ++i) bytes.push_back(first[i]);
}

void append(std::vector<std::byte>& bytes, std::uint32_t number) { append(bytes, &number, sizeof number); }

const std::vector<StateInfo>& states_of(const StateContent& content) { return content.program->description.states; }

// Returns the bytes before the floats of a state. Those of the first state begin with the header of the whole row.
std::vector<std::byte> header(const StateContent& content, std::size_t state) {
  std::vector<std::byte> bytes;
  const std::string& name = states_of(content)[state].tensor.name;
  if (state == 0) {
    append(bytes, kMagic);
    append(bytes, kVersion);
    append(bytes, static_cast<std::uint32_t>(states_of(content).size()));
  }
  append(bytes, static_cast<std::uint32_t>(name.size()));
  append(bytes, name.data(), name.size());
  append(bytes, static_cast<std::uint32_t>(state_row(content, state, 0).size()));
  return bytes;
}

Error wrong_data(const std::string& what) { return {ErrorCode::InvalidData, {}, "saved states: " + what}; }

}  // namespace

void save_row(const StateContent& content, std::int64_t b, std::vector<std::byte>& bytes) {
  for (std::size_t i = 0; i < states_of(content).size(); ++i) {
    const std::span<const float> row = state_row(content, i, b);
    const std::vector<std::byte> head = header(content, i);
    append(bytes, head.data(), head.size());
    append(bytes, row.data(), row.size_bytes());
  }
}

std::size_t saved_row_bytes(const StateContent& content) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < states_of(content).size(); ++i)
    size += header(content, i).size() + state_row(content, i, 0).size_bytes();
  return size;
}

Result<void> check_saved_row(const StateContent& content, std::span<const std::byte> saved) {
  for (std::size_t i = 0; i < states_of(content).size(); ++i) {
    const std::size_t size = state_row(content, i, 0).size(), size_bytes = state_row(content, i, 0).size_bytes();
    const std::vector<std::byte> head = header(content, i);
    if (saved.size() < head.size() + size_bytes || !std::equal(head.begin(), head.end(), saved.begin()))
      return wrong_data("not of version " + std::to_string(kVersion) + " with state " +
                        states_of(content)[i].tensor.name + " of " + std::to_string(size) + " elements, as " +
                        content.program->description.cell + " has it");
    std::vector<float> values(size);
    if (size > 0) std::memcpy(values.data(), saved.data() + head.size(), size_bytes);
    const Result<void> within = check_bound(state_info(content, i), states_of(content)[i].tensor.name, values);
    if (!within) return within.error();
    saved = saved.subspan(head.size() + size_bytes);
  }
  if (!saved.empty()) return wrong_data(std::to_string(saved.size()) + " bytes are left over");
  return {};
}

void restore_row(const StateContent& content, std::int64_t b, std::span<const std::byte> saved) {
  for (std::size_t i = 0; i < states_of(content).size(); ++i) {
    const std::span<float> row = state_row(content, i, b);
    const std::size_t begin = header(content, i).size();
    if (!row.empty()) std::memcpy(row.data(), saved.data() + begin, row.size_bytes());
    saved = saved.subspan(begin + row.size_bytes());
  }
}

}  // namespace rnnc::runtime
