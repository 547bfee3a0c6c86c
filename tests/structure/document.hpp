// This header gives tests the project's documents: every .md file is cut into its blocks of code.
//
// What a fence says behind ``` tells what is checked: sh, commands that must succeed; console, commands behind "$ "
// with what they print; rnn, c, cpp, cmake, diff, json, python; text, for all else. A second word is the name of the
// file that the block is, for commands further down. Indented blocks are console where they begin with "$ ", else sh.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rnnc::test {

struct Block {
  std::string document;  // from the root
  std::size_t line = 0;  // of its first line of code
  std::string language, file;
  std::string text;
  std::string indent;              // what its lines begin with in the document
  std::size_t begin = 0, end = 0;  // of the lines of code in the document
};

struct Document {
  std::string path;  // from the root
  std::string text;
  std::vector<Block> blocks;

  /// The text with all blocks blank: what is left to people.
  std::string prose() const;
};

std::string read_source(const std::string& path_from_root);

std::vector<Block> blocks_of(const std::string& path, std::string_view text);

/// Every .md file of the project.
std::vector<Document> all_documents();

/// All blocks of one language, in all documents or, given its path, in one.
std::vector<Block> blocks_in(const std::string& language, const std::string& path = "");

/// A command and what the document says it prints.
struct Exchange {
  std::string command;  // its continuation lines too
  std::string output;
};

std::vector<Exchange> exchanges_of(const std::string& console);
std::string console_of(const std::vector<Exchange>& exchanges);

/// Every single command of a sh or console block, without comments, continuation lines joined.
std::vector<std::string> commands_of(const Block& block);

}  // namespace rnnc::test
