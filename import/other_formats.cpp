#include "import/other_formats.hpp"

#include <algorithm>
#include <array>

namespace rnnc::files {

namespace {

constexpr std::string_view kFromTorch =
    "; in PyTorch, torch.onnx.export(model, x, 'model.onnx') writes a model, and "
    "safetensors.torch.save_file(model.state_dict(), 'model.safetensors') the weights of an LSTM, GRU or RNN; rnnc "
    "reads "
    "both";

struct OtherFormat {
  std::size_t at;  // the byte at which `bytes` stand
  std::string_view bytes, what;
};

constexpr std::array kOtherFormats = {
    OtherFormat{0, "rnncart",
                "this is an artifact, which is compiled already; rnnc run takes it where its name ends in .rnnc"},
    OtherFormat{0, "\x93NUMPY", "this is an array of NumPy, not a model; --input takes it"},
    OtherFormat{0, "\x1f\x8b", "this file is compressed by gzip; gunzip it first"},
    OtherFormat{0,
                "\x7f"
                "ELF",
                "this is machine code, not a model; give the model that it was made of"},
};

// A pickle begins with its protocol, 2 to 5; older ones are text.
bool is_pickle(std::string_view content) {
  return content.size() > 2 && content[0] == '\x80' && content[1] >= 2 && content[1] <= 5;
}

}  // namespace

std::string about_other_format(std::string_view content) {
  for (const OtherFormat& kind : kOtherFormats)
    if (content.size() > kind.at && content.substr(kind.at).starts_with(kind.bytes)) return std::string(kind.what);
  if (is_pickle(content)) return "this is a pickle of Python, which rnnc does not read" + std::string(kFromTorch);
  return "";
}

std::string about_other_zip(const std::vector<ZipEntry>& entries) {
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(entries, [name](const ZipEntry& entry) {
      return entry.name == name || entry.name.ends_with("/" + std::string(name));
    });
  };
  if (has("constants.pkl"))
    return "this is a program of TorchScript, which rnnc does not read" + std::string(kFromTorch);
  if (has("data.pkl"))
    return "torch.save wrote this file, a pickle, which rnnc does not read" + std::string(kFromTorch);
  return "";
}

}  // namespace rnnc::files
