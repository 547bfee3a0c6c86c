#include "ir/cell.hpp"

#include "ir/check.hpp"

namespace rnnc::ir {

Value Cell::next_of(const std::string& state) const {
  for (const Statement& statement : statements) {
    if (statement.kind == Statement::Kind::Next && statement.name == state) return statement.value;
  }
  internal_error(this, "no next value of state " + state);
}

const Cell* Module::find(const std::string& name) const {
  for (const Cell& cell : cells) {
    if (cell.name == name) return &cell;
  }
  return nullptr;
}

const Network* Module::find_network(const std::string& name) const {
  for (const Network& network : networks) {
    if (network.name == name) return &network;
  }
  return nullptr;
}

}  // namespace rnnc::ir
