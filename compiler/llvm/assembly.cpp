#include "compiler/llvm/assembly.hpp"

#include <algorithm>
#include <iterator>
#include <map>

namespace rnnc::compiler {
namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

// Tells what begins a comment in the syntax of an architecture.
std::string_view mark_of(Arch arch) {
  switch (arch) {
    case Arch::X86_64:
    case Arch::Wasm32:
    case Arch::RiscV64:
    case Arch::RiscV32: return "#";
    case Arch::AArch64: return "//";
    case Arch::Thumb7em:
    case Arch::Thumb81m:
    case Arch::Arm7a: return "@";
  }
  return "";
}

/// Holds the parts of a line: it is "label:" or an instruction, and may end in a comment. A missing part is empty.
struct Line {
  std::string_view label, mnemonic, operands, comment;

  bool is_instruction() const { return !mnemonic.empty() && mnemonic.front() != '.'; }
  std::string_view last_operand() const { return trimmed(operands.substr(operands.rfind(',') + 1)); }
};

Line parse(std::string_view text, Arch arch) {
  Line line;
  const std::string_view mark = mark_of(arch);
  if (const std::size_t at = text.find(mark); at != std::string_view::npos && !contains(text.substr(0, at), "\"")) {
    line.comment = trimmed(text.substr(at + mark.size()));
    text = text.substr(0, at);
  }
  const bool indented = !text.empty() && (text.front() == '\t' || text.front() == ' ');
  text = trimmed(text);
  if (text.empty()) return line;
  if (!indented && text.back() == ':') {
    line.label = text.substr(0, text.size() - 1);
    return line;
  }
  const std::size_t end = std::min(text.find_first_of("\t "), text.size());
  line.mnemonic = text.substr(0, end);
  line.operands = trimmed(text.substr(end));
  return line;
}

// A branch may name a condition and a width: bne.w. Low-overhead loops of ARMv8.1-M end in "le".
bool is_branch_arm(std::string_view m) {
  m = m.substr(0, m.find('.'));
  return m == "b" || m == "le" || m == "letp" || m == "cbz" || m == "cbnz" || (m.size() == 3 && m.starts_with('b'));
}

bool is_jump(const Line& line, Arch arch) {
  const std::string_view m = line.mnemonic;
  switch (arch) {
    case Arch::X86_64: return m.starts_with('j');
    case Arch::AArch64: return m == "b" || m.starts_with("b.") || m.starts_with("cb") || m.starts_with("tb");
    case Arch::Wasm32: return false;  // a branch names no label but counts the blocks that it leaves
    case Arch::Thumb7em:
    case Arch::Thumb81m:
    case Arch::Arm7a: return is_branch_arm(m);
    case Arch::RiscV64:
    case Arch::RiscV32: return m.starts_with('b') || m == "j";
  }
  return false;
}

bool is_multiply_add(const Line& line, Arch arch) {
  const std::string_view m = line.mnemonic;
  switch (arch) {
    case Arch::X86_64: return m.starts_with("vfmadd") || m.starts_with("vfnmadd") || m == "mulps";
    case Arch::AArch64: return m == "fmla" || m == "fmls" || m == "fmadd";
    case Arch::Wasm32: return m == "f32x4.mul" || m == "f32x4.relaxed_madd";
    case Arch::Thumb7em:
    case Arch::Thumb81m:
    case Arch::Arm7a: return m.starts_with("vfma") || m.starts_with("vfms") || m == "smlad" || m.starts_with("vmlav");
    case Arch::RiscV64:
    case Arch::RiscV32: return m == "fmadd.s" || m.starts_with("vfmacc") || m.starts_with("vfmadd");
  }
  return false;
}

// In AT&T syntax the destination is the last operand, and an address stands in parentheses.
bool is_load_x86(const Line& line) {
  if (line.mnemonic.starts_with("lea") || line.mnemonic.starts_with("prefetch")) return false;
  const std::size_t open = line.operands.find('(');
  if (open == std::string_view::npos) return false;
  const bool compares = line.mnemonic.starts_with("cmp") || line.mnemonic.starts_with("test");
  return compares || line.operands.find(',', line.operands.find(')')) != std::string_view::npos;
}

bool is_load(const Line& line, Arch arch) {
  switch (arch) {
    case Arch::X86_64: return is_load_x86(line);
    case Arch::AArch64: return line.mnemonic.starts_with("ld");
    case Arch::Thumb7em:
    case Arch::Thumb81m:
    case Arch::Arm7a: return line.mnemonic.starts_with("ld") || line.mnemonic.starts_with("vld");
    case Arch::RiscV64:
    case Arch::RiscV32:
      return line.mnemonic == "lw" || line.mnemonic == "lb" || line.mnemonic == "ld" || line.mnemonic == "flw" ||
             line.mnemonic.starts_with("vle");
    case Arch::Wasm32: return contains(line.mnemonic, ".load");
  }
  return false;
}

bool is_division(const Line& line, Arch arch) {
  switch (arch) {
    case Arch::X86_64: return contains(line.mnemonic, "divps");
    case Arch::AArch64: return line.mnemonic == "fdiv" && contains(line.operands, ".");
    case Arch::Wasm32: return line.mnemonic == "f32x4.div";
    case Arch::Thumb7em:
    case Arch::Thumb81m:
    case Arch::Arm7a: return line.mnemonic == "vdiv.f32";
    case Arch::RiscV64:
    case Arch::RiscV32: return line.mnemonic == "fdiv.s" || line.mnemonic.starts_with("vfdiv");
  }
  return false;
}

bool names_vector(const Line& line, Arch arch) {
  switch (arch) {
    case Arch::X86_64: return contains(line.operands, "mm");
    case Arch::AArch64: return line.operands.starts_with('q') || line.operands.starts_with('v');
    case Arch::Wasm32:
      return contains(line.mnemonic.substr(0, line.mnemonic.find('.')), "x") || line.mnemonic.starts_with("v128");
    case Arch::Thumb7em: return false;  // it has none
    case Arch::Thumb81m:
    case Arch::Arm7a: return line.operands.starts_with('q') || line.operands.starts_with('d');
    case Arch::RiscV64:
    case Arch::RiscV32: return line.operands.starts_with('v');
  }
  return false;
}

bool tells_spill(const Line& line) { return contains(line.comment, "Spill") || contains(line.comment, "Reload"); }

constexpr std::size_t kNone = ~std::size_t{0};

/// Holds a loop and the index of the loop around it, kNone where it lies in no other.
struct Found {
  Loop loop;
  std::size_t parent = kNone;
};

class LoopFinder {
 public:
  LoopFinder(Arch arch, std::string_view assembly) : arch_(arch) {
    for (const std::string_view text : lines_of(assembly)) lines_.push_back(parse(text, arch_));
    owner_.resize(lines_.size(), kNone);
  }

