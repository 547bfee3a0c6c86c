// Two threads on two CPUs that pass a flag to and fro become the time that a flag takes from one core to another.
#pragma once

namespace rnnc::tools {

/// Returns the seconds from a store on one CPU until another one sees it, of the first two that the calling thread may
/// run on; 0 where it has one, or the system does not let threads choose theirs.
double flag_seconds();

}  // namespace rnnc::tools
