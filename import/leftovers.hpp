// A file that is being written has a temporary name and a lock. A run that was killed leaves the file without the lock,
// so that a later run can tell it from the files of runs that are at work, and removes it.
#pragma once

#include <sys/types.h>

#include <string>

namespace rnnc::files {

struct TemporaryFile {
  int descriptor = -1;  // -1, with errno set, where none could be made
  std::string path;
};

/// Makes an empty file in `folder` under a new name and locks it. The lock lasts until the descriptor and all its
/// copies are closed.
TemporaryFile create_temporary(const std::string& folder, mode_t mode);

/// Removes what killed runs of this user left in `folder`. A file that cannot be locked stays.
void remove_leftovers(const std::string& folder);

}  // namespace rnnc::files