  std::vector<Loop> run() {
    for (std::size_t i = 0; i < lines_.size(); ++i)
      if (lines_[i].mnemonic == ".type" && contains(lines_[i].operands, "function"))
        read_function(std::string(lines_[i].operands.substr(0, lines_[i].operands.find(','))), i + 1);
    std::ranges::stable_sort(loops_, {}, &Loop::first_line);
    return std::move(loops_);
  }

 private:
  // The lines of a function end at its .size directive.
  void read_function(const std::string& name, std::size_t begin) {
    std::size_t end = begin;
    while (end < lines_.size() && lines_[end].mnemonic != ".size") ++end;
    found_.clear();
    bool is_told = false;
    for (std::size_t i = begin; i < end; ++i) is_told |= contains(lines_[i].comment, "Loop Header: Depth=");
    is_told ? read_comments(begin, end) : read_jumps(begin, end);
    bool rbp_is_frame = false;
    for (std::size_t i = begin; i < end; ++i)
      rbp_is_frame |= lines_[i].mnemonic == "movq" && lines_[i].operands == "%rsp, %rbp";
    for (std::size_t i = begin; i < end; ++i)
      if (owner_[i] != kNone) count(lines_[i], rbp_is_frame, found_[owner_[i]].loop);
    for (Found& each : found_) {
      each.loop.function = name;
      if (each.parent != kNone) found_[each.parent].loop.has_loops = true;
    }
    for (Found& each : found_) loops_.push_back(std::move(each.loop));
  }

