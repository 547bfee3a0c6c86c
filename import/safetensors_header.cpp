// The header is read by events (SAX) and not into a tree, since nlohmann's tree keeps one of two equal keys and reports
// no error. Every event is legal in a few states only, so a form that the format lacks is refused with its place.
#include "import/safetensors_header.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "import/file_error.hpp"

namespace rnnc::files {
namespace {

using nlohmann::json;

constexpr std::array kTypes = {ElementType::F64, ElementType::F32, ElementType::F16, ElementType::BF16,
                               ElementType::I64, ElementType::I32, ElementType::I16, ElementType::I8,
                               ElementType::U64, ElementType::U32, ElementType::U16, ElementType::U8,
                               ElementType::Bool};

std::optional<ElementType> type_named(std::string_view text) {
  for (const ElementType type : kTypes) {
    if (name(type) == text) return type;
  }
  return std::nullopt;
}

std::string type_names() {
  std::string names;
  for (const ElementType type : kTypes) {
    if (!names.empty()) names += ' ';
    names += name(type);
  }
  return names;
}

/// The state of the reader says what it expects next.
enum class State { Document, NameOrEnd, Entry, FieldOrEnd, Dtype, Shape, Dim, Offsets, Offset, MetaOrEnd, Text, Done };

std::string_view expectation(State state) {
  switch (state) {
    case State::Document:
    case State::NameOrEnd:
    case State::Done: return "must be an object of tensors";
    case State::Entry: return "must be an object";
    case State::FieldOrEnd:
    case State::MetaOrEnd: return "must have a key";
    case State::Dtype: return "dtype must be a string";
    case State::Shape: return "shape must be an array";
    case State::Dim: return "shape must hold whole numbers of at least 0";
    case State::Offsets: return "data_offsets must be an array";
    case State::Offset: return "data_offsets must hold whole numbers of at least 0";
    case State::Text: return "every value must be a string";
  }
  return "";
}

/// The handler of the events that json::sax_parse sends; each function tells whether to go on.
class HeaderReader {
 public:
  HeaderReader(std::string_view file, const FileLimits& limits) : file_(file), limits_(limits) {}

  std::vector<HeaderEntry>& entries() { return entries_; }
  const std::optional<Error>& error() const { return error_; }

  bool null() { return unexpected("null"); }
  bool boolean(bool) { return unexpected("a boolean"); }
  bool number_integer(json::number_integer_t) { return unexpected("a negative number"); }
  bool number_float(json::number_float_t, const std::string&) { return unexpected("a fraction or a number past 2^64"); }
  bool binary(json::binary_t&) { return unexpected("binary data"); }

  bool number_unsigned(json::number_unsigned_t value) {
    if (state_ == State::Dim) return add_dim(value);
    if (state_ != State::Offset) return unexpected("a number");
    offsets_.push_back(value);
    return offsets_.size() <= 2 || offsets_not_a_pair();
  }

  bool string(std::string& text) {
    if (state_ == State::Text) return state_ = State::MetaOrEnd, true;
    if (state_ != State::Dtype) return unexpected("a string");
    const auto type = type_named(text);
    if (!type)
      return fail(ErrorCode::InvalidData, "dtype " + in_quotes(text) + " is not one of " + type_names() +
                                              "; convert the tensor and save it again");
    entry_.type = *type;
    state_ = State::FieldOrEnd;
    return true;
  }

  bool key(std::string& text) {
    if (!(state_ == State::NameOrEnd ? names_ : keys_).insert(text).second) {
      return fail(ErrorCode::InvalidData, "key " + in_quotes(text) + " stands there twice; keep one");
    }
    if (state_ == State::NameOrEnd) {
      entry_ = HeaderEntry{.name = text, .shape = {}};
      state_ = State::Entry;
    } else if (state_ == State::MetaOrEnd) {
      state_ = State::Text;
    } else if (text == "dtype") {
      state_ = State::Dtype;
    } else if (text == "shape") {
      state_ = State::Shape;
    } else if (text == "data_offsets") {
      state_ = State::Offsets;
    } else {
      return fail(ErrorCode::InvalidData,
                  "unknown key " + in_quotes(text) + "; an entry has dtype, shape and data_offsets only");
    }
    return true;
  }

  bool start_object(std::size_t) {
    if (!enter()) return false;
    keys_.clear();
    offsets_.clear();
    if (state_ == State::Document) return state_ = State::NameOrEnd, true;
    if (state_ != State::Entry) return unexpected("an object");
    state_ = entry_.name == kMetadataName ? State::MetaOrEnd : State::FieldOrEnd;
    return true;
  }

