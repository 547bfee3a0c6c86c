// This file gives each status of a call as text.
#include <rnnc/program.hpp>

namespace rnnc {

const char* text(RunStatus status) noexcept {
  switch (status) {
    case RunStatus::Ok: return "ok";
    case RunStatus::WrongState: return "the state was made by another program, or was moved from";
    case RunStatus::WrongWorkspace: return "the workspace was made by another program or for fewer sequences";
    case RunStatus::NoWorkspace: return "the state has no workspace, and the call names none";
    case RunStatus::NegativeSteps: return "steps is negative";
    case RunStatus::MissingPointer: return "x or y is null";
    case RunStatus::ShortSpan: return "x, y, lengths or an input has fewer elements than the call needs";
    case RunStatus::BadLength: return "a length is negative or more than steps";
    case RunStatus::TooManySteps: return "the state or workspace was made for fewer steps";
    case RunStatus::MissingInput: return "a named input, or the steps of a time, is missing";
    case RunStatus::UnknownName: return "no input or time has this name";
    case RunStatus::NoStreaming: return "the network needs whole sequences";
    case RunStatus::NoForward: return "a backward pass needs a forward pass before it";
  }
  return "no status of rnnc";
}

}  // namespace rnnc
