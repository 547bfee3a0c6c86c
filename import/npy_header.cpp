// The header is read with a cursor over the text and never evaluated. Forms that numpy.save does not write are refused
// with their place.
#include "import/npy_header.hpp"

#include <charconv>
#include <optional>
#include <string>

#include <rnnc/join.hpp>

#include "import/file_error.hpp"

namespace rnnc::files {
namespace {

std::optional<ElementType> numpy_type(std::string_view text) {
  for (const auto& [name, type] : kNpyTypes)
    if (name == text) return type;
  return std::nullopt;
}

class DictReader {
 public:
  DictReader(std::string_view text, std::string_view file, const FileLimits& limits)
      : text_(text), file_(file), limits_(limits) {}

  Result<NpyHeader> read() {
    if (!dict()) return *error_;
    return std::move(header_);
  }

 private:
  // Each of these tells whether to go on; otherwise error_ has the reason.

  bool dict() {
    if (!expect('{')) return false;
    while (!take('}')) {
      if (!item()) return false;
      if (take('}')) break;
      if (!expect(',')) return false;
    }
    if (const auto rest = text_.find_first_not_of(" \n", at_); rest != std::string_view::npos) {
      at_ = rest;
      return unexpected("only spaces after the dict");
    }
    if (!descr_seen_) return fail("the key 'descr' is missing; save the array again with numpy.save");
    if (!order_seen_) return fail("the key 'fortran_order' is missing; save the array again with numpy.save");
    if (!shape_seen_) return fail("the key 'shape' is missing; save the array again with numpy.save");
    return true;
  }

  bool item() {
    std::string_view key;
    if (!string(key) || !expect(':')) return false;
    if (key == "descr") return once(descr_seen_, key) && descr();
    if (key == "fortran_order") return once(order_seen_, key) && order();
    if (key == "shape") return once(shape_seen_, key) && shape();
    return fail("unknown key " + in_quotes(key) + "; save the array again with numpy.save");
  }

  bool descr() {
    if (next() == '[') return fail("the array has a structured type; save each of its fields by itself");
    std::string_view text;
    if (!string(text)) return false;
    if (text.starts_with('>')) {
      return fail("type " + in_quotes(text) +
                  " is big-endian; save a.astype(a.dtype.newbyteorder('<')) in place of the array a");
    }
    const auto type = text.empty() ? std::nullopt : numpy_type(text.substr(1));
    // A type of one byte has no byte order, which NumPy writes as '|'.
    const bool order_fits = type && (text[0] == '<' || (text[0] == '|' && size_bytes(*type) == 1));
    if (!order_fits) {
      return fail("type " + in_quotes(text) + " is not one of " + join(kNpyTypes, " ", &NpyType::name) +
                  ", little-endian; convert the array with astype");
    }
    header_.type = *type;
    return true;
  }

  bool order() {
    header_.fortran_order = word("True");
    return header_.fortran_order || word("False") || unexpected("True or False for fortran_order");
  }

  bool shape() {
    if (!expect('(')) return false;
    while (!take(')')) {
      if (!dim()) return false;
      const bool comma = take(',');
      if (take(')')) return comma || header_.shape.size() > 1 || unexpected("a comma: (3,) is a tuple, (3) is not");
      if (!comma) return expect(',');
    }
    return true;
  }

  bool dim() {
    next();
    const char* const begin = text_.data() + at_;
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (end == begin) return unexpected("a whole number of at least 0 in the shape");
    if (failure != std::errc{} || value > static_cast<std::uint64_t>(limits_.max_dim)) {
      return fail("the shape has a dimension of " + std::string(begin, end) + ", more than the limit of " +
                      std::to_string(limits_.max_dim) + "; split the array",
                  ErrorCode::Limit);
    }
    if (static_cast<std::int64_t>(header_.shape.size()) == limits_.max_rank) {
      return fail(
          "the shape has more than the limit of " + std::to_string(limits_.max_rank) + " dimensions; reshape the array",
          ErrorCode::Limit);
    }
    header_.shape.push_back(static_cast<std::int64_t>(value));
    at_ += static_cast<std::size_t>(end - begin);
    return true;
  }

  /// Reads a string in either quote, without escapes: no legal header needs one.
  bool string(std::string_view& content) {
    const char quote = next();
    if (quote != '\'' && quote != '"') return unexpected("a string");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return unexpected("a string that ends");
    content = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return true;
  }

  bool once(bool& seen, std::string_view key) {
    if (!seen) return seen = true;
    return fail("the key '" + std::string(key) + "' stands there twice; save the array again with numpy.save");
  }

  /// Returns the next character that is no space; at the end it returns NUL, which no header has.
  char next() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool take(char character) {
    if (next() != character || at_ == text_.size()) return false;
    ++at_;
    return true;
  }

  bool word(std::string_view expected) {
    next();
    if (!text_.substr(at_).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }

  bool expect(char character) { return take(character) || unexpected({'\'', character, '\''}); }

  bool unexpected(const std::string& wanted) {
    const bool over = next() == '\0' && at_ == text_.size();
    return fail("expected " + wanted + " at byte " + std::to_string(at_ + 1) + " of the header, but " +
                (over ? "it ends there" : "there is " + in_quotes(text_.substr(at_, 1))) +
                "; save the array again with numpy.save");
  }

  bool fail(std::string message, ErrorCode code = ErrorCode::InvalidData) {
    error_ = file_error(code, file_, std::move(message));
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string_view file_;
  const FileLimits& limits_;
  NpyHeader header_;
  bool descr_seen_ = false;
  bool order_seen_ = false;
  bool shape_seen_ = false;
  std::optional<Error> error_;
};

}  // namespace

Result<NpyHeader> parse_npy_header(std::string_view text, std::string_view file, const FileLimits& limits) {
  return DictReader(text, file, limits).read();
}

}  // namespace rnnc::files
