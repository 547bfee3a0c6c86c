// An HDF5 file becomes its datasets and the texts that are attributes of its root: what Keras writes with h5py's usual
// settings, and no more of the format. What is stored in another way is refused where its bytes are asked for.
// Addresses are checked before they are followed, and no object is visited twice, so that a file of any content takes
// time and memory in proportion to its size.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <rnnc/tensor_files.hpp>
#include "import/tensor_view.hpp"

namespace rnnc::files {

struct Hdf5Dataset {
  TensorView tensor;       // its bytes are part of the file
  std::string unreadable;  // why there are no bytes; empty where there are
};

struct Hdf5File {
  std::map<std::string, Hdf5Dataset> datasets;  // by path, as in `layers/lstm/cell/vars/0`
  std::map<std::string, std::string> texts;     // attributes of the root
};

/// Reads the structure of a file. `content` must outlive the views. Throws Refusal.
Hdf5File read_hdf5(std::span<const std::byte> content, std::string_view file, const FileLimits& limits);

}  // namespace rnnc::files
