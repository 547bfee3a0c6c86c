// This class translates the operators between recurrent nodes. Its members are in files by kind: glue.cpp (the table of
// operators), elementwise.cpp, truth.cpp, moves.cpp, repeats.cpp, places.cpp, products.cpp, einsum.cpp, convolution.cpp
// and reductions.cpp.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <span>

#include "import/onnx/scope.hpp"

namespace rnnc::files {

/// A matrix of constants, [rows, columns], and what is added to the product.
struct Kernel {
  std::string key;  // names the matrix: matrices of one key are equal
  std::int64_t rows = 0, columns = 0;
  std::function<std::vector<float>()> values;  // row-major
  std::vector<float> bias;                     // [rows], or none
  // The places of its columns in a matrix of which some rows take a part alone; none where each has its own.
  std::vector<std::size_t> places = {};
};

/// Translates one node. Throws Refusal.
class Glue {
 public:
  Glue(const OnnxNode& node, OnnxScope& scope) : attributes_(node, scope.file), node_(node), scope_(scope) {}

  std::vector<OnnxValue> evaluate();

 private:
  using Function = std::function<std::string(const std::vector<std::string>&)>;
  using RowFunction = std::function<std::string(const std::string&)>;  // of a whole vector

  bool is(const char* op) const { return node_.op == op; }
  bool depends(std::size_t input) const { return scope_.values.contains(node_.input(input)); }
  const OnnxValue& raw(std::size_t input);    // a value, or a constant
  const OnnxValue& value(std::size_t input);  // the same, without zeros around the time
  OnnxValue operand(std::size_t input);       // a value or a constant
  OnnxValue constant_value(const TensorView& tensor);
  const TensorView& constant(std::size_t input);
  const TensorView* optional_constant(std::size_t input);
  std::vector<float> floats(std::size_t input, std::int64_t count, float standard);
  std::size_t axis(std::int64_t axis, const OnnxValue& of) const {
    return onnx_axis(attributes_, axis, of.axes.size());
  }
  std::optional<std::vector<std::int64_t>> list(const char* attribute, std::size_t input);
  void follow_wrapping(std::vector<OnnxValue>& results);
  std::vector<std::optional<Count>> wanted_shape(std::size_t input, const Axes& from, bool zero_copies);

  // elementwise.cpp
  OnnxValue each(const std::vector<OnnxValue>& operands, const Function& function);
  OnnxValue unary();
  OnnxValue binary();
  OnnxValue variadic();
  OnnxValue power();
  OnnxValue clip();
  OnnxValue cast();
  OnnxValue prelu();
  void check_is_test();
  OnnxValue batch_norm();

  // truth.cpp
  OnnxValue compare();
  OnnxValue logic();
  OnnxValue where();

  // moves.cpp
  OnnxValue taken(const OnnxValue& from, Axes axes,
                  const std::function<std::int64_t(std::span<const std::int64_t>)>& at);
  OnnxValue identity();
  OnnxValue transpose();
  OnnxValue squeeze();
  OnnxValue unsqueeze();
  OnnxValue reshape();
  OnnxValue flatten();
  OnnxValue concat();
  OnnxValue slice();
  OnnxValue sliced(OnnxValue value, std::size_t at, std::int64_t begin, std::int64_t end, std::int64_t step);
  std::vector<OnnxValue> split();
  OnnxValue expand();
  OnnxValue tile();
  OnnxValue filled();
  OnnxValue pad();
  OnnxValue reverse_sequence();

  // places.cpp
  std::pair<Shape, std::vector<std::int64_t>> fixed_places(std::size_t input);
  std::int64_t from_begin(std::int64_t place, std::size_t dim, std::int64_t size);
  OnnxValue lookup();
  OnnxValue gather();
  OnnxValue gather_elements();
  OnnxValue gather_nd();
  OnnxValue scatter();
  OnnxValue depth_and_space();

  // products.cpp
  Elements product(std::span<const Element> x, const Kernel& kernel);
  OnnxValue matmul();
  OnnxValue gemm();

  // einsum.cpp
  OnnxValue arranged(const OnnxValue& value, const std::string& own, const std::string& to);
  OnnxValue contracted(const OnnxValue& value, const std::string& own, const TensorView& W, const std::string& letters,
                       const std::string& output, const std::string& key);
  std::map<char, Axis> dims_of(const std::vector<std::string>& inputs, const std::string& shown);
  OnnxValue multiplied(std::span<const OnnxValue> operands, std::span<const std::string> own, const std::string& output,
                       const std::string& shared);
  OnnxValue einsum();

  // convolution.cpp
  struct Window;
  Window window(std::size_t spatial, const std::vector<std::int64_t>& kernel);
  std::int32_t taps(const Elements& elements, std::int64_t steps, bool ahead);
  OnnxValue windows(const OnnxValue& x, const Window& window, Element outside);
  OnnxValue outputs_of(const OnnxValue& windows, std::int64_t channels);
  OnnxValue grouped(const OnnxValue& windows, std::int64_t C, std::int64_t G, std::int64_t Q,
                    const std::vector<float>& bias, const std::function<std::vector<float>(std::int64_t)>& values);
  OnnxValue depthwise(const OnnxValue& windows, std::int64_t C, std::int64_t Q, const std::vector<float>& bias,
                      const std::vector<float>& weights);
  OnnxValue conv();
  OnnxValue conv_transpose();
  OnnxValue pool();

  // reductions.cpp
  OnnxValue over_time(const OnnxValue& value, std::size_t at, std::string function, bool keeps);
  OnnxValue by_rows(const OnnxValue& x, std::size_t axis, const std::string& name, const RowFunction& function,
                    bool to_scalar);
  OnnxValue summed(OnnxValue x, const std::set<std::size_t>& gone, const std::string& function);
  OnnxValue without(OnnxValue x, const std::set<std::size_t>& gone);
  OnnxValue reduce();
  OnnxValue arg_max();
  OnnxValue softmax();
  OnnxValue layer_norm();

  OnnxAttributes attributes_;
  const OnnxNode& node_;
  OnnxScope& scope_;
  std::deque<OnnxValue> constants_;  // constants among the operands, as values
};

}  // namespace rnnc::files