  bool end_object() {
    --depth_;
    if (state_ == State::NameOrEnd) return state_ = State::Done, true;
    if (state_ == State::FieldOrEnd) {
      for (const char* field : {"dtype", "shape", "data_offsets"}) {
        if (!keys_.contains(field)) {
          return fail(ErrorCode::InvalidData, std::string(field) + " is missing; save the file again");
        }
      }
      entries_.push_back(std::move(entry_));
    }
    entry_ = HeaderEntry{};
    state_ = State::NameOrEnd;
    return true;
  }

  bool start_array(std::size_t) {
    if (!enter()) return false;
    if (state_ == State::Shape) return state_ = State::Dim, true;
    if (state_ == State::Offsets) return state_ = State::Offset, true;
    return unexpected("an array");
  }

  bool end_array() {
    --depth_;
    if (state_ == State::Offset) {
      if (offsets_.size() != 2) return offsets_not_a_pair();
      entry_.begin = offsets_[0];
      entry_.end = offsets_[1];
    }
    state_ = State::FieldOrEnd;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception& why) {
    // The parser's own message may contain the broken bytes, so it is not shown.
    const bool utf8 = std::string_view(why.what()).find("UTF-8") != std::string_view::npos;
    error_ = file_error(ErrorCode::InvalidData, file_,
                        std::string(utf8 ? "the header is not valid UTF-8" : "the header is not valid JSON") +
                            " at its byte " + std::to_string(position) + "; save or copy the file again");
    return false;
  }

 private:
  bool fail(ErrorCode code, const std::string& message) {
    const bool of_header = state_ == State::Document || state_ == State::NameOrEnd || state_ == State::Done;
    const std::string what = of_header                      ? "header"
                             : entry_.name == kMetadataName ? entry_.name
                                                            : "tensor " + in_quotes(entry_.name);
    error_ = file_error(code, file_, what + ": " + message);
    return false;
  }

  bool unexpected(std::string_view got) {
    return fail(ErrorCode::InvalidData,
                std::string(expectation(state_)) + ", not " + std::string(got) + "; save the file again");
  }

  bool offsets_not_a_pair() {
    return fail(ErrorCode::InvalidData, "data_offsets must be two numbers, begin and end; save the file again");
  }

  bool enter() {
    if (++depth_ <= limits_.max_nesting) return true;
    return fail(ErrorCode::Limit, "objects and arrays nest deeper than the limit of " +
                                      std::to_string(limits_.max_nesting) + "; raise it");
  }

  bool add_dim(std::uint64_t value) {
    if (static_cast<std::int64_t>(entry_.shape.size()) == limits_.max_rank) {
      return fail(ErrorCode::Limit,
                  "shape has more than the limit of " + std::to_string(limits_.max_rank) + " dimensions; reshape it");
    }
    if (value > static_cast<std::uint64_t>(limits_.max_dim)) {
      return fail(ErrorCode::Limit, "shape has a dimension of " + std::to_string(value) + ", more than the limit of " +
                                        std::to_string(limits_.max_dim) + "; split it");
    }
    entry_.shape.push_back(static_cast<std::int64_t>(value));
    return true;
  }

  std::string_view file_;
  const FileLimits& limits_;
  State state_ = State::Document;
  int depth_ = 0;
  HeaderEntry entry_;
  std::set<std::string> names_;         // of the header
  std::set<std::string> keys_;          // of the entry or of __metadata__
  std::vector<std::uint64_t> offsets_;  // of the entry
  std::vector<HeaderEntry> entries_;
  std::optional<Error> error_;
};

}  // namespace

Result<std::vector<HeaderEntry>> parse_safetensors_header(std::string_view json_text, std::string_view file,
                                                          const FileLimits& limits) {
  if (!json_text.starts_with('{')) {
    return file_error(ErrorCode::InvalidData, file,
                      "the header does not begin with \"{\"; this is no safetensors file, or a damaged one");
  }
  // nlohmann takes a NUL for the end of its input and ignores the bytes behind it.
  if (const auto nul = json_text.find('\0'); nul != std::string_view::npos) {
    return file_error(
        ErrorCode::InvalidData, file,
        "the header is not valid JSON at its byte " + std::to_string(nul + 1) + "; save or copy the file again");
  }
  HeaderReader reader(file, limits);
  json::sax_parse(json_text.begin(), json_text.end(), &reader);
  if (reader.error()) return *reader.error();
  return std::move(reader.entries());
}

}  // namespace rnnc::files
