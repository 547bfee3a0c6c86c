// This file gives each status of a call as text.
#include <rnnc/program.hpp>

namespace rnnc {

const char* text(RunStatus status) noexcept {
  switch (status) {
    case RunStatus::Ok: return "ok";
    case RunStatus::BatchMismatch: return "the batch is not the state's";
    case RunStatus::WrongState: return "the state was made by another program";
    case RunStatus::NegativeSteps: return "steps is negative";
    case RunStatus::MissingPointer: return "x or y is null";
    case RunStatus::BadLength: return "a length is negative or more than steps";
    case RunStatus::TooManySteps: return "the state was made for fewer steps";
    case RunStatus::MissingInput: return "a named input, or the steps of a time, is missing";
    case RunStatus::UnknownName: return "no input or time has this name";
    case RunStatus::NoStreaming: return "the network needs whole sequences";
  }
  return "no status of rnnc";
}

}  // namespace rnnc
