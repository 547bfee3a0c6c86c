#include "tools/exit_code.hpp"

namespace rnnc::tools {

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::Usage: return kUsage;
    case ErrorCode::Unsupported: return kUnsupported;
    case ErrorCode::Syntax:
    case ErrorCode::Name:
    case ErrorCode::ShapeMismatch:
    case ErrorCode::InvalidModel:
    case ErrorCode::InvalidData:
    case ErrorCode::Limit:
    case ErrorCode::File: return kInvalid;
  }
  return kInvalid;
}

Error usage_error(const std::string& flag, const std::string& message) {
  return {ErrorCode::Usage, {}, flag + ": " + message};
}

}  // namespace rnnc::tools
