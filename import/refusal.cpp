#include "import/refusal.hpp"

#include "import/file_error.hpp"

namespace rnnc::files {

void refuse(ErrorCode code, std::string_view file, const std::string& what, const std::string& why) {
  throw Refusal{file_error(code, file, what.empty() ? why : what + ": " + why)};
}

}  // namespace rnnc::files
