#include "import/onnx/attributes.hpp"

#include "import/file_error.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {

void OnnxAttributes::invalid(const std::string& why) const { files::invalid(file_, node_.describe(), why); }
void OnnxAttributes::unsupported(const std::string& why) const { files::unsupported(file_, node_.describe(), why); }

// Files of the first versions have no types: the value in the attribute is taken to be of the type that is asked for.
const OnnxAttribute* OnnxAttributes::find(const std::string& name, int type, const std::string& kind) {
  read_.insert(name);
  const auto found = node_.attributes.find(name);
  if (found == node_.attributes.end()) return nullptr;
  if (found->second.type != type && found->second.type != 0)
    invalid("attribute " + name + " must be " + kind + "; export the model again");
  return &found->second;
}

std::optional<std::int64_t> OnnxAttributes::integer(const std::string& name) {
  const OnnxAttribute* found = find(name, 2, "a whole number");
  return found ? std::optional(found->i) : std::nullopt;
}

std::optional<float> OnnxAttributes::real(const std::string& name) {
  const OnnxAttribute* found = find(name, 1, "a number");
  return found ? std::optional(found->f) : std::nullopt;
}

std::optional<std::string> OnnxAttributes::text(const std::string& name) {
  const OnnxAttribute* found = find(name, 3, "a text");
  return found ? std::optional(found->s) : std::nullopt;
}

std::optional<std::vector<std::int64_t>> OnnxAttributes::integers(const std::string& name) {
  const OnnxAttribute* found = find(name, 7, "a list of whole numbers");
  return found ? std::optional(found->ints) : std::nullopt;
}

std::optional<std::vector<float>> OnnxAttributes::reals(const std::string& name) {
  const OnnxAttribute* found = find(name, 6, "a list of numbers");
  return found ? std::optional(found->floats) : std::nullopt;
}

std::optional<std::vector<std::string>> OnnxAttributes::texts(const std::string& name) {
  const OnnxAttribute* found = find(name, 8, "a list of texts");
  return found ? std::optional(found->strings) : std::nullopt;
}

void OnnxAttributes::too_large(const std::string& why) const { refuse(ErrorCode::Limit, file_, node_.describe(), why); }

void OnnxAttributes::finish() const {
  for (const auto& [name, attribute] : node_.attributes)
    if (!read_.contains(name))
      unsupported("attribute " + in_quotes(name) + " is not known; remove it or export for an older opset");
}

}  // namespace rnnc::files
