#include "ir/cell.hpp"

#include <rnnc/join.hpp>

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

Result<const Graph*> Module::choose(const std::string& name) const {
  const std::string of_cells = join(cells, &Cell::name), of_networks = join(networks, &Network::name);
  const auto error = [&](const std::string& message) {
    return Error{ErrorCode::Name, {source ? source->file : ""}, "the model has " + message};
  };
  if (name.empty()) {
    if (networks.size() > 1) return error("several networks; choose one of: " + of_networks);
    if (networks.size() == 1) return &networks.front();
    if (cells.size() == 1) return &cells.front();
    return error("several cells; choose one of: " + of_cells);
  }
  if (const Network* network = find_network(name)) return network;
  if (const Cell* cell = find(name)) return cell;
  const char* separator = cells.empty() || networks.empty() ? "" : ", ";
  return error("no cell or network " + name + "; it has: " + of_networks + separator + of_cells);
}

}  // namespace rnnc::ir
