#include "tests/structure/document.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace rnnc::test {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFence = "```";
constexpr std::string_view kIndent = "    ";

// Lines with the position of their first character; each ends in '\n' but perhaps the last.
struct Lines {
  std::string_view text;
  std::size_t at = 0, number = 0;

  bool next(std::string_view& line) {
    if (at >= text.size()) return false;
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1);
    line = text.substr(at, end + 1 - at);
    at = end + 1;
    ++number;
    return true;
  }
};

bool is_blank(std::string_view line) { return line.find_first_not_of(" \n") == std::string_view::npos; }

Block fenced(const std::string& path, Lines& lines, std::string_view opening) {
  Block block;
  std::istringstream words{std::string(opening.substr(kFence.size()))};
  words >> block.language >> block.file;
  block.document = path, block.line = lines.number + 1, block.begin = block.end = lines.at;
  for (std::string_view line; lines.next(line) && !line.starts_with(kFence);) {
    block.text += line;
    block.end = lines.at;
  }
  return block;
}

// Blank lines inside belong to it, those behind it do not.
Block indented(const std::string& path, Lines& lines, std::string_view line) {
  Block block;
  block.document = path, block.line = lines.number, block.begin = lines.at - line.size(), block.indent = kIndent;
  std::string blank;
  do {
    if (is_blank(line)) {
      blank += "\n";
      continue;
    }
    block.text += blank;
    block.text += line.substr(kIndent.size());
    blank.clear();
    block.end = lines.at;
  } while (lines.next(line) && (is_blank(line) || line.starts_with(kIndent)));
  if (!is_blank(line) && !line.starts_with(kIndent)) lines.at -= line.size(), --lines.number;
  block.language = block.text.starts_with("$ ") ? "console" : "sh";
  return block;
}

// One line of shell: what stands before a comment, and whether it goes on in the next.
std::string without_comment(const std::string& line) {
  const std::size_t comment = line.starts_with('#') ? 0 : line.find(" #");
  std::string command = line.substr(0, comment);
  command.erase(command.find_last_not_of(' ') + 1);
  return command;
}

}  // namespace

std::string Document::prose() const {
  std::string left = text;
  for (const Block& block : blocks)
    std::ranges::replace_if(
        left.begin() + static_cast<std::ptrdiff_t>(block.begin), left.begin() + static_cast<std::ptrdiff_t>(block.end),
        [](char c) { return c != '\n'; }, ' ');
  return left;
}

std::string read_source(const std::string& path_from_root) {
  std::ifstream file(RNNC_SOURCE_DIR "/" + path_from_root, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<Block> blocks_of(const std::string& path, std::string_view text) {
  std::vector<Block> blocks;
  Lines lines{text};
  bool blank = true;  // an indented line behind a paragraph is a part of it
  for (std::string_view line; lines.next(line);) {
    if (line.starts_with(kFence))
      blocks.push_back(fenced(path, lines, line));
    else if (blank && line.starts_with(kIndent) && !is_blank(line))
      blocks.push_back(indented(path, lines, line));
    blank = is_blank(line);
  }
  return blocks;
}

std::vector<Document> all_documents() {
  std::vector<Document> documents;
  const fs::path root = RNNC_SOURCE_DIR;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::recursive_directory_iterator(); ++entry) {
    const std::string name = entry->path().filename().string();
    if (entry->is_directory() && (name == "build" || name.starts_with('.'))) entry.disable_recursion_pending();
    if (entry->path().extension() != ".md") continue;
    Document document;
    document.path = fs::relative(entry->path(), root).string();
    document.text = read_source(document.path);
    document.blocks = blocks_of(document.path, document.text);
    documents.push_back(std::move(document));
  }
  std::ranges::sort(documents, {}, &Document::path);
  return documents;
}

std::vector<Block> blocks_in(const std::string& language, const std::string& path) {
  std::vector<Block> found;
  for (const Document& document : all_documents())
    for (const Block& block : document.blocks)
      if (block.language == language && (path.empty() || document.path == path)) found.push_back(block);
  return found;
}

std::vector<Exchange> exchanges_of(const std::string& console) {
  std::vector<Exchange> exchanges;
  bool goes_on = false;
  std::istringstream lines(console);
  for (std::string line; std::getline(lines, line);) {
    if (goes_on)
      exchanges.back().command += "\n" + line;
    else if (line.starts_with("$ "))
      exchanges.push_back({line.substr(2), ""});
    else if (!exchanges.empty())
      exchanges.back().output += line + "\n";
    goes_on = (goes_on || line.starts_with("$ ")) && line.ends_with('\\');
  }
  return exchanges;
}

std::string console_of(const std::vector<Exchange>& exchanges) {
  std::string console;
  for (const Exchange& exchange : exchanges) console += "$ " + exchange.command + "\n" + exchange.output;
  return console;
}

std::vector<std::string> commands_of(const Block& block) {
  std::string script;
  if (block.language == "sh") script = block.text;
  if (block.language == "console")
    for (const Exchange& exchange : exchanges_of(block.text)) script += exchange.command + "\n";
  std::vector<std::string> commands;
  bool goes_on = false;
  std::istringstream lines(script);
  for (std::string line; std::getline(lines, line);) {
    std::string command = without_comment(line);
    const bool more = command.ends_with('\\');
    if (more) command.pop_back();
    if (goes_on)
      commands.back() += command;
    else if (!command.empty())
      commands.push_back(command);
    goes_on = more;
  }
  return commands;
}

}  // namespace rnnc::test
