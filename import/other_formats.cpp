#include "import/other_formats.hpp"

#include <algorithm>
#include <array>

#include <rnnc/import.hpp>

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
    OtherFormat{
        0, "rnncart",
        "this is an artifact, machine code that is compiled already; rnnc run takes it if its name ends in .rnnc"},
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
  if (std::ranges::none_of(entries, [](const ZipEntry& entry) { return entry.name.ends_with(".npy"); }))
    return "this is a zip file, and neither a model of Keras (.keras) nor arrays of numpy.savez (.npz); unzip it, and "
           "give the model that is in it";
  return "";
}

std::string about_no_weights(std::span<const std::byte> content) {
  const std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
  const auto model = [](const std::string& what) {
    return "this is " + what + ", which has weights of its own; give it as the model, without other weights";
  };
  const FileFormat format = format_of(content);
  if (const std::string other = about_other_format(text); format != FileFormat::Safetensors && !other.empty())
    return other;
  switch (format) {
    case FileFormat::Tflite: return model("a model of TensorFlow Lite");
    case FileFormat::Rnnoise: return model("a model of RNNoise");
    case FileFormat::Hdf5: return model("a model of Keras");
    case FileFormat::Json:
      return "this is JSON; weights by name are a safetensors or .npz file, and a model or a state_dict in JSON is "
             "given as the model";
    case FileFormat::Onnx:
      // format_of takes any file for ONNX that begins with a control character. ONNX itself begins with its version.
      return text.size() > 1 && text[0] == '\x08' && text[1] > 0 && text[1] < ' ' ? model("an ONNX model") : "";
    case FileFormat::Text:
      // The first eight bytes of safetensors are a number, of which the upper ones are zeros.
      return text.size() < 8 || text.substr(0, 8).find('\0') != std::string_view::npos
                 ? ""
                 : "this is no file of weights; weights by name are a safetensors or .npz file";
    case FileFormat::Safetensors:
    case FileFormat::Zip: return "";
  }
  return "";
}

}  // namespace rnnc::files
