#include "compiler/gradient/trained_program.hpp"

#include <new>
#include <utility>

namespace rnnc::compiler {

Result<std::unique_ptr<TrainedProgram>> TrainedProgram::make(const ir::Network& network, const Tier& tier,
                                                             TensorMap weights, const CompileOptions& options,
                                                             std::shared_ptr<Executor> executor) {
  std::unique_ptr<TrainedProgram> made(new TrainedProgram(network, tier.cpu, std::move(weights)));
  Result<UnfinishedProgram> program = begin_network(network, tier, made->weights_, options);
  if (!program) return program.error();
  made->cells_ = program->unfinished.cells;
  made->refs_ = program->unfinished.weights;
  if (const Result<void> done = finish_cells(program->unfinished, options.compile_threads); !done) return done.error();
  if (!executor) executor = options.executor;
  auto loaded = runtime::load(std::move(program->description), std::move(program->network),
                              {options.threads, std::move(executor), options.sharing});
  if (!loaded) return loaded.error();
  made->loaded_ = std::move(*loaded);
  made->program_.emplace(made->loaded_);
  return made;
}

std::span<float> TrainedProgram::weight(const std::string& name) {
  std::vector<std::byte>& bytes = weights_.at(name).bytes;
  return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)};
}

Result<void> TrainedProgram::repack() try {
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    runtime::LoadedCell& cell = *cells_[i];
    if (const Result<void> packed = runtime::pack_weights(cell.description, refs_[i], cell.weights); !packed)
      return packed.error();
    runtime::finish_cell(cell, cell.code);
  }
  if (loaded_->network.list.starts.empty()) return {};
  // States begin with values of parameters: these are computed again.
  std::size_t next = 0;
  const auto known = [&](const ir::Cell&, const runtime::TensorRefs&) -> Result<const runtime::Description*> {
    return &cells_[next++]->description;
  };
  Result<NetworkParts> parts = put_together(network_, cpu_, weights_, runtime::kRowFormat, known);
  if (!parts) return parts.error();
  loaded_->network.list.starts = std::move(parts->list.starts);
  return {};
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {}, "not enough memory to pack the weights of " + network_.name};
}

}  // namespace rnnc::compiler
