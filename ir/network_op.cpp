#include "ir/network_op.hpp"

namespace rnnc::ir {

NetworkOp network_op(Op op) {
  switch (op) {
    case Op::Input: return NetworkOp::Input;
    case Op::Scan: return NetworkOp::Scan;
    case Op::FinalState: return NetworkOp::FinalState;
    case Op::OverTime: return NetworkOp::OverTime;
    case Op::Slice:
    case Op::Concat: return NetworkOp::View;
    case Op::State:
    case Op::Param:
    case Op::Constant:
    case Op::Matvec:
    case Op::Lookup:
    case Op::Project:
    case Op::Map:
    case Op::Reduce:
    case Op::Hoist:
    case Op::Fill:
    case Op::Quantize:
    case Op::Rows: return NetworkOp::Expression;
  }
  return NetworkOp::Expression;
}

}  // namespace rnnc::ir
