#include "compiler/portable/print.hpp"

#include <cctype>
#include <sstream>
#include <string_view>
#include <vector>

#include <rnnc/join.hpp>

#include "compiler/portable/places.hpp"
#include "ir/check.hpp"
#include "ir/op.hpp"
#include "ir/print.hpp"

namespace rnnc::compiler {
namespace {

using runtime::PortableOp;
using runtime::PortablePlace;
using runtime::PortableSpace;

const char* name(PortableSpace space) {
  switch (space) {
    case PortableSpace::Input: return "x";
    case PortableSpace::Output: return "y";
    case PortableSpace::Current: return "current";
    case PortableSpace::Next: return "next";
    case PortableSpace::Sequence: return "sequence";
    case PortableSpace::Step: return "step";
    case PortableSpace::Weights: return "weights";
    case PortableSpace::Constants: return "constants";
  }
  return "";
}

std::string range(const char* space, std::int64_t begin, std::int64_t size) {
  return std::string(space) + "[" + std::to_string(begin) + ":" + std::to_string(begin + size) + "]";
}

// Returns the text of a place of which `size` elements are read or written. A spread place holds one number.
std::string text_of(const PortablePlace& place, std::int64_t size) {
  if (place.spread) return std::string(name(place.space)) + "[" + std::to_string(place.offset) + "]";
  return range(name(place.space), place.offset, size);
}

// Returns the text of a map. Operators are written as in the language: `a + b`, `-a`.
std::string map(const PortableOp& op) {
  const std::string function(ir::facts(op.function).name);
  std::vector<std::string> operands;
  for (int k = 0; k < runtime::arity(op.function); ++k)
    operands.push_back(text_of(op.operands[static_cast<std::size_t>(k)], op.size));
  if (std::isalpha(static_cast<unsigned char>(function[0])) != 0) return function + "(" + join(operands) + ")";
  return operands.size() == 1 ? function + operands[0] : join(operands, " " + function + " ");
}

std::string product(const PortableOp& op) {
  return "product(" + text_of(op.operands[0], op.columns) + ", " +
         text_of(op.operands[2], padded(op.size) * op.columns) + ", " + text_of(op.operands[1], op.size) + ")";
}

// Integers take a byte for each digit, and places are told in floats.
std::string integer_product(const PortableOp& op) {
  const std::int64_t floats = runtime::floats_of_digits(op.columns, runtime::vector_digits(op.format));
  return std::string(runtime::name(op.format)) + "_product(" + text_of(op.operands[0], floats) + ", " +
         std::string(name(op.operands[2].space)) + "[" + std::to_string(op.operands[2].offset) + "])";
}

std::string lookup(const PortableOp& op) {
  const std::string table = std::to_string(op.rows) + " rows of " + std::to_string(op.columns);
  return "lookup(" + text_of(op.operands[0], op.rows * op.columns) + " as " + table + ", " +
         text_of(op.operands[1], 1) + ")";
}

std::string reduction(ir::Reduction reduction, const PortableOp& op) {
  return std::string(ir::facts(reduction).name) + "(" + text_of(op.operands[0], op.size) + ")";
}

std::string value_of(const PortableOp& op) {
  switch (op.kind) {
    case PortableOp::Kind::Map: return map(op);
    case PortableOp::Kind::Copy: return text_of(op.operands[0], op.size);
    case PortableOp::Kind::Product: return product(op);
    case PortableOp::Kind::Lookup: return lookup(op);
    case PortableOp::Kind::Sum: return reduction(ir::Reduction::Sum, op);
    case PortableOp::Kind::Max: return reduction(ir::Reduction::Max, op);
    case PortableOp::Kind::Argmax: return reduction(ir::Reduction::Argmax, op);
    case PortableOp::Kind::Quantize:
      return "quantize(" + text_of(op.operands[0], op.size) + ", " + text_of(op.operands[1], 1) + ")";
    case PortableOp::Kind::IntegerProduct: return integer_product(op);
  }
  return "";
}

// Returns the floats that an operation writes.
std::int64_t written_by(const PortableOp& op) {
  if (op.kind != PortableOp::Kind::Quantize) return op.size;
  return runtime::floats_of_digits(op.size, runtime::vector_digits(op.format));
}

void print_phase(std::ostream& out, const std::string& when, const std::vector<PortableOp>& ops) {
  if (ops.empty()) return;
  out << "\n" << when << "\n";
  for (const PortableOp& op : ops) out << "  " << text_of(op.to, written_by(op)) << " = " << value_of(op) << "\n";
}

// Returns the names of the parameters of a panel. A parameter may have several pieces in the panel, and is named once.
std::string params_of(const runtime::PanelPacking& panel) {
  std::vector<std::string> names;
  for (const runtime::MatrixPiece& piece : panel.pieces)
    if (names.empty() || piece.param != names.back()) names.push_back(piece.param);
  return join(names);
}

void print_weights(std::ostream& out, const runtime::Description& description) {
  for (const runtime::VectorPacking& vector : description.vectors)
    out << range("weights", vector.offset, vector.size) << " holds " << vector.param << "\n";
  for (const runtime::PanelPacking& panel : description.panels)
    out << range("weights", panel.offset, panel.shape().floats()) << " holds " << params_of(panel) << " as a panel of "
        << panel.units << " units and " << panel.columns << " columns\n";
}

void print_constants(std::ostream& out, const std::vector<float>& constants) {
  for (std::size_t i = 0; i < constants.size(); ++i)
    out << "constants[" << i << "] is " << ir::number_text(constants[i]) << "\n";
}

}  // namespace

std::string print_portable(const CellCode& code) {
  RNNC_ASSERT(code.code.portable, nullptr);
  const runtime::PortableProgram& program = *code.code.portable;
  const runtime::Description& description = code.description;
  std::ostringstream out;
  out << "portable program of " << description.cell << "\n";
  print_weights(out, description);
  print_constants(out, program.constants);
  for (const runtime::StateInfo& state : description.states)
    out << range("current", state.offset, state.size) << " holds state " << state.tensor.name << "\n";
  print_phase(out, "once: when weights are packed", program.once);
  print_phase(out,
              "sequence: ahead of the steps, for chunks of up to " + std::to_string(description.chunk_rows) + " rows",
              program.sequence);
  print_phase(out, "step: one after the other, for each step of a chunk", program.step);
  out << "\nrows: current " << program.doubled_row << ", sequence " << program.sequence_row << ", step "
      << program.step_row << "\nweights: " << description.weights_size * 4 << " bytes\n";
  return out.str();
}

}  // namespace rnnc::compiler
