#include "import/file_error.hpp"

#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>

namespace rnnc::files {
namespace {

constexpr std::size_t kQuotedBytes = 80;  // more of a name helps nobody

std::string_view hint(int number) {
  switch (number) {
    case ENOENT: return "; check the path";
    case ENOTDIR: return "; a part of the path is a file, not a folder";
    case EACCES:
    case EPERM:
    case EROFS: return "; check the permissions or choose another place";
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return "; free some space or choose another place";
    default: return "";
  }
}

}  // namespace

Error file_error(ErrorCode code, std::string_view file, std::string message) {
  return Error{code, Place{std::string(file)}, std::move(message)};
}

Error system_error(std::string_view file, std::string_view what, int number) {
  std::string message(what);
  message += ": " + std::generic_category().message(number);
  message += hint(number);
  return file_error(ErrorCode::File, file, std::move(message));
}

Error out_of_memory(std::string_view file) {
  return file_error(ErrorCode::Limit, file, "not enough memory; use a smaller file");
}

std::string in_quotes(std::string_view text) {
  const bool cut = text.size() > kQuotedBytes;
  const std::string shown(text.substr(0, kQuotedBytes));
  using nlohmann::json;
  std::string result = json(shown).dump(-1, ' ', true, json::error_handler_t::replace);
  if (cut) result.insert(result.size() - 1, "...");
  return result;
}

}  // namespace rnnc::files
