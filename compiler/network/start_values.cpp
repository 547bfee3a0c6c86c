#include "compiler/network/start_values.hpp"

#include <set>
#include <utility>

#include "compiler/portable/translate.hpp"
#include "runtime/cell.hpp"

namespace rnnc::compiler {
namespace {

class Taking {
 public:
  explicit Taking(CallList& list) : list_(list) {
    for (std::size_t i = 0; i < list_.calls.size(); ++i) {
      const auto* call = std::get_if<CellCall>(&list_.calls[i]);
      if (call && call->axis.empty() && call->x.empty()) constant_.emplace(call->y, i);
    }
  }

  Starts run() {
    Starts starts;
    for (std::size_t i = 0; i < list_.calls.size(); ++i) {
      auto* call = std::get_if<CellCall>(&list_.calls[i]);
      if (!call || call->begins_anew) continue;
      for (const auto& [state, row] : std::exchange(call->initial, {})) starts[i][state] = parts_of(row);
    }
    return remove_unread(starts);
  }

 private:
  std::vector<StartPart> parts_of(const Row& row) {
    std::vector<StartPart> parts;
    for (const Columns& columns : row) {
      std::shared_ptr<const CellCall>& taken = taken_[columns.buffer];
      if (!taken)
        taken = std::make_shared<const CellCall>(std::get<CellCall>(list_.calls[constant_.at(columns.buffer)]));
      parts.push_back({taken, columns.begin, columns.end});
    }
    return parts;
  }

  // Removes calls whose values no call and no output reads any more. The calls after them move up, and so do the keys
  // of `starts`.
  Starts remove_unread(const Starts& starts) {
    std::set<std::size_t> read;
    const auto add = [&](const Row& row) {
      for (const Columns& part : row) read.insert(part.buffer);
    };
    for (const CallOutput& output : list_.outputs) add(output.row);
    for (const Call& call : list_.calls) {
      std::visit([&](const auto& each) { add(each.x); }, call);
      if (const auto* cell = std::get_if<CellCall>(&call))
        for (const auto& [state, row] : cell->initial) add(row);
    }
    Starts moved;
    std::vector<Call> kept;
    for (std::size_t i = 0; i < list_.calls.size(); ++i) {
      const auto* call = std::get_if<CellCall>(&list_.calls[i]);
      if (call && taken_.contains(call->y) && !read.contains(call->y)) continue;
      if (const auto found = starts.find(i); found != starts.end()) moved[kept.size()] = found->second;
      kept.push_back(std::move(list_.calls[i]));
    }
    list_.calls = std::move(kept);
    return moved;
  }

  CallList& list_;
  std::map<std::size_t, std::size_t> constant_;                   // buffer -> the call without inputs that writes it
  std::map<std::size_t, std::shared_ptr<const CellCall>> taken_;  // those whose buffers have become start values
};

}  // namespace

Starts take_starts(CallList& list) { return Taking(list).run(); }

namespace {

// Returns the result of a call that reads no row.
Result<std::vector<float>> run_once(const CellCall& call, const TensorMap& weights, runtime::NumberFormat format) {
  Result<CellCode> code = portable_code_of(call.cell, *runtime::portable_kernels("host"), format);
  if (!code) return code.error();
  const Result<runtime::LoadedCell> cell =
      runtime::load_cell(std::move(code->description), std::move(code->code), weights_of(call, weights));
  if (!cell) return cell.error();
  return runtime::run_once(*cell);
}

}  // namespace

Result<std::vector<float>> StartValues::of(const std::vector<StartPart>& parts) {
  std::vector<float> values;
  for (const StartPart& part : parts) {
    auto result = results_.find(part.call);
    if (result == results_.end()) {
      Result<std::vector<float>> all = run_once(*part.call, weights_, format_);
      if (!all) return all.error();
      result = results_.emplace(part.call, std::move(*all)).first;
    }
    values.insert(values.end(), result->second.begin() + part.begin, result->second.begin() + part.end);
  }
  return values;
}

}  // namespace rnnc::compiler
