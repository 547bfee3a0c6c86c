// The weights of a layer are found in the HDF5 file of a model of Keras, by their names or, in Keras 3, their numbers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "import/hdf5.hpp"
#include "import/matrix.hpp"

namespace rnnc::files {

class KerasWeights {
 public:
  /// `by_folder` tells that a layer's folder in a file of Keras 3 has the layer's name, and is not told by its class.
  KerasWeights(const Hdf5File& hdf5, std::string_view file, bool by_folder);

  /// Goes on to a layer, in the order of the model.
  void begin_layer(const std::string& kind, const std::string& name);

  /// Returns the weights of the layer in the order of `roles`, Keras's names: `kernel`, `bias`. `part` is "" or, of a
  /// bidirectional layer, "forward" or "backward". A vector is a matrix of one row. Throws Refusal where one is missing
  /// or there are more.
  std::vector<Matrix> take(const std::string& part, const std::vector<std::string>& roles) const;

 private:
  std::map<std::string, const Hdf5Dataset*> of_layer(const std::string& part,
                                                     const std::vector<std::string>& roles) const;

  const Hdf5File& hdf5_;
  std::string_view file_;
  bool by_folder_;
  std::string numbered_;  // the folder of all layers as Keras 3 saves: by number, in folders named after the class
  std::map<std::string, int> seen_;
  std::string folder_, name_;
};

}  // namespace rnnc::files
