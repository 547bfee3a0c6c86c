// The weights of a layer are found in the HDF5 file of a model of Keras, by their names or, in Keras 3, their numbers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "import/hdf5.hpp"
#include "import/keras/layers.hpp"

namespace rnnc::files {

/// The weights of a layer that has one, row-major.
struct KerasWeight {
  Shape shape;
  std::vector<float> values;
};

class KerasWeights {
 public:
  /// `by_folder` tells that a layer's folder in a file of Keras 3 has the layer's name, and is not told by its class.
  KerasWeights(const Hdf5File& hdf5, std::string_view file, bool by_folder, const std::vector<KerasLayer>& layers);

  /// Returns the weights of a layer in the order of `roles`, Keras's names: `kernel`, `bias`. `part` is "" or, of a
  /// bidirectional layer, "forward" or "backward". Throws Refusal where one is missing or there are more.
  std::vector<KerasWeight> take(const std::string& layer, const std::string& part,
                                const std::vector<std::string>& roles) const;

  /// Returns how many features a layer reads, by its first kernel. Throws Refusal where it has none.
  std::int64_t input_width(const std::string& layer) const;

 private:
  void add_folders(const std::vector<KerasLayer>& layers, const std::string& model, const std::string& folder,
                   bool by_folder);
  bool has(const std::string& folder) const;
  std::map<std::string, const Hdf5Dataset*> of_layer(const std::string& layer, const std::string& part,
                                                     const std::vector<std::string>& roles) const;

  const Hdf5File& hdf5_;
  std::string_view file_;
  bool is_numbered_ = false;                    // the weights, as Keras 3 saves them, in folders named after the class
  std::string inside_;                          // the folder of the layers within the folder of a model
  std::map<std::string, std::string> folders_;  // of the layers by their names
};

}  // namespace rnnc::files