  // ---- loops from LLVM's comments, which name the innermost loop of each block wherever the block stands

  std::size_t loop_of(std::string_view label) {
    for (std::size_t i = 0; i < found_.size(); ++i)
      if (found_[i].loop.label == label) return i;
    found_.emplace_back();
    found_.back().loop.label = label;
    found_.back().loop.first_line = kNone;
    return found_.size() - 1;
  }

  // The comment is "Parent Loop BB1_2 Depth=1" or "in Loop: Header=BB1_2 Depth=1".
  std::size_t loop_named_in(std::string_view comment) {
    const std::size_t at = comment.find("BB");
    return loop_of(".L" + std::string(comment.substr(at, comment.find(' ', at) - at)));
  }

  void read_comments(std::size_t begin, std::size_t end) {
    std::size_t block = begin, current = kNone, parent = kNone;
    std::string_view name;
    for (std::size_t i = begin; i < end; ++i) {
      const Line& line = lines_[i];
      if (!line.label.empty() || line.comment.starts_with("%bb.")) {
        block = i;
        current = parent = kNone;
        name = {};
      }
      if (!line.label.empty() && line.comment.starts_with('%')) name = line.comment.substr(1);
      if (line.comment.starts_with("Parent Loop")) parent = loop_named_in(line.comment);
      if (line.comment.starts_with("in Loop: Header=")) current = loop_named_in(line.comment);
      if (contains(line.comment, "Loop Header: Depth=")) {
        current = loop_of(lines_[block].label);
        found_[current].parent = parent;
        found_[current].loop.name = name;
      }
      if (current != kNone) add(current, block, i);
    }
    for (Found& each : found_)
      for (std::size_t up = each.parent; up != kNone; up = found_[up].parent) ++each.loop.depth;
  }

  // Gives the lines from `block` to `line` to the loop `owner`, and extends this loop and those around it to them.
  void add(std::size_t owner, std::size_t block, std::size_t line) {
    for (std::size_t i = block; i <= line; ++i) owner_[i] = owner;
    for (std::size_t up = owner; up != kNone; up = found_[up].parent) {
      found_[up].loop.first_line = std::min(found_[up].loop.first_line, block);
      found_[up].loop.last_line = std::max(found_[up].loop.last_line, line);
    }
  }

  // ---- loops from labels and jumps back to them, for text without LLVM's comments

  void read_jumps(std::size_t begin, std::size_t end) {
    std::map<std::string_view, std::size_t> labels;  // those read so far
    std::map<std::size_t, std::size_t> last_jump;    // the last jump back to the label on a line
    for (std::size_t i = begin; i < end; ++i) {
      const Line& line = lines_[i];
      if (!line.label.empty()) labels[line.label] = i;
      if (!line.is_instruction() || !is_jump(line, arch_)) continue;
      const auto target = labels.find(line.last_operand());
      if (target != labels.end()) last_jump[target->second] = i;
    }
    for (const auto& [first, last] : last_jump) {
      Found each;
      each.loop.label = lines_[first].label;
      if (lines_[first].comment.starts_with('%')) each.loop.name = lines_[first].comment.substr(1);
      each.loop.first_line = first;
      each.loop.last_line = last;
      // All loops found so far begin before this one, so the last one that ends behind it is the innermost around it.
      for (std::size_t i = 0; i < found_.size(); ++i)
        if (found_[i].loop.last_line >= last) each.parent = i;
      each.loop.depth = each.parent == kNone ? 1 : found_[each.parent].loop.depth + 1;
      for (std::size_t i = first; i <= last; ++i) owner_[i] = found_.size();
      found_.push_back(std::move(each));
    }
  }

  // ---- counts of instructions

