#include "compiler/jit.hpp"

#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h>
#include <llvm/Support/MemoryBuffer.h>

#include "compiler/llvm_target.hpp"
#include "ir/check.hpp"

namespace rnnc::compiler {
namespace {

// The object is our own, so that a failure here is ours too.
template <class T>
T expect(llvm::Expected<T> value) {
  if (!value) ir::internal_error(nullptr, "linking generated code: " + llvm::toString(value.takeError()));
  return std::move(*value);
}

}  // namespace

LinkedCode link(const runtime::Artifact& artifact) {
  llvm_target();
  llvm::orc::LLJITBuilder builder;
  builder.setObjectLinkingLayerCreator([](llvm::orc::ExecutionSession& session, const llvm::Triple&) {
    return std::make_unique<llvm::orc::ObjectLinkingLayer>(session);
  });
  std::shared_ptr<llvm::orc::LLJIT> jit = expect(builder.create());
  const llvm::StringRef bytes(reinterpret_cast<const char*>(artifact.object.data()), artifact.object.size());
  if (auto error = jit->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(bytes, "rnnc")))
    ir::internal_error(nullptr, "linking generated code: " + llvm::toString(std::move(error)));
  LinkedCode code;
  code.run = expect(jit->lookup(runtime::kRunSymbol)).toPtr<runtime::RunKernel>();
  code.prepare = expect(jit->lookup(runtime::kPrepareSymbol)).toPtr<runtime::PrepareKernel>();
  code.owner = std::move(jit);
  return code;
}

}  // namespace rnnc::compiler