  void count(const Line& line, bool rbp_is_frame, Loop& loop) const {
    loop.has_branches |= !line.label.empty() && line.label != loop.label;
    if (!line.is_instruction()) return;
    const bool on_vector = names_vector(line, arch_), is_spill = tells_spill(line);
    ++loop.instructions;
    loop.multiply_adds += is_multiply_add(line, arch_);
    loop.loads += is_load(line, arch_);
    loop.divisions += is_division(line, arch_);
    loop.spills += is_spill;
    loop.vector_spills += is_spill && on_vector;
    loop.vector_stack_accesses += on_vector && is_on_stack(line, rbp_is_frame);
  }

  // In a function that sets up no frame, rbp is a pointer like any other.
  bool is_on_stack(const Line& line, bool rbp_is_frame) const {
    switch (arch_) {
      case Arch::X86_64:
        return contains(line.operands, "(%rsp)") || (rbp_is_frame && contains(line.operands, "(%rbp)"));
      case Arch::AArch64:
      case Arch::Thumb7em:
      case Arch::Thumb81m:
      case Arch::Arm7a: return contains(line.operands, "[sp");
      case Arch::RiscV64:
      case Arch::RiscV32: return contains(line.operands, "(sp)");
      case Arch::Wasm32: return false;
    }
    return false;
  }

  Arch arch_;
  std::vector<Line> lines_;
  std::vector<std::size_t> owner_;  // by line: the innermost loop of its function
  std::vector<Found> found_;        // those of the function that is being read
  std::vector<Loop> loops_;
};

std::string counted(int count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

// Turns "stage1.columns12" into "stage 1, over columns, ". LLVM puts a number behind a name that occurs several times.
std::string place_of(const std::string& name) {
  std::string over = name, stage;
  if (over.starts_with("stage") && over.find('.') != std::string::npos) {
    stage = "stage " + over.substr(5, over.find('.') - 5) + ", ";
    over = over.substr(over.find('.') + 1);
  }
  over = over.substr(0, over.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"));
  std::ranges::replace(over, '_', ' ');
  return over.empty() ? stage : stage + "over " + over + ", ";
}

std::string summary(const Loop& loop) {
  std::string text = "loop of depth " + std::to_string(loop.depth) + ", " + place_of(loop.name) +
                     (loop.function.starts_with("tile_") ? loop.function + ", " : "") +
                     counted(loop.instructions, "instruction") + (loop.has_loops ? " besides loops inside" : "");
  if (loop.multiply_adds > 0) text += ", " + counted(loop.multiply_adds, "multiply-add");
  if (loop.loads > 0) text += ", " + counted(loop.loads, "load");
  return text + ", " + (loop.spills == 0 ? "no spills" : counted(loop.spills, "spill"));
}

// Takes LLVM's comment off a line. A comment about a spill stays, as do the marks APP and NO_APP around inline
// assembly.
std::string_view bare(std::string_view text, const Line& line, Arch arch) {
  if (line.comment.empty() || tells_spill(line) || line.comment.starts_with("APP") || line.comment == "NO_APP")
    return text;
  text = text.substr(0, text.find(mark_of(arch)));
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::vector<Loop> find_loops(Arch arch, std::string_view assembly) { return LoopFinder(arch, assembly).run(); }

std::string mark_loops(Arch arch, std::string_view assembly) {
  const std::string mark = std::string(mark_of(arch)) + " ";
  std::map<std::size_t, std::string> before, behind;  // the comments to add, by line
  for (const Loop& loop : find_loops(arch, assembly)) {
    const std::string indent(2 * static_cast<std::size_t>(loop.depth), ' ');
    before[loop.first_line] += mark + indent + summary(loop) + "\n";
    std::string& ends = behind[loop.last_line];
    ends = mark + indent + "end of loop of depth " + std::to_string(loop.depth) + "\n" + ends;
  }
  std::string text;
  const std::vector<std::string_view> lines = lines_of(assembly);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string_view rest = bare(lines[i], parse(lines[i], arch), arch);
    if (before.contains(i)) text += before[i];
    if (!rest.empty() || lines[i].empty()) text += std::string(rest) + "\n";
    if (behind.contains(i)) text += behind[i];
  }
  return text;
}

}  // namespace rnnc::compiler
